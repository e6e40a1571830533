"""A live tenant as a seed of the sandbox: nobody is named, and everything that plans rest on is true.

Of people it keeps what planners ask: enabled, guest, usage location, licences, the domain of the name, and of their
attributes only those values that a selector or seat priority of the tenant compares with. Every other text that
somebody at the school wrote may name a person, so it stays behind: names of groups, words in membership rules.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime

import msgspec

from provisioning.domain.groups import LicensingGroup, ObservedGroup
from provisioning.domain.ids import GroupId, SkuId, SubjectId
from provisioning.domain.observation import HeldLicence, Membership, Person, Product, SeatCount, Seats, Subscription
from provisioning.domain.tenancy import Binding, Policy
from provisioning.planning.masks import Masks
from provisioning.planning.seed_format import (
    SeedAssignment,
    SeedCollection,
    SeedGroup,
    SeedGroupLicence,
    SeedPlan,
    SeedSku,
    SeedSubscription,
    SeedUser,
)
from provisioning.planning.selectors import AllOf, AnyOf, HasAttribute, InDomain, Rule, parse_selector

_LITERAL = re.compile(r"\"[^\"]*\"|'[^']*'")
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HIDDEN = "…"
_ROLES = ("teacher", "student")
_ATTRIBUTES = {
    "department": "department",
    "companyName": "company_name",
    "officeLocation": "office_location",
    "employeeType": "employee_type",
}


class Spoken(msgspec.Struct, frozen=True, kw_only=True):
    """The values that selectors and seat priorities compare with, case folded."""

    attributes: frozenset[tuple[str, str]] = frozenset()
    priorities: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()

    def keeps(self, name: str, text: str) -> bool:
        """Whether a plan can depend on this attribute having this value."""
        folded = text.strip().casefold()
        return (name, folded) in self.attributes or text.casefold() in self.priorities

    @property
    def words(self) -> frozenset[str]:
        return self.priorities | self.domains | {value for _, value in self.attributes}


def spoken_of(
    bindings: Iterable[Binding], policies: Iterable[Policy], domains: Iterable[str], selectors: Iterable[str] = ()
) -> Spoken:
    """What the tenant's own selectors and policies say, and these others; `domains` name no person."""
    texts = [*selectors, *(text for binding in bindings for text in binding.selectors.values())]
    leaves = [leaf for text in texts for leaf in _leaves(parse_selector(text).rule)]
    return Spoken(
        attributes=frozenset((leaf.name, leaf.value) for leaf in leaves if isinstance(leaf, HasAttribute)),
        priorities=frozenset(one.casefold() for policy in policies for one in policy.seat_priority),
        domains=frozenset(domains) | {leaf.name for leaf in leaves if isinstance(leaf, InDomain)},
    )


def _leaves(rule: Rule) -> Iterator[Rule]:
    if isinstance(rule, AllOf | AnyOf):
        for part in rule.parts:
            yield from _leaves(part)
    else:
        yield rule


# ── people ───────────────────────────────────────────────────────────────────────────────────────────────


def with_all_roles(memberships: Iterable[str]) -> frozenset[str]:
    """The same memberships; of a school everybody, so that it is not half a school."""
    return frozenset(
        f"{key.rpartition(':')[0]}:{role}" if key.startswith("school:") else key
        for key in memberships
        for role in _ROLES
    )


def roles_in(memberships: Iterable[Membership]) -> dict[SubjectId, str]:
    """Who is teacher or pupil on the rosters that selectors name."""
    return {
        member: membership.key.rpartition(":")[2]
        for membership in memberships
        if membership.key.startswith("school:")
        for member in membership.members
    }


def to_user(person: Person, masks: Masks, spoken: Spoken, role: str = "none") -> SeedUser:
    """The person without a name."""
    mask = masks.of(person.subject_id)
    kept = {name: text for name, text in person.attributes.items() if spoken.keeps(name, text)}
    extensions = {name: text for name, text in kept.items() if name not in _ATTRIBUTES}
    return SeedUser(
        id=mask,
        user_principal_name=f"p-{mask}@{person.domain}",
        account_enabled=person.is_enabled,
        user_type="Guest" if person.is_guest else "Member",
        usage_location=person.usage_location,
        extensions=extensions or None,
        primary_role=role,
        assignments=tuple(map(_to_assignment, person.licences)),
        **{field: kept.get(name) for name, field in _ATTRIBUTES.items()},
    )


def _to_assignment(held: HeldLicence) -> SeedAssignment:
    return SeedAssignment(
        sku_id=held.sku_id,
        disabled_plans=tuple(sorted(held.disabled_plans)),
        assigned_by_group=held.group_id,
        state=held.state,
        error=held.error or "None",
    )


# ── groups, units and schools ────────────────────────────────────────────────────────────────────────────


def groups_named(
    memberships: Iterable[str], policies: Iterable[Policy], register: Iterable[LicensingGroup]
) -> frozenset[GroupId]:
    """Groups that matter even when no licence comes from them."""
    selected = {GroupId(key.partition(":")[2]) for key in memberships if key.startswith("group:")}
    wanted = {policy.group_id for policy in policies} | {row.group_id for row in register}
    return frozenset(selected | {group for group in wanted if group})


