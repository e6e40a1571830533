"""The journal of a calibration: on disk before each request, so that a crash leaves word of what to put back."""

import os
from pathlib import Path

import msgspec

from provisioning.cli.text_files import read_text
from provisioning.domain.errors import InputError
from provisioning.planning.probe import Ask
from provisioning.planning.probe_people import Interrupted


class _Line(msgspec.Struct, kw_only=True, omit_defaults=True):
    call_id: str
    probe: str = ""
    asking: Ask | None = None
    answered: int | None = None


class FileJournal:
    """Implements `ProbeJournal`: the first line says who and how they were, each other one what was sent or came."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def unfinished(self) -> Interrupted | None:
        if not self._path.exists():
            return None
        first, end, rest = read_text(self._path).partition("\n")
        if not end:  # it broke off before anything was sent
            return None
        *lines, _ = rest.split("\n")  # what broke off in its last line was not sent
        try:
            left = msgspec.json.decode(first, type=Interrupted)
            told = [msgspec.json.decode(line, type=_Line) for line in lines]
        except msgspec.DecodeError as error:
            raise InputError(f"{self._path} is no journal of a calibration: {error}.") from None
        return msgspec.structs.replace(left, sent=tuple(line.asking for line in told if line.asking))

    def begin(self, left: Interrupted) -> None:
        if self.unfinished() is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.unlink(missing_ok=True)
            self._append(left)

    def asking(self, probe: str, call_id: str, ask: Ask) -> None:
        self._append(_Line(call_id=call_id, probe=probe, asking=ask))

    def answered(self, call_id: str, status: int) -> None:
        self._append(_Line(call_id=call_id, answered=status))

    def finish(self) -> None:
        self._path.unlink(missing_ok=True)

    def _append(self, line: Interrupted | _Line) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        with os.fdopen(os.open(self._path, flags, 0o600), "wb") as file:
            file.write(msgspec.json.encode(line) + b"\n")
            file.flush()
            os.fsync(file.fileno())
