"""What an error that concerns a whole tenant makes of an operation: consent, permission, credential, or just later."""

from dataclasses import dataclass
from datetime import timedelta

import msgspec

from provisioning.domain.errors import ActionRequiredError, GraphError, PermanentError, RetryableError
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.limits import Limits
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Intent, Topic
from provisioning.execution.backoff import after_refusal
from provisioning.ports import Clock, OpenUnitOfWork, UnitOfWork
from provisioning.services.application_incident import note_credential_failure
from provisioning.services.transitions import move, wait

_CONSENT = frozenset({Reason.CONSENT_MISSING, Reason.CONSENT_REVOKED, Reason.CONSENT_INSUFFICIENT, Reason.FORBIDDEN})


@dataclass(frozen=True)
class TenantTrouble:
    """Decides once for every service that talks to Graph."""

    open_uow: OpenUnitOfWork
    clock: Clock
    limits: Limits

    def met(self, operation: Operation, error: GraphError) -> bool:
        """Record what the error means for the operation; there is never more to do at once."""
        with self.open_uow() as uow:
            if isinstance(error, ActionRequiredError):
                self._act_required(uow, operation, error)
            elif isinstance(error, PermanentError):  # asking again gets the same answer: a person must see it
                move(uow, operation, OperationState.HELD, self.clock.now(), reason=error.reason)
            else:
                self._unreadable(uow, operation, error)
            uow.commit()
        return False

    def _unreadable(self, uow: UnitOfWork, operation: Operation, error: GraphError) -> None:
        """Later is fine, and it goes on by itself; what lasts says so, for somebody must know (the work list)."""
        now = self.clock.now()
        since = operation.unreadable_since or now
        has_lasted = now - since >= self.limits.unreadable_notice
        told = error.after if isinstance(error, RetryableError) else None
        due = now + after_refusal(operation.waits + 1, told)
        reason = Reason.TENANT_UNREADABLE if has_lasted else error.reason
        wait(uow, operation, due, reason, unreadable_since=since)

    def _act_required(self, uow: UnitOfWork, operation: Operation, error: ActionRequiredError) -> None:
        if error.credential:
            self._credential(uow, operation, error.reason)
        elif error.reason in _CONSENT:
            self.ask_consent(uow, operation, error.reason)
        else:
            move(uow, operation, OperationState.HELD, self.clock.now(), reason=error.reason)

    def ask_consent(self, uow: UnitOfWork, operation: Operation, reason: Reason) -> None:
        """Wait for consent, and tell the organisation (once a day at most: the outbox gathers)."""
        now = self.clock.now()
        uow.outbox.add(
            [
                Intent(
                    topic=Topic.CONSENT_NEEDED,
                    organisation_id=operation.wish.holder_id,
                    reference=operation.tenant_id,
                    at=now,
                )
            ]
        )
        due = now + self.limits.consent_poll
        if operation.state is OperationState.AWAITING_CONSENT:
            wait(uow, operation, due, reason)
        else:
            move(uow, operation, OperationState.AWAITING_CONSENT, now, reason=reason, due_at=due)

    def _credential(self, uow: UnitOfWork, operation: Operation, reason: Reason) -> None:
        """Perhaps ours, not theirs: nobody's state changes before the incident window has passed."""
        now, window = self.clock.now(), self.limits.incident_window
        is_incident = note_credential_failure(uow, operation.tenant_id, reason, now, self.limits)
        if operation.reason is not reason:  # it waited for something else until now: count these looks alone
            operation = msgspec.structs.replace(operation, waits=0)
        is_theirs = not is_incident and operation.waits >= _CREDENTIAL_LOOKS
        if is_theirs:
            move(uow, operation, OperationState.HELD, now, reason=reason)
        else:
            wait(uow, operation, now + window / _CREDENTIAL_LOOKS + timedelta(seconds=1), reason)


_CREDENTIAL_LOOKS = 2  # looks that span the incident window before a refused credential is the tenant's own
