"""Each received line gets its judgement: ledger, operations, audit and messages in one transaction of its own."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

import msgspec
import structlog

from provisioning.domain.calendar import dutch_day
from provisioning.domain.configuration import ConfigurationKind
from provisioning.domain.errors import ConflictError, TransitionError, UnavailableError
from provisioning.domain.events import Event
from provisioning.domain.ids import PERSON, SYSTEM, Actor, LineKey, OperationId, OrganisationId
from provisioning.domain.lifecycle import LineState, OperationState
from provisioning.domain.operation import Lane, Operation, OperationKind
from provisioning.domain.order import OrderLine
from provisioning.domain.ownership import owner_of
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Intent, Owner, Topic
from provisioning.planning.order_context import Judgement, Part
from provisioning.planning.order_cures import BY_BINDING, BY_LEDGER
from provisioning.planning.order_rules import judge
from provisioning.planning.register_codes import candidates
from provisioning.ports import Clock, Dispatcher, OpenUnitOfWork, UnitOfWork
from provisioning.services.customer_turn import await_customer_turn
from provisioning.services.gather_order import GatherOrder, concerned_by
from provisioning.services.line_deeds import line_event
from provisioning.services.transitions import created

_log = structlog.get_logger()

_BULK_ABOVE = 1000  # seats: more than that yields to the orders of others
_ALL_HELD = 1_000_000
_PENDING = frozenset({LineState.RECEIVED, LineState.HELD})
_BATCH = 1000


@dataclass(frozen=True, kw_only=True)
class JudgeLines:
    """Judges what is new, and again what was held when something arrived that may cure it.

    A process whose rules are not in force (`unapproved` names them) judges nothing: lines are left for one that may.
    """

    open_uow: OpenUnitOfWork
    gather: GatherOrder
    dispatcher: Dispatcher
    clock: Clock
    unapproved: Callable[[], Collection[ConfigurationKind]]

    def __call__(self) -> int:
        """Judge every received line, the oldest order first; returns how many."""
        judged = 0
        while lines := self._received():
            done = self.judge(_by_arrival(lines))
            judged += done
            if not done or len(lines) < _BATCH:
                break
        return judged

    def replay(self, reasons: Collection[Reason], organisations: Collection[OrganisationId] | None = None) -> int:
        """Judge again what is held for one of the reasons, in order of arrival; all customers when none is named."""
        with self.open_uow() as uow:
            held = [line for line in uow.orders.list_by({LineState.HELD}, limit=_ALL_HELD) if line.reason in reasons]
        if organisations is None and held and self.unapproved():
            return 0  # all of them are looked at again every night
        if organisations is not None:
            held = [line for line in held if not set(candidates(line.shop.organisation_code)).isdisjoint(organisations)]
        return self.judge(_by_arrival(held))

    def binding_arrived(self, organisation: OrganisationId) -> int:
        """A binding was made or confirmed: judge again what waited for it, also the lines of the board above."""
        with self.open_uow() as uow:
            concerned = concerned_by(uow, [organisation], dutch_day(self.clock.now()))
        return self.replay(BY_BINDING, concerned)

    def judge(self, keys: Iterable[LineKey]) -> int:
        """Judge these one by one: a line that breaks is put aside, and the next one has its turn."""
        asked = list(keys)
        if asked and self.unapproved():
            return sum(self._leave_for_later(key) for key in asked)
        return sum(self._judge_safely(key) for key in asked)

    def _leave_for_later(self, key: LineKey) -> int:
        """What was to be judged again is as good as new for whoever may judge it; it counts as not judged."""
        now = self.clock.now()
        with self.open_uow() as uow:
            line = uow.orders.find(key)
            if line is not None and line.state is LineState.HELD:
                uow.orders.set_state(key, LineState.RECEIVED, None, now)
                reason = Reason.CONFIGURATION_UNAPPROVED
                uow.audit.record([line_event(line, LineState.RECEIVED, now, reason=reason)])
                uow.commit()
        return 0

    def _received(self) -> list[OrderLine]:
        with self.open_uow() as uow:
            return uow.orders.list_by({LineState.RECEIVED}, limit=_BATCH)

    def _judge_safely(self, key: LineKey) -> bool:
        try:
            return self._judge(key)
        except UnavailableError:
            raise
        except (ConflictError, TransitionError) as error:
            _log.info("line.judged_elsewhere", line=str(key), error=type(error).__name__)
        except Exception:  # noqa: BLE001  # the loop is the process here
            # one broken line must not stop a whole country's orders: it waits for us, the log says why
            _log.exception("line.not_judged", line=str(key))
            self._put_aside(key)
        return False

    def _judge(self, key: LineKey) -> bool:
        now = self.clock.now()
        with self.open_uow() as uow:
            line = self._queue_up(uow, key)
            if line is None or line.state not in _PENDING:
                return False
            context = self.gather(uow, line, now)
            judgement = judge(line, context)
            if _is_the_same(line, judgement):
                return True
            operations = _store(uow, line, judgement, now)
            uow.commit()
        self._after(judgement, operations)
        return True

    def _queue_up(self, uow: UnitOfWork, key: LineKey) -> OrderLine | None:
        """The line as it stands once nobody else is judging the same customer.

        Two lines of one customer judged at the same moment would not see each other (S13).
        """
        line = uow.orders.find(key)
        if line is None:
            return None
        customer = candidates(line.shop.organisation_code)[-1]
        await_customer_turn(uow, [customer], self.clock.wall())
        return uow.orders.find(key)

    def _after(self, judgement: Judgement, operations: Iterable[Operation]) -> None:
        for operation in operations:
            if operation.state is OperationState.NEW:
                self.dispatcher.advance(operation.operation_id, operation.lane)
        if judgement.entries and judgement.holder_id:
            self.replay(BY_LEDGER, {judgement.holder_id})

    def _put_aside(self, key: LineKey) -> None:
        now = self.clock.now()
        with self.open_uow() as uow:
            line = uow.orders.find(key)
            if line is None or line.state not in _PENDING:
                return
            uow.orders.set_state(key, LineState.HELD, Reason.POISON, now)
            uow.audit.record([line_event(line, LineState.HELD, now, reason=Reason.POISON)])
            uow.commit()


def _by_arrival(lines: Iterable[OrderLine]) -> list[LineKey]:
    return [line.shop.key for line in sorted(lines, key=lambda line: (line.shop.placed_at, line.shop.key))]


def _is_the_same(line: OrderLine, judgement: Judgement) -> bool:
    """Held before and held again for the same reason: nothing to write."""
    return line.state is judgement.state and line.reason is judgement.reason


def _store(uow: UnitOfWork, line: OrderLine, judgement: Judgement, now: datetime) -> list[Operation]:
    placed_at = line.shop.placed_at
    operations = [_operation(_with_baseline(uow, part, placed_at), now, _requester(line)) for part in judgement.parts]
    uow.orders.set_state(line.shop.key, judgement.state, judgement.reason, now, judgement.warnings)
    uow.ledger.append(judgement.entries)
    for operation in operations:
        uow.operations.add(operation)
    uow.audit.record([_line_event(line, judgement, now), *(_created(operation) for operation in operations)])
    uow.outbox.add(_messages(line, judgement, now))
    return operations


def _with_baseline(uow: UnitOfWork, part: Part, placed_at: datetime) -> Part:
    """What stood there before the order was placed is not its delivery (decision 0024)."""
    before = uow.seats.unexplained_before(part.tenant_id, part.wish.sku_id, placed_at)
    return msgspec.structs.replace(part, wish=msgspec.structs.replace(part.wish, seats_before=before))


def _requester(line: OrderLine) -> Actor:
    """Who ordered, when it was one of our own people; an order of the shop is nobody's in particular."""
    reference = line.shop.requester_reference or ""
    return Actor(reference) if reference.startswith(PERSON) else SYSTEM


