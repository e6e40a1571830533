"""The sealer: places in the tree, checkpoints signed and kept, and when it refuses."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Self

import pytest

from config.limits import default_limits
from provisioning.audit.checkpoint import Checkpoint
from provisioning.audit.export import StoredCheckpoint
from provisioning.audit.note import SignatureState, SignerKey, VerifierKey
from provisioning.audit.sealing import CheckpointRule, SealedLog, Sealing
from provisioning.audit.tree import Frontier, leaf_hash
from provisioning.domain.errors import ConflictError, NotAllowedError
from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM
from provisioning.services.seal_audit import SealAudit
from tests.unit.services.fakes_access import ADMIN, AUDITOR, OPERATOR

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
LIMITS = default_limits()


class StillClock:
    def now(self) -> datetime:
        return NOW

    def wall(self) -> datetime:
        return NOW


class Transaction:
    """A unit of work with the stores it is given."""

    def __init__(self, **stores: Any) -> None:
        for name, store in stores.items():
            setattr(self, name, store)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def commit(self) -> None:
        pass


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

    def newest_checkpoint(self) -> Checkpoint | None:
        return self.checkpoints[-1].checkpoint if self.checkpoints else None

    def checkpoint_of(self, size: int) -> Checkpoint | None:
        return next((one.checkpoint for one in self.checkpoints if one.frontier.size == size), None)

    def has_signed(self, key: VerifierKey) -> bool:
        return any(one.checkpoint.state_of(key) is not SignatureState.ABSENT for one in self.checkpoints)

    def checkpoints_after(self, size: int) -> list[StoredCheckpoint]:
        return [stored for stored in self.checkpoints if stored.frontier.size > size]


class Shelf:
    """A checkpoint sink that may be away."""

    def __init__(self) -> None:
        self.kept: list[Checkpoint] = []
        self.is_away = False

    def newest(self) -> Checkpoint | None:
        return max(self.kept, key=lambda checkpoint: checkpoint.head.size, default=None)

    def write(self, checkpoint: Checkpoint) -> None:
        if self.is_away:
            raise OSError("the shelf is away")
        self.kept.append(checkpoint)


class Recorder:
    """The audit log's end for recording: what is recorded waits to be sealed."""

    def __init__(self, seals: Seals) -> None:
        self.seals = seals
        self.recorded: list[Event] = []

    def record(self, events: Sequence[Event]) -> None:
        self.recorded += events
        self.seals.waiting += [(900_000 + number, event.kind.encode()) for number, event in enumerate(events)]


OLD = SignerKey("log.example", bytes(range(32)))
NEW = SignerKey("log.example", bytes(range(1, 33)))
OTHER_LOGS = SignerKey("other.example", bytes(range(32)))


def sealer(seals: Seals, shelf: Shelf, signer: SignerKey = OLD, recorder: Recorder | None = None) -> SealAudit:
    return SealAudit(
        open_uow=lambda: Transaction(seals=seals, audit=recorder or Recorder(seals)),
        sink=shelf,
        signer=signer,
        clock=StillClock(),
        rule=CheckpointRule(LIMITS.checkpoint_events, LIMITS.checkpoint_interval),
    )


def texts(count: int) -> list[bytes]:
    return [f"event {number}".encode() for number in range(count)]


class TestSealAudit:
    def test_gives_every_event_its_place_in_the_order_recorded(self) -> None:
        seals = Seals(texts(3))
        assert sealer(seals, Shelf())() == 3
        assert seals.places == {0: 0, 1: 1, 2: 2}
        assert seals.log.frontier == Frontier().extend(map(leaf_hash, texts(3)))

    def test_takes_more_than_one_transaction_when_there_is_much(self) -> None:
        seals = Seals(texts(12_345))
        assert sealer(seals, Shelf())() == 12_345
        assert seals.waiting == []

    def test_signs_a_checkpoint_every_thousand_events_and_at_the_beginning(self) -> None:
        shelf = Shelf()
        sealer(Seals(texts(2_500)), shelf)()
        assert [checkpoint.head.size for checkpoint in shelf.kept] == [1_000, 2_000]
        assert all(one.state_of(OLD.verifier) is SignatureState.VALID for one in shelf.kept)

    def test_the_log_has_the_name_of_its_key(self) -> None:
        shelf = Shelf()
        sealer(Seals(texts(1)), shelf)()
        assert [checkpoint.head.origin for checkpoint in shelf.kept] == ["log.example"]

    def test_with_nothing_new_there_is_nothing_to_do(self) -> None:
        seals, shelf = Seals([]), Shelf()
        assert sealer(seals, shelf)() == 0
        assert shelf.kept == []

    def test_what_could_not_be_kept_outside_is_kept_by_the_next_round(self) -> None:
        seals, shelf = Seals(texts(1_000)), Shelf()
        shelf.is_away = True
        with pytest.raises(OSError, match="away"):
            sealer(seals, shelf)()
        shelf.is_away = False
        sealer(seals, shelf)()
        assert [checkpoint.head.size for checkpoint in shelf.kept] == [1_000]

    def test_on_demand_all_of_it_is_under_a_checkpoint_at_once(self) -> None:
        seals, shelf = Seals(texts(3)), Shelf()
        sealer(seals, shelf)()
        seals.waiting = [(7, b"later")]
        assert sealer(seals, shelf)() == 1
        assert shelf.kept[-1].head.size == 3
        seals.waiting = [(8, b"later still")]
        assert sealer(seals, shelf).on_demand(AUDITOR) == 1
        assert shelf.kept[-1].head.size == 5
        assert sealer(seals, shelf).on_demand(ADMIN) == 0
        assert shelf.kept[-1].head.size == 5

    def test_on_demand_only_for_who_may_carry_the_log_out(self) -> None:
        seals, shelf = Seals(texts(3)), Shelf()
        with pytest.raises(NotAllowedError):
            sealer(seals, shelf).on_demand(OPERATOR)
        assert (seals.places, shelf.kept) == ({}, [])


