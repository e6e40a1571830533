"""What a remap does with each person: who has the old product gets the new one, and nobody else gets anything."""

from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.catalogue import Mappings, PlanRelation, PlanRule, Remap
from provisioning.domain.groups import GroupLicence, ObservedGroup
from provisioning.domain.ids import GroupId, OrganisationId, ServicePlanId, SkuId, SubjectId, TicketId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.observation import HeldLicence, LicenceState, Person
from provisioning.domain.operation import Addition, Change, StepKind, Wish
from provisioning.domain.permissions import GROUPS
from provisioning.domain.reasons import Reason
from provisioning.domain.remap import RemapPart
from provisioning.domain.tenancy import AssignmentMode, SkuPolicy
from provisioning.planning.carry import KnownPlans, disabled_plans, enabled_plans, families
from provisioning.planning.deliver import plan_deliver
from provisioning.planning.deliver_scene import AddonSeats
from provisioning.planning.groups import GroupScene
from provisioning.planning.guards import Usage
from provisioning.planning.losses import after_changes
from provisioning.planning.plan import Plan
from provisioning.planning.remap import counterparts
from provisioning.planning.selection import Selection
from tests.unit.planning.scene import (
    A1,
    A1_PLUS,
    A3,
    A5,
    EMS,
    FOREIGN,
    MAPPINGS,
    SCHOOL,
    held,
    person,
    plan_of,
    policy,
    reasons,
    replaced,
    scene,
    seats,
    states,
    wish,
)

_BY_PART = {sku.part_number: sku.sku_id for sku in MAPPINGS.skus.values()}
PHONE, OTHER_PHONE = _BY_PART["MCOEV_FACULTY"], _BY_PART["PHONESYSTEM_VIRTUALUSER_FACULTY"]
MINECRAFT = _BY_PART["MEE_FACULTY"]
MCOEV = plan_of(PHONE, "MCOEV")
YAMMER_A1, YAMMER_A3 = plan_of(A1, "YAMMER_EDU"), plan_of(A3, "YAMMER_EDU")
SHAREPOINT_A1, SHAREPOINT_A3 = plan_of(A1, "SHAREPOINTSTANDARD_EDU"), plan_of(A3, "SHAREPOINTENTERPRISE_EDU")
OURS, THEIRS = GroupId("ours"), GroupId("theirs")

# here the phone rests on something that only A1 has: nothing of the kind is in the tables today
ONLY_A1 = next(iter(sorted(MAPPINGS.skus[A1].plan_ids - MAPPINGS.skus[A3].plan_ids)))
RESTS = PlanRule(PlanRelation.REQUIRES_ANY, MCOEV, frozenset({ONLY_A1}))
RESTING: Mappings = msgspec.structs.replace(MAPPINGS, plan_rules=(*MAPPINGS.plan_rules, RESTS))


def remap(along: dict[SkuId, SkuId] | None = None, old: SkuId = A1, new: SkuId = A3, **fields: Any) -> Wish:
    part = RemapPart(from_sku=old, along=along or {}, ticket_id=TicketId("ticket"))
    return wish(new, replaces=frozenset({old}), remap=part, **fields)


def plan(*people: Person, **known: Any) -> Plan:
    return plan_deliver(scene(*people, **({"wish": remap()} | known)))


def only(drawn: Plan) -> tuple[SubjectState, Reason | None, list[tuple[StepKind, Change]]]:
    (subject,) = drawn.subjects
    return subject.state, subject.reason, [(step.kind, step.change) for step in drawn.steps]


def swap(*off: str, also: tuple[Addition, ...] = (), remove: tuple[SkuId, ...] = (A1,)) -> Change:
    return Change(add_sku=A3, disabled_plans=frozenset(map(ServicePlanId, off)), remove_skus=remove, also_add=also)


