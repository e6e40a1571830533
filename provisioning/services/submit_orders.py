"""Orders from a file go into the default order database, where the collector finds them like those of any shop."""

from collections.abc import Sequence

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.errors import InputError
from provisioning.domain.events import Event
from provisioning.domain.ids import LineKey, OrganisationId
from provisioning.domain.order import ShopLine
from provisioning.domain.rights import Action, require
from provisioning.ports import Clock, OpenUnitOfWork, OrderDesk


class SubmitOrders:
    """Whole or not at all."""

    def __init__(self, *, open_uow: OpenUnitOfWork, desk: OrderDesk, clock: Clock) -> None:
        self._open_uow = open_uow
        self._desk = desk
        self._clock = clock

    def __call__(self, lines: Sequence[ShopLine], identity: Identity) -> int:
        """How many lines were submitted. Raises NotAllowedError, InputError or ConflictError, and then nothing was."""
        require(identity, Action.SUBMIT_ORDERS)
        if not lines:
            raise InputError("There is no order line in it; nothing was submitted.")
        own = [self._ours(line, identity) for line in lines]
        submitted = self._desk.submit(own)
        with self._open_uow() as uow:
            uow.audit.record([self._event(line, identity) for line in own])
            uow.commit()
        return submitted

    def _ours(self, line: ShopLine, identity: Identity) -> ShopLine:
        """The desk is the source, and now is when the row changed, whatever the file says."""
        key = LineKey(self._desk.name, line.key.order_number, line.key.line_number)
        return msgspec.structs.replace(line, key=key, changed_at=self._clock.now(), actor=line.actor or identity.actor)

    def _event(self, line: ShopLine, identity: Identity) -> Event:
        return Event(
            at=self._clock.now(),
            actor=identity.actor,
            kind="order.submitted",
            organisation=OrganisationId(line.organisation_code),
            details={"line": str(line.key)},
        )
