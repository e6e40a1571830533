"""How a story is told: lines that stay, and on a terminal one line that moves. Never wider than eighty columns."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from textwrap import fill
from typing import Any, TextIO

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

WIDTH = 80


class Narrator:
    """Speaks to people on standard output; where a program reads that, on standard error."""

    def __init__(self, stream: TextIO | None = None) -> None:
        terminal = Console(file=stream or sys.stdout, highlight=False)
        width = min(WIDTH, terminal.width) if terminal.is_terminal else WIDTH
        self.console = Console(file=stream or sys.stdout, highlight=False, width=width)
        self._began = time.monotonic()
        self._scenes = 0

    @property
    def elapsed(self) -> float:
        """Seconds since the story began."""
        return time.monotonic() - self._began

    def scene(self, title: str, told: str) -> None:
        """The next scene, and what it shows in a sentence or two."""
        self._scenes += 1
        self.console.print()
        self.console.print(Text(f"{self._scenes}. {title}", style="bold"))
        self.say(told)

    def chapter(self, title: str) -> None:
        """A heading outside the scenes."""
        self.console.print()
        self.console.print(Text(title, style="bold"))

    def say(self, text: str) -> None:
        self.console.print(Text(fill(" ".join(text.split()), self.console.width - 1)))

    def step(self, text: str) -> None:
        """Something happened, just now."""
        head = f"{self.elapsed:5.1f} s  "
        self.console.print(Text(fill(head + text, self.console.width - 1, subsequent_indent=" " * len(head))))

    def block(self, text: str) -> None:
        """Text that has its lines already, such as a plan or commands to type: none is broken."""
        self.console.print(Text("\n".join(f"    {line}".rstrip() for line in text.splitlines())), soft_wrap=True)

    def page(self, text: str) -> None:
        """Text that fills the width by itself, such as an assessment."""
        self.console.print(Text(text), soft_wrap=True)

    def show(self, what: RenderableType) -> None:
        self.console.print(what)

    @contextmanager
    def live(self, text: str) -> Iterator[Callable[[str], None]]:
        """A line that moves on a terminal, and is silent elsewhere; call what it gives to change the text."""
        if not self.console.is_terminal:
            yield lambda _: None
            return
        with self.console.status(text) as status:
            yield status.update


def table(titles: Sequence[str], rows: Sequence[Sequence[Any]], *, right: Sequence[int] = ()) -> Table:
    """Rows under their titles; the columns numbered in `right` hold numbers."""
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for number, title in enumerate(titles):
        grid.add_column(title, justify="right" if number in right else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(Text(str(cell)) for cell in row))
    return grid
