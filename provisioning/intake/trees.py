"""From the text of one YAML or JSON document to plain values: strictly, so that nothing means what it does not say.

YAML is read as its version 1.2 means it: `no` is a word, `22:00` is a word, `00012` keeps its zeros, a date is a text.
Anchors, aliases and tags are refused (a few lines of them can fill any memory), and so are keys that are there twice.
"""

import json
import re
from collections.abc import Hashable
from typing import Any

import yaml

from provisioning.domain.errors import InputError
from provisioning.intake.problems import Problem, refuse_if_any

LARGEST = 1_000_000  # bytes; a selector of 20,000 ids fits
_DEEPEST = 50

_JSON_BEGINS = "{["


def parse_tree(name: str, text: str) -> Any:
    """The one document of the text. JSON by its name or its first character, else YAML.

    Raises InputError with line and column where it cannot be read, FileRefusedError with every repeated key.
    """
    if len(text) > LARGEST:
        raise InputError(f"{name} has {len(text):,} characters; at most {LARGEST:,} can be meant.")
    is_json = name.lower().endswith(".json") or (
        not name.lower().endswith((".yaml", ".yml")) and text.lstrip().startswith(tuple(_JSON_BEGINS))
    )
    return parse_json(name, text) if is_json else _parse_yaml(name, text)


def parse_json(name: str, text: str) -> Any:
    """As `parse_tree`, of any size. Raises InputError, FileRefusedError."""
    problems: list[Problem] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [key for key, _ in pairs]
        problems.extend(
            Problem(key, "", "is there twice in one object; keep one.")
            for key in dict.fromkeys(names)
            if names.count(key) > 1
        )
        return dict(pairs)

    try:
        tree = json.loads(text, object_pairs_hook=once, parse_constant=_no_number)
    except RecursionError as error:
        raise InputError(f"{name} nests too deep to be read; write it flatter.") from error
    except json.JSONDecodeError as error:
        raise InputError(f"{name}, line {error.lineno}, column {error.colno}: {error.msg}; it is no JSON.") from error
    except ValueError as error:  # a number of thousands of digits, or none
        raise InputError(f"{name} holds a number that cannot be read: {error}.") from error
    refuse_if_any(name, problems)
    return tree


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number of JSON")


def _parse_yaml(name: str, text: str) -> Any:
    try:
        reader = _Strict(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise InputError(f"{name}, line {line}: an invisible character stands here; type it again.") from error
    try:
        tree = reader.get_single_data()
    except yaml.MarkedYAMLError as error:
        raise InputError(f"{name}{_place(error.problem_mark)}: {_told(error)}.") from error
    finally:
        reader.dispose()
    refuse_if_any(name, reader.problems)
    return tree


def _place(mark: yaml.Mark | None) -> str:
    return "" if mark is None else f", line {mark.line + 1}, column {mark.column + 1}"


def _told(error: yaml.MarkedYAMLError) -> str:
    told = " ".join(word for word in (error.problem, error.context and f"({error.context})") if word)
    return told.rstrip(".") or "this is no YAML"


def _refused(problem: str, at: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=at.start_mark)


class _Strict(yaml.SafeLoader):
    """The safe loader, less what YAML can do beyond writing values down."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  # as PyYAML has it

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.problems: list[Problem] = []
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs leave it open
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refused("anchors and aliases (& and *) are not read; write the value out", event)
        if getattr(event, "tag", None):
            raise _refused("tags (!) are not read; write the value plainly", event)
        if self._depth == _DEEPEST:
            raise _refused(f"this nests deeper than {_DEEPEST} levels; write it flatter", event)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _refused("a field's name is one word", key)
            if key.value in seen:
                place = f"line {key.start_mark.line + 1}"
                self.problems.append(Problem(place, key.value, "is there twice in one object; keep one."))
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


for _tag, _pattern, _first in (
    ("tag:yaml.org,2002:null", r"~|null|", ["~", "n", ""]),
    ("tag:yaml.org,2002:bool", r"true|false", ["t", "f"]),
    ("tag:yaml.org,2002:int", r"-?(?:0|[1-9][0-9]{0,17})", list("-0123456789")),
    ("tag:yaml.org,2002:float", r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,17}", list("-0123456789")),
):
    _Strict.add_implicit_resolver(_tag, re.compile(rf"(?:{_pattern})\Z"), _first)
