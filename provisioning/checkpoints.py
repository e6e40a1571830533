"""A folder outside the database that keeps every signed checkpoint of the audit log."""

import os
from pathlib import Path

from provisioning.audit.checkpoint import Checkpoint
from provisioning.audit.errors import AuditFormatError
from provisioning.domain.errors import ConflictError, UnavailableError

_DIGITS = 19  # sizes have 63 bits; names sort as numbers do
_SUFFIX = ".checkpoint"


class CheckpointFolder:
    """One file per checkpoint, named by the size of the log, written once and never changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def newest(self) -> Checkpoint | None:
        """Raises ConflictError when that file is no checkpoint of the size in its name."""
        files = [file for file in self._folder.glob(f"*{_SUFFIX}") if file.stem.isdecimal()]
        return _read(max(files, key=_size_of)) if files else None

    def write(self, checkpoint: Checkpoint) -> None:
        """Raises ConflictError when the folder has another root for a log of this size, UnavailableError when full."""
        try:
            self._write(checkpoint)
        except OSError as error:
            raise UnavailableError(
                f"The folder of checkpoints {self._folder} cannot be written: {error.strerror}. Make room or give the "
                "worker the right to; what is signed waits in the database."
            ) from error

    def _write(self, checkpoint: Checkpoint) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"{checkpoint.head.size:0{_DIGITS}}{_SUFFIX}"
        if file.exists():
            self._check_same(file, checkpoint)
            return
        draft = file.with_suffix(f".{os.getpid()}.draft")  # a worker and a person may publish the same one at once
        with draft.open("w", encoding="utf-8") as output:
            output.write(str(checkpoint))
            output.flush()
            os.fsync(output.fileno())
        draft.replace(file)

    def _check_same(self, file: Path, checkpoint: Checkpoint) -> None:
        if _read(file).head != checkpoint.head:
            raise ConflictError(
                f"{file} holds another root for {checkpoint.head.size} events than the database does: the log was "
                "rewritten, or the folder belongs to another installation. Verify the audit log before anything else."
            )


def _size_of(file: Path) -> int:
    return int(file.stem)


def _read(file: Path) -> Checkpoint:
    try:
        checkpoint = Checkpoint.parse(file.read_text("utf-8"))
    except OSError as error:
        raise UnavailableError(f"The checkpoint {file} cannot be read: {error.strerror}.") from error
    except (AuditFormatError, UnicodeDecodeError):
        raise ConflictError(f"{file} is no checkpoint any more: bring it back from a copy.") from None
    if checkpoint.head.size != _size_of(file):
        raise ConflictError(f"{file} holds a checkpoint of {checkpoint.head.size} events, not of what its name says.")
    return checkpoint
