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
class AuditExport:
    """The lines of an export; `left_out` is how many recorded events no checkpoint covers yet."""

    lines: Iterator[bytes]
    left_out: int

    def __iter__(self) -> Iterator[bytes]:
        return self.lines


@dataclass(frozen=True, kw_only=True)
class ExportAudit:
    open_uow: OpenUnitOfWork
    clock: Clock
    archive: AuditArchive

    def __call__(
        self, identity: Identity, organisation: OrganisationId | None = None, known_sizes: Sequence[int] = ()
    ) -> AuditExport:
        """`known_sizes` are those of checkpoints that the reader of a part has already.

        Raises ConflictError as long as nothing is sealed under a checkpoint.
        """
        require(identity, Action.EXPORT_AUDIT)
        checkpoints = self.archive.checkpoints()
        newest = _newest(checkpoints)
        left_out = self.archive.uncovered(newest.frontier.size, organisation)
        self._record(identity, organisation, newest)
        if organisation is None:
            lines = write_log_export(newest.checkpoint.head.origin, self.archive.events(), checkpoints)
        else:
            lines = self._part(organisation, newest, known_sizes)
        return AuditExport(lines=lines, left_out=left_out)

    def newest_checkpoint(self) -> Checkpoint:
        """The latest signed checkpoint, to be kept outside; raises ConflictError when there is none."""
        return _newest(self.archive.checkpoints()).checkpoint

    def _part(
        self, organisation: OrganisationId, newest: StoredCheckpoint, known_sizes: Sequence[int]
    ) -> Iterator[bytes]:
        size = newest.frontier.size
        covered = (event for event in self.archive.events(organisation) if event.sequence < size)
        tree = TreeLevels(self.archive.leaves(size))
        return write_organisation_export(organisation, covered, newest.checkpoint, tree, known_sizes)

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
