"""The twin's README names what the twin has."""

import re
from pathlib import Path

import provisioning.sandbox
from provisioning.sandbox.control import OPERATIONS
from provisioning.sandbox.control_settings import FAULT_ROUTES
from provisioning.sandbox.switches import Switches

README = Path(provisioning.sandbox.__file__ or "").with_name("README.md").read_text("utf-8")
_CODE = re.compile(r"`([^`\n]+)`")


def section(start: str) -> str:
    return README[README.index(start) :]


class TestReadme:
    def test_lists_the_routes_that_faults_can_hit(self) -> None:
        listed = section("Fault routes:").partition(". A fault")[0]
        assert set(_CODE.findall(listed)) == FAULT_ROUTES

    def test_lists_every_operation_of_the_control_api(self) -> None:
        table = section("## Control API")
        words = set(re.findall(r"[a-z/]+", " ".join(_CODE.findall(table))))
        assert {name for _, name in OPERATIONS} - words - {"quotas/fill", "quotas/drain"} == set()

    def test_names_switches_that_exist(self) -> None:
        reading = section("### How it reads").removeprefix("#").partition("\n##")[0]
        named = {word for word in _CODE.findall(reading) if re.fullmatch(r"[a-z]+(_[a-z]+)+", word)}
        assert named <= set(Switches.__struct_fields__) | {"token_error"}
        assert "delta_replays" in named
