"""The service's own rounds: what each asks of the database, and in which order."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Self

from config.limits import default_limits
from provisioning.domain.ids import OperationId
from provisioning.domain.operation import Lane
from provisioning.services.purge_references import PurgeReferences
from provisioning.services.relay_outbox import RelayOutbox
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
