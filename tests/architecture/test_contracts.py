"""The import contracts themselves: nothing may stand outside of them."""

import re
from typing import Any, cast

from tests.architecture.source import PACKAGES, ROOT, project


def contracts() -> dict[str, dict[str, Any]]:
    tools = cast("dict[str, Any]", project()["tool"])
    return {contract["id"]: contract for contract in tools["importlinter"]["contracts"]}


def parts() -> set[str]:
    """What the product consists of: the packages and modules right under `provisioning`, and the other packages."""
    inside = (ROOT / "provisioning").iterdir()
    found = {f"provisioning.{part.stem}" for part in inside if part.suffix == ".py" or (part / "__init__.py").exists()}
    return (found | set(PACKAGES)) - {"provisioning", "provisioning.__init__"}


def layered() -> set[str]:
    return {name for line in contracts()["layers"]["layers"] for name in re.findall(r"[\w.]+", line)}


class TestLayers:
    def test_every_part_has_its_layer(self) -> None:
        assert parts() - {"provisioning.sandbox"} <= layered()


class TestWitness:
    def test_the_sandbox_may_import_none_of_the_parts(self) -> None:
        assert set(contracts()["witness"]["forbidden_modules"]) == parts() - {"provisioning.sandbox"}

    def test_nobody_may_import_the_sandbox(self) -> None:
        assert contracts()["witness-unseen"]["allowed_importers"] == []
