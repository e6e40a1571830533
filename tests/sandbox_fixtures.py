"""A sandbox of its own for each folder whose conftest imports these: what one folder does to it, no other sees."""

from collections.abc import Iterator

import pytest

from tests.conformance.school import world_seed
from tests.sandbox_process import SandboxProcess


@pytest.fixture(scope="session")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with SandboxProcess().start(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture
def sandbox(process: SandboxProcess) -> SandboxProcess:
    """The running sandbox, its world made anew."""
    process.control.seed(world_seed())
    process.control.clear_faults()
    return process
