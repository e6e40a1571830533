import ast
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import pytest

from config.settings import Realm, Settings
from mappings.loader import load_mappings
from provisioning.bootstrap import Services
from provisioning.domain.errors import ConfigurationError
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState

ROOT = Path(__file__).parents[3]


def settings(**fields: object) -> Settings:
    known = {
        "database_url": "postgresql+psycopg://nobody@localhost:1/none",
        "redis_url": "redis://localhost:1/0",
        "order_database_url": "postgresql+psycopg://nobody@localhost:1/shop",
        "order_desk_database_url": "postgresql+psycopg://nobody@localhost:1/shop",
        "realm": Realm.SANDBOX,
        "graph_base_url": "https://localhost:1/v1.0",
        "graph_client_id": "9d0a2b0e-0000-4000-8000-000000000001",
        "graph_client_secret": "opens-nothing",
        "consent_key": "0123456789abcdef0123456789abcdef",
        "consent_redirect_url": "https://localhost/consented",
    }
    return Settings.model_validate(known | fields)


def services() -> Services:
    """With the mappings of the files: those in force are the one thing that building asks the database for."""
    made = Services(settings())
    vars(made)["mappings"] = load_mappings()
    return made


def use_cases() -> set[str]:
    """Files in services/ that hold a use case: a callable class of the file's own name."""
    return {file.stem for file in (ROOT / "provisioning" / "services").glob("*.py") if _is_use_case(file)}


def _is_use_case(file: Path) -> bool:
    classes = [node for node in ast.parse(file.read_text("utf-8")).body if isinstance(node, ast.ClassDef)]
    return any(_snake(each.name) == file.stem and "__call__" in _methods(each) for each in classes)


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _methods(node: ast.ClassDef) -> Iterator[str]:
    return (part.name for part in node.body if isinstance(part, ast.FunctionDef))


def made_lazily() -> set[str]:
    return {
        name
        for each in Services.__mro__
        for name, attribute in vars(each).items()
        if isinstance(attribute, cached_property)
    }


class TestServices:
    def test_every_use_case_is_there_under_the_name_of_its_file(self) -> None:
        assert use_cases() - made_lazily() == set()

    @pytest.mark.parametrize("name", sorted(use_cases() - {"seal_audit"}))
    def test_is_built_without_touching_anything_outside(self, name: str) -> None:
        assert callable(getattr(services(), name))

    def test_is_built_once(self) -> None:
        made = services()
        assert made.advance_operation is made.advance_operation

    def test_two_processes_never_hold_a_lease_under_one_name(self) -> None:
        assert Services(settings()).holder != Services(settings()).holder

    def test_every_state_that_is_no_end_and_waits_for_nobody_has_work(self) -> None:
        waiting_for_people = {OperationState.HELD}
        assert set(services()._work) == set(OperationState) - OPERATION_ENDS - waiting_for_people


class TestMissingParts:
    @pytest.mark.parametrize(
        ("name", "missing", "named"),
        [
            pytest.param("collect_orders", "order_database_url", "ORDER_DATABASE_URL", id="no shop"),
            pytest.param("submit_orders", "order_desk_database_url", "ORDER_DESK_DATABASE_URL", id="no desk"),
            pytest.param("consent_url", "consent_redirect_url", "CONSENT_REDIRECT_URL", id="no way back"),
            pytest.param("consent_url", "consent_key", "CONSENT_KEY", id="no key for consent"),
            pytest.param("seal_audit", "checkpoint_key_file", "CHECKPOINT_FOLDER", id="no place for checkpoints"),
        ],
    )
    def test_are_named_when_they_are_needed(self, name: str, missing: str, named: str) -> None:
        with pytest.raises(ConfigurationError, match=named):
            getattr(Services(settings(**{missing: None})), name)

    def test_without_a_shop_there_is_nothing_to_collect(self) -> None:
        assert not Services(settings(order_database_url=None)).has_shop

    def test_overrides_that_cannot_be_read_name_the_setting(self, tmp_path: Path) -> None:
        file = tmp_path / "overrides.json"
        file.write_text('{"tenant": {}}')
        with pytest.raises(ConfigurationError, match="PROVISIONING_GRAPH_OVERRIDES_FILE"):
            _ = Services(settings(graph_overrides_file=file)).graph_settings
