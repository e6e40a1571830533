"""A folder outside the database that keeps every signed checkpoint of the audit log."""

import os
from pathlib import Path

from provisioning.audit.checkpoint import Checkpoint
from provisioning.domain.errors import ConflictError

_DIGITS = 19  # sizes have 63 bits; names sort as numbers do
_SUFFIX = ".checkpoint"


class CheckpointFolder:
    """One file per checkpoint, named by the size of the log, written once and never changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def newest_size(self) -> int:
        names = (file.stem for file in self._folder.glob(f"*{_SUFFIX}"))
        return max((int(name) for name in names if name.isdecimal()), default=0)

    def write(self, checkpoint: Checkpoint) -> None:
        """Raises ConflictError when the folder has another root for a log of this size."""
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"{checkpoint.head.size:0{_DIGITS}}{_SUFFIX}"
        if file.exists():
            self._check_same(file, checkpoint)
            return
        draft = file.with_suffix(".draft")
        with draft.open("w", encoding="utf-8") as output:
            output.write(str(checkpoint))
            output.flush()
            os.fsync(output.fileno())
        draft.replace(file)

    def _check_same(self, file: Path, checkpoint: Checkpoint) -> None:
        if Checkpoint.parse(file.read_text("utf-8")).head != checkpoint.head:
            raise ConflictError(
                f"{file} holds another root for {checkpoint.head.size} events than the database does: the log was "
                "rewritten, or the folder belongs to another installation. Verify the audit log before anything else."
            )