class TestDirectly:
    @pytest.mark.parametrize(
        ("licences", "change"),
        [
            pytest.param((held(A1),), swap(), id="the new one comes and the old one goes in one call"),
            pytest.param((held(A1), held(FOREIGN)), swap(), id="others' products are left alone"),
            pytest.param((held(A1), held(A1_PLUS)), None, id="a clash with a third product is refused"),
            pytest.param((held(A1, YAMMER_A1),), swap(YAMMER_A3), id="what is off stays off by its id"),
            pytest.param((held(A1, SHAREPOINT_A1),), swap(SHAREPOINT_A3), id="what is off stays off by its service"),
            pytest.param((held(A1), held(A3)), swap(), id="who has both keeps the new one, the old one goes"),
            pytest.param(
                (held(A1, YAMMER_A1), held(A3, YAMMER_A3)), swap(YAMMER_A3), id="of both, the new one stays as it is"
            ),
            pytest.param(
                (held(A1), held(A3, YAMMER_A3)), swap(), id="of both, what only the old one had on stays on (L3)"
            ),
        ],
    )
    def test_who_holds_the_old_product(self, licences: tuple[HeldLicence, ...], change: Change | None) -> None:
        state, reason, steps = only(plan(person("anne", *licences)))
        if change is None:
            assert (state, reason, steps) == (SubjectState.REFUSED, Reason.MUTUALLY_EXCLUSIVE, [])
        else:
            assert (state, reason, steps) == (SubjectState.PENDING, None, [(StepKind.SWAP, change)])

    @pytest.mark.parametrize(
        "licences",
        [
            pytest.param((), id="nothing"),
            pytest.param((held(FOREIGN),), id="another product"),
            pytest.param((held(A1_PLUS),), id="a product that another remap is about"),
            pytest.param((held(A1, state="Error"),), id="the old one only by name"),
        ],
    )
    def test_empty_hands_get_nothing_and_are_not_listed(self, licences: tuple[HeldLicence, ...]) -> None:
        drawn = plan(person("anne", *licences))
        assert (drawn.subjects, drawn.steps, drawn.guard_breaches) == ((), (), ())

    @pytest.mark.parametrize("licence", [held(A3), held(A3, group=THEIRS)], ids=["directly", "by a group"])
    def test_who_has_the_new_one_alone_is_right_already(self, licence: HeldLicence) -> None:
        drawn = plan(person("anne", licence))
        assert states(drawn) == {"anne": "already_right"}
        assert drawn.steps == ()

    def test_who_has_something_larger_besides_keeps_both(self) -> None:
        drawn = plan(person("anne", held(A1), held(A5)))
        assert states(drawn) == {"anne": "already_right"}

    def test_guests_and_disabled_accounts_change_as_far_as_they_are_selected(self) -> None:
        drawn = plan(person("guest", held(A1), is_guest=True), person("gone", held(A1), is_enabled=False))
        assert [step.kind for step in drawn.steps] == [StepKind.SWAP, StepKind.SWAP]

    def test_whoever_is_not_selected_is_left_alone_with_the_old_product(self) -> None:
        drawn = plan(person("anne", held(A1)), others=(person("stranger", held(A1)),))
        assert states(drawn) == {"anne": "pending"}

    def test_of_two_boards_nobody_is_changed_and_the_holder_of_the_old_one_is_told(self) -> None:
        both, neither = person("both", held(A1)), person("neither")
        doubt = (SCHOOL, Reason.SCOPE_UNDECIDABLE)
        doubts = {one.subject_id: doubt for one in (both, neither)}
        unsure = Selection(chosen=(), undecidable=doubts, sizes={}, is_complete=True)
        drawn = plan(selection=unsure, others=(both, neither))
        assert reasons(drawn) == {"both": Reason.SCOPE_UNDECIDABLE}

    def test_without_a_usage_location_nobody_is_swapped(self) -> None:
        assert reasons(plan(person("anne", held(A1), usage_location=None))) == {"anne": Reason.USAGE_LOCATION}

    def test_what_the_school_switched_off_in_the_new_product_is_off(self) -> None:
        rules = policy(skus={A3: SkuPolicy(frozenset({YAMMER_A3}))})
        assert only(plan(person("anne", held(A1)), policy=rules))[2] == [(StepKind.SWAP, swap(YAMMER_A3))]

    def test_who_would_lose_group_licensing_with_the_old_product_is_refused(self) -> None:
        down = remap(old=A3, new=A1)
        drawn = plan(person("anne", held(A3), held(FOREIGN, group=THEIRS)), wish=down, seats=seats(10, sku_id=A1))
        assert reasons(drawn) == {"anne": Reason.ENTRA_P1_LOST}

    def test_from_a_group_of_the_school_nothing_is_taken_and_the_group_is_named(self) -> None:
        drawn = plan(person("anne", held(A1, group=THEIRS)))
        assert reasons(drawn) == {"anne": Reason.INHERITED_FROM_GROUP}
        assert "theirs" in drawn.subjects[0].notes[0]
        assert drawn.steps == ()


