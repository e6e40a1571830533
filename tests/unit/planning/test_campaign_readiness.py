"""What readiness says, finding by finding: who is in the way, who must act, and what is only worth knowing."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from provisioning.domain.ids import GroupId, SkuId
from provisioning.domain.observation import Person, Subscription
from provisioning.domain.permissions import LICENCES, PEOPLE, READ
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode
from provisioning.domain.worklist import Owner
from provisioning.planning.campaign_forecast import Writes
from provisioning.planning.campaign_readiness import (
    MemberFacts,
    Readiness,
    ReadinessFinding,
    Seen,
    first_end,
    readiness_of,
)
from provisioning.planning.deliver import plan_deliver
from provisioning.planning.seats import SeatSituation
from tests.unit.planning.scene import A1, A3, NOW, held, person, policy, scene, seats

DIRECT = policy(assignment_mode=AssignmentMode.DIRECT, usage_location="NL")


def on_a1(number: int = 3) -> tuple[Person, ...]:
    return tuple(person(f"p{place}", held(A1)) for place in range(number))


def seen(*people: Person, enabled: int = 1_000, permissions: frozenset[str] = PEOPLE, **known: Any) -> Seen:
    some = people or on_a1()
    drawn = plan_deliver(scene(*some, seats=seats(enabled), permissions=permissions, policy=DIRECT))
    situation = SeatSituation(enabled=enabled, consumed=0, holders=frozenset(), reserved=frozenset(), entitlement=1_000)
    return Seen(**({"permissions": permissions, "seats": situation, "plan": drawn} | known))


def ready(**known: Any) -> Readiness:
    fields: dict[str, Any] = {
        "policy": DIRECT,
        "hold": None,
        "entitlement": 1_000,
        "processing": frozenset({"agreed"}),
        "seen": seen(),
    }
    return readiness_of(MemberFacts(now=NOW, **(fields | known)))


def reasons(found: Readiness) -> list[Reason]:
    return [one.reason for one in found.findings]


class TestReady:
    def test_is_a_tenant_in_whose_way_nothing_is(self) -> None:
        found = ready()
        assert (found.is_ready, found.findings, found.people, found.at_stake) == (True, (), 3, 0)
        assert found.writes == Writes(clashing=3)
        assert found.checked_at == NOW

    @pytest.mark.parametrize(
        "known",
        [
            pytest.param({"processing": frozenset()}, id="no processing agreement on record"),
            pytest.param({"in_the_way": ("deliver 3f2a awaiting_seats",)}, id="another operation goes on"),
            pytest.param({"seen": seen(undecided=("NEW_PLAN",))}, id="plans that nobody decided about"),
        ],
    )
    def test_is_one_about_whom_something_is_worth_knowing(self, known: dict[str, Any]) -> None:
        found = ready(**known)
        assert found.is_ready
        assert len(found.findings) == 1


class TestUnready:
    @pytest.mark.parametrize(
        ("known", "reason"),
        [
            ({"hold": Reason.BINDING_UNCONFIRMED}, Reason.BINDING_UNCONFIRMED),
            ({"hold": Reason.SELECTOR_MISSING}, Reason.SELECTOR_MISSING),
            ({"policy": policy()}, Reason.REMAP_SCHOOL_ASSIGNS),
            ({"entitlement": 0}, Reason.REMAP_NOT_ORDERED),
            ({"processing": frozenset({"agreed", "refused"})}, Reason.AGREEMENT_REFUSED),
            ({"is_stopped": True}, Reason.STOPPED),
            ({"migrations": ("Merger (running)",)}, Reason.MIGRATION_UNDER_WAY),
            ({"seen": None, "unread": Reason.CONSENT_MISSING}, Reason.CONSENT_MISSING),
            ({"seen": seen(permissions=READ)}, Reason.CONSENT_INSUFFICIENT),
            ({"seen": seen(trouble=Reason.GROUP_CHANGED)}, Reason.GROUP_CHANGED),
            ({"seen": seen(enabled=0)}, Reason.SEATS_NOT_VISIBLE),
            ({"seen": seen(enabled=2)}, Reason.SEATS_INSUFFICIENT),
            ({"seen": seen(person("p", held(A1, group=GroupId("theirs"))))}, Reason.INHERITED_FROM_GROUP),
        ],
    )
    def test_says_why(self, known: dict[str, Any], reason: Reason) -> None:
        found = ready(**known)
        assert not found.is_ready
        assert reason in reasons(found)

    @pytest.mark.parametrize(("enabled", "short"), [(3, 0), (2, 1), (0, 3)])
    def test_counts_the_seats_that_are_missing(self, enabled: int, short: int) -> None:
        assert ready(seen=seen(enabled=enabled)).short == short

    def test_counts_no_seats_in_grace(self) -> None:
        """The scene's tenants have fifty of them."""
        assert ready(seen=seen(*on_a1(40), enabled=10)).short == 30

    @pytest.mark.parametrize(("permissions", "is_ready"), [(LICENCES, True), (LICENCES - {"User.Read.All"}, False)])
    def test_asks_for_what_its_plan_needs(self, permissions: frozenset[str], is_ready: bool) -> None:
        assert ready(seen=seen(permissions=permissions)).is_ready is is_ready

    def test_at_stake_is_everybody_or_whom_it_concerns(self) -> None:
        assert ready(entitlement=0).at_stake == 3
        assert ready(seen=seen(enabled=2)).at_stake == 1

    def test_says_first_what_is_in_the_way(self) -> None:
        found = ready(entitlement=0, processing=frozenset(), seen=seen(enabled=2))
        assert reasons(found) == [Reason.REMAP_NOT_ORDERED, Reason.SEATS_INSUFFICIENT, Reason.AGREEMENT_ABSENT]

    def test_has_an_owner(self) -> None:
        assert ReadinessFinding(reason=Reason.REMAP_SCHOOL_ASSIGNS).owner is Owner.SCHOOL


