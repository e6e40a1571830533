from uuid import UUID

from provisioning.domain.ids import Pseudonym, SubjectId
from provisioning.planning.masks import Masks

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