class TestSeats:
    PEOPLE = tuple(person(name, held(A1)) for name in ("anne", "ben", "carl"))

    def test_short_of_active_seats_the_rest_keep_the_old_product_and_wait(self) -> None:
        """Fifty more are in grace around a renewal: none of them is free (M6)."""
        drawn = plan(*self.PEOPLE, seats=seats(2))
        assert states(drawn) == {"anne": "pending", "ben": "pending", "carl": "waiting"}
        assert reasons(drawn)["carl"] is Reason.SEATS_INSUFFICIENT

    def test_no_more_than_was_ordered(self) -> None:
        assert states(plan(*self.PEOPLE, entitlement=1)) == {"anne": "pending", "ben": "waiting", "carl": "waiting"}

    def test_who_waited_longest_comes_first(self) -> None:
        drawn = plan(*self.PEOPLE, seats=seats(1), waiting=(SubjectId("carl"),))
        assert [one.subject_id for one in drawn.subjects if one.state is SubjectState.PENDING] == ["carl"]

    def test_who_has_both_takes_no_seat(self) -> None:
        drawn = plan(person("both", held(A1), held(A3)), person("anne", held(A1)), seats=seats(2, 1), entitlement=2)
        assert states(drawn) == {"both": "pending", "anne": "pending"}

    def test_the_board_s_other_holders_of_the_new_product_count_against_what_was_ordered(self) -> None:
        drawn = plan(person("anne", held(A1)), person("old hand", held(A3)), entitlement=1)
        assert states(drawn) == {"anne": "waiting", "old hand": "already_right"}


class TestApproval:
    def test_every_remap_is_asked_for_however_small(self) -> None:
        drawn = plan(person("anne", held(A1)))
        assert drawn.needs_approval
        assert drawn.guard_breaches == (
            "every remap is approved: STANDARDWOFFPACK_FACULTY becomes M365EDU_A3_FACULTY for 1 people",
        )

    def test_it_counts_with_what_was_written_before(self) -> None:
        drawn = plan(person("anne", held(A1)), usage=Usage(swaps=250))
        assert any("1 swaps after 250" in told for told in drawn.guard_breaches)

    def test_a_service_that_only_the_old_product_has_is_told_to_the_approver(self) -> None:
        drawn = plan(person("anne", held(A3)), wish=remap(old=A3, new=A1), seats=seats(10, sku_id=A1))
        assert drawn.losses.families
        assert drawn.losses.unreplaced_swaps == 0
        assert any(told.startswith("1 people lose") for told in drawn.guard_breaches)


class TestAddOns:
    def test_what_the_new_product_carries_too_stays(self) -> None:
        assert only(plan(person("anne", held(A1), held(PHONE))))[2] == [(StepKind.SWAP, swap())]

    def test_what_it_does_not_carry_keeps_the_person_where_they_are_and_is_named(self) -> None:
        drawn = plan(person("anne", held(A1), held(PHONE)), mappings=RESTING)
        assert only(drawn) == (SubjectState.REFUSED, Reason.DEPENDENCY, [])
        assert drawn.subjects[0].notes == ("add-on MCOEV_FACULTY, held directly",)

    def test_with_a_counterpart_both_go_along_in_one_call(self) -> None:
        drawn = plan(
            person("anne", held(A1), held(PHONE)),
            wish=remap({PHONE: MINECRAFT}),
            mappings=RESTING,
            along={MINECRAFT: AddonSeats(5)},
        )
        remove = tuple(sorted((A1, PHONE)))
        assert only(drawn)[2] == [(StepKind.SWAP, swap(also=(Addition(MINECRAFT),), remove=remove))]
        assert drawn.losses.unreplaced_swaps == 0

    def test_an_add_on_alone_goes_nowhere(self) -> None:
        drawn = plan(person("anne", held(PHONE)), wish=remap({PHONE: MINECRAFT}))
        assert drawn.subjects == ()

    def test_who_has_no_add_on_gets_none(self) -> None:
        assert only(plan(person("anne", held(A1)), wish=remap({PHONE: MINECRAFT})))[2] == [(StepKind.SWAP, swap())]

    def test_told_to_stay_it_stays(self) -> None:
        drawn = plan(person("anne", held(A1), held(PHONE)), wish=remap({PHONE: PHONE}))
        assert only(drawn)[2] == [(StepKind.SWAP, swap())]

    def test_what_is_off_in_the_add_on_stays_off_in_its_counterpart(self) -> None:
        off = plan_of(PHONE, "MCOEV")
        drawn = plan(
            person("anne", held(A1), held(PHONE, off)),
            wish=remap({PHONE: _BY_PART["M365EDU_A5_NOPSTNCONF_FACULTY"]}),
            along={_BY_PART["M365EDU_A5_NOPSTNCONF_FACULTY"]: AddonSeats(5)},
        )
        assert off not in enabled_plans(_after(drawn, "anne", (held(A1), held(PHONE, off))), MAPPINGS.skus)

    def test_without_a_seat_of_the_counterpart_both_wait(self) -> None:
        people = (person("anne", held(A1), held(PHONE)), person("ben", held(A1), held(PHONE)), person("c", held(A1)))
        drawn = plan(*people, wish=remap({PHONE: MINECRAFT}), along={MINECRAFT: AddonSeats(1)})
        assert states(drawn) == {"anne": "pending", "ben": "waiting", "c": "pending"}

    def test_who_waits_for_the_add_on_leaves_the_product_s_seat_to_others(self) -> None:
        people = (person("anne", held(A1), held(PHONE)), person("ben", held(A1)))
        drawn = plan(*people, wish=remap({PHONE: MINECRAFT}), along={MINECRAFT: AddonSeats(0)}, seats=seats(1))
        assert states(drawn) == {"anne": "waiting", "ben": "pending"}

    def test_what_a_group_brings_cannot_come_along(self) -> None:
        people = person("anne", held(A1), held(PHONE, group=THEIRS))
        drawn = plan(people, wish=remap({PHONE: MINECRAFT}), mappings=RESTING, along={MINECRAFT: AddonSeats(5)})
        assert reasons(drawn) == {"anne": Reason.DEPENDENCY}
        assert "MCOEV_FACULTY, held group theirs" in drawn.subjects[0].notes[0]


