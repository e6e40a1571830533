from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.local.engines import Engines
from tests.engines import engines, temporary_folder

__all__ = ["engines"]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in which nothing ever ran."""
    with temporary_folder() as made:
        yield made


@pytest.fixture(scope="session")
def used_folder() -> Iterator[Path]:
    """A folder in which engines ran before; the tests take turns in it."""
    with temporary_folder() as made:
        Engines.start(made, durable=False).stop()
        yield made
