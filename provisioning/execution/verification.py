"""Reading back: is it true, is it not, or can nobody say yet. Pure."""

from collections.abc import Iterable
from datetime import datetime

from provisioning.domain.groups import reason_of
from provisioning.domain.ids import SkuId
from provisioning.domain.lifecycle import StepState, SubjectState
from provisioning.domain.limits import Limits
from provisioning.domain.observation import HeldLicence, Person
from provisioning.domain.operation import Addition, BeforeImage, Change, Outcome, Receipt, StepKind, StepRecord
from provisioning.domain.reasons import Reason
from provisioning.execution.backoff import growing
from provisioning.execution.outcome import Direction, Ruling
from provisioning.planning.losses import after_change, after_changes
from provisioning.ports import StepUpdate, SubjectUpdate

_BRINGS_LATER = frozenset({StepKind.ADD_MEMBERS, StepKind.REPROCESS})
# the direct, active licences of a person as comparable facts
Facts = frozenset[tuple[str, frozenset[str], str | None]]


def goal_met(person: Person, change: Change) -> bool:
    """Whether the person looks as the change wants them to look."""
    if change.usage_location and (person.usage_location or "").upper() != change.usage_location.upper():
        return False
    if any(_held(person, sku, change) for sku in change.remove_skus):
        return False
    return all(_is_given(person, one, change) for one in change.added)


def _is_given(person: Person, added: Addition, change: Change) -> bool:
    held = _held(person, added.sku_id, change)
    if held is None or held.error is not None:
        return False
    return change.group_id is not None or held.disabled_plans == added.disabled_plans  # a group's plans are its own


def _held(person: Person, sku: SkuId, change: Change) -> HeldLicence | None:
    """The person's active licence from where the change speaks of: directly, or through its group."""
    found = (x for x in person.licences if x.sku_id == sku and x.group_id == change.group_id)
    return next((licence for licence in found if licence.is_active), None)


def is_unchanged(before: BeforeImage, person: Person, own: Iterable[Change] = ()) -> bool:
    """Whether nobody else changed the person since the plan; `own`: what earlier steps of ours did to them."""
    own = list(own)
    same_location = before.usage_location == person.usage_location or any(change.usage_location for change in own)
    expected = after_changes(before.licences, own)
    return same_location and before.is_enabled == person.is_enabled and _facts(expected) == _facts(person.licences)


def _facts(licences: Iterable[HeldLicence]) -> Facts:
    return frozenset((x.sku_id, frozenset(x.disabled_plans), x.group_id) for x in licences if x.is_active)


def with_receipts(person: Person, receipts: Iterable[StepRecord]) -> Person:
    """The person with our own fresh changes laid over what a replica showed (it may lag by minutes).

    Who joined a group has nothing by that until it was read back: Microsoft brings it later, or fails to. What a school
    chose after us is no lag, and stays as it was seen.
    """
    receipts = list(receipts)
    licences, location = person.licences, person.usage_location
    for record in receipts:
        change = record.step.change
        if record.step.kind in _BRINGS_LATER and record.state is StepState.APPLIED:
            continue
        if change.remove_skus or (change.add_sku and not _is_chosen_since(person, change.add_sku, receipts)):
            licences = tuple(after_change(licences, change))
        location = change.usage_location or location
    return Person(
        subject_id=person.subject_id,
        domain=person.domain,
        is_enabled=person.is_enabled,
        is_guest=person.is_guest,
        usage_location=location,
        attributes=person.attributes,
        licences=licences,
    )


def _is_chosen_since(person: Person, sku: SkuId, receipts: Iterable[StepRecord]) -> bool:
    """Whether the product is there with plans off as it never was before or by us: somebody else chose those."""
    held = person.direct(sku)
    if held is None:
        return False
    changes = [record.step.change for record in receipts]
    if any(sku in change.remove_skus for change in changes):
        return False
    known = [change.disabled_plans for change in changes if change.add_sku == sku and change.group_id is None]
    before = [one.disabled_plans for record in receipts for one in record.before.licences if one.sku_id == sku]
    return bool(known) and held.disabled_plans not in (*known, *before)


def rule_early(record: StepRecord, own: Iterable[StepRecord], now: datetime, limits: Limits) -> Ruling | None:
    """Of a write that undoes an earlier one of ours: nothing yet, while a replica may not know that one.

    A person as they were before both looks like somebody with whom the second one was done. `own`: what we wrote to
    this person lately. Of a direct write that Graph accepted no look is needed to believe it.
    """
    change = record.step.change
    if change.group_id is not None:
        until = _once_replicas_know(record, own, limits)
    elif record.state is StepState.UNKNOWN:
        undone = [one.applied_at for one in own if one.applied_at and _undoes(change, one.step.change)]
        until = max(undone) + limits.lag_horizon if undone else None
    else:
        return None
    return Ruling(step=_stays(record, until)) if until and until > now else None


