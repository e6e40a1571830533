"""What is in the way of a wave, on both sides of every limit."""

from datetime import timedelta
from typing import Any

import pytest

from provisioning.domain.catalogue import Audience
from provisioning.domain.groups import ObservedGroup
from provisioning.domain.ids import GroupId, SkuId, SubjectId
from provisioning.domain.migration import Phase, ProductPair, Situation
from provisioning.domain.migration_lifecycle import PersonState
from provisioning.domain.observation import HeldLicence, Person, SeatCount, Seats, Subscription, TenantProfile
from provisioning.domain.permissions import GROUPS, LICENCES, PEOPLE, READ
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode, SkuPolicy
from provisioning.planning.groups import GroupScene
from provisioning.planning.preflight import (
    WARNINGS,
    Finding,
    Preflight,
    PreflightCheck,
    PreflightFacts,
    TenantFacts,
    still_to_prepare,
)
from provisioning.planning.preflight_checks import preflight
from tests.unit.planning.migration_scene import (
    EVIDENCE,
    EXCHANGE_A3,
    SOURCE,
    TARGET,
    YAMMER,
    census,
    definition,
    there,
    traveller,
)
from tests.unit.planning.scene import (
    A1,
    A3,
    A5,
    EMS,
    FOREIGN,
    GROUP,
    LIMITS,
    MAPPINGS,
    NOW,
    held,
    person,
    policy,
    replaced,
    seats,
)

THEIRS = GroupId("theirs")
ADDON = SkuId("addon")
ANNE = person("anne", held(A3), domain="oud.example")
ANNE_THERE = replaced(there(ANNE), domain="nieuw.example")
OURS = GroupScene(target=ObservedGroup(group_id=GROUP, nickname="ours"), ours=frozenset({GROUP}))
C = PreflightCheck


def addons(enabled: int, consumed: int = 0, part_number: str = "CROSS_TENANT_USER_DATA_MIGRATION") -> SeatCount:
    return replaced(seats(enabled, consumed), sku_id=ADDON, part_number=part_number, plan_ids=frozenset())


def bought(*counts: SeatCount, subscriptions: tuple[Subscription, ...] = (), **known: Any) -> Seats:
    tenant = {"tenant_id": TARGET, "observed_at": NOW}
    return Seats(counts={one.sku_id: one for one in counts}, subscriptions=subscriptions, **(tenant | known))


def profile(*domains: str, permissions: frozenset[str] = GROUPS) -> TenantProfile:
    return TenantProfile(
        tenant_id=TARGET,
        initial_domain="x.onmicrosoft.com",
        verified_domains=domains,
        country="NL",
        default_usage_location="NL",
        permissions=permissions,
    )


def facts(*pairs: tuple[Person, Person], source: Any = None, target: Any = None, **known: Any) -> PreflightFacts:
    """Nothing in the way, unless said otherwise; `source` and `target` replace fields of one side."""
    both = pairs or ((ANNE, ANNE_THERE),)
    here = TenantFacts(
        profile=profile("nergens.example"),
        seats=bought(seats(100, 10)),
        census=census(*(one for one, _ in both), tenant=SOURCE),
        policy=policy(),
    )
    far = TenantFacts(
        profile=profile("nieuw.example"),
        seats=bought(seats(100, 0), addons(100)),
        census=census(*(one for _, one in both)),
        policy=policy(),
    )
    fields = {
        "now": NOW,
        "definition": definition(),
        "wave": 1,
        "travellers": tuple(traveller(one.subject_id, target_id=other.subject_id) for one, other in both),
        "mappings": MAPPINGS,
        "limits": LIMITS,
        "entitlements": {A3: 100},
    }
    return PreflightFacts(
        source=replaced(here, **(source or {})), target=replaced(far, **(target or {})), **(fields | known)
    )


def found(of: PreflightFacts) -> dict[PreflightCheck, Finding]:
    return {one.check: one for one in preflight(of).findings}


def having(*licences: HeldLicence, **known: Any) -> Person:
    return replaced(ANNE, licences=licences, **known)


def holding(*licences: HeldLicence, **known: Any) -> Person:
    return replaced(ANNE_THERE, licences=licences, **known)


