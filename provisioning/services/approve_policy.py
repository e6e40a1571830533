"""A second person puts a proposed policy in force, and with it what the school now wants of earlier deliveries."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.calendar import dutch_day
from provisioning.domain.errors import InputError
from provisioning.domain.events import Event
from provisioning.domain.ids import Actor
from provisioning.domain.operation import Operation
from provisioning.domain.rights import Action, require, require_other
from provisioning.domain.tenancy import Policy
from provisioning.ports import Clock, Dispatcher, OpenUnitOfWork, UnitOfWork
from provisioning.services.bring_into_form import bring_into_form
from provisioning.services.lookup import get_tenant
from provisioning.services.policy_turn import await_policy_turn
from provisioning.services.refusals import refusals_on_record
from provisioning.services.serve_school import serve_school

_MIN_DIGEST = 8


@dataclass(frozen=True, kw_only=True)
class ApprovePolicy:
    open_uow: OpenUnitOfWork
    clock: Clock
    dispatcher: Dispatcher

    def __call__(self, identity: Identity, tenant: str, digest: str) -> Policy:
        """The policy as it is in force from its first day on. Raises InputError, NotAllowedError.

        `digest`: at least its first 8 characters, as the proposal was shown.
        """
        with refusals_on_record(self.open_uow, self.clock, identity, Action.APPROVE_POLICY, tenant, digest):
            return self._approve(identity, tenant, digest)

    def _approve(self, identity: Identity, tenant: str, digest: str) -> Policy:
        require(identity, Action.APPROVE_POLICY)
        now = self.clock.now()
        with self.open_uow() as uow:
            home = get_tenant(uow, tenant)
            policy = _proposal(uow.tenants.list_policies(home.tenant_id), digest.strip().lower())
            for author in policy.hands:
                require_other(identity, author, "proposed this policy")
            begun = put_in_force(uow, policy, identity.actor, now, self.clock.wall())
            uow.commit()
        for operation in begun:
            self.dispatcher.advance(operation.operation_id, operation.lane)
        return msgspec.structs.replace(policy, approved_by=identity.actor)


def put_in_force(uow: UnitOfWork, policy: Policy, approver: Actor, now: datetime, wall: datetime) -> list[Operation]:
    """Approve a proposal, in the caller's transaction; returns the operations that follow from it."""
    await_policy_turn(uow, policy.tenant_id, wall)
    before = uow.tenants.policy_on(policy.tenant_id, max(policy.valid_from, dutch_day(now)))
    uow.tenants.approve_policy(policy.tenant_id, policy.digest, approver, now)
    event = Event(
        at=now,
        actor=approver,
        kind="policy.approved",
        tenant=policy.tenant_id,
        after=policy.digest,
        reason=policy.asked_by,
    )
    uow.audit.record([event])
    return [*serve_school(uow, before, policy, now), *bring_into_form(uow, before, policy, now)]


def _proposal(policies: list[Policy], digest: str) -> Policy:
    if len(digest) < _MIN_DIGEST:
        raise InputError(f"Name the policy by at least the first {_MIN_DIGEST} characters of its digest.")
    found = [policy for policy in policies if policy.approved_by is None and policy.digest.startswith(digest)]
    if not found:
        raise InputError(f"No policy with the digest {digest} waits for approval in this tenant.")
    return found[0]