def _once_replicas_know(record: StepRecord, own: Iterable[StepRecord], limits: Limits) -> datetime | None:
    """Of a join or a leave, when an earlier one of the same group is undone: Microsoft carries both out later than it
    accepts them, so nobody knows since when a replica should show the first.
    """
    change = record.step.change
    is_undoing = any(_undoes(change, one.step.change) for one in own if one.step.change.group_id == change.group_id)
    return record.sent_at + limits.lag_horizon if is_undoing and record.sent_at else None


def _undoes(change: Change, earlier: Change) -> bool:
    given, given_before = ({one.sku_id for one in each.added} for each in (change, earlier))
    return not given_before.isdisjoint(change.remove_skus) or not given.isdisjoint(earlier.remove_skus)


def rule_observed(record: StepRecord, person: Person | None, now: datetime, limits: Limits, looks: int) -> Ruling:
    """What an observation makes of a step that is applied or unknown. `person` None: Graph knows them no more."""
    if person is None:
        return _failed(record, Reason.NOT_FOUND, now)
    if goal_met(person, record.step.change):
        return _seen(record, now)
    if failed := _failed_by_group(person, record.step.change):
        return _group_says_no(record, failed, now, limits, looks)
    if record.state is StepState.UNKNOWN and record.reason is Reason.MEMBER_ALREADY:
        return _surely_member(record, now, limits, looks)
    if record.state is StepState.UNKNOWN and record.reason is not Reason.LICENCE_NOT_HELD:
        # a repeat is safe however late, unless it undid what somebody chose; only what was accepted has a deadline
        return _changed_by_others(record, now) if _has_other_plans(record, person) else _absent(record, now, limits)
    if _is_overdue(record, now, limits):
        return _failed(record, Reason.NOT_VERIFIED_IN_TIME, now)
    if record.state is StepState.UNKNOWN and not all(person.direct(sku) for sku in record.step.change.remove_skus):
        return _old_one_went(record, now)
    return _look_again(record, now, limits, looks)  # this replica is behind: Graph said otherwise


def found_membership(record: StepRecord, now: datetime) -> Ruling:
    """An unanswered join or leave that the group shows as done: from now on its licence is waited for."""
    receipt = _found(record, Outcome.FOUND_DONE, now)
    return Ruling(step=StepUpdate(step_id=record.step_id, state=StepState.APPLIED, at=now, receipt=receipt))


def rule_still_member(record: StepRecord, now: datetime, limits: Limits, looks: int) -> Ruling:
    """Of an unanswered leave, while the group shows the person yet: that no licence of it shows on them says nothing.

    It may never have come, and would come later to who stays in. Replicas get all their time.
    """
    if now - (record.sent_at or now) < limits.lag_horizon:
        return _look_again(record, now, limits, looks)
    return _absent(record, now, limits)


def _failed_by_group(person: Person, change: Change) -> HeldLicence | None:
    """The licence that the person's group tried to give them and could not."""
    if change.group_id is None or change.add_sku is None:
        return None
    found = (x for x in person.licences if x.sku_id == change.add_sku and x.group_id == change.group_id)
    return next((licence for licence in found if licence.error is not None), None)


def _group_says_no(record: StepRecord, failed: HeldLicence, now: datetime, limits: Limits, looks: int) -> Ruling:
    """No seat: they wait. Anything else is asked about once more by name (reprocess), and then theirs."""
    reason = reason_of(failed.error)
    is_asked_again = record.step.kind is StepKind.REPROCESS
    if is_asked_again and record.state is StepState.UNKNOWN:
        return _absent(record, now, limits)  # heard, Graph would have helped or said no; to ask once more harms nobody
    if is_asked_again and now - (record.sent_at or now) < limits.lag_horizon:
        return _look_again(record, now, limits, looks)  # perhaps still the word from before
    step = _found_there(record, reason, now)
    if reason is Reason.COUNT_VIOLATION:
        return Ruling(step=step, subject=_told(record, SubjectState.WAITING, Reason.SEATS_INSUFFICIENT))
    if is_asked_again:
        return Ruling(step=step, subject=_told(record, SubjectState.REFUSED, reason))
    return Ruling(step=step, direction=Direction.REPLAN)


def _found_there(record: StepRecord, reason: Reason, now: datetime) -> StepUpdate:
    """They are in the group, and it did not help."""
    receipt = _found(record, Outcome.FOUND_DONE, now) if record.state is StepState.UNKNOWN else None
    return StepUpdate(step_id=record.step_id, state=StepState.FAILED, reason=reason, receipt=receipt)


