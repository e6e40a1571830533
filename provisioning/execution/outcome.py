"""What a receipt makes of a step, of its person, of the chunk, and of the record. Pure."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM, AttemptId, TenantId
from provisioning.domain.lifecycle import StepState, SubjectState
from provisioning.domain.limits import Limits
from provisioning.domain.operation import (
    GROUP_STEPS,
    Change,
    Operation,
    Outcome,
    Receipt,
    StepKind,
    StepRecord,
    SubjectRecord,
    call_of,
)
from provisioning.domain.reasons import Reason
from provisioning.execution.backoff import after_refusal
from provisioning.execution.calls import is_shared
from provisioning.ports import StepUpdate, SubjectUpdate


class Direction(StrEnum):
    """What the chunk says about the operation as a whole."""

    CONTINUE = "continue"
    REPLAN = "replan"  # seats ran out, or a person turned out different
    STOP_GROUP = "stop_group"  # the group is gone, takes nobody from us, or was refused its licence
    STOP_TENANT = "stop_tenant"  # consent, permission or credential


class ChunkOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is written after a chunk, in one transaction."""

    steps: tuple[StepUpdate, ...] = ()
    subjects: tuple[SubjectUpdate, ...] = ()
    events: tuple[Event, ...] = ()
    direction: Direction = Direction.CONTINUE
    reason: Reason | None = None
    is_credential: bool = False


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """What one receipt or observation makes of one step."""

    step: StepUpdate
    subject: SubjectUpdate | None = None
    direction: Direction = Direction.CONTINUE


_WAITS_FOR_A_SEAT = frozenset({Reason.COUNT_VIOLATION})
_STOPS = frozenset({Direction.STOP_GROUP, Direction.STOP_TENANT})
_STOPS_GROUP = frozenset({Reason.GROUP_GONE, Reason.GROUP_READ_ONLY})
# what Graph says when there is nothing left to do; only inherited means: the direct one is gone
_THERE_ALREADY = {
    StepKind.ADD_MEMBERS: Reason.MEMBER_ALREADY,
    StepKind.REMOVE_MEMBER: Reason.NOT_FOUND,
    StepKind.REMOVE: Reason.INHERITED_FROM_GROUP,
}
_GROUP_IS_YOUNG = 3  # tries together before each of them is tried alone
_NEVER_GIVEN_UP = frozenset({Reason.THROTTLED})
_NEVER_LEAVES = frozenset({Reason.TENANT_MISMATCH, Reason.REQUEST_MALFORMED})  # our own fault, however often tried


def outcome_of(
    tenant: TenantId, records: Sequence[StepRecord], receipts: Sequence[Receipt], now: datetime, limits: Limits
) -> ChunkOutcome:
    """One ruling per receipt, and one audit line for each that is certain."""
    by_attempt = {record.last_attempt: record for record in records}
    pairs = [(by_attempt[receipt.attempt_id], receipt) for receipt in receipts]
    rulings = [rule(record, receipt, now, limits) for record, receipt in pairs]
    stopping = next((one for (_, one), each in zip(pairs, rulings, strict=True) if each.direction in _STOPS), None)
    direction = max((ruling.direction for ruling in rulings), key=list(Direction).index, default=Direction.CONTINUE)
    return ChunkOutcome(
        steps=tuple(ruling.step for ruling in rulings),
        subjects=tuple(ruling.subject for ruling in rulings if ruling.subject),
        events=tuple(
            attempt_event(tenant, record, ruling.step.receipt or receipt, now)
            for (record, receipt), ruling in zip(pairs, rulings, strict=True)
            if receipt.outcome in _ON_RECORD and ruling.step.state is not StepState.UNKNOWN
        ),
        direction=direction,
        reason=stopping.reason if stopping else None,
        is_credential=bool(stopping and stopping.reason is Reason.CREDENTIAL_REJECTED),
    )


def rule(record: StepRecord, receipt: Receipt, now: datetime, limits: Limits) -> Ruling:
    """The decision for one receipt: done, later, somebody must act, or look first."""
    match receipt.outcome:
        case Outcome.ACCEPTED:
            return _ruling(record, StepState.APPLIED, receipt, at=now)
        case Outcome.UNKNOWN:
            settled = (receipt.sent_at or now) + limits.settle
            return _ruling(record, StepState.UNKNOWN, receipt, reason=Reason.NO_ANSWER, not_before=settled)
        case Outcome.NOT_SENT:
            return _unsent(record, receipt, now)
        case _:
            return _refusal(record, receipt, now, limits)


