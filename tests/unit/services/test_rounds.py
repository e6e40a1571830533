"""The service's own rounds: what each asks of the database, and in which order."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Self

import pytest

from config.limits import default_limits
from provisioning.audit.checkpoint import Checkpoint
from provisioning.audit.export import StoredCheckpoint
from provisioning.audit.note import SignatureState, SignerKey
from provisioning.audit.sealing import CheckpointRule, SealedLog, Sealing
from provisioning.audit.tree import Frontier, leaf_hash
from provisioning.domain.ids import OperationId
from provisioning.domain.operation import Lane
from provisioning.services.purge_references import PurgeReferences
from provisioning.services.relay_outbox import RelayOutbox
from provisioning.services.seal_audit import SealAudit
from provisioning.services.sweep_operations import SweepOperations

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
LIMITS = default_limits()
ONE, TWO = OperationId("one"), OperationId("two")


class StillClock:
    def now(self) -> datetime:
        return NOW

    def wall(self) -> datetime:
        return NOW


class Story(list[str]):
    """What happened, in order."""


class Transaction:
    """A unit of work with the stores it is given; its commit is part of the story."""

    def __init__(self, story: Story, **stores: Any) -> None:
        self.story = story
        for name, store in stores.items():
            setattr(self, name, store)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def commit(self) -> None:
        self.story.append("commit")


class Messages:
    def __init__(self, story: Story) -> None:
        self.story = story

    def advance(self, operation: OperationId, lane: Lane) -> None:
        self.story.append(f"{lane}: {operation}")


class TestSweepOperations:
    class Operations:
        def __init__(self) -> None:
            self.asked: list[tuple[datetime, datetime]] = []

        def claim_due(self, now: datetime, again_at: datetime, limit: int) -> list[tuple[OperationId, Lane]]:
            assert limit > 0
            self.asked.append((now, again_at))
            return [(ONE, Lane.ORDER), (TWO, Lane.BULK)]

    def sweep(self, story: Story, operations: Operations) -> int:
        return SweepOperations(
            open_uow=lambda: Transaction(story, operations=operations),
            dispatcher=Messages(story),
            clock=StillClock(),
            limits=LIMITS,
        )()

    def test_sends_each_to_its_lane_after_the_claim_is_committed(self) -> None:
        story = Story()
        assert self.sweep(story, self.Operations()) == 2
        assert story == ["commit", "order: one", "bulk: two"]

    def test_looks_again_when_a_message_may_be_believed_lost(self) -> None:
        operations = self.Operations()
        self.sweep(Story(), operations)
        assert operations.asked == [(NOW, NOW + timedelta(seconds=5))]


class TestRelayOutbox:
    def test_relays_what_has_lain_a_moment_within_the_burst(self) -> None:
        story, asked = Story(), list[object]()

        def relay(*words: object) -> int:
            asked.extend(words)
            return 3

        transaction = Transaction(story, outbox=SimpleNamespace(relay=relay))
        round_ = RelayOutbox(open_uow=lambda: transaction, clock=StillClock(), limits=LIMITS)
        assert round_() == 3
        assert asked == [NOW, timedelta(seconds=5), 50, timedelta(minutes=10)]
        assert story == ["commit"]


class TestPurgeReferences:
    def test_forgets_what_is_older_than_ninety_days(self) -> None:
        story, asked = Story(), list[datetime]()

        def purge(before: datetime) -> int:
            asked.append(before)
            return 7

        transaction = Transaction(story, references=SimpleNamespace(purge=purge))
        round_ = PurgeReferences(open_uow=lambda: transaction, clock=StillClock(), limits=LIMITS)
        assert round_() == 7
        assert asked == [NOW - timedelta(days=90)]
        assert story == ["commit"]


class Seals:
    """The sealer's store, in memory."""

    def __init__(self, texts: Sequence[bytes]) -> None:
        self.waiting = list(enumerate(texts))
        self.log = SealedLog()
        self.places: dict[int, int] = {}
        self.checkpoints: list[StoredCheckpoint] = []

    def load(self) -> SealedLog:
        return self.log

    def unsealed(self, limit: int) -> list[tuple[int, bytes]]:
        return self.waiting[:limit]

    def store(
        self, events: Sequence[int], sealing: Sealing, checkpoints: Sequence[StoredCheckpoint], at: datetime
    ) -> None:
        assert at == NOW
        self.waiting = self.waiting[len(events) :]
        self.places.update(zip(events, sealing.sequences, strict=True))
        self.log = sealing.log
        self.checkpoints += checkpoints

    def checkpoints_after(self, size: int) -> list[StoredCheckpoint]:
        return [stored for stored in self.checkpoints if stored.frontier.size > size]


class Shelf:
    """A checkpoint sink that may be away."""

    def __init__(self) -> None:
        self.kept: list[Checkpoint] = []
        self.is_away = False

    def newest_size(self) -> int:
        return max((checkpoint.head.size for checkpoint in self.kept), default=0)

    def write(self, checkpoint: Checkpoint) -> None:
        if self.is_away:
            raise OSError("the shelf is away")
        self.kept.append(checkpoint)


class TestSealAudit:
    SIGNER = SignerKey("log.example", bytes(range(32)))

    def sealer(self, seals: Seals, shelf: Shelf) -> SealAudit:
        return SealAudit(
            open_uow=lambda: Transaction(Story(), seals=seals),
            sink=shelf,
            signer=self.SIGNER,
            clock=StillClock(),
            rule=CheckpointRule(LIMITS.checkpoint_events, LIMITS.checkpoint_interval),
        )

    @staticmethod
    def texts(count: int) -> list[bytes]:
        return [f"event {number}".encode() for number in range(count)]

    def test_gives_every_event_its_place_in_the_order_recorded(self) -> None:
        seals = Seals(self.texts(3))
        assert self.sealer(seals, Shelf())() == 3
        assert seals.places == {0: 0, 1: 1, 2: 2}
        assert seals.log.frontier == Frontier().extend(map(leaf_hash, self.texts(3)))

    def test_takes_more_than_one_transaction_when_there_is_much(self) -> None:
        seals = Seals(self.texts(12_345))
        assert self.sealer(seals, Shelf())() == 12_345
        assert seals.waiting == []

    def test_signs_a_checkpoint_every_thousand_events_and_at_the_beginning(self) -> None:
        shelf = Shelf()
        self.sealer(Seals(self.texts(2_500)), shelf)()
        assert [checkpoint.head.size for checkpoint in shelf.kept] == [1_000, 2_000]
        assert all(one.state_of(self.SIGNER.verifier) is SignatureState.VALID for one in shelf.kept)

    def test_the_log_has_the_name_of_its_key(self) -> None:
        shelf = Shelf()
        self.sealer(Seals(self.texts(1)), shelf)()
        assert [checkpoint.head.origin for checkpoint in shelf.kept] == ["log.example"]

    def test_with_nothing_new_there_is_nothing_to_do(self) -> None:
        seals, shelf = Seals([]), Shelf()
        assert self.sealer(seals, shelf)() == 0
        assert shelf.kept == []

    def test_what_could_not_be_kept_outside_is_kept_by_the_next_round(self) -> None:
        seals, shelf = Seals(self.texts(1_000)), Shelf()
        shelf.is_away = True
        with pytest.raises(OSError, match="away"):
            self.sealer(seals, shelf)()
        shelf.is_away = False
        self.sealer(seals, shelf)()
        assert [checkpoint.head.size for checkpoint in shelf.kept] == [1_000]
