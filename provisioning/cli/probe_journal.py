"""The journal of a calibration: on disk before each request, so that a crash leaves word of what to put back."""

import os
from pathlib import Path

import msgspec

from provisioning.cli.text_files import read_text
from provisioning.domain.errors import InputError
from provisioning.planning.probe_people import Interrupted


class FileJournal:
    """Implements `ProbeJournal`: the first line says who and how they were, each other one what was sent or came."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def unfinished(self) -> Interrupted | None:
        if not self._path.exists():
            return None
        first, end, _ = read_text(self._path).partition("\n")
        if not end:  # it broke off before anything was sent
            return None
        try:
            return msgspec.json.decode(first, type=Interrupted)
        except msgspec.DecodeError as error:
            raise InputError(f"{self._path} is no journal of a calibration: {error}.") from None

    def begin(self, left: Interrupted) -> None:
        if self.unfinished() is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.unlink(missing_ok=True)
            self._append(msgspec.json.encode(left))

    def asking(self, probe: str, call_id: str) -> None:
        self._append(msgspec.json.encode({"asking": probe, "call_id": call_id}))

    def answered(self, call_id: str, status: int) -> None:
        self._append(msgspec.json.encode({"answered": status, "call_id": call_id}))

    def finish(self) -> None:
        self._path.unlink(missing_ok=True)

    def _append(self, line: bytes) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        with os.fdopen(os.open(self._path, flags, 0o600), "wb") as file:
            file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())
