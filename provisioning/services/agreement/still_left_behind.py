"""Before each chunk that takes what a moved agreement left behind: are there still no seats of ours here?"""

from dataclasses import dataclass

from provisioning.domain.calendar import dutch_day
from provisioning.domain.operation import Operation, OperationKind
from provisioning.planning.leftovers import is_left_behind
from provisioning.ports import Clock, LicenceGateway, OpenUnitOfWork


@dataclass(frozen=True, kw_only=True)
class StillLeftBehind:
    """Microsoft may have put the agreement back since the plan was drawn; then nobody's licence is taken (L3)."""

    open_uow: OpenUnitOfWork
    gateway: LicenceGateway
    clock: Clock

    def __call__(self, operation: Operation) -> bool:
        """Raises GraphError when the tenant cannot be read. True for work that takes nothing of the kind."""
        wish, tenant = operation.wish, operation.tenant_id
        if operation.kind is not OperationKind.RELEASE or wish.part is not None:
            return True
        count = self.gateway.observe_seats(tenant).counts.get(wish.sku_id)
        today = dutch_day(self.clock.now())
        with self.open_uow() as uow:
            bought = uow.ledger.tenant_total(tenant, wish.sku_id, today)
            own = uow.ledger.entitlement(wish.holder_id, tenant, wish.sku_id, today)
        return is_left_behind(count, bought, own)