class TestCounterparts:
    ROW = Remap(
        from_sku=PHONE, to_sku=MINECRAFT, valid_from=date(2027, 1, 1), valid_until=None, exceptions=frozenset({"41999"})
    )
    TABLES = msgspec.structs.replace(RESTING, remaps=(ROW,))
    DAY = date(2027, 1, 1)

    def test_of_an_add_on_that_loses_what_it_rests_on(self) -> None:
        assert counterparts(self.TABLES, A1, A3, self.DAY, (OrganisationId("41000"),)) == {PHONE: MINECRAFT}

    def test_a_row_beside_the_suite_says_it_of_any_add_on(self) -> None:
        tables = replaced(MAPPINGS, remaps=(msgspec.structs.replace(self.ROW, beside=A1),))
        assert counterparts(tables, A1, A3, self.DAY, (OrganisationId("41000"),)) == {PHONE: MINECRAFT}
        assert counterparts(tables, A1, A3, self.DAY, (OrganisationId("41999"),)) == {}

    @pytest.mark.parametrize(
        ("tables", "day", "whose"),
        [
            pytest.param(TABLES, date(2026, 12, 31), "41000", id="not yet"),
            pytest.param(TABLES, DAY, "41999", id="not for this board"),
            pytest.param(replaced(MAPPINGS, remaps=(ROW,)), DAY, "41000", id="the new product carries it too"),
            pytest.param(RESTING, DAY, "41000", id="nobody said what it becomes"),
        ],
    )
    def test_otherwise_it_stays(self, tables: Mappings, day: date, whose: str) -> None:
        assert counterparts(tables, A1, A3, day, (OrganisationId(whose),)) == {}


def group(*members: str, licences: tuple[GroupLicence, ...] = (GroupLicence(A1),), **known: Any) -> ObservedGroup:
    people = frozenset(map(SubjectId, members))
    return ObservedGroup(
        **({"group_id": OURS, "nickname": "licences", "licences": licences, "members": people} | known)
    )


def via(sku: SkuId, where: GroupId = OURS, *, error: str | None = None) -> HeldLicence:
    return HeldLicence(sku, frozenset(), where, LicenceState.ERROR if error else LicenceState.ACTIVE, error)


def grouped(*people: Person, target: ObservedGroup, **known: Any) -> Plan:
    """Licences of this tenant go through `target`."""
    about = {name: known.pop(name) for name in list(known) if name in GroupScene.__struct_fields__}
    groups = GroupScene(**({"nickname": "licences", "target": target, "ours": frozenset({OURS})} | about))
    rules = policy(assignment_mode=AssignmentMode.GROUP, usage_location="NL")
    return plan(*people, policy=rules, permissions=GROUPS, groups=groups, **known)


