"""The installed command as a process: interrupted at chosen moments, and at its end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

NOWHERE = {
    "DATABASE_URL": "postgresql+psycopg://nobody@localhost:1/nothing",
    "REDIS_URL": "redis://localhost:1/0",
    "PROVISIONING_REALM": "sandbox",
    "PROVISIONING_GRAPH_BASE_URL": "https://localhost:1/v1.0",
    "PROVISIONING_GRAPH_AUTHORITY": "https://localhost:1",
    "PROVISIONING_GRAPH_CLIENT_ID": "9d0a2b0e-0000-4000-8000-000000000001",
    "PROVISIONING_GRAPH_CLIENT_SECRET": "opens-nothing",
}
# Ctrl-C, typed in the very moment in which a module begins to be imported.
TYPED = """
import os, signal, sys

moment = sys.argv.pop(1)

class Finger:
    def find_spec(self, name, path=None, target=None):
        if name == moment:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finger())
from provisioning.cli.entry import main
main()
"""


def typed(*words: str, script: str = TYPED, ignoring: bool = False) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *words],
        env={**os.environ, **NOWHERE},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN if ignoring else signal.SIG_DFL),
    )


class TestInterrupted:
    @pytest.mark.parametrize(
        "module", ["provisioning.cli.app", "typer", "msgspec", "provisioning.cli.commands.tenants"]
    )
    def test_while_the_command_loads_it_ends_at_once_with_a_sentence(self, module: str) -> None:
        ended = typed(module, "doctor")
        assert (ended.returncode, ended.stdout) == (130, "")
        assert ended.stderr == "Stopped by you, before anything was begun.\n"

    @pytest.mark.parametrize("module", ["provisioning.bootstrap", "sqlalchemy.engine", "msgraph", "celery", "psycopg"])
    def test_while_its_work_loads_it_ends_in_order_with_a_sentence(self, module: str) -> None:
        ended = typed(module, "doctor")
        assert (ended.returncode, ended.stdout) == (130, "")
        assert ended.stderr.startswith("Stopped by you. What was begun is safe")
        assert ended.stderr.count("\n") == 1

    def test_a_command_that_ignores_interrupts_goes_on_doing_so(self) -> None:
        """As in the background of a script, or behind nohup."""
        ended = typed("typer", "mappings", "check", ignoring=True)
        assert (ended.returncode, ended.stderr) == (0, "")


class TestEntry:
    def test_is_what_is_installed(self) -> None:
        installed = Path(sys.executable).with_name("provisioning")
        assert "from provisioning.cli.entry import main" in installed.read_text()

    def test_imports_nothing_heavy_before_it_listens(self) -> None:
        script = "import sys\nimport provisioning.cli.entry\nprint(*sorted(m for m in sys.modules if m[0] != '_'))"
        loaded = typed(script=script).stdout.split()
        assert not {"typer", "click", "rich", "msgspec", "provisioning.cli.app"} & set(loaded)

    @pytest.mark.parametrize(("words", "code"), [(("--help",), 0), (("worklist",), 1), (("no-such",), 2)])
    def test_hands_on_the_exit_code(self, words: tuple[str, ...], code: int) -> None:
        assert typed("nothing", *words).returncode == code
