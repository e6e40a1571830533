"""The audit log leaves the house: whole, or one organisation's part with proofs. That too is written down."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from provisioning.audit.checkpoint import Checkpoint
from provisioning.audit.export import StoredCheckpoint, write_log_export, write_organisation_export
from provisioning.audit.proofs import TreeLevels
from provisioning.domain.actors import Identity
from provisioning.domain.errors import ConflictError
from provisioning.domain.events import Event
from provisioning.domain.ids import OrganisationId
from provisioning.domain.rights import Action, require
from provisioning.ports import AuditArchive, Clock, OpenUnitOfWork


@dataclass(frozen=True, kw_only=True)
class ExportAudit:
    open_uow: OpenUnitOfWork
    clock: Clock
    archive: AuditArchive

    def __call__(
        self, identity: Identity, organisation: OrganisationId | None = None, known_sizes: Sequence[int] = ()
    ) -> Iterator[bytes]:
        """The lines of the export. `known_sizes`: checkpoints that the reader of a part has already.

        Raises ConflictError as long as nothing is sealed under a checkpoint.
        """
        require(identity, Action.EXPORT_AUDIT)
        checkpoints = self.archive.checkpoints()
        newest = _newest(checkpoints)
        self._record(identity, organisation, newest)
        if organisation is None:
            return write_log_export(newest.checkpoint.head.origin, self.archive.events(), checkpoints)
        size = newest.frontier.size
        covered = (event for event in self.archive.events(organisation) if event.sequence < size)
        tree = TreeLevels(self.archive.leaves(size))
        return write_organisation_export(organisation, covered, newest.checkpoint, tree, known_sizes)

    def newest_checkpoint(self) -> Checkpoint:
        """The latest signed checkpoint, to be kept outside; raises ConflictError when there is none."""
        return _newest(self.archive.checkpoints()).checkpoint

    def _record(self, identity: Identity, organisation: OrganisationId | None, newest: StoredCheckpoint) -> None:
        event = Event(
            at=self.clock.now(),
            actor=identity.actor,
            kind="audit.exported",
            organisation=organisation,
            details={"events": str(newest.frontier.size)},
        )
        with self.open_uow() as uow:
            uow.audit.record([event])
            uow.commit()


def _newest(checkpoints: Sequence[StoredCheckpoint]) -> StoredCheckpoint:
    if not checkpoints:
        raise ConflictError("The audit log has no signed checkpoint yet; the sealer makes one within the hour.")
    return checkpoints[-1]