def _unsent(record: StepRecord, receipt: Receipt, now: datetime) -> Ruling:
    if receipt.tenant_wide:
        return _ruling(record, StepState.PENDING, receipt, reason=receipt.reason, direction=Direction.STOP_TENANT)
    if receipt.reason in _NEVER_LEAVES:
        return _ended(record, receipt, receipt.reason, SubjectState.FAILED)
    later = now + after_refusal(1, receipt.after)
    return _ruling(record, StepState.PENDING, receipt, reason=receipt.reason, not_before=later)


def _refusal(record: StepRecord, receipt: Receipt, now: datetime, limits: Limits) -> Ruling:
    reason = receipt.reason or Reason.GRAPH_OTHER
    if receipt.tenant_wide:
        return _ruling(record, StepState.PENDING, receipt, reason=reason, direction=Direction.STOP_TENANT)
    if reason in _STOPS_GROUP or _is_unknown_group(record, reason):
        return _ruling(
            record, StepState.PENDING, receipt, reason=_told_of_group(reason), direction=Direction.STOP_GROUP
        )
    if receipt.retryable and reason not in _NEVER_GIVEN_UP and record.attempts >= limits.max_refusals:
        return _ended(record, receipt, reason, SubjectState.FAILED)
    if is_shared(receipt.attempt_id):
        return _refused_together(record, receipt, reason, now)
    if receipt.retryable:
        later = now + after_refusal(record.attempts, receipt.after)
        return _ruling(record, StepState.PENDING, receipt, reason=reason, not_before=later)
    return _refused_for_good(record, receipt, reason, now)


def _is_unknown_group(record: StepRecord, reason: Reason) -> bool:
    """A group to be licensed that Graph does not know: gone, or so young that a replica has not heard of it.

    The step stays: people may only join a group that is going to bring them something.
    """
    return record.step.kind is StepKind.LICENSE_GROUP and reason is Reason.NOT_FOUND


def _told_of_group(reason: Reason) -> Reason:
    return Reason.GROUP_GONE if reason is Reason.NOT_FOUND else reason


def _refused_for_good(record: StepRecord, receipt: Receipt, reason: Reason, now: datetime) -> Ruling:
    if reason is Reason.LICENCE_NOT_HELD and record.step.change.remove_skus:
        return _not_held(record, receipt, now)
    if reason is _THERE_ALREADY.get(record.step.kind):
        return _done_before(record, receipt, now)
    if reason in _WAITS_FOR_A_SEAT:
        waiting = _ended(record, receipt, reason, SubjectState.WAITING, Reason.SEATS_INSUFFICIENT)
        return msgspec.structs.replace(waiting, direction=Direction.REPLAN)
    refused = _ended(record, receipt, reason, SubjectState.REFUSED)
    is_group = record.step.kind in GROUP_STEPS
    return msgspec.structs.replace(refused, direction=Direction.STOP_GROUP) if is_group else refused


def _refused_together(record: StepRecord, receipt: Receipt, reason: Reason, now: datetime) -> Ruling:
    """Nobody of the call was added, and perhaps one was the cause: each is tried alone, or all again when told so.

    Who was in doubt before, and is said to be a member already, was added by the call whose answer was lost: look.
    """
    if reason is Reason.MEMBER_ALREADY and _was_in_doubt(record):
        return _ruling(record, StepState.UNKNOWN, receipt, reason=reason, not_before=now)
    is_young = reason is Reason.GROUP_TOO_NEW and record.attempts < _GROUP_IS_YOUNG
    told = Reason.NOT_FOUND if reason is Reason.GROUP_TOO_NEW and not is_young else reason
    later = now + after_refusal(record.attempts, receipt.after) if receipt.retryable else now
    return _ruling(record, StepState.PENDING, receipt, reason=told, not_before=later)


