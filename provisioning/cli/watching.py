"""Looking at a migration again and again: live in a terminal, as lines where there is none."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from provisioning.cli.output import WIDTH
from provisioning.domain.migration_lifecycle import MIGRATION_ENDS, WaveState
from provisioning.services.migration_sheet import MigrationSheet, WaveSheet

if TYPE_CHECKING:
    from provisioning.cli.output import Speech
    from provisioning.cli.wording import Wording

_NAME = 20  # characters of a wave's name
_FIGURES = 24
_BAR = 22
Look = Callable[[], MigrationSheet]
Show = Callable[[MigrationSheet], None]


def watch(look: Look, show: Show, wait: Callable[[], None]) -> MigrationSheet:
    """Show it whenever it has changed, until it is over; the last look."""
    seen = None
    while True:
        found = look()
        if found != seen:
            show(found)
        if _is_over(found):
            return found
        seen = found
        wait()


def _is_over(found: MigrationSheet) -> bool:
    return found.migration.state in MIGRATION_ENDS and not found.operations


@contextmanager
def screen(speech: "Speech", wording: "Wording", clock: Callable[[], datetime]) -> Iterator[Show]:
    """Where looks are shown: on one place of a terminal, below each other, or as a line of JSON each."""
    if speech.as_json or not sys.stdout.isatty():
        yield lambda found: speech.show_next(found, "\n".join(lines(found, wording, clock())))
        return
    from rich.live import Live

    with Live(console=_console(), auto_refresh=False) as live:
        yield lambda found: live.update(_picture(found, wording, clock()), refresh=True)


def lines(found: MigrationSheet, wording: "Wording", now: datetime) -> list[str]:
    """One look, in at most eighty columns: the whole, and a line for each wave."""
    return [*_headlines(found, wording, now), *(_line(wave, wording) for wave in found.waves)]


def _headlines(found: MigrationSheet, wording: "Wording", now: datetime) -> Iterator[str]:
    asking = sum(one.digest is not None for one in found.operations)
    waiting = f", {asking} to approve" if asking else ""
    yield f"{now:%H:%M:%S} UTC  {wording.of_migration(found.migration.state)}{waiting}"
    if found.writes_left:
        pace = f" at {found.rate:.1f} a second" if found.rate else ""
        end = f", done about {found.writes_done_at:%H:%M} UTC" if found.writes_done_at else ""
        yield f"  {found.writes_left:,} writes left{pace}{end}"


def _line(wave: WaveSheet, wording: "Wording") -> str:
    """What is too long at its end is cut: numbers come first."""
    named = f"{wave.number} {wave.name}"[:_NAME]
    figures = f"{wave.arrived:,} of {wave.going:,}{_trouble(wave)}"
    return f"  {named:<{_NAME}} {figures:<{_FIGURES}}  {wording.of_migration(wave.state)}"[:WIDTH].rstrip()


def _trouble(wave: WaveSheet) -> str:
    failed = sum(one.people for one in wave.failed)
    counts = ((failed, "failed"), (wave.gates_open - wave.gates_late, "at gate"), (wave.gates_late, "late"))
    return "".join(f", {people:,} {word}" for people, word in counts if people)


def _console() -> Any:
    from rich.console import Console

    return Console(highlight=False)


def _picture(found: MigrationSheet, wording: "Wording", now: datetime) -> Any:
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 1, 0, 0))
    for wave in found.waves:
        figures = f"{wave.arrived:,}/{wave.going:,}{_trouble(wave)}"
        bar = ProgressBar(max(1, wave.going), _shown(wave), width=_BAR, complete_style="cyan", finished_style="green")
        named = f"{wave.number} {wave.name}"[:_NAME]
        grid.add_row(Text(named), bar, Text(figures), Text(wording.of_migration(wave.state)))
    return Group(*map(Text, _headlines(found, wording, now)), grid)


def _shown(wave: WaveSheet) -> int:
    """A wave that is over has a whole bar, whoever stayed behind."""
    return max(1, wave.going) if wave.state in {WaveState.DONE, WaveState.ROLLED_BACK} else wave.arrived
