"""Parts of board orders that waited for a License ID of their own go on when one is known (S2)."""

from collections.abc import Collection
from dataclasses import dataclass

from provisioning.domain.ids import LineKey, OrganisationId
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.records import RecordKind, VolumeLicence
from provisioning.planning.fan_out import unserved_tenants
from provisioning.ports import Clock, Dispatcher, OpenUnitOfWork, UnitOfWork
from provisioning.services.transitions import move

_ALL = 100_000


@dataclass(frozen=True, kw_only=True)
class ServeParts:
    open_uow: OpenUnitOfWork
    dispatcher: Dispatcher
    clock: Clock

    def __call__(self, organisations: Collection[OrganisationId]) -> int:
        """How many held parts of lines in which these take part were set free."""
        with self.open_uow() as uow:
            held = uow.operations.list_by({OperationState.HELD}, limit=_ALL)
            waiting = [one for one in held if _waits(one) and set(_parties(one)) & set(organisations)]
            lines = dict.fromkeys(one.wish.line for one in waiting if one.wish.line)
            served = [part for line in lines for part in _served(uow, line)]
            freed = [move(uow, part, OperationState.NEW, self.clock.now()) for part in served]
            uow.commit()
        for operation in freed:
            self.dispatcher.advance(operation.operation_id, operation.lane)
        return len(freed)


def _waits(operation: Operation) -> bool:
    return operation.reason is Reason.ONE_LICENSE_ID_MANY_TENANTS and operation.wish.line is not None


def _parties(operation: Operation) -> tuple[OrganisationId, ...]:
    return (operation.wish.holder_id, *operation.wish.organisations)


def _served(uow: UnitOfWork, line: LineKey) -> list[Operation]:
    """The line's waiting parts that have a License ID now; those under way keep theirs."""
    parts = [one for one in uow.operations.list_by(line=line) if one.state not in OPERATION_ENDS or not _waits(one)]
    parts.sort(key=_waits)  # whoever is under way comes first
    parties = dict.fromkeys(party for part in parts for party in _parties(part))
    records = [r for one in parties for r in uow.records.list_by(RecordKind.VOLUME_LICENCE, one)]
    licences = [record for record in records if isinstance(record, VolumeLicence)]
    unserved = unserved_tenants(licences, [part.tenant_id for part in parts])
    return [part for part in parts if _waits(part) and part.tenant_id not in unserved]
