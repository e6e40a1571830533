"""Writes: each attempt leaves once, within the lease, and comes back as a receipt. Its quota was taken before.

Also a single write travels as a batch of one: one path, one reading of answers, and the same one call.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial

import msgspec

from provisioning.domain.errors import AmbiguousOutcomeError, GraphError, RetryableError
from provisioning.domain.ids import TenantId
from provisioning.domain.operation import Attempt, Outcome, Receipt
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Lease
from provisioning.graph import batch, wire
from provisioning.graph.calls import Call, calls_of, in_lines, people_of
from provisioning.graph.client import Answer, GraphClient
from provisioning.graph.errors import Verdict, judge_envelope, localised, pressure, unsent
from provisioning.graph.items import is_writable, to_item
from provisioning.graph.receipts import Sent, judge_part
from provisioning.graph.together import together
from provisioning.ports import Quota

SOON = timedelta(seconds=5)  # when nobody said how long
IN_LINE = 10  # of one envelope when they wait for each other: twenty slow writes could outlast the time-out

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
        calls = calls_of(attempts)
        done = [Sent(call, objection) for call in calls if (objection := self._objection(call))]
        sendable = [call for call in calls if self._objection(call) is None]
        if sendable and (refusal := await self._refusal()):
            done += [Sent(call, refusal) for call in sendable]
        else:
            for turn in batch.in_rounds(sendable, people_of):
                done += await self._send_all(turn)
        if self._pressure:
            self._quota.pressed(self._tenant, self._pressure)
        return [receipt for sent in done for receipt in sent.receipts]

    def _objection(self, call: Call) -> Verdict | None:
        if any(attempt.tenant_id != self._tenant for attempt in call.attempts):
            return _MISDIRECTED
        return None if is_writable(call.kind) and call.is_sound else _UNSPEAKABLE

    async def _refusal(self) -> Verdict | None:
        """Why nothing may leave, if so."""
        if self._is_too_late():
            return _TOO_LATE
        try:
            await self._client.tokens.get(self._tenant)
        except GraphError as error:
            return _unsent_by(error)
        return None

    async def _send_all(self, calls: Sequence[Call]) -> list[Sent]:
        settings = self._client.settings
        alone, lines = in_lines(calls)
        works = [partial(self._send, part) for part in batch.in_parts(alone, settings.batch_size)]
        works += [partial(self._send_line, line) for line in lines]
        sent = await together(lambda work: work(), works, at_once=settings.batches_at_once)
        return [each for some in sent for each in some]

    async def _send_line(self, calls: Sequence[Call]) -> list[Sent]:
        """Each after the one before has succeeded. One that is refused on account of its people stops no other."""
        done: list[Sent] = []
        rest = list(calls)
        while rest:
            sent = await self._send(rest[:IN_LINE], in_line=True)
            tried = [each for each in sent if each.was_tried]
            rest = [each.call for each in sent if not each.was_tried] + rest[IN_LINE:]
            done += tried
            stop = next((each.verdict for each in tried if each.stops_a_line), None)
            if stop or not tried:
                return done + [Sent(call, self._obstacle or _behind(stop)) for call in rest]
        return done

    async def _send(self, calls: Sequence[Call], *, in_line: bool = False) -> list[Sent]:
        if obstacle := self._obstacle or (_TOO_LATE if self._is_too_late() else None):
            return [Sent(call, obstacle) for call in calls]
        before = [None, *calls[:-1]] if in_line else [None] * len(calls)
        base_url = self._client.settings.base_url
        items = [to_item(call, base_url, earlier) for call, earlier in zip(calls, before, strict=True)]
        sent_at = self._client.clock.now()
        try:
            answer = await self._client.send(
                self._tenant, batch.envelope(base_url, items), self._client.settings.write_timeout
            )
            verdicts = self._read(answer, calls)
        except AmbiguousOutcomeError:
            verdicts = [_LOST] * len(calls)
        except GraphError as error:
            self._obstacle = _unsent_by(error)
            return [Sent(call, self._obstacle) for call in calls]
        self._learn(verdicts)
        finished_at = self._client.clock.now()
        return [Sent(call, verdict, sent_at, finished_at) for call, verdict in zip(calls, verdicts, strict=True)]

    def _is_too_late(self) -> bool:
        """Whether the lease might lapse while a write is still under way."""
        return self._client.clock.wall() + self._client.settings.write_timeout > self._lease.expires_at

    def _read(self, answer: Answer, calls: Sequence[Call]) -> list[Verdict]:
        """A verdict per call, in their order; raises AmbiguousOutcomeError when the envelope is unreadable."""
        wall = self._client.clock.wall()
        self._pressure = max(self._pressure, pressure(answer.headers))
        if not answer.is_success:
            return [judge_envelope(answer.status, answer.headers, answer.body, wall)] * len(calls)
        parts = batch.open_envelope(answer.body)
        envelope_id = answer.headers.get("request-id")
        verdicts = [_judged(call, parts.get(call.call_id.lower()), wall, envelope_id) for call in calls]
        return localised(verdicts)

    def _learn(self, verdicts: Sequence[Verdict]) -> None:
        """What one answer says of the tenant holds for the batches that have not left yet."""
        for verdict in verdicts:
            self._pressure = max(self._pressure, verdict.pressure)
            if verdict.tenant_wide:
                self._obstacle = msgspec.structs.replace(_NOT_TRIED, reason=verdict.reason, tenant_wide=True)
            elif verdict.reason is Reason.TOKEN_REJECTED:
                self._client.tokens.forget(self._tenant)
                self._obstacle = unsent(Reason.TOKEN_REJECTED)
        for scope, (after, writes) in _refusals(verdicts).items():
            self._quota.refused(self._tenant, scope, after, writes)
            self._obstacle = self._obstacle or unsent(Reason.THROTTLED, after)


def _judged(call: Call, part: wire.BatchPart | None, wall: datetime, envelope_id: str | None) -> Verdict:
    if part is None:
        return _LOST
    verdict = judge_part(call, part, wall)
    return verdict if verdict.request_id else msgspec.structs.replace(verdict, request_id=envelope_id)


def _behind(stop: Verdict | None) -> Verdict:
    """For whoever stands behind a call that failed: never tried, for the same reason unless that was the call's own."""
    if stop is None or stop.outcome is Outcome.UNKNOWN or stop.reason in {None, Reason.REQUEST_MALFORMED}:
        return unsent(Reason.TRANSIENT, SOON)
    return unsent(stop.reason, stop.after)


def _refusals(verdicts: Iterable[Verdict]) -> dict[str | None, tuple[timedelta | None, int]]:
    """The longest wait asked for and how many writes were refused, by throttle scope."""
    told: dict[str | None, tuple[timedelta | None, int]] = {}
    for verdict in verdicts:
        if verdict.reason is Reason.THROTTLED:
            wait, writes = told.get(verdict.scope, (None, 0))
            told[verdict.scope] = (max(wait, verdict.after, key=lambda each: each or timedelta(0)), writes + 1)
    return told


def _unsent_by(error: GraphError) -> Verdict:
    """Without a token, or without a connection: nothing left this machine."""
    if isinstance(error, RetryableError):
        return unsent(error.reason, error.after or SOON)
    return msgspec.structs.replace(_NOT_TRIED, reason=error.reason, tenant_wide=True)
