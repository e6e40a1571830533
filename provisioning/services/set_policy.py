"""What a school wants done in its tenant: proposed by one person, in force once another approved it."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import InputError
from provisioning.domain.events import Event
from provisioning.domain.ids import Actor, GroupId, ServicePlanId, SkuId
from provisioning.domain.rights import Action, require
from provisioning.domain.tenancy import AssignmentMode, Policy, SkuPolicy, without_authors
from provisioning.ports import Clock, OpenUnitOfWork, UnitOfWork
from provisioning.services.lookup import get_tenant

_MANAGERS = frozenset({"us", "customer", "mixed"})
_OBJECT_ID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_COUNTRY = re.compile("[A-Z]{2}")  # ISO 3166-1 alpha-2


class PolicyChange(msgspec.Struct, frozen=True, kw_only=True):
    """What should differ from the policy in force; None leaves it as it is.

    `disabled_plans`: SKU (id or part number) → names or ids of plans that stay off; the school has then decided
    about every plan of that SKU. `asked_by`: a reference to who at the school asked, no name.
    """

    asked_by: str
    valid_from: date | None = None
    assignment_mode: AssignmentMode | None = None
    group_id: GroupId | None = None
    managed_by: str | None = None
    usage_location: str | None = None
    seat_priority: tuple[str, ...] | None = None
    disabled_plans: Mapping[str, Collection[str]] = {}


@dataclass(frozen=True, kw_only=True)
class SetPolicy:
    open_uow: OpenUnitOfWork
    clock: Clock
    mappings: Mappings

    def __call__(self, identity: Identity, tenant: str, change: PolicyChange) -> Policy:
        """The proposal, named by its digest; raises InputError when it does not hang together."""
        require(identity, Action.PROPOSE_POLICY)
        now = self.clock.now()
        with self.open_uow() as uow:
            home = get_tenant(uow, tenant)
            begin = change.valid_from or dutch_day(now)
            current = uow.tenants.policy_on(home.tenant_id, begin)
            policy = draw_policy(self.mappings, current, change, begin, identity.actor)
            propose(uow, policy, current, now)
            uow.commit()
        return policy


def draw_policy(mappings: Mappings, current: Policy, change: PolicyChange, begin: date, author: Actor) -> Policy:
    """The current policy with the change, from a day on; raises InputError when it does not hang together."""
    skus = dict(sku_policy(mappings, named, plans) for named, plans in change.disabled_plans.items())
    return _checked(_changed(current, change, skus, begin, author))


def propose(uow: UnitOfWork, policy: Policy, current: Policy, now: datetime) -> None:
    """Add it, in the caller's transaction, in the name of its author."""
    uow.tenants.add_policy(policy)
    event = Event(
        at=now,
        actor=policy.created_by,
        kind="policy.proposed",
        tenant=policy.tenant_id,
        before=current.digest or None,
        after=policy.digest,
        reason=policy.asked_by,
    )
    uow.audit.record([event])


def policy_digest(policy: Policy) -> str:
    """The fingerprint of what the policy says, whoever wrote or approved it."""
    said = msgspec.structs.replace(policy, created_by="", approved_by=None, digest="")
    return sha256(without_authors(said)).hexdigest()


def sku_policy(mappings: Mappings, named: str, plans: Collection[str]) -> tuple[SkuId, SkuPolicy]:
    """The SKU meant by an id or part number, and the decision; raises InputError for what is unknown."""
    wanted = named.strip().lower()
    sku = next((x for x in mappings.skus.values() if wanted in {x.sku_id, x.part_number.lower()}), None)
    if sku is None:
        raise InputError(f"There is no SKU {named} in the mappings.")
    known = {plan.name.lower(): plan.plan_id for plan in sku.plans} | {plan.plan_id: plan.plan_id for plan in sku.plans}
    off = set[ServicePlanId]()
    for plan in plans:
        if plan.strip().lower() not in known:
            raise InputError(f"{sku.part_number} has no service plan {plan}.")
        off.add(known[plan.strip().lower()])
    return sku.sku_id, SkuPolicy(frozenset(off), sku.plan_ids)


def _changed(
    current: Policy, change: PolicyChange, skus: Mapping[SkuId, SkuPolicy], begin: date, author: Actor
) -> Policy:
    wanted = {
        "assignment_mode": change.assignment_mode,
        "group_id": change.group_id,
        "managed_by": change.managed_by,
        "usage_location": change.usage_location,
        "seat_priority": change.seat_priority,
    }
    changed = msgspec.structs.replace(
        current,
        **{field: value for field, value in wanted.items() if value is not None},
        skus={**current.skus, **skus},
        valid_from=begin,
        valid_until=None,
        asked_by=change.asked_by,
        created_by=author,
        authors=(),
        approved_by=None,
    )
    return msgspec.structs.replace(changed, digest=policy_digest(changed))


def _checked(policy: Policy) -> Policy:
    location = policy.usage_location
    if not policy.asked_by.strip():
        raise InputError("A policy says who at the school asked for it: a reference, no name.")
    if policy.managed_by not in _MANAGERS:
        raise InputError(f"A tenant is managed by us, customer or mixed, not by {policy.managed_by!r}.")
    if policy.group_id is not None and not _OBJECT_ID.fullmatch(policy.group_id):
        raise InputError(f"{policy.group_id!r} is no object id of a group: it looks like 7e2a4d90-13c5-4b6f-….")
    if location is not None and not _COUNTRY.fullmatch(location):
        raise InputError(f"{location!r} is no country code: a usage location is two capitals, such as NL.")
    return policy
