"""Who is whom, and what is said of those for whom that is no plain answer."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.errors import UnavailableError
from provisioning.domain.ids import SubjectId
from provisioning.domain.migration import MatchRule, ProductPair, Situation, Traveller, Treatment
from provisioning.domain.migration_lifecycle import PersonState
from provisioning.domain.observation import Person
from provisioning.domain.reasons import Reason
from provisioning.planning.identity import RuleReading
from provisioning.planning.matching import MatchScene, match, unexplained
from tests.unit.planning.migration_scene import MIGRATION, OLD_BOARD, SOURCE, census, definition
from tests.unit.planning.scene import A1, A3, A5, EMS, FOREIGN, GROUP, held, person

ANNE, BEN = person("anne", held(A3)), person("ben", held(A3))
FAR, FURTHER = person("far"), person("further")


def ids(*pairs: tuple[str, str]) -> tuple[tuple[SubjectId, SubjectId], ...]:
    return tuple((SubjectId(here), SubjectId(far)) for here, far in pairs)


def reading(here: dict[str, str], far: dict[str, str], rule: MatchRule = MatchRule.EMPLOYEE_ID) -> RuleReading:
    return RuleReading(
        rule=rule,
        source={SubjectId(one): key for one, key in here.items()},
        target={SubjectId(one): key for one, key in far.items()},
    )


def scene(here: tuple[Person, ...], far: tuple[Person, ...], *readings: RuleReading, **known: Any) -> MatchScene:
    """Everybody of the source is selected unless said otherwise; what is not of the scene is of the definition."""
    fields = {
        "selected": {one.subject_id: OLD_BOARD for one in here},
        "source": census(*here, tenant=SOURCE),
        "target": census(*far),
        "of_two_boards": frozenset(),
        "claimed": frozenset(),
    }
    own = {name: known.pop(name) for name in tuple(known) if name in fields}
    return MatchScene(migration_id=MIGRATION, definition=definition(**known), readings=readings, **(fields | own))


def found(travellers: tuple[Traveller, ...]) -> dict[str, tuple[str, str | None]]:
    return {one.source_id: (one.situation.value, one.target_id) for one in travellers}


class TestTheIdentityMap:
    def test_leads_to_the_person_it_names(self) -> None:
        travellers = match(scene((ANNE,), (FAR,), identity=ids(("anne", "far"))))
        assert found(travellers) == {"anne": ("matched", "far")}
        assert travellers[0].state is PersonState.WAITING
        assert (travellers[0].source_sku, travellers[0].target_sku) == (A3, A3)

    def test_is_read_without_case_and_blanks(self) -> None:
        travellers = match(scene((ANNE,), (FAR,), identity=ids(("ANNE", " Far "))))
        assert found(travellers) == {"anne": ("matched", "far")}

    def test_outranks_the_rules(self) -> None:
        rule = reading({"anne": "7"}, {"further": "7"})
        travellers = match(scene((ANNE,), (FAR, FURTHER), rule, identity=ids(("anne", "far"))))
        assert found(travellers) == {"anne": ("matched", "far")}

    def test_two_rows_for_one_person_are_disputed(self) -> None:
        travellers = match(scene((ANNE,), (FAR, FURTHER), identity=ids(("anne", "far"), ("anne", "further"))))
        assert found(travellers) == {"anne": ("disputed", None)}

    def test_the_same_row_twice_is_one(self) -> None:
        travellers = match(scene((ANNE,), (FAR,), identity=ids(("anne", "far"), ("anne", "FAR"))))
        assert found(travellers) == {"anne": ("matched", "far")}

    def test_somebody_whom_the_target_does_not_have_is_missing_there_whatever_rules_find(self) -> None:
        rule = reading({"anne": "7"}, {"far": "7"})
        travellers = match(scene((ANNE,), (FAR,), rule, identity=ids(("anne", "nobody"))))
        assert found(travellers) == {"anne": ("missing_in_target", None)}

    def test_somebody_whom_the_source_does_not_have_is_told(self) -> None:
        travellers = match(scene((), (FAR,), identity=ids(("gone", "far"))))
        assert found(travellers) == {"gone": ("missing_in_source", None)}
        assert travellers[0].organisation_id == OLD_BOARD

    def test_somebody_who_is_not_selected_is_no_traveller(self) -> None:
        assert match(scene((ANNE,), (FAR,), identity=ids(("anne", "far")), selected={})) == ()


class TestRules:
    @pytest.mark.parametrize(
        ("here", "far", "expected"),
        [
            pytest.param("7", "7", ("matched", "far"), id="the same"),
            pytest.param(" aB7", "Ab7 ", ("matched", "far"), id="without case and blanks"),
            pytest.param("7", "8", ("missing_in_target", None), id="different"),
            pytest.param("", "", ("missing_in_target", None), id="empty keys match nobody"),
            pytest.param("  ", " ", ("missing_in_target", None), id="nor do blank ones"),
        ],
    )
    def test_a_key_leads_to_whoever_carries_it(self, here: str, far: str, expected: tuple[str, str | None]) -> None:
        assert found(match(scene((ANNE,), (FAR,), reading({"anne": here}, {"far": far})))) == {"anne": expected}

    def test_the_next_rule_is_asked_where_the_first_knows_nobody(self) -> None:
        rules = (
            reading({"anne": "7"}, {}),
            reading({"anne": "anne"}, {"far": "anne"}, MatchRule.MAIL_NICKNAME),
        )
        assert found(match(scene((ANNE,), (FAR,), *rules))) == {"anne": ("matched", "far")}

    def test_two_rules_that_agree_are_one_answer(self) -> None:
        rules = (reading({"anne": "7"}, {"far": "7"}), reading({"anne": "a"}, {"far": "a"}, MatchRule.IMMUTABLE_ID))
        assert found(match(scene((ANNE,), (FAR,), *rules))) == {"anne": ("matched", "far")}

    def test_two_rules_that_lead_to_different_people_are_disputed(self) -> None:
        rules = (reading({"anne": "7"}, {"far": "7"}), reading({"anne": "a"}, {"further": "a"}, MatchRule.IMMUTABLE_ID))
        assert found(match(scene((ANNE,), (FAR, FURTHER), *rules))) == {"anne": ("disputed", None)}

    def test_a_key_that_two_people_of_the_target_carry_is_disputed(self) -> None:
        rule = reading({"anne": "7"}, {"far": "7", "further": "7"})
        assert found(match(scene((ANNE,), (FAR, FURTHER), rule))) == {"anne": ("disputed", None)}

    def test_somebody_no_longer_in_the_census_is_found_by_nobody(self) -> None:
        assert found(match(scene((ANNE,), (), reading({"anne": "7"}, {"far": "7"})))) == {
            "anne": ("missing_in_target", None)
        }


class TestMatchedTwice:
    def test_two_rows_of_the_map(self) -> None:
        travellers = match(scene((ANNE, BEN), (FAR,), identity=ids(("anne", "far"), ("ben", "far"))))
        assert found(travellers) == {"anne": ("matched_twice", "far"), "ben": ("matched_twice", "far")}

    def test_two_people_by_rule(self) -> None:
        travellers = match(scene((ANNE, BEN), (FAR,), reading({"anne": "7", "ben": "7"}, {"far": "7"})))
        assert found(travellers) == {"anne": ("matched_twice", "far"), "ben": ("matched_twice", "far")}

    def test_a_rule_does_not_shake_the_map(self) -> None:
        rule = reading({"ben": "7"}, {"far": "7"})
        travellers = match(scene((ANNE, BEN), (FAR,), rule, identity=ids(("anne", "far"))))
        assert found(travellers) == {"anne": ("matched", "far"), "ben": ("matched_twice", "far")}

    def test_whoever_the_map_leads_elsewhere_leads_nobody_by_a_rule(self) -> None:
        rule = reading({"anne": "7", "ben": "7"}, {"far": "7"})
        travellers = match(scene((ANNE, BEN), (FAR, FURTHER), rule, identity=ids(("ben", "further"))))
        assert found(travellers) == {"anne": ("matched", "far"), "ben": ("matched", "further")}

    def test_somebody_who_is_not_selected_counts(self) -> None:
        rule = reading({"anne": "7", "ben": "7"}, {"far": "7"})
        travellers = match(scene((ANNE, BEN), (FAR,), rule, selected={ANNE.subject_id: OLD_BOARD}))
        assert found(travellers) == {"anne": ("matched_twice", "far")}


class TestSituations:
    @pytest.mark.parametrize(
        ("here", "far", "situation"),
        [
            pytest.param({}, {}, Situation.MATCHED, id="plain"),
            pytest.param({"is_guest": True}, {}, Situation.GUEST, id="a guest in the source"),
            pytest.param({}, {"is_guest": True}, Situation.GUEST, id="a guest in the target"),
            pytest.param({"is_enabled": False}, {}, Situation.DISABLED, id="disabled in the source"),
            pytest.param({}, {"is_enabled": False}, Situation.DISABLED, id="disabled in the target"),
            pytest.param({"is_guest": True, "is_enabled": False}, {}, Situation.GUEST, id="a guest above all"),
            pytest.param(
                {}, {"is_enabled": False, "licences": (held(A3),)}, Situation.DISABLED, id="disabled before licensed"
            ),
        ],
    )
    def test_of_an_account(self, here: dict[str, Any], far: dict[str, Any], situation: Situation) -> None:
        pair = scene(
            (person("anne", held(A3), **here),),
            (Person(subject_id=SubjectId("far"), **far),),
            identity=ids(("anne", "far")),
        )
        assert match(pair)[0].situation is situation

    @pytest.mark.parametrize(
        ("licence", "situation"),
        [
            pytest.param(held(A5), Situation.ALREADY_LICENSED, id="the product they get"),
            pytest.param(held(A5, group=GROUP), Situation.ALREADY_LICENSED, id="through a group"),
            pytest.param(held(A3), Situation.ALREADY_LICENSED, id="the product they leave"),
            pytest.param(held(EMS), Situation.ALREADY_LICENSED, id="another of the migration's products"),
            pytest.param(held(A5, state="Error"), Situation.MATCHED, id="one that does not work"),
            pytest.param(held(FOREIGN), Situation.MATCHED, id="something else"),
        ],
    )
    def test_already_licensed(self, licence: Any, situation: Situation) -> None:
        products = (ProductPair(source_sku=A3, target_sku=A5), ProductPair(source_sku=EMS, target_sku=EMS))
        pair = scene((ANNE,), (person("far", licence),), identity=ids(("anne", "far")), products=products)
        assert match(pair)[0].situation is situation

    def test_an_account_of_the_target_that_another_board_claims_is_of_two_boards(self) -> None:
        far = person("far", held(A3))
        pair = scene((ANNE,), (far,), identity=ids(("anne", "far")), claimed=frozenset({far.subject_id}))
        assert found(match(pair)) == {"anne": ("of_two_boards", "far")}

    def test_an_account_that_two_people_lead_to_is_that_before_anything_else(self) -> None:
        pair = scene(
            (ANNE, BEN),
            (FAR,),
            identity=ids(("anne", "far"), ("ben", "far")),
            claimed=frozenset({FAR.subject_id}),
        )
        assert {one.situation for one in match(pair)} == {Situation.MATCHED_TWICE}

    def test_of_two_boards_comes_first(self) -> None:
        pair = scene((person("anne", held(A3), is_guest=True),), (), of_two_boards=frozenset({SubjectId("anne")}))
        assert match(pair)[0].situation is Situation.OF_TWO_BOARDS


class TestProducts:
    PRODUCTS = (ProductPair(source_sku=A5, target_sku=A5), ProductPair(source_sku=A3, target_sku=A5))

    def test_the_first_in_the_files_order_that_they_hold(self) -> None:
        anne = person("anne", held(A3), held(A5, group=GROUP))
        (one,) = match(scene((anne,), (FAR,), identity=ids(("anne", "far")), products=self.PRODUCTS))
        assert (one.source_sku, one.target_sku) == (A5, A5)

    def test_who_holds_none_stays_behind_and_needs_no_explaining(self) -> None:
        travellers = match(scene((person("anne", held(A1)),), ()))
        assert (travellers[0].state, travellers[0].reason) == (PersonState.LEFT_OUT, Reason.LICENCE_NOT_HELD)
        assert travellers[0].situation is Situation.MISSING_IN_TARGET
        assert unexplained(travellers, {}) == Counter()


class TestTreatments:
    @pytest.mark.parametrize("situation", [one for one in Situation if one is not Situation.MATCHED])
    def test_each_situation_holds_everything_up_until_it_is_left_out(self, situation: Situation) -> None:
        travellers = match(odd(situation))
        assert travellers[0].state is PersonState.WAITING
        assert unexplained(travellers, {}) == {situation: 1}
        treated = match(odd(situation, treatments={situation: Treatment.LEAVE_OUT}))
        assert (treated[0].state, treated[0].reason) == (PersonState.LEFT_OUT, Reason.LEFT_OUT)
        assert unexplained(treated, {situation: Treatment.LEAVE_OUT}) == Counter()

    @pytest.mark.parametrize("situation", [one for one in Situation if one is not Situation.MATCHED])
    def test_to_be_taken_along_helps_only_who_has_somewhere_to_go(self, situation: Situation) -> None:
        treatments = {situation: Treatment.TAKE_ALONG}
        travellers = match(odd(situation, treatments=treatments))
        may_go = situation in {Situation.ALREADY_LICENSED, Situation.DISABLED}
        assert unexplained(travellers, treatments) == ({} if may_go else {situation: 1})
        assert travellers[0].state is PersonState.WAITING

    def test_who_is_a_plain_match_is_not_left_out(self) -> None:
        treatments = {Situation.MATCHED: Treatment.LEAVE_OUT}
        travellers = match(scene((ANNE,), (FAR,), identity=ids(("anne", "far")), treatments=treatments))
        assert travellers[0].state is PersonState.WAITING


ONE = ids(("anne", "far"))
ODD: dict[Situation, tuple[tuple[Person, ...], tuple[Person, ...], dict[str, Any]]] = {
    Situation.MISSING_IN_TARGET: ((ANNE,), (), {}),
    Situation.MISSING_IN_SOURCE: ((), (FAR,), {"identity": ONE}),
    Situation.DISPUTED: ((ANNE,), (FAR, FURTHER), {"identity": (*ONE, *ids(("anne", "further")))}),
    Situation.MATCHED_TWICE: (
        (ANNE, person("zoe")),
        (FAR,),
        {"identity": (*ONE, *ids(("zoe", "far"))), "selected": {ANNE.subject_id: OLD_BOARD}},
    ),
    Situation.ALREADY_LICENSED: ((ANNE,), (person("far", held(A3)),), {"identity": ONE}),
    Situation.GUEST: ((ANNE,), (person("far", is_guest=True),), {"identity": ONE}),
    Situation.DISABLED: ((ANNE,), (person("far", is_enabled=False),), {"identity": ONE}),
    Situation.OF_TWO_BOARDS: ((ANNE,), (FAR,), {"identity": ONE, "of_two_boards": frozenset({ANNE.subject_id})}),
}


def odd(situation: Situation, **known: Any) -> MatchScene:
    """A scene whose first traveller is in this situation."""
    here, far, fields = ODD[situation]
    return scene(here, far, **fields, **known)


class TestHalfALook:
    @pytest.mark.parametrize("which", ["source", "target"])
    def test_matches_nobody(self, which: str) -> None:
        with pytest.raises(UnavailableError, match="as a whole"):
            match(scene((ANNE,), (FAR,), **{which: census(is_complete=False)}))


NAMES = [f"s{number}" for number in range(8)]
FAR_NAMES = [f"t{number}" for number in range(8)]


@st.composite
def scenes(draw: st.DrawFn) -> dict[str, Any]:
    """The parts of a scene, so that each can be put in another order."""
    licences = st.sampled_from([(), (held(A3),), (held(A1),), (held(A3, group=GROUP),)])
    keys = st.sampled_from(["", " ", "a", "A", "b", "c", "d"])
    traits = {"is_guest": st.booleans(), "is_enabled": st.booleans()}
    people = st.fixed_dictionaries({"licences": licences, **traits})
    here = [Person(subject_id=SubjectId(one), **draw(people)) for one in draw(st.sets(st.sampled_from(NAMES)))]
    far = [Person(subject_id=SubjectId(one), **draw(people)) for one in draw(st.sets(st.sampled_from(FAR_NAMES)))]
    rows = st.tuples(st.sampled_from(NAMES), st.sampled_from(FAR_NAMES))
    return {
        "here": here,
        "far": far,
        "identity": draw(st.lists(rows, max_size=6)),
        "readings": [
            (
                draw(st.dictionaries(st.sampled_from(NAMES), keys)),
                draw(st.dictionaries(st.sampled_from(FAR_NAMES), keys)),
            )
            for _ in range(draw(st.integers(0, 3)))
        ],
        "two_boards": draw(st.frozensets(st.sampled_from(NAMES), max_size=2)),
    }


def built(parts: dict[str, Any]) -> MatchScene:
    return scene(
        tuple(parts["here"]),
        tuple(parts["far"]),
        *(reading(here, far) for here, far in parts["readings"]),
        identity=ids(*parts["identity"]),
        of_two_boards=parts["two_boards"],
    )


class TestAnyScene:
    @given(scenes())
    def test_each_selected_person_is_one_traveller(self, parts: dict[str, Any]) -> None:
        travellers = match(built(parts))
        here = {one.subject_id for one in parts["here"]}
        named = {one for one, _ in parts["identity"]}
        assert [one.source_id for one in travellers] == sorted(here | (named - here))

    @given(scenes(), st.randoms(use_true_random=False))
    def test_the_order_of_everything_means_nothing(self, parts: dict[str, Any], chance: Any) -> None:
        shuffled = {
            name: chance.sample(rows, len(rows)) if isinstance(rows, list) else rows for name, rows in parts.items()
        }
        assert match(built(shuffled)) == match(built(parts))

    @given(scenes())
    def test_whoever_may_go_has_an_account_of_their_own_to_go_to(self, parts: dict[str, Any]) -> None:
        far = {one.subject_id: one for one in parts["far"]}
        able = {Situation.MATCHED, Situation.ALREADY_LICENSED, Situation.DISABLED}
        targets = [one.target_id for one in match(built(parts)) if one.situation in able]
        assert all(one in far and not far[one].is_guest for one in targets)
        assert len(targets) == len(set(targets))

    @given(scenes())
    def test_what_is_unexplained_is_everybody_else_with_a_licence(self, parts: dict[str, Any]) -> None:
        travellers = match(built(parts))
        held_up = [one for one in travellers if one.reason is not Reason.LICENCE_NOT_HELD]
        expected = Counter(one.situation for one in held_up if one.situation is not Situation.MATCHED)
        assert unexplained(travellers, {}) == expected