class TestAPlainWave:
    def test_has_nothing_in_its_way(self) -> None:
        result = preflight(facts())
        assert (result.findings, result.is_clear) == ((), True)

    def test_says_about_how_many_it_is(self) -> None:
        assert preflight(facts()).people == 1
        assert preflight(facts(travellers=())).people == 0

    @pytest.mark.parametrize("which", ["source", "target"])
    @pytest.mark.parametrize("what", ["census", "seats"])
    def test_counts_from_the_oldest_look(self, which: str, what: str) -> None:
        earlier = NOW - timedelta(hours=3)
        plain = facts()
        older = replaced(getattr(getattr(plain, which), what), observed_at=earlier)
        assert preflight(facts(**{which: {what: older}})).checked_at == earlier

    def test_an_empty_wave_is_clear(self) -> None:
        assert preflight(facts(travellers=())).is_clear

    def test_only_who_is_still_to_be_prepared_is_looked_at(self) -> None:
        prepared = (traveller("anne", state=PersonState.PREPARED),)
        assert preflight(facts((ANNE, holding(held(A1))), travellers=prepared)).is_clear

    @pytest.mark.parametrize("which", ["source", "target"])
    def test_half_a_look_proves_nothing(self, which: str) -> None:
        result = preflight(facts(**{which: {"census": census(is_complete=False)}}))
        assert [one.check for one in result.findings] == [C.NOT_READ_WHOLE]
        assert not result.is_clear


class TestConsent:
    @pytest.mark.parametrize(
        ("permissions", "missing"),
        [
            pytest.param(GROUPS, (), id="everything"),
            pytest.param(LICENCES, (), id="licences are enough"),
            pytest.param(READ, ("LicenseAssignment.ReadWrite.All",), id="only to read"),
        ],
    )
    @pytest.mark.parametrize(("which", "check"), [("source", C.SOURCE_CONSENT), ("target", C.TARGET_CONSENT)])
    def test_of_either_tenant(
        self, which: str, check: PreflightCheck, permissions: frozenset[str], missing: tuple[str, ...]
    ) -> None:
        result = preflight(facts(**{which: {"profile": profile("nieuw.example", permissions=permissions)}}))
        assert {one.check: one.details for one in result.findings} == ({check: missing} if missing else {})
        assert result.is_clear is not bool(missing)

    @pytest.mark.parametrize(("which", "check"), [("source", C.SOURCE_CONSENT), ("target", C.TARGET_CONSENT)])
    def test_none_at_all(self, which: str, check: PreflightCheck) -> None:
        assert "User.Read.All" in found(facts(**{which: {"profile": None}}))[check].details

    def test_to_leave_a_group_of_ours(self) -> None:
        source = {"profile": profile(permissions=PEOPLE), "groups": OURS}
        result = found(facts((having(held(A3, group=GROUP)), ANNE_THERE), source=source))
        assert result[C.SOURCE_CONSENT].details == ("GroupMember.ReadWrite.All",)

    def test_to_set_a_usage_location(self) -> None:
        target = {"profile": profile("nieuw.example", permissions=LICENCES), "policy": policy(usage_location="NL")}
        result = found(facts((ANNE, holding(usage_location=None)), target=target))
        assert result.keys() == {C.TARGET_CONSENT}
        assert result[C.TARGET_CONSENT].details == ("User.ReadWrite.All",)

    @pytest.mark.parametrize(
        ("chosen", "permissions", "missing"),
        [
            pytest.param({}, LICENCES, ("Group.Create", "GroupMember.ReadWrite.All"), id="a group of ours"),
            pytest.param({}, GROUPS, (), id="all of it is there"),
            pytest.param({"group_id": GROUP}, LICENCES, ("GroupMember.ReadWrite.All",), id="ours, made already"),
            pytest.param({"group_id": THEIRS}, LICENCES, (), id="the school's own, which others fill"),
        ],
    )
    def test_to_bring_people_into_a_group_is_asked_for_before_they_arrive(
        self, chosen: dict[str, Any], permissions: frozenset[str], missing: tuple[str, ...]
    ) -> None:
        """Else it would hang once everybody has the licence by name."""
        by_group = policy(assignment_mode=AssignmentMode.GROUP, **chosen)
        target = {"profile": profile("nieuw.example", permissions=permissions), "policy": by_group, "groups": OURS}
        result = preflight(facts(target=target))
        assert {one.check: one.details for one in result.findings} == ({C.TARGET_CONSENT: missing} if missing else {})
        assert result.is_clear is not bool(missing)

    def test_a_product_without_p1_goes_through_no_group_and_needs_no_more(self) -> None:
        mappings = replaced(MAPPINGS, group_licensing=MAPPINGS.group_licensing - {A3})
        by_group = policy(assignment_mode=AssignmentMode.GROUP)
        target = {"profile": profile("nieuw.example", permissions=LICENCES), "policy": by_group}
        result = preflight(facts(target=target, mappings=mappings))
        (finding,) = result.findings
        assert (finding.check, finding.people, finding.subjects) == (C.TARGET_GROUP_WITHOUT_P1, 1, ("anne",))
        assert finding.details == ("M365EDU_A3_FACULTY",)
        assert result.is_clear
        assert preflight(facts(target={**target, "policy": policy()}, mappings=mappings)).findings == ()


