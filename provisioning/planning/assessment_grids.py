"""What an assessment is told in: headings, sentences and tables, not yet drawn."""

import msgspec


class Grid(msgspec.Struct, frozen=True):
    """A table. Columns from `numbers` on are numbers; so many of the last rows are sums as `sums` says."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: int
    sums: int = 0


class Section(msgspec.Struct, frozen=True):
    """A heading with sentences and tables under it."""

    heading: str
    lines: tuple[str, ...] = ()
    grids: tuple[Grid, ...] = ()
