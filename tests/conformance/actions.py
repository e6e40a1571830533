"""What the conformance tests do to people, in one line each."""

from typing import Any

import httpx


def change(
    graph: httpx.Client, user: str, add: list[Any] | None = None, remove: list[str] | None = None, **headers: str
) -> httpx.Response:
    """assignLicense; an addition is a sku id, or a pair of sku id and disabled plans."""
    return graph.post(f"/users/{user}/assignLicense", json=change_body(add, remove), headers=headers)


def change_body(add: list[Any] | None = None, remove: list[str] | None = None) -> dict[str, Any]:
    pairs = [addition if isinstance(addition, tuple) else (addition, []) for addition in add or []]
    additions = [{"skuId": sku_id, "disabledPlans": disabled} for sku_id, disabled in pairs]
    return {"addLicenses": additions, "removeLicenses": remove or []}


def states(graph: httpx.Client, user: str) -> list[dict[str, Any]]:
    response = graph.get(f"/users/{user}", params={"$select": "id,licenseAssignmentStates"})
    held: list[dict[str, Any]] = response.json()["licenseAssignmentStates"]
    return held


def skus_of(graph: httpx.Client, user: str) -> set[str]:
    return {state["skuId"] for state in states(graph, user)}


def consumed(graph: httpx.Client, sku_id: str) -> int:
    skus = graph.get("/subscribedSkus").json()["value"]
    return next(sku["consumedUnits"] for sku in skus if sku["skuId"] == sku_id)


def message(response: httpx.Response) -> str:
    text: str = response.json()["error"]["message"]
    return text


def item(number: object, method: str, url: str, body: Any = None, **more: Any) -> dict[str, Any]:
    """One request of a batch."""
    content = {"headers": {"Content-Type": "application/json"}, "body": body} if body is not None else {}
    return {"id": str(number), "method": method, "url": url, **content, **more}


def batch(graph: httpx.Client, *items: dict[str, Any]) -> httpx.Response:
    return graph.post("/$batch", json={"requests": list(items)})


def answers(response: httpx.Response) -> dict[str, dict[str, Any]]:
    return {answer["id"]: answer for answer in response.json()["responses"]}
