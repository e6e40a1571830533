"""The project's own files, parsed once."""

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("provisioning", "tasks", "mappings", "config")


@cache
def files() -> tuple[Path, ...]:
    """Python files of the product, migrations apart: they are history."""
    found = (file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py")))
    return tuple(file for file in found if "versions" not in file.parts)


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"), str(file))


@cache
def nodes(file: Path) -> tuple[ast.AST, ...]:
    """Everything in the tree: looked up once, for most tests go through all of it."""
    return tuple(ast.walk(tree(file)))


def place(file: Path, node: ast.AST | None = None) -> str:
    line = "" if node is None else f":{getattr(node, 'lineno', 1)}"
    return f"{file.relative_to(ROOT)}{line}"


@cache
def texts(file: Path) -> tuple[tuple[ast.AST, str], ...]:
    """Every string in the code; documentation apart."""
    return tuple(_texts(file))


def _texts(file: Path) -> Iterator[tuple[ast.AST, str]]:
    documented = {id(node.value) for node in nodes(file) if isinstance(node, ast.Expr)}
    for node in nodes(file):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
            yield node, node.value


@cache
def project() -> dict[str, object]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
