import gc
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, text

from provisioning.audit.checkpoint import Checkpoint
from provisioning.audit.events import decode_event
from provisioning.audit.export import StoredCheckpoint
from provisioning.audit.note import SignerKey
from provisioning.audit.pseudonyms import is_pseudonym
from provisioning.audit.sealing import CheckpointRule, SealedLog, seal
from provisioning.audit.tree import leaf_hash
from provisioning.database.audit_archive import SqlAuditArchive
from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.errors import ConflictError
from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM, AttemptId
from tests.factories import NOW, guid
from tests.factories import operations as make
from tests.integration.database.conftest import Open

RULE = CheckpointRule(events=3, interval=timedelta(hours=1))


def event(**fields: Any) -> Event:
    return Event(**{"at": NOW, "actor": SYSTEM, "kind": "order.received"} | fields)


def seal_all(uow: SqlUnitOfWork, signer: SignerKey | None = None) -> SealedLog:
    waiting = uow.seals.unsealed(1000)
    sealing = seal(uow.seals.load(), (body for _, body in waiting), NOW, RULE)
    checkpoints = [StoredCheckpoint(Checkpoint.sign("log", x, signer), x) for x in sealing.due] if signer else []
    uow.seals.store([number for number, _ in waiting], sealing, checkpoints, NOW)
    return sealing.log


class TestRecording:
    def test_events_come_back_as_they_were_recorded(self, uow: SqlUnitOfWork) -> None:
        [pseudonym] = uow.audit.pseudonyms("t", make.people(1)).values()
        full = event(
            organisation="41000",
            tenant="t",
            operation="op",
            subject=pseudonym,
            before="pending",
            after="verified",
            reason="ALREADY_HELD",
            correlation=AttemptId(guid()),
            details={"é": "ü"},
        )
        uow.audit.record([full])
        assert uow.audit.list_by() == [full]

    def test_are_found_by_operation_and_organisation_in_order(self, uow: SqlUnitOfWork) -> None:
        events = [event(operation=op, organisation=org) for op in "ab" for org in "xy"]
        uow.audit.record(events)
        uow.audit.record([])
        assert uow.audit.list_by(operation="a") == events[:2]
        assert uow.audit.list_by(organisation="y") == [events[1], events[3]]
        assert uow.audit.list_by(operation="a", organisation="y") == [events[1]]
        assert uow.audit.list_by(limit=2) == events[2:]

    def test_are_gone_with_the_transaction_that_failed(self, open_uow: Open) -> None:
        with open_uow() as uow:
            uow.audit.record([event()])
        with open_uow() as uow:
            assert uow.audit.list_by() == []
            assert uow.seals.unsealed(10) == []


class TestPseudonyms:
    def test_are_made_once_for_each_person_in_each_tenant(self, uow: SqlUnitOfWork) -> None:
        people = make.people(3)
        made = uow.audit.pseudonyms("t", people)
        assert uow.audit.pseudonyms("t", people[:2]) == {person: made[person] for person in people[:2]}
        elsewhere = uow.audit.pseudonyms("u", people)
        assert len({*made.values(), *elsewhere.values()}) == 6
        assert all(map(is_pseudonym, made.values()))

    def test_two_workers_who_meet_a_person_at_once_agree(self, open_uow: Open) -> None:
        people = make.people(2)
        with open_uow() as first:
            mine = first.audit.pseudonyms("t", people)
            first.commit()
        with open_uow() as second:
            assert second.audit.pseudonyms("t", people) == mine

    def test_a_forgotten_person_is_a_stranger_to_the_log(self, uow: SqlUnitOfWork) -> None:
        people = make.people(2)
        before = uow.audit.pseudonyms("t", people)
        assert uow.audit.forget("t", people[:1]) == 1
        after = uow.audit.pseudonyms("t", people)
        assert after[people[0]] != before[people[0]]
        assert after[people[1]] == before[people[1]]