class TestSeats:
    @pytest.mark.parametrize(
        ("enabled", "consumed", "entitled", "short"),
        [
            pytest.param(3, 0, 9, 0, id="just enough"),
            pytest.param(2, 0, 9, 1, id="one short"),
            pytest.param(9, 7, 9, 1, id="the rest is in use"),
            pytest.param(9, 0, 1, 2, id="the ledger entitles to fewer"),
        ],
    )
    def test_of_the_target_for_everybody(self, enabled: int, consumed: int, entitled: int, short: int) -> None:
        people = [person(f"p{number}", held(A3)) for number in range(3)]
        target = {"seats": bought(seats(enabled, consumed), addons(9))}
        pairs = [(one, there(one)) for one in people]
        result = preflight(facts(*pairs, target=target, entitlements={A3: entitled}))
        assert [one.people for one in result.findings] == ([short] if short else [])
        assert result.is_clear is not bool(short)

    def test_none_of_the_product_at_all(self) -> None:
        result = found(facts(target={"seats": bought(addons(9))}))
        assert result[C.TARGET_SEATS].details == ("M365EDU_A3_FACULTY: 1 short",)

    def test_each_product_counts_for_itself(self) -> None:
        ben = person("ben", held(EMS), held(A3, EXCHANGE_A3))
        travellers = (traveller("anne"), traveller("ben", source_sku=EMS, target_sku=EMS))
        target = {"seats": bought(seats(1), seats(0, 0, EMS), addons(9))}
        products = (ProductPair(source_sku=A3, target_sku=A3), ProductPair(source_sku=EMS, target_sku=EMS))
        result = found(
            facts(
                (ANNE, ANNE_THERE),
                (ben, there(ben)),
                travellers=travellers,
                target=target,
                entitlements={A3: 9, EMS: 9},
                definition=definition(products=products),
                source={"seats": bought(seats(9), seats(9, 0, EMS))},
            )
        )
        assert result[C.TARGET_SEATS].details == ("EMS_EDU_FACULTY: 1 short",)
        assert result[C.TARGET_SEATS].subjects == ("ben-there",)

    @pytest.mark.parametrize(("enabled", "short"), [(1, 1), (2, 0)])
    def test_one_product_for_two_audiences_has_one_stock(self, enabled: int, short: int) -> None:
        ben = person("ben", held(A1))
        products = (
            ProductPair(source_sku=A3, target_sku=A3, audience=Audience.FACULTY),
            ProductPair(source_sku=A1, target_sku=A3, audience=Audience.STUDENT),
        )
        result = preflight(
            facts(
                (ANNE, ANNE_THERE),
                (ben, there(ben)),
                travellers=(traveller("anne"), traveller("ben", source_sku=A1)),
                definition=definition(products=products),
                target={"seats": bought(seats(enabled), addons(9))},
                source={"seats": bought(seats(9), seats(9, 0, A1))},
            )
        )
        assert sum(one.people for one in result.findings if one.check is C.TARGET_SEATS) == short

    def test_of_another_operation_are_not_free(self) -> None:
        target = {"seats": bought(seats(1), addons(9))}
        reserved = {A3: frozenset({SubjectId("somebody")})}
        assert C.TARGET_SEATS in found(facts(target=target, reserved=reserved))

    @pytest.mark.parametrize(
        ("count", "is_told"),
        [
            pytest.param(seats(10, 10), False, id="as many as are used"),
            pytest.param(seats(9, 10), True, id="fewer than are used"),
            pytest.param(None, True, id="none at all"),
        ],
    )
    def test_of_the_source_are_there_meanwhile(self, count: SeatCount | None, is_told: bool) -> None:
        result = preflight(facts(source={"seats": bought(*([count] if count else []))}))
        assert [one.check for one in result.findings] == ([C.SOURCE_SEATS] if is_told else [])
        assert result.is_clear

    @pytest.mark.parametrize(
        ("days", "is_told"),
        [
            pytest.param(31, False, id="after the hold period"),
            pytest.param(29, True, id="before its end"),
            pytest.param(None, False, id="without an end"),
        ],
    )
    def test_of_the_source_end_in_time(self, days: int | None, is_told: bool) -> None:
        ends = None if days is None else NOW + timedelta(days=days)
        subscription = Subscription(subscription_id="s", sku_id=A3, status="Enabled", total=9, next_lifecycle_at=ends)
        result = preflight(facts(source={"seats": bought(seats(9), subscriptions=(subscription,))}))
        assert [one.check for one in result.findings] == ([C.SOURCE_ENDS_SOON] if is_told else [])