def _surely_member(record: StepRecord, now: datetime, limits: Limits, looks: int) -> Ruling:
    """Graph said that somebody of the call is in the group already: whoever never shows up there was not it."""
    if now - (record.sent_at or now) < limits.lag_horizon:
        return _look_again(record, now, limits, looks)
    return Ruling(step=_found_absent(record, StepState.PENDING, Reason.MEMBER_ALREADY, now))


def _told(record: StepRecord, state: SubjectState, reason: Reason) -> SubjectUpdate:
    return SubjectUpdate(subject_id=record.step.subject_id, state=state, reason=reason)


def rule_unread(record: StepRecord, now: datetime, limits: Limits) -> Ruling | None:
    """Of a person whom Graph cannot show: nothing yet, or, when that lasts too long, that nobody could see it."""
    if not _is_overdue(record, now, limits):
        return None
    reason = Reason.NOT_VERIFIED_IN_TIME
    return Ruling(
        step=StepUpdate(step_id=record.step_id, state=StepState.FAILED, reason=reason),
        subject=SubjectUpdate(subject_id=record.step.subject_id, state=SubjectState.FAILED, reason=reason),
    )


def _has_other_plans(record: StepRecord, person: Person) -> bool:
    """Whether the product came, and other plans are off than we asked for: somebody at the school chose those."""
    change = record.step.change
    had = {x.sku_id for x in record.before.licences if x.is_direct}
    return change.group_id is None and any(
        held.disabled_plans != one.disabled_plans
        for one in change.added
        if one.sku_id not in had and (held := person.direct(one.sku_id))
    )


def _changed_by_others(record: StepRecord, now: datetime) -> Ruling:
    """Sent again, our write would undo what the school switched off."""
    reason = Reason.CHANGED_MEANWHILE
    receipt = _found(record, Outcome.FOUND_DONE, now)
    return Ruling(
        step=StepUpdate(step_id=record.step_id, state=StepState.SKIPPED, reason=reason, receipt=receipt),
        subject=SubjectUpdate(subject_id=record.step.subject_id, state=SubjectState.CHANGED_MEANWHILE, reason=reason),
    )


def _seen(record: StepRecord, now: datetime) -> Ruling:
    receipt = _found(record, Outcome.FOUND_DONE, now) if record.state is StepState.UNKNOWN else None
    return Ruling(step=StepUpdate(step_id=record.step_id, state=StepState.VERIFIED, at=now, receipt=receipt))


def _absent(record: StepRecord, now: datetime, limits: Limits) -> Ruling:
    settled = (record.sent_at or now) + limits.settle
    if now < settled:
        return Ruling(step=_stays(record, settled))
    if record.attempts >= limits.max_refusals:
        return _failed(record, Reason.NO_ANSWER, now)
    return Ruling(step=_found_absent(record, StepState.PENDING, doubt_left(record, now, limits), now))


def doubt_left(record: StepRecord, now: datetime, limits: Limits) -> Reason | None:
    """Of what was found absent: until the lag horizon is over another replica may yet show it done."""
    is_sure = record.sent_at is not None and now - record.sent_at >= limits.lag_horizon
    return None if is_sure else Reason.NO_ANSWER


def _old_one_went(record: StepRecord, now: datetime) -> Ruling:
    """By another hand: what is needed now is an assignment, which a new plan draws."""
    return Ruling(
        step=_found_absent(record, StepState.SKIPPED, Reason.CHANGED_MEANWHILE, now), direction=Direction.REPLAN
    )


def _look_again(record: StepRecord, now: datetime, limits: Limits, looks: int) -> Ruling:
    return Ruling(step=_stays(record, now + growing(limits.verify_waits, looks)))


def _stays(record: StepRecord, until: datetime) -> StepUpdate:
    return StepUpdate(step_id=record.step_id, state=record.state, reason=record.reason, not_before=until)


def _failed(record: StepRecord, reason: Reason, now: datetime) -> Ruling:
    return Ruling(
        step=_found_absent(record, StepState.FAILED, reason, now),
        subject=SubjectUpdate(subject_id=record.step.subject_id, state=SubjectState.FAILED, reason=reason),
    )


def _found_absent(record: StepRecord, state: StepState, reason: Reason | None, now: datetime) -> StepUpdate:
    receipt = _found(record, Outcome.FOUND_ABSENT, now) if record.state is StepState.UNKNOWN else None
    return StepUpdate(step_id=record.step_id, state=state, reason=reason, receipt=receipt)


def _is_overdue(record: StepRecord, now: datetime, limits: Limits) -> bool:
    since = record.applied_at or record.sent_at
    patience = limits.group_deadline if record.step.change.group_id else limits.verify_deadline
    return since is not None and now - since > patience


def _found(record: StepRecord, outcome: Outcome, now: datetime) -> Receipt | None:
    if record.last_attempt is None:
        return None
    return Receipt(attempt_id=record.last_attempt, outcome=outcome, finished_at=now)