class TestSealing:
    def test_begins_with_an_empty_log(self, uow: SqlUnitOfWork) -> None:
        assert uow.seals.load() == SealedLog()

    def test_gives_each_event_its_place_and_remembers_the_edge(self, uow: SqlUnitOfWork) -> None:
        uow.audit.record([event(), event()])
        log = seal_all(uow)
        assert uow.seals.load() == log
        assert log.size == 2
        assert uow.seals.unsealed(10) == []

    def test_events_that_commit_late_are_not_skipped(self, open_uow: Open) -> None:
        with open_uow() as slow, open_uow() as quick, open_uow() as sealer:
            slow.audit.record([event(operation="slow")])
            quick.audit.record([event(operation="quick")])
            quick.commit()
            assert seal_all(sealer).size == 1
            sealer.commit()
            slow.commit()
            [(_, body)] = sealer.seals.unsealed(10)
            assert decode_event(body).operation == "slow"
            assert seal_all(sealer).size == 2

    def test_the_same_event_twice_is_a_conflict(self, uow: SqlUnitOfWork) -> None:
        uow.audit.record([event()])
        waiting = uow.seals.unsealed(10)
        seal_all(uow)
        sealing = seal(uow.seals.load(), [waiting[0][1]], NOW, RULE)
        with pytest.raises(ConflictError, match="sealed already"):
            uow.seals.store([waiting[0][0]], sealing, [], NOW)

    def test_one_sealer_at_a_time(self, open_uow: Open) -> None:
        with open_uow() as first, open_uow() as second:
            first.seals.load()
            first.commit()
            first.seals.load()
            second._connection.execute(text("SET LOCAL lock_timeout = '100ms'"))
            with pytest.raises(Exception, match="lock timeout"):
                second.seals.load()


class TestArchive:
    @pytest.fixture
    def archive(self, engine: Engine, open_uow: Open) -> SqlAuditArchive:
        with open_uow() as uow:
            uow.audit.record([event(organisation=org, operation=str(n)) for n, org in enumerate("xyxyxy")])
            seal_all(uow, SignerKey("log", bytes(32)))
            uow.audit.record([event(organisation="x", at=NOW - timedelta(hours=2))])
            uow.commit()
        return SqlAuditArchive(engine)

    def test_reads_the_log_in_order_with_the_text_that_was_sealed(self, archive: SqlAuditArchive) -> None:
        events = list(archive.events())
        assert [x.sequence for x in events] == [0, 1, 2, 3, 4, 5]
        assert all(leaf_hash(x.text.encode()) == x.leaf for x in events)
        assert list(archive.leaves(3)) == [x.leaf for x in events[:3]]

    def test_a_reader_may_stop_halfway(self, archive: SqlAuditArchive) -> None:
        events = archive.events()
        first = next(events)
        del events  # whoever leaves the cursor open hears a ResourceWarning, which is an error here
        gc.collect()
        assert next(archive.events()) == first

    def test_reads_one_customers_part_only(self, archive: SqlAuditArchive) -> None:
        assert [x.sequence for x in archive.events("y")] == [1, 3, 5]

    def test_reads_the_checkpoints_with_their_edges(self, archive: SqlAuditArchive) -> None:
        checkpoints = archive.checkpoints()
        assert [x.frontier.size for x in checkpoints] == [3, 6]
        assert [x.checkpoint.head.root for x in checkpoints] == [x.frontier.root for x in checkpoints]

    @pytest.mark.parametrize(
        ("size", "organisation", "late"),
        [(6, None, 1), (6, "x", 1), (6, "y", 0), (3, None, 4), (3, "y", 2), (0, "x", 4)],
    )
    def test_says_how_many_a_checkpoint_does_not_cover(
        self, archive: SqlAuditArchive, size: int, organisation: str | None, late: int
    ) -> None:
        assert archive.uncovered(size, organisation) == late

    def test_the_sealer_reads_the_checkpoints_it_did_not_publish(
        self, archive: SqlAuditArchive, uow: SqlUnitOfWork
    ) -> None:
        assert [x.frontier.size for x in uow.seals.checkpoints_after(3)] == [6]


class TestCheckpoints:
    def test_are_found_by_size_and_by_being_the_newest(self, uow: SqlUnitOfWork) -> None:
        assert (uow.seals.newest_checkpoint(), uow.seals.checkpoint_of(3)) == (None, None)
        uow.audit.record([event() for _ in range(6)])
        seal_all(uow, SignerKey("log", bytes(32)))
        assert uow.seals.newest_checkpoint() == uow.seals.checkpoint_of(6)
        assert uow.seals.checkpoint_of(3).head.size == 3
        assert uow.seals.checkpoint_of(4) is None

    def test_tell_whether_a_key_signed_one(self, uow: SqlUnitOfWork) -> None:
        uow.audit.record([event()])
        seal_all(uow, SignerKey("log", bytes(32)))
        assert uow.seals.has_signed(SignerKey("log", bytes(32)).verifier)
        assert not uow.seals.has_signed(SignerKey("log", bytes(range(32))).verifier)


def test_a_sealed_log_knows_its_checkpoints_again(uow: SqlUnitOfWork) -> None:
    uow.audit.record([event()])
    log = seal_all(uow, SignerKey("log", bytes(32)))
    assert msgspec.structs.asdict(uow.seals.load()) == msgspec.structs.asdict(log)
    assert (log.checkpointed, log.checkpointed_at) == (1, NOW)
