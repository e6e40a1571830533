"""The same thing for many at once: all end before this returns, and one error comes out as itself."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")


async def together(work: Callable[[S], Awaitable[T]], things: Iterable[S], *, at_once: int) -> list[T]:
    """The results in order, with at most `at_once` running; the first failure stops the others and is raised."""
    gate = asyncio.Semaphore(at_once)

    async def through(thing: S) -> T:
        async with gate:
            return await work(thing)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(through(thing)) for thing in things]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
