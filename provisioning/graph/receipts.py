"""What the answer to one call means for each attempt in it."""

from datetime import datetime
from http import HTTPStatus

import msgspec

from provisioning.domain.ids import GroupId
from provisioning.domain.operation import Attempt, Outcome, Receipt, StepKind
from provisioning.domain.reasons import Reason
from provisioning.graph import batch, wire
from provisioning.graph.calls import Call
from provisioning.graph.errors import Verdict, judge

_CREATED = msgspec.json.Decoder(wire.Created)
_OF_THE_GROUP = frozenset({Reason.GROUP_GONE, Reason.GROUP_READ_ONLY, Reason.FORBIDDEN})  # the next would hear it too


class Sent(msgspec.Struct, frozen=True):
    """A call and what came of it."""

    call: Call
    verdict: Verdict
    sent_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def was_tried(self) -> bool:
        """False for what Graph left alone because an earlier call failed."""
        return self.verdict.status != HTTPStatus.FAILED_DEPENDENCY

    @property
    def stops_a_line(self) -> bool:
        """Whether the calls behind this one are better not sent: they have other people, but the same group."""
        verdict = self.verdict
        if verdict.outcome is Outcome.ACCEPTED:
            return False
        if verdict.outcome is not Outcome.REFUSED or verdict.retryable or verdict.tenant_wide:
            return True
        return self.call.kind is StepKind.LICENSE_GROUP or verdict.reason in _OF_THE_GROUP

    @property
    def receipts(self) -> list[Receipt]:
        """One per attempt. What the call cost stands on the first."""
        first, *others = [self._receipt(attempt) for attempt in self.call.attempts]
        return [first, *(msgspec.structs.replace(receipt, resource_units=None) for receipt in others)]

    def _receipt(self, attempt: Attempt) -> Receipt:
        verdict = self._verdict_for(attempt)
        return Receipt(
            attempt_id=attempt.attempt_id,
            outcome=verdict.outcome,
            status=verdict.status,
            reason=verdict.reason,
            retryable=verdict.retryable,
            tenant_wide=verdict.tenant_wide,
            after=verdict.after,
            request_id=verdict.request_id,
            error_code=verdict.error_code,
            detail=verdict.detail,
            resource_units=verdict.resource_units,
            sent_at=self.sent_at,
            finished_at=self.finished_at,
            created=verdict.created,
        )

    def _verdict_for(self, attempt: Attempt) -> Verdict:
        """A call is refused as a whole, also when one of its people is gone: the others may come without them."""
        if self.verdict.reason is not Reason.NOT_FOUND or len(self.call.attempts) == 1:
            return self.verdict
        if _names(self.verdict, attempt.subject_id):
            return self.verdict
        return msgspec.structs.replace(self.verdict, reason=Reason.TRANSIENT, retryable=True, detail=None)


def judge_part(call: Call, part: wire.BatchPart, wall: datetime) -> Verdict:
    """The meaning of one answer in a batch, in the light of what was asked."""
    verdict = judge(part.status, batch.headers_of(part), part.body, wall, of_group=call.group_id is not None)
    if call.kind is StepKind.CREATE_GROUP and verdict.outcome is Outcome.ACCEPTED:
        return msgspec.structs.replace(verdict, created=_created(part))
    if verdict.status == HTTPStatus.NOT_FOUND and _is_group_gone(call, verdict):
        return msgspec.structs.replace(verdict, reason=Reason.GROUP_GONE)
    return verdict


def _created(part: wire.BatchPart) -> GroupId | None:
    """None when Graph says yes and not what: the group is then found by its nickname."""
    try:
        return GroupId(_CREATED.decode(part.body).id.lower())
    except msgspec.DecodeError:
        return None


def _is_group_gone(call: Call, verdict: Verdict) -> bool:
    """Graph's 404 names what it missed: a person's, or a member's, is not the group's."""
    if call.group_id is None:
        return False
    if call.kind is StepKind.REMOVE_MEMBER:
        return _names(verdict, call.group_id)
    return not any(_names(verdict, attempt.subject_id) for attempt in call.attempts)


def _names(verdict: Verdict, object_id: str) -> bool:
    return object_id.lower() in (verdict.detail or "").lower()
