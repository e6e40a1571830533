"""Licences through a group: who joins it, who is served by one write, who stays with a licence of their own."""

from typing import Any, ClassVar

import pytest

from provisioning.domain.groups import GroupLicence, LicensingGroup, ObservedGroup, nickname_for
from provisioning.domain.ids import GroupId, OrganisationId, SubjectId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.observation import HeldLicence, LicenceState, Person
from provisioning.domain.operation import Change, StepKind
from provisioning.domain.permissions import GROUPS, LICENCES
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode, SkuPolicy
from provisioning.planning.deliver import plan_deliver
from provisioning.planning.groups import GroupScene, trouble_with
from provisioning.planning.guards import Usage
from provisioning.planning.plan import Plan
from tests.unit.planning.scene import (
    A1,
    A1_PLUS,
    A3,
    A5,
    LIMITS,
    SCHOOL,
    TENANT,
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

OURS, THEIRS = GroupId("ours"), GroupId("theirs")
YAMMER = plan_of(A3, "YAMMER_EDU")


def group(*members: str, licences: tuple[GroupLicence, ...] = (GroupLicence(A3),), **known: Any) -> ObservedGroup:
    people = frozenset(map(SubjectId, members))
    return ObservedGroup(
        **({"group_id": OURS, "nickname": "licences", "licences": licences, "members": people} | known)
    )


def plan(*people: Person, target: ObservedGroup | None = None, **known: Any) -> Plan:
    """People of a tenant whose licences go through a group of ours; `target` None: it is not made yet."""
    about = {name: known.pop(name) for name in list(known) if name in GroupScene.__struct_fields__}
    groups = GroupScene(**({"nickname": "licences", "target": target, "ours": frozenset({OURS})} | about))
    rules = {"assignment_mode": AssignmentMode.GROUP, "usage_location": "NL"} | known.pop("rules", {})
    fields: dict[str, Any] = {"policy": policy(**rules), "permissions": GROUPS, "groups": groups}
    return plan_deliver(scene(*people, **(fields | known)))


def steps(drawn: Plan) -> list[tuple[str, StepKind]]:
    return [(step.subject_id, step.kind) for step in drawn.steps]


def via(sku: str, where: GroupId = OURS, *, error: str | None = None, off: frozenset[str] = frozenset()) -> HeldLicence:
    state = LicenceState.ERROR if error else LicenceState.ACTIVE
    return HeldLicence(sku, off, where, state, error)  # type: ignore[arg-type]


class TestNewToTheProduct:
    def test_they_join_the_group_and_it_is_licensed_first(self) -> None:
        drawn = plan(person("anne"), person("ben"), target=group(licences=()))
        assert steps(drawn) == [
            (OURS, StepKind.LICENSE_GROUP),
            ("anne", StepKind.ADD_MEMBERS),
            ("ben", StepKind.ADD_MEMBERS),
        ]
        assert drawn.steps[0].change == Change(group_id=OURS, add_sku=A3, people=0)
        assert [step.position for step in drawn.steps] == [0, 1, 2]

    def test_a_group_that_is_ready_needs_no_write_of_its_own(self) -> None:
        assert steps(plan(person("anne"), target=group())) == [("anne", StepKind.ADD_MEMBERS)]

    def test_without_a_group_it_is_made_and_nobody_is_told_more(self) -> None:
        drawn = plan(person("anne"))
        assert steps(drawn) == [("licences", StepKind.CREATE_GROUP)]
        assert drawn.steps[0].change.group_name == "licences"
        assert states(drawn) == {"licences": "pending", "anne": "pending"}
        assert drawn.awaits_group

    def test_nothing_is_asked_for_twice_while_the_first_is_in_doubt(self) -> None:
        drawn = plan(person("anne"), is_in_doubt=True)
        assert steps(drawn) == []
        assert drawn.awaits_group

    def test_nobody_to_serve_needs_no_group(self) -> None:
        assert steps(plan(person("anne", held(A3)))) == []

    def test_the_group_needs_no_usage_location(self) -> None:
        """learn.microsoft.com: group licensing falls back on the directory's."""
        drawn = plan(person("anne", usage_location=None), target=group(), rules={"usage_location": None})
        assert steps(drawn) == [("anne", StepKind.ADD_MEMBERS)]

    def test_what_the_policy_has_off_is_off_for_the_group(self) -> None:
        rules = {"skus": {A3: SkuPolicy(frozenset({YAMMER}))}}
        drawn = plan(person("anne"), target=group(licences=()), rules=rules)
        assert drawn.steps[0].change.disabled_plans == drawn.steps[1].change.disabled_plans == {YAMMER}

    def test_a_group_with_other_plans_off_than_they_need_is_not_for_them(self) -> None:
        open_group = group(licences=(GroupLicence(A3),))
        drawn = plan(person("anne"), target=open_group, rules={"skus": {A3: SkuPolicy(frozenset({YAMMER}))}})
        assert steps(drawn) == [("anne", StepKind.ASSIGN)]
        assert drawn.steps[0].change.disabled_plans == {YAMMER}

    def test_a_named_plan_is_for_the_named_alone(self) -> None:
        drawn = plan(person("anne"), person("ben"), target=group(), wish=wish(named=(SubjectId("ben"),)))
        assert steps(drawn) == [("ben", StepKind.ADD_MEMBERS)]


class TestADirectLicenceThatClashes:
    def test_is_swapped_directly_and_moved_later(self) -> None:
        drawn = plan(person("anne", held(A1)), target=group())
        assert steps(drawn) == [("anne", StepKind.SWAP)]

    def test_later_the_direct_one_goes_once_the_group_s_is_there(self) -> None:
        drawn = plan(person("anne", held(A3)), target=group(), may_move=True)
        assert steps(drawn) == [("anne", StepKind.ADD_MEMBERS), ("anne", StepKind.REMOVE)]
        assert [(step.sequence, step.is_last) for step in drawn.steps] == [(0, False), (1, True)]
        assert drawn.losses.removals_without_replacement == 0
        assert drawn.guard_breaches == ()

    def test_while_there_is_no_group_nothing_is_taken_from_anybody(self) -> None:
        drawn = plan(person("anne", held(A3)), may_move=True)
        assert steps(drawn) == [("licences", StepKind.CREATE_GROUP)]
        assert drawn.guard_breaches == ()
        assert drawn.awaits_group

    def test_an_order_alone_moves_nobody(self) -> None:
        assert states(plan(person("anne", held(A3)), target=group())) == {"anne": "already_right"}

    def test_who_has_both_loses_the_direct_one_alone_and_not_on_one_look(self) -> None:
        drawn = plan(person("anne", held(A3), via(A3)), target=group("anne"), may_move=True)
        assert steps(drawn) == [("anne", StepKind.REMOVE)]
        assert drawn.steps[0].not_before == drawn.observed_at + LIMITS.removal_gap

    @pytest.mark.parametrize(
        ("licence", "rules"),
        [
            pytest.param(held(A3, YAMMER), {}, id="other plans are off than in the group"),
            pytest.param(held(A3), {"managed_by": "customer"}, id="the school manages its licences itself"),
        ],
    )
    def test_who_may_not_be_moved_stays(self, licence: HeldLicence, rules: dict[str, Any]) -> None:
        drawn = plan(person("anne", licence), target=group(), rules=rules, may_move=True)
        assert states(drawn) == {"anne": "already_right"}

    def test_whoever_keeps_plans_off_gets_a_licence_of_their_own(self) -> None:
        drawn = plan(person("anne", held(A1, plan_of(A1, "YAMMER_EDU"))), target=group())
        assert steps(drawn) == [("anne", StepKind.SWAP)]
        assert YAMMER in drawn.steps[0].change.disabled_plans


class TestTheProductComesFromTheGroupAlready:
    OLD = group("anne", "ben", licences=(GroupLicence(A1),))

    def test_one_write_serves_everybody(self) -> None:
        drawn = plan(person("anne", via(A1)), person("ben", via(A1)), target=self.OLD)
        assert steps(drawn) == [(OURS, StepKind.LICENSE_GROUP)]
        assert drawn.steps[0].change == Change(group_id=OURS, add_sku=A3, remove_skus=(A1,), people=2)
        assert states(drawn) == {OURS: "pending", "anne": "pending", "ben": "pending"}
        assert drawn.awaits_group

    def test_what_was_off_for_the_group_stays_off(self) -> None:
        old = group("anne", licences=(GroupLicence(A1, frozenset({plan_of(A1, "YAMMER_EDU")})),))
        drawn = plan(person("anne", via(A1)), target=old)
        assert YAMMER in drawn.steps[0].change.disabled_plans

    def test_with_too_few_seats_nobody_is_changed(self) -> None:
        drawn = plan(person("anne", via(A1)), person("ben", via(A1)), target=self.OLD, seats=seats(1))
        assert steps(drawn) == []
        assert states(drawn) == {"anne": "waiting", "ben": "waiting"}

    def test_a_group_that_holds_others_too_is_left_alone(self) -> None:
        drawn = plan(person("anne", via(A1)), target=self.OLD)
        assert steps(drawn) == []
        assert reasons(drawn) == {"anne": Reason.SCOPE_VIOLATION}

    def test_a_member_whose_own_licence_would_clash_is_refused_and_told_why(self) -> None:
        drawn = plan(person("anne", via(A1), held(A1_PLUS)), person("ben", via(A1)), target=self.OLD)
        assert reasons(drawn)["anne"] is Reason.MUTUALLY_EXCLUSIVE

    def test_for_the_sake_of_whom_it_would_leave_with_nothing_the_write_is_not_done(self) -> None:
        drawn = plan(person("anne", via(A1), held(A1_PLUS)), person("ben", via(A1)), person("new"), target=self.OLD)
        assert steps(drawn) == []
        assert reasons(drawn) == {
            "anne": Reason.MUTUALLY_EXCLUSIVE, "ben": Reason.SCOPE_VIOLATION, "new": Reason.SCOPE_VIOLATION
        }  # fmt: skip
        assert {one.subject_id: one.notes for one in drawn.subjects}["ben"] == (
            "group ours: 1 of its members cannot get it",
        )

    def test_who_is_refused_and_loses_nothing_by_it_stops_nobody(self) -> None:
        empty = group("anne", "ben", licences=())
        drawn = plan(person("anne", held(A1_PLUS), via(A1, THEIRS)), person("ben"), target=empty)
        assert (states(drawn)["anne"], states(drawn)["ben"]) == ("refused", "pending")
        assert steps(drawn) == [(OURS, StepKind.LICENSE_GROUP)]

    def test_every_member_counts_for_the_guards(self) -> None:
        drawn = plan(person("anne", via(A1)), person("ben", via(A1)), target=self.OLD, usage=Usage(swaps=249))
        assert any("2 swaps after 249" in sentence for sentence in drawn.guard_breaches)

    def test_what_the_group_gave_since_the_last_plan_is_our_work(self) -> None:
        ready = group("anne", "ben")
        drawn = plan(person("anne", via(A3)), person("ben", via(A1)), target=ready, awaited=frozenset({"anne", "ben"}))
        assert states(drawn) == {"anne": "verified", "ben": "pending"}
        assert drawn.awaits_group

    def test_what_it_gave_before_is_not(self) -> None:
        assert reasons(plan(person("anne", via(A3)), target=group("anne"))) == {"anne": Reason.HELD_VIA_GROUP}


class TestTheSchoolsOwnGroup:
    def test_its_members_are_served_by_its_licence(self) -> None:
        theirs = group("anne", licences=(), group_id=THEIRS)
        drawn = plan(person("anne"), person("ben"), target=theirs, is_ours=False, ours=frozenset())
        assert steps(drawn) == [(THEIRS, StepKind.LICENSE_GROUP)]
        assert reasons(drawn)["ben"] is Reason.NOT_IN_SCHOOL_GROUP

    def test_nobody_is_put_into_it(self) -> None:
        theirs = group(group_id=THEIRS)
        drawn = plan(person("anne"), target=theirs, is_ours=False, ours=frozenset())
        assert steps(drawn) == []

    def test_a_group_of_others_that_gives_the_old_product_is_named_with_its_kind(self) -> None:
        others = {THEIRS: group(group_id=THEIRS, is_dynamic=True)}
        drawn = plan(person("anne", via(A1, THEIRS)), target=group(), others=others)
        assert reasons(drawn) == {"anne": Reason.INHERITED_FROM_GROUP}
        assert drawn.subjects[0].notes == ("group theirs (dynamic)",)


class TestWhatTheGroupCouldNotGive:
    def test_is_asked_for_once_more_by_name(self) -> None:
        drawn = plan(person("anne", via(A3, error="DependencyViolation")), target=group("anne"))
        assert steps(drawn) == [("anne", StepKind.REPROCESS)]

    @pytest.mark.parametrize(
        "known",
        [
            pytest.param({"reprocessed": frozenset({"anne"})}, id="after that it is theirs"),
            pytest.param({"permissions": LICENCES}, id="without the permission too"),
        ],
    )
    def test_is_told_as_their_own_reason(self, known: dict[str, Any]) -> None:
        drawn = plan(person("anne", via(A3, error="DependencyViolation")), target=group("anne"), **known)
        assert reasons(drawn) == {"anne": Reason.DEPENDENCY}

    def test_for_want_of_a_seat_they_wait(self) -> None:
        drawn = plan(person("anne", via(A3, error="CountViolation")), target=group("anne"), seats=seats(0))
        assert (states(drawn), reasons(drawn)) == ({"anne": "waiting"}, {"anne": Reason.SEATS_INSUFFICIENT})

    def test_with_a_seat_they_are_served(self) -> None:
        drawn = plan(person("anne", via(A3, error="CountViolation")), target=group("anne"), seats=seats(1))
        assert steps(drawn) == [("anne", StepKind.REPROCESS)]

    def test_a_member_whom_microsoft_has_not_come_to_yet_is_under_way(self) -> None:
        drawn = plan(person("anne"), target=group("anne"))
        assert steps(drawn) == []
        assert drawn.awaits_group


class TestEntitlement:
    def test_never_more_members_than_the_ledger_has_seats(self) -> None:
        drawn = plan(*(person(name) for name in "abc"), target=group(), entitlement=2)
        assert states(drawn) == {"a": "pending", "b": "pending", "c": "waiting"}

    def test_whoever_others_put_into_our_group_takes_from_it_too(self) -> None:
        drawn = plan(person("anne"), person("ben"), target=group("stranger"), entitlement=2)
        assert states(drawn) == {"anne": "pending", "ben": "waiting"}


class TestEntraP1:
    """learn.microsoft.com: whoever has a licence through a group needs Entra ID P1. Office 365 A1 brings none."""

    DOWN: ClassVar[dict[str, Any]] = {"wish": wish(A1, replaces=frozenset({A3}))}

    def test_a_product_without_it_is_given_directly(self) -> None:
        assert steps(plan(person("anne"), target=group(licences=()), **self.DOWN)) == [("anne", StepKind.ASSIGN)]

    def test_who_loses_it_by_the_change_has_their_own_licence_before_they_leave_the_group(self) -> None:
        known = {"others": {OURS: group("anne")}, "seats": seats(10, sku_id=A1), **self.DOWN}
        drawn = plan(person("anne", via(A3)), **known)
        assert steps(drawn) == [
            ("anne", StepKind.ASSIGN),
            ("anne", StepKind.REMOVE_MEMBER),
            ("anne", StepKind.SWAP),
        ]
        assert [step.change.add_sku for step in drawn.steps] == [A3, None, A1]

    def test_what_others_groups_would_go_on_giving_stops_it(self) -> None:
        anne = person("anne", held(A3), via("visio", THEIRS))
        known = {"others": {THEIRS: group("anne", group_id=THEIRS)}, "seats": seats(10, sku_id=A1), **self.DOWN}
        drawn = plan(anne, **known)
        assert reasons(drawn) == {"anne": Reason.ENTRA_P1_LOST}


class TestMovingOut:
    def test_a_tenant_that_gives_directly_again_takes_nobody_out_before_their_own_is_there(self) -> None:
        rules = {"assignment_mode": AssignmentMode.DIRECT}
        anne = person("anne", via(A3, off=frozenset({YAMMER})))
        drawn = plan(anne, rules=rules, others={OURS: group("anne")}, may_move=True)
        assert steps(drawn) == [("anne", StepKind.ASSIGN), ("anne", StepKind.REMOVE_MEMBER)]
        assert drawn.steps[0].change == Change(add_sku=A3, disabled_plans=frozenset({YAMMER}))
        assert drawn.losses.families == {}

    def test_from_a_school_s_group_nobody_is_taken(self) -> None:
        rules = {"assignment_mode": AssignmentMode.DIRECT}
        drawn = plan(person("anne", via(A3, THEIRS)), rules=rules, may_move=True)
        assert reasons(drawn) == {"anne": Reason.HELD_VIA_GROUP}


class TestWhereLicencesComeFrom:
    def test_is_in_every_plan(self) -> None:
        others = {THEIRS: group(group_id=THEIRS, is_synced=True)}
        drawn = plan(person("anne", held(A1)), person("ben", via(A1, THEIRS)), target=group(), others=others)
        assert drawn.envelope.sources == {
            "STANDARDWOFFPACK_FACULTY directly": 1,
            "STANDARDWOFFPACK_FACULTY through group theirs (synced)": 1,
        }


class TestTroubleWithAGroup:
    ROW = LicensingGroup(tenant_id=TENANT, sku_id=A3, holder_id=SCHOOL, nickname="licences", group_id=OURS)

    @pytest.mark.parametrize(
        ("seen", "row", "expected"),
        [
            pytest.param(group(), ROW, None, id="as we left it"),
            pytest.param(group(licences=()), ROW, None, id="not licensed yet"),
            pytest.param(group(licences=(GroupLicence(A1),)), ROW, None, id="still with the product it replaces"),
            pytest.param(None, replaced(ROW, group_id=None), None, id="not made yet"),
            pytest.param(None, ROW, Reason.GROUP_GONE, id="deleted"),
            pytest.param(group(is_dynamic=True), ROW, Reason.GROUP_CHANGED, id="made dynamic behind our back"),
            pytest.param(group(is_synced=True), ROW, Reason.GROUP_CHANGED, id="synced from elsewhere"),
            pytest.param(
                group(licences=()), replaced(ROW, is_licensed=True), Reason.GROUP_CHANGED, id="its licence was taken"
            ),
            pytest.param(
                group(licences=(GroupLicence(A1),)),
                replaced(ROW, is_licensed=True),
                None,
                id="went to a product that is now replaced by the one before",
            ),
            pytest.param(
                group(licences=(GroupLicence(A3), GroupLicence(A5))),
                ROW,
                Reason.GROUP_CHANGED,
                id="another one was put",
            ),
            pytest.param(group(is_complete=False), ROW, Reason.SELECTION_INCOMPLETE, id="not read whole"),
            pytest.param(group(is_dynamic=True), None, None, id="a school's own may be dynamic"),
            pytest.param(group(is_security=False), None, Reason.GROUP_UNUSABLE, id="not for security"),
            pytest.param(None, None, Reason.GROUP_GONE, id="the school's own is gone"),
        ],
    )
    def test_table(self, seen: ObservedGroup | None, row: LicensingGroup | None, expected: Reason | None) -> None:
        assert trouble_with(seen, row, A3, {A1}) is expected


class TestTheOldProductFromAnotherGroup:
    """They are in the group of the new one, and what they have by the other stands in its way."""

    STUCK = via(A3, error="MutuallyExclusiveViolation")

    def test_of_ours_is_left_for_a_licence_of_their_own_that_is_swapped(self) -> None:
        others = {THEIRS: group("anne", group_id=THEIRS, licences=(GroupLicence(A1),))}
        anne = person("anne", via(A1, THEIRS), self.STUCK)
        drawn = plan(anne, target=group("anne"), others=others, ours=frozenset({OURS, THEIRS}))
        assert [kind for _, kind in steps(drawn)] == [StepKind.ASSIGN, StepKind.REMOVE_MEMBER, StepKind.SWAP]

    def test_of_others_is_told_as_theirs(self) -> None:
        others = {THEIRS: group("anne", group_id=THEIRS, licences=(GroupLicence(A1),))}
        drawn = plan(person("anne", via(A1, THEIRS), self.STUCK), target=group("anne"), others=others)
        assert steps(drawn) == []
        assert reasons(drawn) == {"anne": Reason.INHERITED_FROM_GROUP}


class TestInTheGroupAndDirectly:
    def test_nothing_is_taken_before_the_group_has_brought_it(self) -> None:
        drawn = plan(person("anne", held(A3)), target=group("anne"), may_move=True)
        assert (steps(drawn), states(drawn), drawn.awaits_group) == ([], {"anne": "pending"}, True)

    def test_a_group_that_brings_nothing_yet_is_licensed(self) -> None:
        drawn = plan(person("anne", held(A3)), target=group("anne", licences=()), may_move=True)
        assert steps(drawn) == [(OURS, StepKind.LICENSE_GROUP)]

    def test_whom_it_failed_keeps_their_own(self) -> None:
        anne = person("anne", held(A3), via(A3, error="CountViolation"))
        drawn = plan(anne, target=group("anne"), may_move=True)
        assert (steps(drawn), states(drawn)) == ([], {"anne": "already_right"})


class TestNickname:
    @pytest.mark.parametrize(
        ("part", "holder", "expected"),
        [
            ("M365EDU_A3_FACULTY", "99ZA00", "licences-m365edu-a3-faculty-99za00"),
            ("X" * 80, "1", ("licences-" + "x" * 80)[:64]),
            ("Überprüft", "41 000", "licences--berpr-ft-41-000"),
        ],
    )
    def test_is_ascii_without_blanks_and_short(self, part: str, holder: str, expected: str) -> None:
        assert nickname_for(part, OrganisationId(holder)) == expected

    @pytest.mark.parametrize(
        ("part", "taken", "expected"),
        [
            ("A3", {"licences-a5-1"}, "licences-a3-1"),
            ("A3", {"licences-a3-1"}, "licences-a3-1-2"),
            ("A3", {"licences-a3-1", "licences-a3-1-2"}, "licences-a3-1-3"),
            ("X" * 80, {("licences-" + "x" * 80)[:64]}, ("licences-" + "x" * 80)[:62] + "-2"),
        ],
    )
    def test_is_numbered_while_another_group_has_it(self, part: str, taken: set[str], expected: str) -> None:
        assert nickname_for(part, OrganisationId("1"), taken) == expected


class TestSubjects:
    def test_the_group_has_its_row_and_is_nobody(self) -> None:
        drawn = plan(person("anne"), target=group(licences=()))
        assert [one.subject_id for one in drawn.subjects if one.is_group] == [OURS]
        assert [one.state for one in drawn.subjects] == [SubjectState.PENDING] * 2


def test_who_is_on_their_way_in_a_migration_keeps_the_group_without_the_product() -> None:
    """Its one write would make an empty mailbox for a member whose own has not come yet."""
    people = (person("anne"), person("ben"))
    drawn = scene(*people)
    awaited = drawn.selection.leaving_to_migrations({SubjectId("anne")})
    drawn = plan(*people, target=group("anne", "ben", licences=()), selection=awaited)
    assert reasons(drawn) == {"anne": Reason.MIGRATION_UNDER_WAY, "ben": Reason.SCOPE_VIOLATION}
    assert drawn.steps == ()
