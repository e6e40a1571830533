"""Real workers and schedulers on real engines."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from config.clock import WorldClock
from provisioning.audit.checkpoint import Checkpoint
from provisioning.broker.connection import connect
from provisioning.database.realm import Realm, claim_realm, read_realm
from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM, OperationId
from provisioning.domain.operation import Lane
from provisioning.local.engines import Engines
from tests.factories import operations, tenancy
from tests.integration.tasks.conftest import Process, Start

Open = Callable[[], SqlUnitOfWork]
WORKER = ("worker", "--queues=orders,bulk,sweeps", "--concurrency=1", "--without-gossip", "--without-mingle")
PATIENCE_SECONDS = 60.0


def eventually(happened: Callable[[], bool], worker: Process) -> bool:
    """Whether it happens within a minute, while the worker lives; processes need a few seconds to start."""
    pause = threading.Event()
    for _ in range(int(PATIENCE_SECONDS / 0.1)):
        if happened() or worker.has_ended:
            break
        pause.wait(0.1)
    return happened()


def add_due(open_uow: Open) -> OperationId:
    """An operation that nobody was told about: its message is lost."""
    now = WorldClock().now()
    tenant = tenancy.tenant()
    made = operations.operation(tenant.tenant_id, lane=Lane.ORDER, created_at=now, entered_at=now, due_at=now)
    with open_uow() as uow:
        uow.tenants.save(tenant)
        uow.operations.add(made)
        uow.commit()
    return made.operation_id


def is_worked_on(open_uow: Open, operation: OperationId) -> bool:
    with open_uow() as uow:
        return uow.operations.get(operation).version > 0


class TestWorkerAndBeat:
    def test_an_operation_whose_message_was_lost_is_worked_on_and_a_flushed_broker_loses_nothing(
        self, start: Start, engines: Engines, open_uow: Open
    ) -> None:
        first = add_due(open_uow)
        worker, beat = start(*WORKER), start("beat")
        assert eventually(lambda: is_worked_on(open_uow, first), worker), worker.said
        with connect(engines.redis_url) as redis:
            redis.flushall()
        second = add_due(open_uow)
        assert eventually(lambda: is_worked_on(open_uow, second), worker), worker.said
        assert (beat.terminate(), worker.terminate()) == (0, 0)
        assert "Traceback" not in worker.said + beat.said
        assert "Unclosed" not in worker.said


class TestTheFirstWorker:
    def test_claims_the_realm_and_signs_what_was_recorded_outside_the_database(
        self, start: Start, engine: Engine, open_uow: Open, tmp_path: Path
    ) -> None:
        with open_uow() as uow:
            uow.audit.record([Event(at=WorldClock().now(), actor=SYSTEM, kind="order.received")])
            uow.commit()
        worker = start(*WORKER)
        assert eventually(lambda: read_realm(engine) is Realm.SANDBOX, worker), worker.said
        assert start("call", "sweeps.seal_audit").wait() == 0
        checkpoints = tmp_path / "checkpoints"
        assert eventually(lambda: any(checkpoints.glob("*.checkpoint")), worker), worker.said
        (first,) = checkpoints.glob("*.checkpoint")
        head = Checkpoint.parse(first.read_text()).head
        # with the mappings and limits that the worker installed
        assert (head.origin, head.size) == ("log.test", 3)


class TestStart:
    def test_a_worker_of_the_other_realm_refuses_in_one_sentence(self, start: Start, engine: Engine) -> None:
        claim_realm(engine, Realm.LIVE, WorldClock().wall())
        worker = start(*WORKER)
        assert worker.wait() != 0
        assert "This database belongs to the live realm" in worker.said
        assert "Traceback" not in worker.said

    @pytest.mark.parametrize("words", [WORKER, ("beat",)], ids=["worker", "beat"])
    def test_a_missing_setting_is_named(self, start: Start, words: tuple[str, ...]) -> None:
        process = start(*words, PROVISIONING_GRAPH_CLIENT_ID="")
        assert process.wait() != 0
        assert "PROVISIONING_GRAPH_CLIENT_ID is missing." in process.said
