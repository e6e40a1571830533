from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import engines, temporary_folder

__all__ = ["engines"]


@pytest.fixture
def folder() -> Iterator[Path]:
    with temporary_folder() as made:
        yield made
