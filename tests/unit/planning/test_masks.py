from uuid import UUID

from provisioning.domain.ids import Pseudonym, SubjectId
from provisioning.planning.masks import Masks, MasksInOrder

KEY, OTHER = Pseudonym("p_one"), Pseudonym("p_other")
PERSON, SECOND = SubjectId("0c9e7b52-6a3d-4f18-9b77-51c2ad3f2001"), SubjectId("0c9e7b52-6a3d-4f18-9b77-51c2ad3f2002")


class TestMasks:
    def test_the_same_person_is_always_the_same(self) -> None:
        assert Masks(KEY).of(PERSON) == Masks(KEY).of(SubjectId(PERSON.upper()))

    def test_two_people_are_never_one(self) -> None:
        assert Masks(KEY).of(PERSON) != Masks(KEY).of(SECOND)

    def test_another_key_makes_somebody_else(self) -> None:
        assert Masks(KEY).of(PERSON) != Masks(OTHER).of(PERSON)

    def test_looks_like_an_object_id(self) -> None:
        assert str(UUID(Masks(KEY).of(PERSON))) == Masks(KEY).of(PERSON)


class TestMasksInOrder:
    """A wave of at most so many takes the first by id: in a copy it must be the same people."""

    PEOPLE = tuple(SubjectId(str(UUID(int=number))) for number in range(1, 40))

    def test_people_come_in_the_order_of_their_true_ids(self) -> None:
        masks = MasksInOrder(KEY, self.PEOPLE)
        assert [masks.of(one) for one in self.PEOPLE] == sorted(map(masks.of, self.PEOPLE))
        plain = Masks(KEY)
        assert [plain.of(one) for one in self.PEOPLE] != sorted(map(plain.of, self.PEOPLE))

    def test_the_words_are_those_of_the_snapshot(self) -> None:
        masks, plain = MasksInOrder(KEY, self.PEOPLE), Masks(KEY)
        assert set(map(masks.of, self.PEOPLE)) == set(map(plain.of, self.PEOPLE))
        assert masks.of(SubjectId(self.PEOPLE[3].upper())) == masks.of(self.PEOPLE[3])

    def test_whoever_was_not_in_it_has_the_word_of_everywhere(self) -> None:
        assert MasksInOrder(KEY, self.PEOPLE).of(PERSON) == Masks(KEY).of(PERSON)

    def test_a_seed_tells_of_the_same_people_with_them(self) -> None:
        masks, plain = MasksInOrder(KEY, self.PEOPLE), Masks(KEY)
        first, second, *_ = self.PEOPLE
        group = UUID(int=7_000)
        told = f'{{"id":"{plain.of(first)}","upn":"{plain.of(second)}@x.nl","group":"{group}"}}'
        expected = f'{{"id":"{masks.of(first)}","upn":"{masks.of(second)}@x.nl","group":"{group}"}}'
        assert masks.dealt_anew(told.encode()) == expected.encode()