def to_group(
    group: ObservedGroup, masks: Masks, known: Collection[SubjectId], ours: Collection[str], spoken: Spoken
) -> SeedGroup:
    """A group by its true id. Only a nickname of our own making is kept: others may name a person."""
    nickname = group.nickname if group.nickname in ours else None
    return SeedGroup(
        id=group.group_id,
        display_name=nickname or group.group_id,
        mail_nickname=nickname,
        group_types=("DynamicMembership",) if group.is_dynamic else (),
        security_enabled=group.is_security,
        membership_rule=without_literals(group.rule, spoken.words) if group.rule else None,
        # without its words and the people's attributes the rule would empty the group: its members stay as they are
        membership_rule_processing_state="Paused" if group.is_dynamic else None,
        processing="ProcessingInProgress" if group.is_processing else None,
        on_premises_sync_enabled=group.is_synced or None,
        licences=tuple(
            SeedGroupLicence(sku_id=held.sku_id, disabled_plans=tuple(sorted(held.disabled_plans)))
            for held in group.licences
        ),
        members=masked(group.members, masks, known),
    )


def masked(members: Iterable[SubjectId], masks: Masks, known: Collection[SubjectId]) -> tuple[str, ...]:
    """Members who were among the people read: a seed can name no others."""
    return tuple(sorted(masks.of(member) for member in members if member in known))


def without_literals(rule: str, words: Collection[str]) -> str:
    """A membership rule with only those literals that are ids or words of the tenant's own selectors."""

    def shown(match: re.Match[str]) -> str:
        inside = match.group()[1:-1]
        is_harmless = _GUID.fullmatch(inside) or inside.casefold() in words
        return match.group() if is_harmless else f"{match.group()[0]}{_HIDDEN}{match.group()[0]}"

    return _LITERAL.sub(shown, rule)


def to_units(
    memberships: Iterable[Membership], masks: Masks, known: Collection[SubjectId]
) -> tuple[SeedCollection, ...]:
    """The administrative units that selectors name."""
    return tuple(
        SeedCollection(id=unit, display_name=unit, members=masked(one.members, masks, known))
        for one in memberships
        for kind, _, unit in [one.key.partition(":")]
        if kind == "unit"
    )


def to_schools(
    memberships: Iterable[Membership], masks: Masks, known: Collection[SubjectId]
) -> tuple[SeedCollection, ...]:
    """The schools of the roster that selectors name, each with everybody who was read of it."""
    members: dict[str, set[SubjectId]] = {}
    for one in memberships:
        kind, *rest = one.key.split(":")
        if kind == "school":
            members.setdefault(rest[0], set()).update(one.members)
    return tuple(
        SeedCollection(id=school, display_name=school, members=masked(found, masks, known))
        for school, found in members.items()
    )


# ── what was bought ──────────────────────────────────────────────────────────────────────────────────────


def to_sku(product: Product) -> SeedSku:
    plans = tuple(
        SeedPlan(service_plan_id=plan.plan_id, service_plan_name=plan.name, applies_to=plan.scope)
        for plan in product.plans
    )
    return SeedSku(
        sku_id=product.sku_id, sku_part_number=product.part_number, applies_to=product.scope, service_plans=plans
    )


def to_subscriptions(seats: Seats) -> tuple[SeedSubscription, ...]:
    """The purchases; where they do not add up to Microsoft's counts, the counts, because plans rest on those."""
    rows: list[SeedSubscription] = []
    for sku_id, count in seats.counts.items():
        bought = [one for one in seats.subscriptions if one.sku_id == sku_id and one.status in _units_of(count)]
        is_whole = bought and _adds_up(bought, count)
        rows += map(_to_subscription, bought) if is_whole else _from_count(count)
    return tuple(rows)


def unlike_counts(seats: Seats) -> list[SkuId]:
    """Products whose purchases do not add up to Microsoft's counts."""
    return [
        sku_id
        for sku_id, count in seats.counts.items()
        if not _adds_up([one for one in seats.subscriptions if one.sku_id == sku_id], count)
    ]


def _units_of(count: SeatCount) -> Mapping[str, int]:
    return {
        "Enabled": count.enabled,
        "Warning": count.warning,
        "Suspended": count.suspended,
        "LockedOut": count.locked_out,
    }


def _adds_up(bought: Iterable[Subscription], count: SeatCount) -> bool:
    found = dict.fromkeys(_units_of(count), 0)
    for one in bought:
        if one.status in found:
            found[one.status] += one.total
    return found == _units_of(count)


def _to_subscription(bought: Subscription) -> SeedSubscription:
    ends = bought.next_lifecycle_at
    return SeedSubscription(
        sku_id=bought.sku_id,
        total=bought.total,
        id=bought.subscription_id,
        status=bought.status,
        next_lifecycle=_moment(ends) if ends else None,
    )


def _from_count(count: SeatCount) -> Iterator[SeedSubscription]:
    """One for each state that has units; a product without any is still owned, so one of nothing."""
    units = {status: number for status, number in _units_of(count).items() if number} or {"Enabled": 0}
    return (SeedSubscription(sku_id=count.sku_id, total=number, status=status) for status, number in units.items())


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
