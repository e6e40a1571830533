"""What an export of the audit log proves, without a database: the export, the public key, perhaps a checkpoint."""

from collections.abc import Iterable

from provisioning.audit.checkpoint import Checkpoint
from provisioning.audit.note import VerifierKey
from provisioning.audit.verdict import Verdict
from provisioning.audit.verification import verify_export


def verify_audit(lines: Iterable[bytes], key: str, checkpoint: str | None = None) -> Verdict:
    """Raises AuditFormatError when key, checkpoint or the first line of the export are none."""
    outside = Checkpoint.parse(checkpoint) if checkpoint is not None else None
    return verify_export(lines, VerifierKey.parse(key.strip()), outside)