class TestWhatThePlanWouldRefuse:
    @pytest.mark.parametrize(
        ("pair", "check"),
        [
            pytest.param((ANNE, holding(held(A1))), C.CONFLICTS, id="a conflict"),
            pytest.param((ANNE, holding(usage_location=None)), C.USAGE_LOCATIONS, id="no usage location"),
            pytest.param(
                (ANNE, holding(held(A3, EXCHANGE_A3, group=GROUP))),
                C.TARGET_GROUP_WITHOUT_EXCHANGE,
                id="a group without Exchange",
            ),
            pytest.param((having(held(A5)), ANNE_THERE), C.CHANGED_SINCE_MATCHED, id="no longer holds it"),
        ],
    )
    def test_is_said_beforehand(self, pair: tuple[Person, Person], check: PreflightCheck) -> None:
        finding = found(facts(pair))[check]
        assert (finding.people, finding.subjects) == (1, ("anne-there",))

    @pytest.mark.parametrize(("more", "told"), [((), ()), (("new-plan", "another"), ("another", "new-plan"))])
    def test_plans_that_no_list_knows(self, more: tuple[str, ...], told: tuple[str, ...]) -> None:
        result = preflight(facts(target={"seats": bought(seats(9, 0, A3, *more), addons(9))}))
        assert {one.check: one.details for one in result.findings} == ({C.UNKNOWN_PLANS: told} if more else {})
        assert result.is_clear

    def test_a_dependency(self) -> None:
        """A5 whose Exchange is off for good leaves threat intelligence without what it needs."""
        here = having(held(A5, *_exchange_of(A5)))
        travellers = (traveller("anne", source_sku=A5, target_sku=A5, has_mailbox=False),)
        target = {"seats": bought(seats(9, 0, A5), addons(9))}
        result = found(facts((here, ANNE_THERE), travellers=travellers, target=target, entitlements={A5: 9}))
        assert result[C.DEPENDENCIES].people == 1

    def test_somebody_whom_another_operation_serves(self) -> None:
        reserved = {A3: frozenset({ANNE_THERE.subject_id})}
        result = preflight(facts(reserved=reserved))
        assert [one.check for one in result.findings] == [C.SERVED_BY_OTHERS]
        assert result.is_clear

    @pytest.mark.parametrize("which", ["source", "target"])
    def test_somebody_who_is_gone(self, which: str) -> None:
        result = preflight(facts(**{which: {"census": census()}}))
        assert C.CHANGED_SINCE_MATCHED in {one.check for one in result.findings}
        assert result.is_clear

    def test_only_some_are_named_and_all_are_counted(self) -> None:
        people = [person(f"p{number:02}", held(A3)) for number in range(25)]
        pairs = [(one, replaced(there(one), licences=(held(A1),))) for one in people]
        finding = found(facts(*pairs))[C.CONFLICTS]
        assert (finding.people, len(finding.subjects)) == (25, 20)


