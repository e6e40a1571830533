"""How far long work is and how long it still takes; said on standard error, and only to a terminal."""

import sys
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

_Item = TypeVar("_Item")


def track(items: Iterable[_Item], title: str, total: int | None = None, size: str = "count") -> Iterator[_Item]:
    """The items, one by one, while a bar shows how many (or with size="bytes" how many bytes) went by."""
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    figures = (TextColumn("{task.completed:,.0f}"),) if total is None else (TaskProgressColumn(), TimeRemainingColumn())
    columns = (TextColumn("{task.description}"), BarColumn(), *figures)
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=total)
        for item in items:
            yield item
            progress.advance(task, len(item) if size == "bytes" and isinstance(item, Sized) else 1)
