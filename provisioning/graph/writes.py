"""Writes: each attempt leaves once, within the lease, and comes back as a receipt. Its quota was taken before.

Also a single write travels as a batch of one: one path, one reading of answers, and the same one call.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from provisioning.domain.errors import AmbiguousOutcomeError, GraphError, RetryableError
from provisioning.domain.ids import TenantId
from provisioning.domain.operation import Attempt, Change, Outcome, Receipt, StepKind
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Lease
from provisioning.graph import batch, wire
from provisioning.graph.client import Answer, GraphClient
from provisioning.graph.errors import Verdict, judge, judge_envelope, localised, pressure, unsent
from provisioning.graph.together import together
from provisioning.ports import Quota

SOON = timedelta(seconds=5)  # when nobody said how long
_LICENSING = frozenset({StepKind.ASSIGN, StepKind.REMOVE, StepKind.SWAP, StepKind.SET_PLANS})
_WRITABLE = _LICENSING | {StepKind.SET_USAGE_LOCATION}

_MISDIRECTED = Verdict(outcome=Outcome.NOT_SENT, reason=Reason.TENANT_MISMATCH)
_UNSPEAKABLE = Verdict(outcome=Outcome.NOT_SENT, reason=Reason.REQUEST_MALFORMED)
_TOO_LATE = unsent(Reason.TRANSIENT, timedelta(seconds=1))  # whoever holds the lease then goes on
_LOST = Verdict(outcome=Outcome.UNKNOWN, reason=Reason.NO_ANSWER)
_NOT_TRIED = Verdict(outcome=Outcome.NOT_SENT)


class Writer:
    """One call of `apply`. What one answer teaches about the whole tenant stops the batches that have not left yet."""

    def __init__(self, client: GraphClient, quota: Quota, tenant: TenantId, lease: Lease) -> None:
        self._client = client
        self._quota = quota
        self._tenant = tenant
        self._lease = lease
        self._obstacle: Verdict | None = None
        self._pressure = 0.0

    async def apply(self, attempts: Sequence[Attempt]) -> list[Receipt]:
        """One receipt per attempt, in any order."""
        sendable = [attempt for attempt in attempts if self._objection(attempt) is None]
        receipts = [
            _receipt(attempt, objection) for attempt in attempts if (objection := self._objection(attempt)) is not None
        ]
        if sendable and (refusal := await self._refusal()):
            return receipts + [_receipt(attempt, refusal) for attempt in sendable]
        for turn in batch.in_rounds(sendable, lambda attempt: attempt.subject_id):
            receipts += await self._send_all(turn)
        if self._pressure:
            self._quota.pressed(self._tenant, self._pressure)
        return receipts

    def _objection(self, attempt: Attempt) -> Verdict | None:
        if attempt.tenant_id != self._tenant:
            return _MISDIRECTED
        return None if attempt.kind in _WRITABLE else _UNSPEAKABLE

    async def _refusal(self) -> Verdict | None:
        """Why nothing may leave, if so."""
        if self._is_too_late():
            return _TOO_LATE
        try:
            await self._client.tokens.get(self._tenant)
        except GraphError as error:
            return _unsent_by(error)
        return None

    async def _send_all(self, attempts: Sequence[Attempt]) -> list[Receipt]:
        settings = self._client.settings
        batches = batch.in_parts(attempts, settings.batch_size)
        receipts = await together(self._send, batches, at_once=settings.batches_at_once)
        return [receipt for sent in receipts for receipt in sent]

    async def _send(self, attempts: Sequence[Attempt]) -> list[Receipt]:
        if obstacle := self._obstacle or (_TOO_LATE if self._is_too_late() else None):
            return [_receipt(attempt, obstacle) for attempt in attempts]
        request = batch.envelope(self._client.settings.base_url, [to_item(attempt) for attempt in attempts])
        sent_at = self._client.clock.now()
        try:
            answer = await self._client.send(self._tenant, request, self._client.settings.write_timeout)
            verdicts = self._read(answer, attempts)
        except AmbiguousOutcomeError:
            verdicts = [_LOST] * len(attempts)
        except GraphError as error:
            self._obstacle = _unsent_by(error)
            return [_receipt(attempt, self._obstacle) for attempt in attempts]
        self._learn(verdicts)
        finished_at = self._client.clock.now()
        return [
            _receipt(attempt, verdict, sent_at, finished_at)
            for attempt, verdict in zip(attempts, verdicts, strict=True)
        ]

    def _is_too_late(self) -> bool:
        """Whether the lease might lapse while a write is still under way."""
        return self._client.clock.wall() + self._client.settings.write_timeout > self._lease.expires_at

    def _read(self, answer: Answer, attempts: Sequence[Attempt]) -> list[Verdict]:
        """A verdict per attempt, in their order; raises AmbiguousOutcomeError when the envelope is unreadable."""
        wall = self._client.clock.wall()
        self._pressure = max(self._pressure, pressure(answer.headers))
        if not answer.is_success:
            return [judge_envelope(answer.status, answer.headers, answer.body, wall)] * len(attempts)
        parts = batch.open_envelope(answer.body)
        envelope_id = answer.headers.get("request-id")
        return localised([_judge_part(parts.get(each.attempt_id.lower()), wall, envelope_id) for each in attempts])

    def _learn(self, verdicts: Sequence[Verdict]) -> None:
        """What one answer says of the tenant holds for the batches that have not left yet."""
        for verdict in verdicts:
            self._pressure = max(self._pressure, verdict.pressure)
            if verdict.tenant_wide:
                self._obstacle = msgspec.structs.replace(_NOT_TRIED, reason=verdict.reason, tenant_wide=True)
            elif verdict.reason is Reason.TOKEN_REJECTED:
                self._client.tokens.forget(self._tenant)
                self._obstacle = unsent(Reason.TOKEN_REJECTED)
        for scope, after in _refusals(verdicts).items():
            self._quota.refused(self._tenant, scope, after)
            self._obstacle = self._obstacle or unsent(Reason.THROTTLED, after)


def to_item(attempt: Attempt) -> wire.BatchItem:
    """The request of one attempt; its id is also the client-request-id, so that Microsoft can find it."""
    headers = {"Content-Type": "application/json", "client-request-id": attempt.attempt_id}
    user = f"/users/{attempt.subject_id}"
    if attempt.kind is StepKind.SET_USAGE_LOCATION:
        location = wire.UserPatch(attempt.change.usage_location or "")
        return wire.BatchItem(attempt.attempt_id, "PATCH", user, headers, location)
    return wire.BatchItem(attempt.attempt_id, "POST", f"{user}/assignLicense", headers, _assignment(attempt.change))


def _assignment(change: Change) -> wire.AssignLicense:
    added = [wire.AddLicense(change.add_sku, sorted(change.disabled_plans))] if change.add_sku else []
    return wire.AssignLicense(added, list(change.remove_skus))


def _judge_part(part: wire.BatchPart | None, wall: datetime, envelope_id: str | None) -> Verdict:
    if part is None:
        return _LOST
    verdict = judge(part.status, batch.headers_of(part), part.body, wall)
    return verdict if verdict.request_id else msgspec.structs.replace(verdict, request_id=envelope_id)


def _refusals(verdicts: Iterable[Verdict]) -> dict[str | None, timedelta | None]:
    """The longest wait asked for, by throttle scope."""
    waits: dict[str | None, timedelta | None] = {}
    for verdict in verdicts:
        if verdict.reason is Reason.THROTTLED:
            waits[verdict.scope] = max(waits.get(verdict.scope), verdict.after, key=lambda wait: wait or timedelta(0))
    return waits


def _unsent_by(error: GraphError) -> Verdict:
    """Without a token, or without a connection: nothing left this machine."""
    if isinstance(error, RetryableError):
        return unsent(error.reason, error.after or SOON)
    return msgspec.structs.replace(_NOT_TRIED, reason=error.reason, tenant_wide=True)


def _receipt(
    attempt: Attempt, verdict: Verdict, sent_at: datetime | None = None, finished_at: datetime | None = None
) -> Receipt:
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
        sent_at=sent_at,
        finished_at=finished_at,
    )
