"""What no linter says: the habits of the house."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from tests.architecture.source import ROOT, files, nodes, place, texts

LONGEST_FUNCTION = 50
LONGEST_MODULE = 300
MEDIAN_FUNCTION = 8
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

# Nothing is called so: the words say nothing.
BANNED_WORDS = {"data", "info", "manager", "helper", "handler", "utils"}
# a level of logs everywhere; a school's role in the trade; what a route of FastAPI overrides
OTHERS_WORDS = {"INFO", "NETWORK_MANAGER", "get_route_handler"}

SQL_TIME = re.compile(
    r"\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|localtimestamp)\s*\(|"
    r"\bcurrent_(timestamp|date|time)\b",
    re.IGNORECASE,
)
# The one question about the database's own clock: how far it is from ours (design: clock skew blocks writes).
MAY_ASK_DATABASE_TIME = {"provisioning/database/engine.py"}


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in nodes(file) if isinstance(node, FUNCTIONS))


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of what it does, from its first statement on; its documentation does not count."""
    body = node.body
    is_documented = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    statements = body[1:] if is_documented and len(body) > 1 else body
    return (statements[-1].end_lineno or 0) - statements[0].lineno + 1


def words(name: str) -> set[str]:
    return set(re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()))


def names(file: Path) -> Iterator[tuple[ast.AST, str]]:
    """Every name that the file gives to something."""
    for node in nodes(file):
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            yield node, node.name
        elif isinstance(node, ast.arg):
            yield node, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node, node.id


class TestSize:
    def test_no_function_is_longer_than_fifty_lines(self) -> None:
        long = [place(file, node) for file in files() for node in functions(file) if length(node) > LONGEST_FUNCTION]
        assert long == []

    def test_half_of_all_functions_have_eight_lines_at_most(self) -> None:
        lengths = [length(node) for file in files() for node in functions(file)]
        assert median(lengths) <= MEDIAN_FUNCTION

    def test_no_module_is_longer_than_three_hundred_lines(self) -> None:
        mapped = ROOT / "provisioning" / "database" / "tables"
        lines = {
            place(file): len(file.read_text("utf-8").splitlines()) for file in files() if mapped not in file.parents
        }
        assert {name: count for name, count in lines.items() if count > LONGEST_MODULE} == {}


class TestNames:
    def test_say_something(self) -> None:
        empty = [
            f"{place(file, node)} {name}"
            for file in files()
            for node, name in names(file)
            if words(name) & BANNED_WORDS and name not in OTHERS_WORDS
        ]
        assert empty == []

    def test_of_files_too(self) -> None:
        assert [place(file) for file in files() if words(file.stem) & BANNED_WORDS] == []


class TestTime:
    def test_no_statement_asks_the_database_what_time_it_is(self) -> None:
        """A sandbox's clock goes faster than the database's: a wait that one set and the other read would never end."""
        asking = [
            place(file, node)
            for file in files()
            if place(file) not in MAY_ASK_DATABASE_TIME
            for node, text in texts(file)
            if SQL_TIME.search(text)
        ]
        assert asking == []

    def test_no_migration_does(self) -> None:
        versions = ROOT / "provisioning" / "database" / "migrations" / "versions"
        assert [place(file) for file in versions.glob("*.py") if SQL_TIME.search(file.read_text("utf-8"))] == []

    @pytest.mark.parametrize("called", ["now", "utcnow", "today"])
    def test_only_clocks_read_the_clock(self, called: str) -> None:
        """Everything waits on the Clock port; only the sandbox, starting engines and typing people have other time."""
        own_time = ("config/clock.py", "provisioning/sandbox/", "provisioning/local/", "provisioning/cli/commands/")
        reading = [
            place(file, node)
            for file in files()
            if not place(file).startswith(own_time)
            for node in nodes(file)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == called
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id in {"datetime", "date"}
        ]
        assert reading == []


class TestPlaces:
    def test_no_path_of_somebodys_machine_is_written_down(self) -> None:
        elsewhere = re.compile(r"(?<![\w.])/(home|root|Users|work|mnt|opt|private)/")
        found = [place(file, node) for file in files() for node, text in texts(file) if elsewhere.search(text)]
        assert found == []

    def test_no_address_of_somebodys_network_is_written_down(self) -> None:
        address = re.compile(r"\b(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d{1,3}){2,3}\b")
        found = [place(file, node) for file in files() for node, text in texts(file) if address.search(text)]
        assert found == []