def written(drawn: Plan) -> list[tuple[str, StepKind]]:
    return [(step.subject_id, step.kind) for step in drawn.steps]


class TestThroughAGroupOfOurs:
    def test_one_write_changes_everybody_in_it(self) -> None:
        drawn = grouped(person("anne", via(A1)), person("ben", via(A1)), target=group("anne", "ben"))
        assert written(drawn) == [(OURS, StepKind.LICENSE_GROUP)]
        assert drawn.steps[0].change == Change(group_id=OURS, add_sku=A3, remove_skus=(A1,), people=2)
        assert drawn.needs_approval

    def test_all_or_none_when_seats_are_short(self) -> None:
        drawn = grouped(person("anne", via(A1)), person("ben", via(A1)), target=group("anne", "ben"), seats=seats(1))
        assert states(drawn) == {"anne": "waiting", "ben": "waiting"}

    def test_with_a_stranger_in_it_it_is_left_alone(self) -> None:
        assert reasons(grouped(person("anne", via(A1)), target=group("anne", "x"))) == {"anne": Reason.SCOPE_VIOLATION}

    def test_one_add_on_that_would_break_keeps_all_of_them(self) -> None:
        people = person("anne", via(A1), held(PHONE)), person("ben", via(A1))
        drawn = grouped(*people, target=group("anne", "ben"), mappings=RESTING)
        assert written(drawn) == []
        assert reasons(drawn) == {"anne": Reason.DEPENDENCY, "ben": Reason.SCOPE_VIOLATION}

    def test_beside_the_group_a_direct_licence_is_swapped_by_itself(self) -> None:
        drawn = grouped(person("anne", via(A1)), person("ben", held(A1)), target=group("anne"))
        assert written(drawn) == [(OURS, StepKind.LICENSE_GROUP), ("ben", StepKind.SWAP)]

    def test_nobody_joins_it(self) -> None:
        drawn = grouped(person("anne", via(A1)), person("new"), target=group("anne"))
        assert written(drawn) == [(OURS, StepKind.LICENSE_GROUP)]
        assert "new" not in states(drawn)

    def test_who_has_the_new_one_by_it_and_the_old_one_directly_gives_the_old_one_up(self) -> None:
        target = group("anne", licences=(GroupLicence(A3),))
        drawn = grouped(person("anne", held(A1), via(A3)), target=target)
        assert [(step.kind, step.change.remove_skus) for step in drawn.steps] == [(StepKind.SWAP, (A1,))]

    def test_while_it_changes_whom_it_reached_last_is_not_forgotten(self) -> None:
        target = group("anne", "ben", licences=(GroupLicence(A3),))
        awaited = frozenset({SubjectId("anne"), SubjectId("ben")})
        drawn = grouped(person("anne", via(A3)), person("ben"), target=target, awaited=awaited)
        assert states(drawn) == {"anne": "verified", "ben": "pending"}
        assert drawn.awaits_group

    def test_who_left_it_and_has_neither_product_by_now_is_left_alone(self) -> None:
        target = group("ben", licences=(GroupLicence(A3),))
        drawn = grouped(person("anne"), target=target, awaited=frozenset({SubjectId("anne")}))
        assert states(drawn) == {"anne": "changed_meanwhile"}
        assert written(drawn) == []

    def test_in_the_school_s_own_group_outsiders_are_swapped_as_they_are(self) -> None:
        target = group("anne", licences=(GroupLicence(A1),))
        drawn = grouped(person("ben", held(A1)), target=target, is_ours=False, ours=frozenset())
        assert written(drawn) == [("ben", StepKind.SWAP)]

    def test_another_group_of_the_school_s_is_never_written_to(self) -> None:
        drawn = grouped(person("anne", via(A1, THEIRS)), target=group())
        assert reasons(drawn) == {"anne": Reason.INHERITED_FROM_GROUP}
        assert "theirs" in drawn.subjects[0].notes[0]

    def test_where_licences_go_directly_now_they_leave_the_group_before_they_change(self) -> None:
        groups = GroupScene(others={OURS: group("anne")}, ours=frozenset({OURS}))
        drawn = plan(person("anne", via(A1)), groups=groups, permissions=GROUPS)
        assert [step.kind for step in drawn.steps] == [StepKind.ASSIGN, StepKind.REMOVE_MEMBER, StepKind.SWAP]
        assert drawn.steps[-1].is_last