def _operation(part: Part, now: datetime, requester: Actor) -> Operation:
    return Operation(
        operation_id=OperationId(str(uuid4())),
        kind=OperationKind.DELIVER,
        tenant_id=part.tenant_id,
        lane=Lane.BULK if part.wish.seats_wanted > _BULK_ABOVE else Lane.ORDER,
        state=OperationState.HELD if part.held else OperationState.NEW,
        reason=part.held,
        wish=part.wish,
        requested_by=requester,
        created_at=now,
        entered_at=now,
        due_at=None if part.held else now,
        resume_state=OperationState.NEW if part.held else None,
    )


def _line_event(line: OrderLine, judgement: Judgement, now: datetime) -> Event:
    warnings = {"warnings": " ".join(judgement.warnings)} if judgement.warnings else {}
    return line_event(
        line,
        judgement.state,
        now,
        reason=judgement.reason,
        organisation=judgement.holder_id,
        details={**judgement.details, **warnings},
    )


def _created(operation: Operation) -> Event:
    wish = operation.wish
    return created(operation, {"line": str(wish.line), "article": wish.article_code, "seats": str(wish.seats_wanted)})


def _messages(line: OrderLine, judgement: Judgement, now: datetime) -> list[Intent]:
    """Who must act or may stop waiting is told; what operators see on the work list needs no message."""
    topics = list[Topic]()
    if judgement.state is LineState.REJECTED:
        topics.append(Topic.ORDER_REJECTED)
    if (
        judgement.state is LineState.HELD
        and judgement.reason
        and owner_of(judgement.reason) in {Owner.SCHOOL, Owner.SHOP}
    ):
        topics.append(Topic.ORDER_HELD)
    if judgement.state is LineState.ACCEPTED and "ordered_for" in judgement.details:
        topics.append(Topic.ORDER_REDIRECTED)
    organisation = judgement.holder_id or OrganisationId(line.shop.organisation_code)
    return [Intent(topic=topic, organisation_id=organisation, reference=str(line.shop.key), at=now) for topic in topics]
