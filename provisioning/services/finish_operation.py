"""The end of an operation: a complete list whose numbers add up, and an answer to the line."""

from dataclasses import dataclass

from provisioning.domain.calendar import dutch_day
from provisioning.domain.lifecycle import OperationState, SubjectState
from provisioning.domain.operation import Operation
from provisioning.ports import Clock, UnitOfWork
from provisioning.services.bring_into_form import move_later
from provisioning.services.settle_line import settle_line
from provisioning.services.transitions import move

_RIGHT = frozenset({SubjectState.VERIFIED, SubjectState.ALREADY_RIGHT})


@dataclass(frozen=True)
class FinishOperation:
    """Ends an operation within the caller's transaction."""

    clock: Clock

    def __call__(self, uow: UnitOfWork, operation: Operation) -> Operation:
        now = self.clock.now()
        counts = uow.journal.subject_counts(operation.operation_id)
        is_whole = all(state in _RIGHT for state, people in counts.items() if people)
        state = OperationState.COMPLETED if is_whole else OperationState.PARTIALLY_COMPLETED
        ended = move(uow, operation, state, now)
        if operation.wish.line:
            settle_line(uow, operation.wish.line, now)  # the line's end is what the customer hears of
        move_later(uow, ended, uow.tenants.policy_on(operation.tenant_id, dutch_day(now)), now)
        return ended
