"""Reading back a group: is it there, does it bring what it should. Pure. What it brings to people is read on them."""

from datetime import datetime, timedelta

from provisioning.domain.groups import ObservedGroup
from provisioning.domain.lifecycle import StepState, SubjectState
from provisioning.domain.limits import Limits
from provisioning.domain.operation import Change, Outcome, Receipt, StepKind, StepRecord
from provisioning.domain.reasons import Reason
from provisioning.execution.backoff import growing
from provisioning.execution.outcome import Direction, Ruling
from provisioning.execution.verification import doubt_left
from provisioning.ports import StepUpdate, SubjectUpdate


def brings(group: ObservedGroup, change: Change) -> bool:
    """Whether the group's licences are as the change wants them."""
    if any(group.licence(sku) for sku in change.remove_skus):
        return False
    return all(
        (licence := group.licence(one.sku_id)) is not None and licence.disabled_plans == one.disabled_plans
        for one in change.added
    )


def rule_group(
    record: StepRecord,
    group: ObservedGroup | None,
    now: datetime,
    limits: Limits,
    looks: int,
    done_at: datetime | None = None,
) -> Ruling:
    """What a look at the group makes of a step that is applied or unknown; `group` None: it is not there.

    `done_at`: when another operation of ours did the same to it, if one did.
    """
    is_done = group is not None and brings(group, record.step.change)
    if is_done:
        return _done(record, now, done_at)
    since = record.applied_at or record.sent_at or now
    if record.state is StepState.UNKNOWN and now - since >= _patience(record, limits):
        doubt = doubt_left(record, now, limits)
        return Ruling(step=_update(record, StepState.PENDING, doubt, now, Outcome.FOUND_ABSENT))
    if record.state is StepState.APPLIED and now - since > limits.verify_deadline:
        reason = Reason.NOT_VERIFIED_IN_TIME
        told = SubjectUpdate(subject_id=record.step.subject_id, state=SubjectState.FAILED, reason=reason)
        return Ruling(
            step=_update(record, StepState.FAILED, reason, now, None), subject=told, direction=Direction.STOP_GROUP
        )
    later = now + growing(limits.verify_waits, looks)
    return Ruling(step=StepUpdate(step_id=record.step_id, state=record.state, reason=record.reason, not_before=later))


def rule_gone(record: StepRecord, now: datetime) -> Ruling:
    """Of a step through a group that Graph knows no more: what it was to bring never comes, and somebody looks."""
    reason, outcome = Reason.GROUP_GONE, Outcome.FOUND_ABSENT if record.state is StepState.UNKNOWN else None
    told = SubjectUpdate(subject_id=record.step.subject_id, state=SubjectState.FAILED, reason=reason)
    step = _update(record, StepState.FAILED, reason, now, outcome)
    return Ruling(step=step, subject=told, direction=Direction.STOP_GROUP)


def rule_empty_handed(record: StepRecord) -> Ruling:
    """Of a join into a group to which nobody will give the licence: the plan that was to do so is over.

    They are in it, so the step has had its effect and its line; what they need now is for a new plan to say.
    """
    step = StepUpdate(step_id=record.step_id, state=StepState.FAILED, reason=Reason.CHANGED_MEANWHILE)
    return Ruling(step=step, direction=Direction.REPLAN)


def _patience(record: StepRecord, limits: Limits) -> timedelta:
    """A licence set twice is the same licence; a group made twice is two, so replicas get all their time."""
    return limits.lag_horizon if record.step.kind is StepKind.CREATE_GROUP else limits.settle


def _done(record: StepRecord, now: datetime, done_at: datetime | None) -> Ruling:
    told = SubjectUpdate(subject_id=record.step.subject_id, state=SubjectState.VERIFIED)
    step = _update(record, StepState.VERIFIED, None, now, _found(record, done_at))
    return Ruling(step=step, subject=told)


def _found(record: StepRecord, done_at: datetime | None) -> Outcome | None:
    """What the attempt's line says: ours, when its answer was lost; somebody else's, when ours was refused, or when
    another operation, which had an answer, did it since.
    """
    if record.state is not StepState.UNKNOWN:
        return None
    if done_at is not None and record.sent_at is not None and done_at > record.sent_at:
        return Outcome.FOUND_ABSENT
    return Outcome.REFUSED if record.reason is Reason.LICENCE_NOT_HELD else Outcome.FOUND_DONE


def _update(
    record: StepRecord, state: StepState, reason: Reason | None, now: datetime, outcome: Outcome | None
) -> StepUpdate:
    receipt = None
    if outcome and record.last_attempt:
        receipt = Receipt(attempt_id=record.last_attempt, outcome=outcome, finished_at=now)
    return StepUpdate(
        step_id=record.step_id,
        state=state,
        reason=reason,
        at=now if state is StepState.VERIFIED else None,
        receipt=receipt,
    )
