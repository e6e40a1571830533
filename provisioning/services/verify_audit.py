"""What an export of the audit log proves, without a database: the export, the public keys, perhaps a checkpoint."""

from collections.abc import Iterable

from provisioning.audit.checkpoint import Checkpoint
from provisioning.audit.errors import AuditFormatError
from provisioning.audit.note import VerifierKey
from provisioning.audit.verdict import Verdict
from provisioning.audit.verification import verify_export


def verify_audit(lines: Iterable[bytes], keys: str, checkpoint: str | None = None) -> Verdict:
    """`keys` are the public keys that the log was signed with, one a line, in any order.

    Raises AuditFormatError when a key, the checkpoint or the first line of the export are none.
    """
    outside = Checkpoint.parse(checkpoint) if checkpoint is not None else None
    return verify_export(lines, _parse_keys(keys), outside)


def _parse_keys(text: str) -> list[VerifierKey]:
    keys = [VerifierKey.parse(line.strip()) for line in text.splitlines() if line.strip()]
    if not keys:
        raise AuditFormatError("There is no public key: one is written as name+hash+base64.")
    return keys