def _exchange_of(sku_id: SkuId) -> list[Any]:
    return [plan.plan_id for plan in MAPPINGS.skus[sku_id].plans if plan.family == "exchange"]


class TestTheRelease:
    @pytest.mark.parametrize(
        ("licences", "check"),
        [
            pytest.param((held(A3),), None, id="direct"),
            pytest.param((held(A3, group=GROUP),), C.RELEASED_FROM_OUR_GROUP, id="through our group"),
            pytest.param((held(A3, group=THEIRS),), C.NEVER_RELEASED_FROM_GROUP, id="through theirs"),
            pytest.param((held(A3), held(FOREIGN, group=THEIRS)), C.P1_LOST, id="a group's licence that would lack P1"),
            pytest.param((held(A3), held(EMS), held(FOREIGN, group=THEIRS)), None, id="P1 by something else"),
        ],
    )
    def test_how_it_will_go(self, licences: tuple[HeldLicence, ...], check: PreflightCheck | None) -> None:
        result = preflight(facts((having(*licences), ANNE_THERE), source={"groups": OURS}))
        assert [one.check for one in result.findings] == ([check] if check else [])
        assert result.is_clear

    def test_names_the_group(self) -> None:
        result = found(facts((having(held(A3, group=THEIRS)), ANNE_THERE)))
        assert result[C.NEVER_RELEASED_FROM_GROUP].details == ("group theirs (unknown)",)

    @pytest.mark.parametrize(
        ("owned_here", "owned_there", "told"),
        [
            pytest.param(("nergens.example",), ("nieuw.example",), (), id="elsewhere"),
            pytest.param(("oud.example",), ("nieuw.example",), ("oud.example",), id="still in the source"),
            pytest.param((), ("oud.example", "nieuw.example"), (), id="moved"),
            pytest.param(("nieuw.example",), (), ("nieuw.example",), id="the target's accounts have it already"),
        ],
    )
    def test_domains(self, owned_here: tuple[str, ...], owned_there: tuple[str, ...], told: tuple[str, ...]) -> None:
        sides = {"source": {"profile": profile(*owned_here)}, "target": {"profile": profile(*owned_there)}}
        result = preflight(facts(**sides))
        assert [one.details for one in result.findings] == ([told] if told else [])
        assert result.is_clear

    def test_a_tenants_own_first_domain_stays_its_own(self) -> None:
        here = having(held(A3), domain="oud.onmicrosoft.com")
        source = {"profile": profile("oud.onmicrosoft.com")}
        assert preflight(facts((here, ANNE_THERE), source=source)).findings == ()


NO_EXCHANGE = {"policy": policy(skus={A3: SkuPolicy(disabled_plans=frozenset({EXCHANGE_A3}))})}
WITHOUT_PLAN = {"seats": bought(replaced(seats(100, 0), plan_ids=frozenset({YAMMER})), addons(100))}


class TestMailboxes:
    def test_one_in_the_target_already(self) -> None:
        result = preflight(facts((ANNE, holding(held(A3)))))
        assert [one.check for one in result.findings] == [C.MAILBOX_IN_TARGET]
        assert not result.is_clear

    def test_of_who_was_licensed_there_already_and_goes_along_by_name(self) -> None:
        travellers = (traveller("anne", situation=Situation.ALREADY_LICENSED),)
        assert preflight(facts((ANNE, holding(held(A3))), travellers=travellers)).findings == ()

    def test_with_evidence_it_is_the_real_one(self) -> None:
        travellers = (traveller("anne", evidence=EVIDENCE),)
        assert preflight(facts((ANNE, holding(held(A3))), travellers=travellers)).findings == ()

    @pytest.mark.parametrize("target", [NO_EXCHANGE, WITHOUT_PLAN], ids=["switched off", "not in the product"])
    def test_a_product_there_that_makes_none_keeps_the_wave_from_beginning(self, target: dict[str, Any]) -> None:
        result = preflight(facts(target=target))
        assert C.NO_EXCHANGE_IN_TARGET in [one.check for one in result.findings if one.is_blocking]

    def test_who_has_none_here_needs_none_there(self) -> None:
        assert C.NO_EXCHANGE_IN_TARGET not in found(
            facts((having(held(A3, EXCHANGE_A3)), ANNE_THERE), target=NO_EXCHANGE)
        )

    def test_none_in_the_source(self) -> None:
        result = preflight(facts((having(held(A3, EXCHANGE_A3)), ANNE_THERE)))
        assert [one.check for one in result.findings] == [C.NO_MAILBOX_IN_SOURCE]

    @pytest.mark.parametrize(
        ("hold", "is_short"), [(timedelta(days=30), False), (timedelta(days=29), True), (timedelta(days=60), False)]
    )
    def test_are_kept_thirty_days(self, hold: timedelta, is_short: bool) -> None:
        result = preflight(facts(definition=definition(hold_period=hold)))
        assert [one.check for one in result.findings] == ([C.HOLD_PERIOD_SHORT] if is_short else [])
        assert result.is_clear is not is_short


