"""Engines for tests. Import the fixture in a conftest: `from tests.engines import engines`.

Each xdist worker starts its own pair (under a second): nothing is shared between workers, so nothing waits.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from provisioning.local.engines import Engines


@pytest.fixture(scope="session")
def engines() -> Iterator[Engines]:
    with temporary_folder() as folder, Engines.start(folder, durable=False) as running:
        yield running


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """One that the engines' account can reach; pytest's own are closed to all but their maker."""
    with TemporaryDirectory(prefix="provisioning-test-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


@contextmanager
def temporary_database(engines: Engines, template: str | None = None) -> Iterator[str]:
    """The name of a database of one's own; a copy of `template`, to which nobody may be connected."""
    name = f"test_{secrets.token_hex(6)}"
    engines.create_database(name, template)
    try:
        yield name
    finally:
        engines.drop_database(name)
