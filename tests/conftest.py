"""What holds for every test."""

import gc

import pytest
import structlog

from tests.journeys.worlds import is_shared

# What is logged unconfigured: with tracebacks as Python prints them. Drawn in boxes with all their locals they take
# seconds each, of tests whose very subject is an error.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session):  # noqa: ANN201, ARG001  a generator around pytest's own hook
    """No garbage collection while test modules are rewritten: a finalizer that parses breaks CPython 3.11's parser.

    (python/cpython#106905: "AST constructor recursion depth mismatch".)
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()  # thousands of test items that live to the end: nothing to look through again and again
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first, so that nobody waits for a last journey: kills, the other journeys, the rest.

    Those that share a world come one after another, so that it ends when they have.
    """
    items.sort(key=_how_short)


def _how_short(item: pytest.Item) -> int:
    if "/journeys/" not in item.path.as_posix():
        return 3
    return 2 if is_shared(item.path.stem) else 0 if item.path.stem == "test_kills" else 1
