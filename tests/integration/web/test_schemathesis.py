"""Whatever is sent by the description of the API: never a fault of ours, and every answer as described.

Schemathesis takes most of a second to import: each test process collects this file, one of them runs it.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable

from provisioning.bootstrap import Services
from provisioning.database.realm import Realm, claim_realm
from provisioning.domain.actors import Role
from provisioning.web.app import create_app
from tests.factories import NOW
from tests.integration.web.landscape import settle

MODES = ("positive", "negative")
CALLERS = {
    "person:everybody": (Role.ADMIN, Role.OPERATOR, Role.APPROVER, Role.AUDITOR),
    "client:programs": (Role.BOARD,),
    "client:desk": (Role.DESK,),
    "client:shop": (Role.SHOP,),
}
FEW, MANY = 2, 40  # requests to each operation, and as many wrong ones


@pytest.fixture
def app(services: Services) -> FastAPI:
    settle(services, "aamark", "41000", "41AA")
    claim_realm(services.engine, Realm.SANDBOX, NOW)  # ready
    return create_app(services)


@pytest.fixture
def headers(token_of: Callable[..., str], caller: str) -> dict[str, str]:
    board = "41000" if Role.BOARD in CALLERS[caller] else None
    return {"Authorization": f"Bearer {token_of(caller, *CALLERS[caller], board=board)}"}


def operations(app: FastAPI) -> Iterator[Any]:
    import schemathesis

    schema = schemathesis.openapi.from_asgi("/api/openapi.json", app)
    for found in schema.get_all_operations():
        yield found.ok()


def probe(app: FastAPI, headers: dict[str, str], examples: int, mode: str) -> None:
    from schemathesis import GenerationMode
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

    checks = [not_a_server_error, content_type_conformance, response_schema_conformance]
    for operation in operations(app):

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=GenerationMode(mode)))
        def send(case: Any) -> None:
            case.validate_response(case.call(headers=headers), checks=checks)

        with suppress(Unsatisfiable):  # where nothing is asked for, nothing can be asked wrongly
            send()


@pytest.mark.parametrize(
    ("caller", "mode"), [*(("person:everybody", mode) for mode in MODES), ("client:programs", "positive")]
)
def test_no_request_brings_it_down(app: FastAPI, headers: dict[str, str], mode: str) -> None:
    probe(app, headers, FEW, mode)


@pytest.mark.slow
@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("mode", MODES)
def test_nor_do_thousands(app: FastAPI, headers: dict[str, str], mode: str) -> None:
    probe(app, headers, MANY, mode)


def test_every_way_of_generating_is_used() -> None:
    from schemathesis import GenerationMode

    assert set(MODES) == set(GenerationMode)


def test_every_role_calls() -> None:
    assert {role for roles in CALLERS.values() for role in roles} == set(Role)


def test_every_route_is_probed(app: FastAPI) -> None:
    described = {(method.upper(), path) for path, methods in app.openapi()["paths"].items() for method in methods}
    assert {(one.method.upper(), one.path) for one in operations(app)} == described
