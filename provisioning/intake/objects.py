"""A file that is one object, read whole or not at all."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeVar

from provisioning.domain.errors import InputError
from provisioning.intake.branches import Branch
from provisioning.intake.problems import Problem, refuse_if_any
from provisioning.intake.reading import as_text, read_bytes
from provisioning.intake.trees import LARGEST, parse_tree

_Meant = TypeVar("_Meant")


def read_object(path: Path) -> bytes:
    """Raises InputError for a file that is larger than can be meant."""
    content = read_bytes(path)
    if len(content) > LARGEST:
        raise InputError(f"{path.name} has {len(content):,} bytes; at most {LARGEST:,} can be meant.")
    return content


def parse_object(name: str, content: bytes, fields: Collection[str], build: Callable[[Branch], _Meant]) -> _Meant:
    """What `build` makes of it. Raises InputError, FileRefusedError with every problem that building it noted.

    `name` tells YAML from JSON in doubt.
    """
    problems: list[Problem] = []
    tree = parse_tree(name, as_text(name, content))
    root = Branch("", tree, fields, problems)
    if not isinstance(tree, dict):
        refuse_if_any(name, problems)
    built = build(root)
    refuse_if_any(name, list(dict.fromkeys(problems)))
    return built
