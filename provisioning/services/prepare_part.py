"""A part of a migration, or what a moved agreement left behind, before it is planned: is the tenant the organisation's
own, and may we write what it takes?
"""

from collections.abc import Mapping
from dataclasses import dataclass

from provisioning.domain.calendar import dutch_day
from provisioning.domain.errors import GraphError
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.migration import Phase
from provisioning.domain.observation import TenantProfile
from provisioning.domain.operation import Operation, StepKind
from provisioning.domain.permissions import missing_for
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Lease
from provisioning.ports import Clock, LicenceGateway, OpenUnitOfWork, UnitOfWork
from provisioning.services.grounds import own_bindings
from provisioning.services.remember_tenant import remember_tenant
from provisioning.services.tenant_trouble import TenantTrouble
from provisioning.services.transitions import move

# what a phase writes at least; a group of ours is only met when the source is released
_KINDS: Mapping[Phase, tuple[StepKind, ...]] = {
    Phase.PREPARE: (StepKind.ASSIGN,),
    Phase.ENABLE: (StepKind.SET_PLANS,),
    Phase.RELEASE: (StepKind.REMOVE,),
    Phase.UNDO_SOURCE: (StepKind.ASSIGN,),
    Phase.UNDO_TARGET: (StepKind.REMOVE,),
}


@dataclass(frozen=True, kw_only=True)
class PreparePart:
    """Work for parts that are new or wait for consent."""

    open_uow: OpenUnitOfWork
    gateway: LicenceGateway
    clock: Clock
    trouble: TenantTrouble

    def __call__(self, operation: Operation, _lease: Lease) -> bool:
        if self._holds(operation):
            return False
        try:
            profile = self.gateway.observe_tenant(operation.tenant_id)
        except GraphError as error:
            return self.trouble.met(operation, error)
        with self.open_uow() as uow:
            goes_on = self._judge(uow, operation, profile)
            uow.commit()
        return goes_on

    def _holds(self, operation: Operation) -> bool:
        now = self.clock.now()
        with self.open_uow() as uow:
            bindings = own_bindings(uow, operation, dutch_day(now))
            if bindings and all(binding.is_confirmed for binding in bindings):
                return False
            reason = Reason.BINDING_UNCONFIRMED if bindings else Reason.TENANT_NOT_BOUND
            move(uow, operation, OperationState.HELD, now, reason=reason)
            uow.commit()
        return True

    def _judge(self, uow: UnitOfWork, operation: Operation, profile: TenantProfile) -> bool:
        part = operation.wish.part
        kinds = _KINDS[part.phase] if part else (StepKind.REMOVE,)  # what a moved agreement left behind
        missing = missing_for(kinds, profile.permissions)
        remember_tenant(uow, profile, is_enough=not missing)
        if missing:
            self.trouble.ask_consent(uow, operation, Reason.CONSENT_INSUFFICIENT)
            return False
        move(uow, operation, OperationState.PLANNING, self.clock.now())
        return True
