"""Orders from a file go into the default order database, where the collector finds them like those of any shop."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.calendar import dutch_day
from provisioning.domain.errors import ConflictError, InputError
from provisioning.domain.events import Event
from provisioning.domain.ids import LineKey, OrganisationId
from provisioning.domain.order import OrderLine, ShopLine
from provisioning.domain.rights import Action, require
from provisioning.ports import Clock, OpenUnitOfWork, OrderDesk


@dataclass(frozen=True, kw_only=True)
class SubmitOrders:
    """Whole or not at all."""

    open_uow: OpenUnitOfWork
    desk: OrderDesk
    clock: Clock

    def __call__(self, lines: Sequence[ShopLine], identity: Identity) -> int:
        """How many lines are new or changed. Raises NotAllowedError, InputError or ConflictError: then none is.

        The same file again changes nothing; a line that says something else is a correction, as from any shop.
        """
        require(identity, Action.SUBMIT_ORDERS)
        if not lines:
            raise InputError("There is no order line in it; nothing was submitted.")
        ours = [self._ours(line, identity) for line in lines]
        self._refuse_strangers(ours, identity)
        self._refuse_others([line.key for line in ours], identity)
        news = self._news(ours)
        submitted = self.desk.submit(news) if news else 0
        with self.open_uow() as uow:
            uow.audit.record([self._event(line, identity) for line in news])
            if not identity.is_person:
                uow.pages.note_brought_in([line.key for line in ours], identity.actor)
            uow.commit()
        return submitted

    def _refuse_strangers(self, lines: Sequence[ShopLine], identity: Identity) -> None:
        """A client of a board orders for that board; who else there is, it does not hear."""
        if identity.board_id is None:
            return
        with self.open_uow() as uow:
            own = uow.pages.organisations_under(identity.board_id, dutch_day(self.clock.now()))
        for line in lines:
            if line.organisation_code not in own:
                raise InputError(f"{line.organisation_code} is no organisation of this board; nothing was submitted.")

    def _refuse_others(self, keys: Sequence[LineKey], identity: Identity) -> None:
        """A client corrects its own lines, not those of another client; nor does it hear whose they are."""
        if identity.is_person:
            return
        with self.open_uow() as uow:
            known = uow.pages.who_brought_in(keys)
        taken = sorted(str(key) for key, client in known.items() if client != identity.actor)
        if taken:
            raise ConflictError(f"Order line {taken[0]} is in use already, by another client; nothing was submitted.")

    def _news(self, lines: Sequence[ShopLine]) -> list[ShopLine]:
        with self.open_uow() as uow:
            return [line for line in lines if not _says_the_same(uow.orders.find(line.key), line)]

    def _ours(self, line: ShopLine, identity: Identity) -> ShopLine:
        """The desk is the source, and now is when the row changed, whatever the file says."""
        return msgspec.structs.replace(
            line,
            key=LineKey(self.desk.name, line.key.order_number, line.key.line_number),
            changed_at=self.clock.now(),
            actor=line.actor or identity.actor,
            # a person who orders may not approve what comes of it, whoever the file says ordered
            requester_reference=identity.actor if identity.is_person else line.requester_reference,
        )

    def _event(self, line: ShopLine, identity: Identity) -> Event:
        return Event(
            at=self.clock.now(),
            actor=identity.actor,
            kind="order.submitted",
            organisation=OrganisationId(line.organisation_code),
            details={"line": str(line.key)},
        )


def _says_the_same(known: OrderLine | None, line: ShopLine) -> bool:
    """Apart from the moments: a file that does not say when an order was placed means now, each time it is read."""
    if known is None:
        return False
    shop = known.shop
    same = {"placed_at": shop.placed_at, "changed_at": shop.changed_at, "digest": shop.digest}
    return msgspec.structs.replace(line, **same) == shop
