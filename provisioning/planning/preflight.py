"""What must be true of both tenants before the first write of a wave, and what a person should know beforehand."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum

import msgspec

from provisioning.domain.catalogue import Audience, Mappings
from provisioning.domain.ids import SkuId, SubjectId
from provisioning.domain.limits import Limits
from provisioning.domain.migration import MigrationDefinition, Phase, Traveller
from provisioning.domain.migration_lifecycle import PersonState
from provisioning.domain.observation import Census, Person, Seats, TenantProfile
from provisioning.domain.tenancy import Policy
from provisioning.planning.groups import GroupScene

_SHOWN = 20  # people who are named; all of them are counted


class PreflightCheck(StrEnum):
    """One member per thing that is looked at; `words` has a sentence for each in both languages."""

    NOT_READ_WHOLE = "not_read_whole"
    SOURCE_BINDING = "source_binding"
    TARGET_BINDING = "target_binding"
    SOURCE_CONSENT = "source_consent"
    TARGET_CONSENT = "target_consent"
    TARGET_SEATS = "target_seats"
    SOURCE_SEATS = "source_seats"
    CONFLICTS = "conflicts"
    DEPENDENCIES = "dependencies"
    USAGE_LOCATIONS = "usage_locations"
    UNKNOWN_PLANS = "unknown_plans"
    TARGET_GROUP_WITHOUT_EXCHANGE = "target_group_without_exchange"
    TARGET_GROUP_WITHOUT_P1 = "target_group_without_p1"
    CHANGED_SINCE_MATCHED = "changed_since_matched"
    SERVED_BY_OTHERS = "served_by_others"
    SECOND_PRODUCT = "second_product"
    RELEASED_FROM_OUR_GROUP = "released_from_our_group"
    NEVER_RELEASED_FROM_GROUP = "never_released_from_group"
    P1_LOST = "p1_lost"
    DOMAINS_IN_SOURCE = "domains_in_source"
    MIGRATION_ADDON = "migration_addon"
    NO_EXCHANGE_IN_TARGET = "no_exchange_in_target"
    MAILBOX_IN_TARGET = "mailbox_in_target"
    NO_MAILBOX_IN_SOURCE = "no_mailbox_in_source"
    HOLD_PERIOD_SHORT = "hold_period_short"
    SOURCE_ENDS_SOON = "source_ends_soon"


# Known, told, and nothing that the first write would make worse: what it is about is refused or decided later, person
# by person. Everything else keeps the wave from beginning.
WARNINGS = frozenset(
    {
        PreflightCheck.SOURCE_SEATS,
        PreflightCheck.UNKNOWN_PLANS,
        PreflightCheck.TARGET_GROUP_WITHOUT_P1,
        PreflightCheck.CHANGED_SINCE_MATCHED,
        PreflightCheck.SERVED_BY_OTHERS,
        PreflightCheck.SECOND_PRODUCT,
        PreflightCheck.RELEASED_FROM_OUR_GROUP,
        PreflightCheck.NEVER_RELEASED_FROM_GROUP,
        PreflightCheck.P1_LOST,
        PreflightCheck.DOMAINS_IN_SOURCE,
        PreflightCheck.NO_MAILBOX_IN_SOURCE,
        PreflightCheck.SOURCE_ENDS_SOON,
    }
)


# What the plan says of each person by itself: whoever it is not about is served all the same.
ONE_BY_ONE = frozenset(
    {
        PreflightCheck.TARGET_SEATS,
        PreflightCheck.CONFLICTS,
        PreflightCheck.DEPENDENCIES,
        PreflightCheck.USAGE_LOCATIONS,
        PreflightCheck.TARGET_GROUP_WITHOUT_EXCHANGE,
    }
)


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was found. `people`: how many it concerns, 0 when it is about a tenant; `subjects`: some of them.

    `details` name what it is about besides people: permissions, groups, domains, numbers of seats.
    """

    check: PreflightCheck
    people: int = 0
    subjects: tuple[SubjectId, ...] = ()
    details: tuple[str, ...] = ()

    @property
    def is_blocking(self) -> bool:
        return self.check not in WARNINGS


