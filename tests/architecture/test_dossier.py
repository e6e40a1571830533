"""The twin is tested row by row: each row of the tables that clients depend on has a conformance test that names it."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.architecture.source import ROOT

# Table of the dossier, and how many rows it has (for costs: ten operations and the modifiers).
TABLES = {
    "1_4": range(1, 18),
    "3_4": range(1, 20),
    "5_2": range(1, 11),
    "7_2": range(1, 12),
    "7_5": range(1, 7),
}
_ROW = re.compile(r"test_g(\d+_\d+)_(\d\d)_\w+")


def conformance_tests() -> Iterator[str]:
    """The names of all conformance tests."""
    for file in sorted((ROOT / "tests" / "conformance").glob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield node.name


@pytest.mark.parametrize("table", TABLES)
def test_every_row_of_the_table_is_named_by_a_test(table: str) -> None:
    named = {int(match[2]) for name in conformance_tests() if (match := _ROW.fullmatch(name)) and match[1] == table}
    assert sorted(set(TABLES[table]) - named) == []
    assert sorted(named - set(TABLES[table])) == []