# ── for everybody ────────────────────────────────────────────────────────────────────────────────────────

_KNOWN = KnownPlans.named_in(MAPPINGS.skus)
_SUITES = (A1, A1_PLUS, A3, A5)
_PRODUCTS = (*_SUITES, EMS, PHONE, FOREIGN)


_OFF = {
    sku: st.frozensets(st.sampled_from(sorted(MAPPINGS.skus[sku].plan_ids)), max_size=3)
    for sku in _PRODUCTS
    if sku in MAPPINGS.skus
}


@st.composite
def _licence(draw: st.DrawFn, skus: tuple[SkuId, ...] = _PRODUCTS) -> HeldLicence:
    sku = draw(st.sampled_from(skus))
    off = draw(_OFF[sku]) if sku in _OFF else frozenset()
    return HeldLicence(sku, off, draw(st.sampled_from([None, None, None, THEIRS])))


@st.composite
def _tenant(draw: st.DrawFn) -> tuple[tuple[Person, ...], SkuId, SkuId, dict[str, Any]]:
    old, new = draw(st.permutations(_SUITES))[:2]
    many = st.lists(_licence(), max_size=3, unique_by=lambda one: (one.sku_id, one.group_id))
    people = tuple(person(f"p{number}", *draw(many)) for number in range(draw(st.integers(1, 4))))
    known = {
        "wish": remap(draw(st.sampled_from([{}, {PHONE: MINECRAFT}])), old, new),
        "seats": seats(draw(st.integers(0, 6)), sku_id=new),
        "along": {MINECRAFT: AddonSeats(draw(st.integers(0, 3)))},
    }
    return people, old, new, known


def _after(drawn: Plan, name: str, licences: tuple[HeldLicence, ...]) -> list[HeldLicence]:
    return after_changes(licences, [step.change for step in drawn.steps if step.subject_id == name])


def _services(licences: Any) -> frozenset[str]:
    return families(enabled_plans(licences, MAPPINGS.skus), _KNOWN.family_of)


class TestForEverybody:
    @given(_tenant())
    def test_nobody_without_the_old_product_gets_a_step(self, case: Any) -> None:
        people, old, _, known = case
        without = {one.subject_id for one in people if not one.holds(old)}
        drawn = plan(*people, **known)
        assert without.isdisjoint(step.subject_id for step in drawn.steps)

    @given(_tenant())
    def test_no_plan_that_was_off_is_on_afterwards(self, case: Any) -> None:
        """R28: off is whatever a licence of theirs disables and no other one enables."""
        people, _, _, known = case
        drawn = plan(*people, **known)
        for one in people:
            off = disabled_plans(one.licences) - enabled_plans(one.licences, MAPPINGS.skus)
            assert off.isdisjoint(enabled_plans(_after(drawn, one.subject_id, one.licences), MAPPINGS.skus))

    @given(_tenant())
    def test_every_service_that_was_on_and_is_of_the_new_product_is_on_at_every_instant(self, case: Any) -> None:
        """L3, but for what the school or the person keeps off in a part of the service (R28 weighs more)."""
        people, _, new, known = case
        drawn = plan(*people, **known)
        goal = families(MAPPINGS.skus[new].plan_ids, _KNOWN.family_of)
        for one in people:
            kept_off = families(disabled_plans(one.licences), _KNOWN.family_of)
            due = (_services(one.licences) & goal) - kept_off
            own = [step.change for step in drawn.steps if step.subject_id == one.subject_id]
            for number in range(1, len(own) + 1):
                assert due <= _services(after_changes(one.licences, own[:number]))

    @given(_tenant())
    def test_never_more_are_changed_than_there_are_seats(self, case: Any) -> None:
        people, _, new, known = case
        drawn = plan(*people, **known)
        before = sum(one.holds(new) for one in people)
        newly = {step.subject_id for step in drawn.steps if step.change.add_sku == new}
        newly -= {one.subject_id for one in people if one.holds(new)}
        assert len(newly) <= max(0, known["seats"].enabled - before)

    @given(_tenant())
    def test_a_second_plan_after_the_first_has_nothing_left_to_do(self, case: Any) -> None:
        people, _, _, known = case
        drawn = plan(*people, **known)
        after = [replaced(one, licences=tuple(_after(drawn, one.subject_id, one.licences))) for one in people]
        changed = {step.subject_id for step in drawn.steps}
        again = plan(*after, **known)
        assert changed.isdisjoint(step.subject_id for step in again.steps)
