"""The audit log: how fast it is written in transactions of a chunk, and how fast an export of it is verified."""

import time
from datetime import UTC, datetime

from provisioning.audit.pseudonyms import ENTROPY_BYTES, draw_pseudonym
from provisioning.domain.actors import Identity, Role
from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM, Actor, AttemptId
from provisioning.services.verify_audit import verify_audit
from tests.benchmarks.rows import Row, Rows, at_least
from tests.benchmarks.school import School
from tests.benchmarks.worker import Worker, options, world_with
from tests.factories import guid

_EVENTS = 20_000
_SMALLEST_CHUNK, _FULL_CHUNK = 20, 160
_AUDITOR = Identity(actor=Actor("person:auditor"), roles=frozenset({Role.AUDITOR}))
_MOMENT = datetime(2026, 8, 17, 7, tzinfo=UTC)


def audit() -> Rows:
    """Into a durable PostgreSQL, sealed, exported, verified."""
    with world_with([School(number=1, people=1)], options()) as (_, worker):
        for chunk in (_SMALLEST_CHUNK, _FULL_CHUNK):
            note = f"{_EVENTS:,} events, {chunk} a transaction, committed to disk"
            name = f"audit append, chunks of {chunk}"
            yield Row(name=name, value=_appended(worker, chunk), unit="events/s", bound=at_least(5_000), note=note)
        yield from _sealed_and_verified(worker)


def _appended(worker: Worker, chunk: int) -> float:
    """Events per second."""
    events = [_event(number) for number in range(_EVENTS)]
    started = time.perf_counter()
    for start in range(0, _EVENTS, chunk):
        with worker.open_uow() as uow:
            uow.audit.record(events[start : start + chunk])
            uow.commit()
    return _EVENTS / (time.perf_counter() - started)


def _sealed_and_verified(worker: Worker) -> Rows:
    started = time.perf_counter()
    sealed = worker.seal_audit()
    pace = sealed / (time.perf_counter() - started)
    yield Row(name="audit seal", value=pace, unit="events/s", note=f"{sealed:,} events, checkpoints published")
    lines = list(worker.export_audit(_AUDITOR))
    key = worker.signer.verifier
    started = time.process_time()  # nobody to wait for: CPU time is all there is
    verdict = verify_audit(lines, str(key))
    pace = verdict.events / (time.process_time() - started)
    said = "sound" if verdict.is_sound else "NOT sound"
    note = f"{verdict.events:,} events, {verdict.proven:,} proven, {said}"
    yield Row(name="audit verify", value=pace, unit="events/s", bound=at_least(100_000), note=note)


def _event(number: int) -> Event:
    return Event(
        at=_MOMENT,
        actor=SYSTEM,
        kind="attempt.accepted",
        organisation="01ZZ00",
        tenant="00000000-0000-4000-8000-000000000001",
        operation="00000000-0000-4000-8000-000000000002",
        subject=draw_pseudonym(number.to_bytes(ENTROPY_BYTES)),
        before="94763226-9b3c-4e75-a931-5c89701abe66",
        after="4b590615-0888-425a-a965-b3bf7789848d",
        correlation=AttemptId(guid()),
        details={"kind": "swap", "request_id": guid()},
    )
