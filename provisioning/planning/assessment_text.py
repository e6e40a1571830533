"""An assessment as plain text, for a screen of eighty columns or to be sent."""

from collections.abc import Iterator, Sequence
from textwrap import fill, wrap

from provisioning.planning.assessment import Assessment
from provisioning.planning.assessment_grids import Grid, Section
from provisioning.planning.assessment_sections import sections, title_of
from provisioning.planning.assessment_words import Tongue

WIDTH = 80
_BULLET = "- "
_GAP = 2
_NUMBER = 9  # columns of a number, its heading wrapped within them


def to_text(assessment: Assessment, tongue: Tongue) -> str:
    """Each line at most eighty characters; an id or a word that is longer than a line is broken."""
    blocks = [_underlined(title_of(assessment, tongue), "=")]
    blocks += [_section(section) for section in sections(assessment, tongue)]
    return "\n\n".join(blocks) + "\n"


def _section(section: Section) -> str:
    bullet = _BULLET if len(section.lines) > 1 else ""
    lines = (
        fill(line, WIDTH, initial_indent=bullet, subsequent_indent=" " * len(bullet), break_on_hyphens=False)
        for line in section.lines
    )
    grids = ("\n".join(_grid(grid)) for grid in section.grids)
    body = "\n".join(lines)
    return "\n\n".join([_underlined(section.heading, "-") + (f"\n{body}" if body else ""), *grids])


def _underlined(heading: str, mark: str) -> str:
    return f"{fill(heading, WIDTH)}\n{mark * min(WIDTH, len(heading))}"


def _grid(grid: Grid) -> Iterator[str]:
    widths = _widths(grid)
    yield fill(grid.caption, WIDTH)
    yield from _row(grid.columns, widths, grid.numbers)
    yield "  ".join("-" * width for width in widths)
    above = None
    for first, *others in grid.rows:
        yield from _row(["" if first == above else first, *others], widths, grid.numbers)
        above = first


def _widths(grid: Grid) -> list[int]:
    """Numbers have a fixed width; texts share the rest, and none takes more than it needs."""
    numbers = len(grid.columns) - grid.numbers
    left = WIDTH - numbers * (_NUMBER + _GAP) - _GAP * (grid.numbers - 1)
    share = left // grid.numbers
    longest = [max(len(row[place]) for row in (grid.columns, *grid.rows)) for place in range(grid.numbers)]
    spare = sum(max(0, share - need) for need in longest)
    texts = [min(need, share + (spare if need > share else 0)) for need in longest]
    while sum(texts) > left:  # several want what is to spare: the widest gives way
        texts[texts.index(max(texts))] -= 1
    return [*texts, *[_NUMBER] * numbers]


def _row(cells: Sequence[str], widths: Sequence[int], numbers: int) -> Iterator[str]:
    """A cell that is too long goes on below, under itself."""
    wrapped = [wrap(cell, width, break_on_hyphens=False) or [""] for cell, width in zip(cells, widths, strict=True)]
    for line in range(max(map(len, wrapped))):
        parts = [cell[line] if line < len(cell) else "" for cell in wrapped]
        aligned = (
            f"{part:>{width}}" if place >= numbers else f"{part:<{width}}"
            for place, (part, width) in enumerate(zip(parts, widths, strict=True))
        )
        yield (" " * _GAP).join(aligned).rstrip()