class Preflight(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was found, what is in the way first. It proves nothing after `limits.preflight_validity`."""

    findings: tuple[Finding, ...]
    checked_at: datetime  # the oldest observation it rests on
    people: int = 0  # who are still to be prepared

    @property
    def is_clear(self) -> bool:
        return not any(finding.is_blocking for finding in self.findings)

    @property
    def is_in_the_way_of_all(self) -> bool:
        """Whether nobody could be served: what the plan refuses one by one is in the way of these alone."""
        blocking = [finding for finding in self.findings if finding.is_blocking]
        one_by_one = sum(finding.people for finding in blocking if finding.check in ONE_BY_ONE)
        return any(finding.check not in ONE_BY_ONE for finding in blocking) or 0 < self.people <= one_by_one


class TenantFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two tenants as it is now. `profile` None: its consent is gone or was never given.

    `is_ours`: the holder is bound to it, confirmed, on the day on which the wave begins.
    """

    profile: TenantProfile | None
    seats: Seats
    census: Census
    policy: Policy
    groups: GroupScene = GroupScene()
    is_ours: bool = True


class PreflightFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a preflight knows. `travellers` are those of the wave.

    `entitlements`: what the holder in the target may use of each product; `reserved`: people of other operations there
    who are served and not seen yet; `own`: the holder's people there, as in `MigrationScene`.
    """

    now: datetime
    definition: MigrationDefinition
    wave: int
    travellers: tuple[Traveller, ...]
    source: TenantFacts
    target: TenantFacts
    mappings: Mappings
    limits: Limits
    entitlements: dict[SkuId, int]
    reserved: dict[SkuId, frozenset[SubjectId]] = {}
    own: frozenset[SubjectId] | None = None

    @property
    def going(self) -> tuple[Traveller, ...]:
        """Who is still to be prepared: the others are past what is looked at here."""
        return tuple(one for one in self.travellers if one.state is PersonState.WAITING)

    @property
    def by_product(self) -> dict[tuple[SkuId, Audience], list[Traveller]]:
        """The same people, by what they get: an operation for each."""
        products: dict[tuple[SkuId, Audience], list[Traveller]] = {}
        for one in self.going:
            if one.target_sku is not None:
                products.setdefault((one.target_sku, self.definition.audience_of(one.source_sku)), []).append(one)
        return products

    @property
    def pairs(self) -> Iterator[tuple[Traveller, Person, Person]]:
        """Who is to be prepared, as they are in the source and in the target."""
        here = {person.subject_id: person for person in self.source.census.people}
        there = {person.subject_id: person for person in self.target.census.people}
        for one in self.going:
            if one.source_id in here and one.target_id in there:
                yield one, here[one.source_id], there[one.target_id]


def still_to_prepare(travellers: Iterable[Traveller], *, again: bool = False) -> tuple[Traveller, ...]:
    """Whom a preflight is about, as before anything is done: who has begun may still be before the first write.

    `again`: with those who failed at it, and are tried once more.
    """

    def is_to_be(one: Traveller) -> bool:
        is_again = again and one.state is PersonState.FAILED and one.failed_in is Phase.PREPARE
        return is_again or one.state in {PersonState.WAITING, PersonState.PREPARING}

    return tuple(msgspec.structs.replace(one, state=PersonState.WAITING) for one in travellers if is_to_be(one))


def about(check: PreflightCheck, people: Iterable[SubjectId], details: Iterable[str] = ()) -> Finding | None:
    """A finding about these people, or None when there are none."""
    subjects = sorted(people)
    if not subjects:
        return None
    named = tuple(sorted(set(details)))
    return Finding(check=check, people=len(subjects), subjects=tuple(subjects[:_SHOWN]), details=named)


def reported(facts: PreflightFacts, findings: Iterable[Finding | None]) -> Preflight:
    """What is in the way first; else in the order of the checks."""
    order = list(PreflightCheck)
    found = [finding for finding in findings if finding is not None]
    return Preflight(
        findings=tuple(sorted(found, key=lambda one: (not one.is_blocking, order.index(one.check)))),
        people=len(facts.going),
        checked_at=min(
            facts.now,
            *(side.census.observed_at for side in (facts.source, facts.target)),
            *(side.seats.observed_at for side in (facts.source, facts.target)),
        ),
    )
