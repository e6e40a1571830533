"""How the conformance tests read collections of people."""

from collections.abc import Iterator
from typing import Any

import httpx

from tests.conformance.school import BOTH_WAYS, GUEST, INHERITING, PUPIL, WITH_A1, WITH_NOTHING, WITHOUT_LOCATION

EVENTUAL = {"ConsistencyLevel": "eventual"}
EVERYBODY = [WITH_A1, WITH_NOTHING, WITHOUT_LOCATION, INHERITING, BOTH_WAYS, GUEST, PUPIL]


def ids(response: httpx.Response) -> list[str]:
    return [user["id"] for user in response.json()["value"]]


def pages(
    graph: httpx.Client, headers: dict[str, str] | None = None, address: str = "/users", **options: Any
) -> Iterator[httpx.Response]:
    response = graph.get(address, params=options, headers=headers)
    yield response
    while link := response.json().get("@odata.nextLink"):
        response = graph.get(link, headers=headers)
        yield response


def refusal(response: httpx.Response) -> tuple[int, str]:
    """Status and code of a refused request."""
    return response.status_code, response.json()["error"]["code"]
