"""Recorded events get their place in the tree, and what is sealed is signed and kept outside the database."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from provisioning.audit.checkpoint import Checkpoint
from provisioning.audit.export import StoredCheckpoint
from provisioning.audit.note import SignatureState, SignerKey
from provisioning.audit.sealing import CheckpointRule, seal
from provisioning.audit.tree import Frontier
from provisioning.domain.actors import Identity
from provisioning.domain.errors import ConflictError
from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM
from provisioning.domain.rights import Action, require
from provisioning.ports import CheckpointSink, Clock, OpenUnitOfWork, UnitOfWork

_AT_ONCE = 5_000  # one short transaction: a second of the busiest writing


@dataclass(frozen=True, kw_only=True)
class SealAudit:
    """Seals everything recorded so far; returns how many events. The log is named as its signing key is.

    Raises ConflictError, and seals nothing, when the folder of checkpoints knows another log than the database, and
    when the key is not the log's newest.
    """

    open_uow: OpenUnitOfWork
    sink: CheckpointSink
    signer: SignerKey
    clock: Clock
    rule: CheckpointRule

    def __call__(self) -> int:
        self._check_outside()
        sealed = 0
        while count := self._seal_some():
            sealed += count
            if count < _AT_ONCE:
                break
        self._publish()
        return sealed

    def on_demand(self, identity: Identity) -> int:
        """The same, with a checkpoint over all of it at the end; for who may carry the log out."""
        require(identity, Action.EXPORT_AUDIT)
        return replace(self, rule=_at_once(self.rule))()

    def check(self) -> None:
        """Raises ConflictError when nothing could be sealed."""
        self._check_outside()
        with self.open_uow() as uow:
            newest = uow.seals.newest_checkpoint()
            if newest and not self._is_ours(newest):
                self._check_succession(uow, newest)

    def _check_outside(self) -> None:
        """Whether the database has the newest checkpoint that was ever published: nothing is sealed over a lost part.

        Published is what was committed before, so a checkpoint outside that the database lacks means that an older
        database was restored, or that this is not its folder.
        """
        outside = self.sink.newest()
        if outside is None:
            return
        with self.open_uow() as uow:
            inside = uow.seals.checkpoint_of(outside.head.size)
        if inside is None or inside.head != outside.head:
            size = outside.head.size
            raise ConflictError(
                f"The folder of checkpoints knows a log of {size} events that this database does not have: an older "
                "database was restored, or the folder is another installation's. Nothing is sealed until the "
                "checkpoints that it lacks are moved to where they are kept; the runbook says how, under restoring "
                "a backup."
            )

    def _seal_some(self) -> int:
        now = self.clock.now()
        with self.open_uow() as uow:
            log = uow.seals.load()
            rule = self._take_over(uow, now) or self.rule
            unsealed = uow.seals.unsealed(_AT_ONCE)
            sealing = seal(log, (text for _, text in unsealed), now, rule)
            if unsealed or sealing.due:
                events = [event for event, _ in unsealed]
                uow.seals.store(events, sealing, [self._signed(frontier) for frontier in sealing.due], now)
                uow.commit()
        return len(unsealed)

    def _take_over(self, uow: UnitOfWork, now: datetime) -> CheckpointRule | None:
        """With a new key: that is an event itself, and under a checkpoint of the new key at once.

        The checkpoint covers all that the older key signed, so whoever knows the new key can prove the old part.
        """
        newest = uow.seals.newest_checkpoint()
        if newest is None or self._is_ours(newest):
            return None
        self._check_succession(uow, newest)
        before = " ".join(signature.label for signature in newest.signatures)
        changed = Event(at=now, actor=SYSTEM, kind="audit.key_changed", before=before, after=self.signer.verifier.label)
        uow.audit.record([changed])
        return _at_once(self.rule)

    def _is_ours(self, checkpoint: Checkpoint) -> bool:
        return checkpoint.state_of(self.signer.verifier) is SignatureState.VALID

    def _check_succession(self, uow: UnitOfWork, newest: Checkpoint) -> None:
        ours = self.signer.verifier
        if newest.head.origin != ours.name:
            raise ConflictError(
                f"The signing key is named {ours.name}, but the log {newest.head.origin}: a new key has the log's "
                f"name. Make one with `provisioning audit key FILE --new {newest.head.origin}`."
            )
        if uow.seals.has_signed(ours):
            raise ConflictError(
                f"The signing key {ours.label} was replaced: another has signed the log since. Give this worker the "
                "newest key and restart it."
            )

    def _signed(self, frontier: Frontier) -> StoredCheckpoint:
        return StoredCheckpoint(Checkpoint.sign(self.signer.verifier.name, frontier, self.signer), frontier)

    def _publish(self) -> None:
        """From the database, not from memory: what an interrupted run did not publish, the next one does."""
        newest = self.sink.newest()
        with self.open_uow() as uow:
            missing = uow.seals.checkpoints_after(newest.head.size if newest else 0)
        for stored in missing:
            self.sink.write(stored.checkpoint)


def _at_once(rule: CheckpointRule) -> CheckpointRule:
    """A checkpoint behind whatever is sealed, however few and however soon."""
    return CheckpointRule(rule.events, timedelta(0))