class TestANewKey:
    def grown(self, count: int = 3) -> tuple[Seals, Shelf]:
        seals, shelf = Seals(texts(count)), Shelf()
        sealer(seals, shelf)()
        return seals, shelf

    @pytest.mark.parametrize("waiting", [0, 2])
    def test_takes_over_with_an_event_and_a_checkpoint_over_all_that_was_before(self, waiting: int) -> None:
        seals, shelf = self.grown()
        seals.waiting = [(10 + number, b"new") for number in range(waiting)]
        recorder = Recorder(seals)
        assert sealer(seals, shelf, NEW, recorder)() == waiting + 1
        (event,) = recorder.recorded
        assert (event.kind, event.actor) == ("audit.key_changed", SYSTEM)
        assert (event.before, event.after) == (OLD.verifier.label, NEW.verifier.label)
        first = shelf.kept[-1]
        assert (first.head.size, first.state_of(NEW.verifier)) == (4 + waiting, SignatureState.VALID)
        assert first.head.root == seals.log.frontier.root

    def test_takes_over_once(self) -> None:
        seals, shelf = self.grown()
        recorder = Recorder(seals)
        sealer(seals, shelf, NEW, recorder)()
        assert sealer(seals, shelf, NEW, recorder)() == 0
        assert len(recorder.recorded) == 1

    def test_that_was_replaced_seals_nothing(self) -> None:
        seals, shelf = self.grown()
        sealer(seals, shelf, NEW)()
        before = dict(seals.places), list(shelf.kept)
        seals.waiting = [(20, b"new")]
        for act in (sealer(seals, shelf, OLD), sealer(seals, shelf, OLD).check):
            with pytest.raises(ConflictError, match=r"log\.example\+\w+ was replaced"):
                act()
        assert (seals.places, shelf.kept) == before

    def test_of_another_name_seals_nothing_and_says_how_to_make_one(self) -> None:
        seals, shelf = self.grown()
        for act in (sealer(seals, shelf, OTHER_LOGS), sealer(seals, shelf, OTHER_LOGS).check):
            with pytest.raises(ConflictError, match=r"audit key FILE --new log\.example"):
                act()
        assert len(shelf.kept) == 1

    def test_a_check_lets_the_first_and_the_next_key_pass(self) -> None:
        sealer(Seals([]), Shelf(), NEW).check()
        seals, shelf = self.grown()
        sealer(seals, shelf, OLD).check()
        sealer(seals, shelf, NEW).check()
        assert len(seals.checkpoints) == 1


class TestARestoredDatabase:
    """The folder of checkpoints remembers more than the database does."""

    def restored(self) -> tuple[Seals, Shelf]:
        shelf = Shelf()
        sealer(Seals(texts(9)), shelf)()
        seals = Seals(texts(4))
        sealer(seals, Shelf())()
        seals.waiting = [(50, b"since the restoring")]
        return seals, shelf

    def test_nothing_is_sealed_and_the_sentence_says_why(self) -> None:
        seals, shelf = self.restored()
        for act in (sealer(seals, shelf), sealer(seals, shelf).check):
            with pytest.raises(ConflictError, match=r"a log of 9 events that this database does not have.*runbook"):
                act()
        assert (len(seals.places), len(seals.checkpoints), len(shelf.kept)) == (4, 1, 1)

    def test_another_log_of_the_same_size_is_noticed(self) -> None:
        shelf, seals = Shelf(), Seals([b"x", b"y"])
        sealer(Seals(texts(2)), shelf)()
        sealer(seals, Shelf())()
        with pytest.raises(ConflictError, match="does not have"):
            sealer(seals, shelf)()

    def test_goes_on_once_the_surplus_is_moved_away(self) -> None:
        seals, shelf = self.restored()
        shelf.kept.clear()
        sealer(seals, shelf)()
        assert len(seals.places) == 5
        assert [checkpoint.head.size for checkpoint in shelf.kept] == [4]
