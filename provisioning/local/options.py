"""What may be chosen for a world on this machine."""

from enum import StrEnum
from pathlib import Path

import msgspec


class Profile(StrEnum):
    """The generated worlds that the twin knows."""

    BOARD = "board"  # one board with twelve schools
    SECTOR = "sector"  # many tenants in the shapes of Dutch primary education


class UpProfile(StrEnum):
    """The worlds that `up` can open with instead of the story's."""

    BOARD = "board"  # the twin's, and nothing of ours
    SECTOR = "sector"  # likewise
    MERGER = "merger"  # two boards that become one, and all that a migration takes


class DemoOptions(msgspec.Struct, frozen=True, kw_only=True):
    """`lag_seconds`: longest replica delay of the twin; `clock_factor`: seconds of the service per real second.

    `folder`: where the world is kept; None for one that is removed at the end.
    """

    folder: Path | None = None
    lag_seconds: float = 0.0
    clock_factor: float = 60.0
    random_seed: int = 1
    as_json: bool = False


class UpOptions(msgspec.Struct, frozen=True, kw_only=True):
    """`profile`: another world than the story's; `port` of the twin and `api_port` of the API, 0 picks a free one.

    `days_later`: how long this world, which is there already, was left alone.
    """

    folder: Path
    profile: UpProfile | None = None
    port: int = 0
    api_port: int = 0
    clock_factor: float = 60.0
    days_later: float = 0.0
    as_json: bool = False
