"""Whatever is sent by the description of the API: never a fault of ours, and every answer as described."""

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance
from starlette.testclient import TestClient

from provisioning.domain.actors import Role
from tests.integration.web.landscape import settle

CHECKS = (not_a_server_error, content_type_conformance, response_schema_conformance)
EVERYBODY = (Role.ADMIN, Role.OPERATOR, Role.APPROVER, Role.AUDITOR)


def probe(client: TestClient, headers: dict[str, str], examples: int) -> None:
    """So many requests to each operation, one of them as wrong as the others are right."""
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", client.app)
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @schemathesis.pytest.parametrize  # type: ignore[attr-defined]
        def send(case: Any) -> None:
            case.call_and_validate(headers=headers, checks=CHECKS)

        send(operation)


@pytest.fixture
def headers(services: Any, token_of: Callable[..., str]) -> dict[str, str]:
    settle(services, "aamark", "41000", "41AA")
    return {"Authorization": f"Bearer {token_of('person:everybody', *EVERYBODY)}"}
