"""What a world must remember of its twin, which lives in memory: its state as a seed, how late it was, how it ended."""

from pathlib import Path

import msgspec

from provisioning.local.sandbox import SandboxControl


class _Moment(msgspec.Struct, frozen=True):
    now: float  # Unix seconds by the twin's clock


class TwinMemory:
    """Two files in the world's folder, written whole or not at all; the seed holds the app's secret, so only for us."""

    def __init__(self, folder: Path) -> None:
        self.seed = folder / "twin-seed.json"
        self._moment = folder / "twin-moment.json"
        self._open = folder / "twin-not-saved"  # there while the twin runs
        self._furnished = folder / "furnished"

    @property
    def exists(self) -> bool:
        return self.seed.exists() and self._moment.exists()

    @property
    def now(self) -> float:
        """How late it was; 0 for a world that never ran."""
        return self._read().now

    @property
    def is_complete(self) -> bool:
        """Whether the last run ended in order, so that the twin is as the rest of the world knew it."""
        return not self._open.exists()

    @property
    def is_furnished(self) -> bool:
        return self._furnished.exists()

    def note_furnished(self) -> None:
        self._furnished.touch()

    def begin(self, twin: SandboxControl) -> None:
        """From now on there is something to lose."""
        self._open.touch()
        self.save(twin)

    def end(self, twin: SandboxControl) -> None:
        """The last state; nothing writes any more."""
        self.save(twin)
        self._open.unlink()

    def save(self, twin: SandboxControl, ahead: float = 0.0) -> None:
        """`ahead`: how many of its seconds may pass until the next save, so that time never goes back after a crash."""
        health = twin.health()
        _write(self.seed, msgspec.json.encode(twin.read_seed()))
        _write(self._moment, msgspec.json.encode(_Moment(health["now"] + ahead)))

    def _read(self) -> _Moment:
        if not self._moment.exists():
            return _Moment(0.0)
        return msgspec.json.decode(self._moment.read_bytes(), type=_Moment)


def _write(file: Path, content: bytes) -> None:
    draft = file.with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    draft.replace(file)