class TestTheAddon:
    def short(self, source: tuple[SeatCount, ...], target: tuple[SeatCount, ...], **known: Any) -> int:
        people = [person(f"p{number}", held(A3)) for number in range(3)]
        sides = {
            "source": {"seats": bought(seats(100), *source)},
            "target": {"seats": bought(seats(100), *target)},
        }
        pairs = [(one, there(one)) for one in people]
        finding = found(facts(*pairs, **sides, **known)).get(C.MIGRATION_ADDON)
        return finding.people if finding else 0

    @pytest.mark.parametrize(
        ("source", "target", "short"),
        [
            pytest.param((), (addons(3),), 0, id="enough in the target"),
            pytest.param((addons(3),), (), 0, id="enough in the source"),
            pytest.param((addons(1),), (addons(2),), 0, id="in both together"),
            pytest.param((), (addons(2),), 1, id="one short"),
            pytest.param((), (addons(5, 3),), 1, id="some are in use"),
            pytest.param((), (), 3, id="none"),
            pytest.param((), (addons(3, 0, "Cross-tenant_User Data Migration_FACULTY"),), 0, id="spelt otherwise"),
            pytest.param((), (addons(3, 0, "CROSS_TENANT_SYNC"),), 3, id="something else"),
        ],
    )
    def test_one_for_everybody(self, source: tuple[SeatCount, ...], target: tuple[SeatCount, ...], short: int) -> None:
        assert self.short(source, target) == short

    def test_is_not_needed_when_another_tool_moves_them(self) -> None:
        assert self.short((), (), definition=definition(moves_mailboxes=False)) == 0

    @pytest.mark.parametrize("which", ["source", "target"])
    def test_who_has_one_needs_no_other(self, which: str) -> None:
        here, far = ANNE, ANNE_THERE
        if which == "source":
            here = having(held(A3), HeldLicence(ADDON))
        else:
            far = holding(HeldLicence(ADDON))
        sides = {which: {"seats": bought(seats(9), addons(1, 1))}}
        others = {"target": {"seats": bought(seats(9))}} if which == "source" else {}
        assert C.MIGRATION_ADDON not in found(facts((here, far), **(others | sides)))

    def test_who_has_no_mailbox_needs_none(self) -> None:
        target = {"seats": bought(seats(9))}
        assert C.MIGRATION_ADDON not in found(facts((having(held(A3, EXCHANGE_A3)), ANNE_THERE), target=target))

    def test_keeps_the_wave_from_beginning(self) -> None:
        assert not preflight(facts(target={"seats": bought(seats(9))})).is_clear


class TestTheReport:
    def test_what_is_in_the_way_comes_first(self) -> None:
        source = {"seats": bought(), "profile": profile("oud.example", permissions=READ)}
        checks = [one.check for one in preflight(facts((ANNE, holding(held(A1))), source=source)).findings]
        assert checks[:3] == [C.SOURCE_CONSENT, C.CONFLICTS, C.MAILBOX_IN_TARGET]
        assert set(checks[3:]) <= WARNINGS
        assert len(checks) > 3

    def test_a_warning_alone_keeps_nobody(self) -> None:
        for check in PreflightCheck:
            result = Preflight(findings=(Finding(check=check),), checked_at=NOW)
            assert result.is_clear is (check in WARNINGS)

    def test_another_boards_people_are_not_counted_against_the_holder(self) -> None:
        stranger = person("stranger", held(A3))
        target = {"census": census(ANNE_THERE, stranger)}
        known = {"target": target, "entitlements": {A3: 1}}
        assert C.TARGET_SEATS in found(facts(**known))
        assert C.TARGET_SEATS not in found(facts(**known, own=frozenset()))


