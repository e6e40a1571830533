"""What holds for every test."""

import gc

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session):  # noqa: ANN201, ARG001  a generator around pytest's own hook
    """No garbage collection while test modules are rewritten: a finalizer that parses breaks CPython 3.11's parser.

    (python/cpython#106905: "AST constructor recursion depth mismatch".)
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