class TestLosses:
    def test_are_told_by_kind(self) -> None:
        plan = seen().plan
        losing = msgspec.structs.replace(plan.losses, families={"yammer": 3})
        found = ready(seen=msgspec.structs.replace(seen(), plan=msgspec.structs.replace(plan, losses=losing)))
        assert "family:yammer" in found.losses
        assert A3 not in found.losses


def bought(sku: str = A1, status: str = "Enabled", ends: timedelta | None = timedelta(days=30)) -> Subscription:
    ends_at = None if ends is None else NOW + ends
    return Subscription(subscription_id="s", sku_id=SkuId(sku), status=status, total=5, next_lifecycle_at=ends_at)


class TestTheEndOfTheOldProduct:
    @pytest.mark.parametrize(
        ("purchases", "days"),
        [
            ([bought()], 30),
            ([bought(), bought(ends=timedelta(days=9))], 9),
            ([bought(), bought(status="Warning", ends=timedelta(days=3))], 3),
            ([bought(), bought(status="Suspended", ends=timedelta(days=3))], 30),
            ([bought(ends=None), bought()], 30),
            ([bought(sku=A3)], None),
            ([bought(ends=None)], None),
            ([], None),
        ],
    )
    def test_is_when_its_first_seats_go(self, purchases: list[Subscription], days: int | None) -> None:
        assert first_end(purchases, SkuId(A1)) == (None if days is None else NOW + timedelta(days=days))

    @pytest.mark.parametrize(("ends", "is_too_late"), [(timedelta(days=13), True), (timedelta(days=15), False)])
    def test_before_the_campaign_begins_is_in_the_way(self, ends: timedelta, is_too_late: bool) -> None:
        begins = {"begins_at": NOW + timedelta(days=14)}
        found = ready(seen=seen(ends_at=NOW + ends), **begins)
        assert (Reason.OLD_PRODUCT_ENDS in reasons(found), found.is_ready) == (is_too_late, not is_too_late)
        assert found.at_stake == (3 if is_too_late else 0)

    def test_is_kept_with_when_somebody_must_know(self) -> None:
        ends = NOW + timedelta(days=30)
        found = ready(seen=seen(ends_at=ends), end_warning=timedelta(days=14))
        assert (found.ends_at, found.warn_at) == (ends, ends - timedelta(days=14))
        assert (ready().ends_at, ready().warn_at) == (None, None)
