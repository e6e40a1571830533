"""What the log says of a request: ids and the route, never an address, a token or a name."""

from structlog.testing import capture_logs

from tests.integration.web.conftest import Asker

SECRETS = ("somebody@school.example", "token-of-person:duty")


def told(operator: Asker, path: str) -> dict[str, object]:
    with capture_logs() as logs:
        answer = operator.get(path, params={"order_number": SECRETS[0]})
    (line,) = [log for log in logs if log["event"] == "api.asked"]
    assert line["request"] == answer.headers["x-request-id"]
    assert not [secret for secret in SECRETS if secret in repr(logs)]
    return line


def test_names_the_route_the_actor_and_what_came_of_it(operator: Asker) -> None:
    line = told(operator, "/api/v1/orders")
    assert (line["method"], line["route"], line["status"]) == ("GET", "/api/v1/orders", 200)
    assert line["actor"] == "person:duty"


def test_holds_no_part_of_an_address_that_names_somebody(operator: Asker) -> None:
    line = told(operator, f"/api/v1/orders/{SECRETS[0]}")
    assert (line["route"], line["status"]) == ("/api/v1/orders/{order}", 404)


def test_watching_leaves_no_line(operator: Asker) -> None:
    with capture_logs() as logs:
        operator.get("/healthz")
    assert [log for log in logs if log["event"] == "api.asked"] == []