def _not_held(record: StepRecord, receipt: Receipt, now: datetime) -> Ruling:
    """Gone is what a removal wants. A swap was refused as a whole: done before, or the old one went; look."""
    if record.step.change.add_sku is None:
        return _done_before(record, receipt, now)
    is_in_doubt = record.step.kind in GROUP_STEPS and _was_in_doubt(record)
    reason = Reason.NO_ANSWER if is_in_doubt else Reason.LICENCE_NOT_HELD
    return _ruling(record, StepState.UNKNOWN, receipt, reason=reason, not_before=now)


def _done_before(record: StepRecord, receipt: Receipt, now: datetime) -> Ruling:
    """By our own write whose answer was lost, which gets its line now; else by another hand."""
    outcome = Outcome.FOUND_DONE if _was_in_doubt(record) else receipt.outcome
    told = msgspec.structs.replace(receipt, outcome=outcome)
    return _ruling(record, StepState.APPLIED, told, at=now)


def _was_in_doubt(record: StepRecord) -> bool:
    """Whether an earlier answer for this step was lost, whatever came of it since."""
    return record.reason is Reason.NO_ANSWER


def _ended(
    record: StepRecord, receipt: Receipt, reason: Reason, state: SubjectState, told: Reason | None = None
) -> Ruling:
    """The step failed; the person is told `told`, or the reason itself."""
    subject = SubjectUpdate(subject_id=record.step.subject_id, state=state, reason=told or reason)
    return Ruling(step=_update(record, StepState.FAILED, receipt, reason=reason), subject=subject)


def _ruling(
    record: StepRecord,
    state: StepState,
    receipt: Receipt,
    *,
    reason: Reason | None = None,
    not_before: datetime | None = None,
    at: datetime | None = None,
    direction: Direction = Direction.CONTINUE,
) -> Ruling:
    if state is StepState.PENDING and _was_in_doubt(record):
        reason = Reason.NO_ANSWER  # a refusal for now does not lift the doubt
    return Ruling(
        step=_update(record, state, receipt, reason=reason, not_before=not_before, at=at), direction=direction
    )


def _update(
    record: StepRecord,
    state: StepState,
    receipt: Receipt,
    *,
    reason: Reason | None = None,
    not_before: datetime | None = None,
    at: datetime | None = None,
) -> StepUpdate:
    return StepUpdate(step_id=record.step_id, state=state, reason=reason, not_before=not_before, at=at, receipt=receipt)


# what only a look can tell gets its line when somebody has looked; what never left changed nothing
_ON_RECORD = frozenset({Outcome.ACCEPTED, Outcome.REFUSED, Outcome.FOUND_DONE, Outcome.FOUND_ABSENT})


def subject_event(  # a line of the log has so many words
    operation: Operation,
    of: StepRecord | SubjectRecord,
    state: SubjectState,
    now: datetime,
    *,
    after: str | None = None,
    reason: Reason | None = None,
    correlation: AttemptId | None = None,
) -> Event:
    """The audit line of what became of one person."""
    return Event(
        at=now,
        actor=SYSTEM,
        kind=f"subject.{state}",
        organisation=of.organisation_id,
        tenant=operation.tenant_id,
        operation=operation.operation_id,
        subject=of.pseudonym,
        after=after,
        reason=reason,
        correlation=correlation,
    )


def attempt_event(tenant: TenantId, record: StepRecord, receipt: Receipt, now: datetime) -> Event:
    """The one audit line of one attempt."""
    details = {"kind": record.step.kind.value}
    if receipt.request_id:
        details["request_id"] = receipt.request_id
    if record.step.change.group_id:
        details["group"] = record.step.change.group_id
    return Event(
        at=now,
        actor=SYSTEM,
        kind=f"attempt.{receipt.outcome}",
        organisation=record.organisation_id,
        tenant=tenant,
        operation=record.operation_id,
        subject=record.pseudonym,
        before=_before(record.step.change),
        after=_after(record.step.change),
        reason=receipt.reason,
        correlation=AttemptId(call_of(receipt.attempt_id)),
        details=details,
    )


def _before(change: Change) -> str | None:
    return " ".join(change.remove_skus) or None


def _after(change: Change) -> str | None:
    return change.usage_location or " ".join(one.sku_id for one in change.added) or change.group_name