class TestWhomItIsAbout:
    def test_is_whoever_has_no_licence_there_yet(self) -> None:
        everybody = [replaced(traveller(state), state=state) for state in PersonState]
        going = still_to_prepare(everybody)
        assert [one.source_id for one in going] == ["waiting", "preparing"]
        assert {one.state for one in going} == {PersonState.WAITING}

    @pytest.mark.parametrize(("phase", "people"), [(Phase.PREPARE, 1), (Phase.ENABLE, 0), (Phase.UNDO_TARGET, 0)])
    def test_with_whoever_failed_at_that_when_they_are_tried_again(self, phase: Phase, people: int) -> None:
        failed = [replaced(traveller("anne"), state=PersonState.FAILED, failed_in=phase, reason=Reason.NOT_FOUND)]
        assert len(still_to_prepare(failed, again=True)) == people
        assert still_to_prepare(failed) == ()


class TestASecondProduct:
    BOTH = (ProductPair(source_sku=A3, target_sku=A3), ProductPair(source_sku=EMS, target_sku=EMS))

    def test_of_the_migration_is_named_with_how_many_hold_it(self) -> None:
        result = found(facts((having(held(A3), held(EMS)), ANNE_THERE), definition=definition(products=self.BOTH)))
        finding = result[C.SECOND_PRODUCT]
        assert (finding.people, finding.subjects, finding.is_blocking) == (1, ("anne",), False)
        assert finding.details == (MAPPINGS.skus[EMS].part_number,)

    def test_that_does_not_go_along_is_nobodys_business(self) -> None:
        assert C.SECOND_PRODUCT not in found(facts((having(held(A3), held(EMS)), ANNE_THERE)))
        assert C.SECOND_PRODUCT not in found(facts(definition=definition(products=self.BOTH)))


class TestBindings:
    @pytest.mark.parametrize(("which", "check"), [("source", C.SOURCE_BINDING), ("target", C.TARGET_BINDING)])
    def test_on_either_side_are_needed_and_confirmed(self, which: str, check: PreflightCheck) -> None:
        result = preflight(facts(**{which: {"is_ours": False}}))
        assert [one.check for one in result.findings] == [check]
        assert not result.is_clear
        assert result.is_in_the_way_of_all


class TestATryForTheRest:
    @staticmethod
    def of(people: int, *findings: Finding) -> Preflight:
        return Preflight(findings=findings, checked_at=NOW, people=people)

    @pytest.mark.parametrize(
        ("people", "short", "is_in_the_way"),
        [
            pytest.param(5, 2, False, id="five found no seat and three were bought"),
            pytest.param(5, 4, False, id="one was bought"),
            pytest.param(5, 5, True, id="none was bought"),
        ],
    )
    def test_needs_a_seat_for_one_of_them(self, people: int, short: int, is_in_the_way: bool) -> None:
        found = self.of(people, Finding(check=PreflightCheck.TARGET_SEATS, people=short))
        assert not found.is_clear
        assert found.is_in_the_way_of_all is is_in_the_way

    def test_adds_up_what_is_in_the_way_of_each(self) -> None:
        seats, place = (Finding(check=check, people=1) for check in (C.TARGET_SEATS, C.USAGE_LOCATIONS))
        assert not self.of(3, seats, place).is_in_the_way_of_all
        assert self.of(2, seats, place).is_in_the_way_of_all

    @pytest.mark.parametrize("check", [C.TARGET_CONSENT, C.MAILBOX_IN_TARGET, C.MIGRATION_ADDON, C.NOT_READ_WHOLE])
    def test_does_not_begin_with_what_no_plan_refuses_one_by_one(self, check: PreflightCheck) -> None:
        assert self.of(5, Finding(check=check, people=1)).is_in_the_way_of_all

    def test_minds_no_warnings(self) -> None:
        assert not self.of(1, Finding(check=C.P1_LOST, people=1)).is_in_the_way_of_all
        assert not self.of(0).is_in_the_way_of_all
