"""The twin's README names what the twin has."""

import ast
import itertools
import json
import re
from pathlib import Path

import msgspec

import provisioning.sandbox
from provisioning.sandbox.control import OPERATIONS
from provisioning.sandbox.control_settings import FAULT_ROUTES
from provisioning.sandbox.routes import ROUTES
from provisioning.sandbox.switches import Switches

README = Path(provisioning.sandbox.__file__ or "").with_name("README.md").read_text("utf-8")
_ROW = re.compile(r"^\| `(\w+)` \| `(.*?)` \| (.*) \|$", re.MULTILINE)
_CODE = re.compile(r"`([^`\n]+)`")


def section(start: str) -> str:
    return README[README.index(start) :]


def meanings() -> dict[str, str]:
    """What stands under each switch in its module."""
    source = Path(provisioning.sandbox.__file__ or "").with_name("switches.py").read_text("utf-8")
    fields = next(node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)).body
    return {
        field.target.id: " ".join(text.value.value.split())
        for field, text in itertools.pairwise(fields)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str)
    }


class TestReadme:
    def test_lists_the_routes_that_faults_can_hit(self) -> None:
        listed = section("Fault routes:").partition(". A fault")[0]
        assert set(_CODE.findall(listed)) == FAULT_ROUTES

    def test_lists_every_operation_of_the_control_api(self) -> None:
        table = section("## Control API")
        words = set(re.findall(r"[a-z/]+", " ".join(_CODE.findall(table))))
        assert {name for _, name in OPERATIONS} - words - {"quotas/fill", "quotas/drain"} == set()

    def test_lists_every_switch_with_its_default_and_its_meaning(self) -> None:
        defaults = json.loads(msgspec.json.encode(Switches()))
        listed = {name: (default, text) for name, default, text in _ROW.findall(section("## Switches"))}
        told = {name: (json.loads(default), text) for name, (default, text) in listed.items()}
        assert told == {name: (default, meanings()[name]) for name, default in defaults.items()}

    def test_lists_every_route(self) -> None:
        table = section("## What it serves").partition("\n###")[0]
        words = set(re.findall(r"[$\w]+", " ".join(_CODE.findall(table))))
        for route in ROUTES:
            named = [part for part in route.pattern.split("/") if re.fullmatch(r"[$A-Za-z]+", part)]
            assert set(named) <= words, route.pattern

    def test_names_switches_that_exist(self) -> None:
        reading = section("### How it reads").removeprefix("#").partition("\n##")[0]
        named = {word for word in _CODE.findall(reading) if re.fullmatch(r"[a-z]+(_[a-z]+)+", word)}
        assert named <= set(Switches.__struct_fields__) | {"token_error"}
        assert "delta_replays" in named
