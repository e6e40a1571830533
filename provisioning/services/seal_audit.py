"""Recorded events get their place in the tree, and what is sealed is signed and kept outside the database."""

from dataclasses import dataclass

from provisioning.audit.checkpoint import Checkpoint
from provisioning.audit.export import StoredCheckpoint
from provisioning.audit.note import SignerKey
from provisioning.audit.sealing import CheckpointRule, seal
from provisioning.audit.tree import Frontier
from provisioning.ports import CheckpointSink, Clock, OpenUnitOfWork

_AT_ONCE = 5_000  # one short transaction: a second of the busiest writing


@dataclass(frozen=True, kw_only=True)
class SealAudit:
    """Seals everything recorded so far; returns how many events. The log is named as its signing key is."""

    open_uow: OpenUnitOfWork
    sink: CheckpointSink
    signer: SignerKey
    clock: Clock
    rule: CheckpointRule

    def __call__(self) -> int:
        sealed = 0
        while count := self._seal_some():
            sealed += count
            if count < _AT_ONCE:
                break
        self._publish()
        return sealed

    def _seal_some(self) -> int:
        now = self.clock.now()
        with self.open_uow() as uow:
            log = uow.seals.load()
            unsealed = uow.seals.unsealed(_AT_ONCE)
            sealing = seal(log, (text for _, text in unsealed), now, self.rule)
            if unsealed or sealing.due:
                events = [event for event, _ in unsealed]
                uow.seals.store(events, sealing, [self._signed(frontier) for frontier in sealing.due], now)
                uow.commit()
        return len(unsealed)

    def _signed(self, frontier: Frontier) -> StoredCheckpoint:
        return StoredCheckpoint(Checkpoint.sign(self.signer.verifier.name, frontier, self.signer), frontier)

    def _publish(self) -> None:
        """From the database, not from memory: what an interrupted run did not publish, the next one does."""
        with self.open_uow() as uow:
            missing = uow.seals.checkpoints_after(self.sink.newest_size())
        for stored in missing:
            self.sink.write(stored.checkpoint)
