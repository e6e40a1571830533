"""POST /$batch: envelopes, items, order."""

import httpx
import pytest

from tests.conformance.actions import answers, batch, change_body, item, skus_of
from tests.conformance.school import A1, A3, DOMAIN, NOT_OWNED, WITH_A1, WITH_NOTHING, WITHOUT_LOCATION
from tests.sandbox_process import SandboxControl

READ = "/organization"


def swap(number: object, user: str = WITH_A1, **more: object) -> dict[str, object]:
    return item(number, "POST", f"/users/{user}/assignLicense", change_body([A3], [A1]), **more)


class TestEnvelope:
    def test_is_200_whatever_happened_inside(self, graph: httpx.Client) -> None:
        response = batch(graph, swap(1), item(2, "GET", READ), item(3, "GET", "/users/nobody"))
        assert response.status_code == 200
        assert {number: answer["status"] for number, answer in answers(response).items()} == {
            "1": 200,
            "2": 200,
            "3": 404,
        }

    def test_answers_come_in_any_order(self, graph: httpx.Client) -> None:
        items = [item(number, "GET", READ) for number in range(20)]
        orders = {tuple(answers(batch(graph, *items))) for _ in range(3)}
        assert len(orders) == 3
        assert {frozenset(order) for order in orders} == {frozenset(str(number) for number in range(20))}

    def test_is_one_call_of_many_requests(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.reset_counters()
        batch(graph, *(item(number, "GET", READ) for number in range(20)))
        assert control.counters()["total"] == {"calls": 1, "requests": 20, "writes": 0}

    def test_order_can_be_kept_by_switch(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_switches(shuffle_batch=False)
        items = [item(number, "GET", READ) for number in range(20)]
        assert list(answers(batch(graph, *items))) == [str(number) for number in range(20)]

    @pytest.mark.parametrize(
        "items",
        [
            pytest.param([item(number, "GET", READ) for number in range(21)], id="21 items"),
            pytest.param([item("a", "GET", READ), item("A", "GET", READ)], id="ids that differ in case only"),
            pytest.param([{"method": "GET", "url": READ}], id="no id"),
            pytest.param([item(1, "GET", READ, dependsOn=["9"])], id="depends on nobody"),
            pytest.param(
                [item(1, "GET", READ, dependsOn=["2"]), item(2, "GET", READ, dependsOn=["1"])], id="depends on itself"
            ),
        ],
    )
    def test_a_malformed_one_is_refused_as_a_whole(self, graph: httpx.Client, items: list[dict[str, object]]) -> None:
        response = batch(graph, *items)
        assert (response.status_code, response.json()["error"]["code"]) == (400, "BadRequest")

    def test_needs_a_token_like_any_request(self, graph: httpx.Client) -> None:
        assert graph.post("/$batch", json={"requests": []}, headers={"Authorization": ""}).status_code == 401

    def test_is_posted(self, graph: httpx.Client) -> None:
        assert graph.get("/$batch").status_code == 405


class TestItems:
    @pytest.mark.parametrize("url", ["/users/{}/assignLicense", "users/{}/assignLicense"])
    def test_urls_are_relative_with_or_without_a_slash(self, graph: httpx.Client, url: str) -> None:
        body = change_body([A3], [A1])
        assert answers(batch(graph, item(1, "POST", url.format(WITH_A1), body)))["1"]["status"] == 200
        assert skus_of(graph, WITH_A1) == {A3}

    def test_a_refused_item_has_graphs_error_and_stops_no_other(self, graph: httpx.Client) -> None:
        refused = item(1, "POST", f"/users/{WITH_NOTHING}/assignLicense", change_body([NOT_OWNED]))
        found = answers(batch(graph, refused, swap(2)))
        assert found["1"]["body"]["error"]["code"] == "Request_BadRequest"
        assert (found["1"]["status"], found["2"]["status"]) == (400, 200)

    def test_headers_of_an_item_are_few(self, graph: httpx.Client) -> None:
        headers = answers(batch(graph, item(1, "GET", READ)))["1"]["headers"]
        assert headers.keys() == {"Cache-Control", "Content-Type", "x-ms-resource-unit"}

    def test_request_ids_of_items_are_a_switch(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_switches(batch_items_name_requests=True)
        one = item(1, "GET", READ, headers={"client-request-id": "mine"})
        assert answers(batch(graph, one))["1"]["headers"]["client-request-id"] == "mine"

    def test_the_ledger_knows_each_items_own_request_id(self, graph: httpx.Client, control: SandboxControl) -> None:
        one = swap(1)
        one["headers"] = {"Content-Type": "application/json", "client-request-id": "attempt-1"}
        batch(graph, one)
        assert [entry["clientRequestId"] for entry in control.ledger()] == ["attempt-1"]

    def test_a_body_needs_a_content_type(self, graph: httpx.Client) -> None:
        one = swap(1)
        one["headers"] = {}
        assert answers(batch(graph, one))["1"]["status"] == 400

    def test_204_has_no_body(self, graph: httpx.Client) -> None:
        answer = answers(batch(graph, item(1, "PATCH", f"/users/{WITHOUT_LOCATION}", {"usageLocation": "NL"})))["1"]
        assert (answer["status"], "body" in answer) == (204, False)

    def test_a_second_write_to_one_person_is_a_conflict(self, graph: httpx.Client, control: SandboxControl) -> None:
        found = answers(batch(graph, swap(1), item(2, "PATCH", f"/users/{WITH_A1}", {"usageLocation": "BE"})))
        assert sorted(answer["status"] for answer in found.values()) == [200, 409]
        assert found["2"]["body"]["error"]["code"] == "Directory_ConcurrencyViolation"
        assert len(list(control.ledger())) == 1

    def test_a_person_is_one_person_by_id_or_by_name(self, graph: httpx.Client) -> None:
        patch = item(2, "PATCH", f"/users/WITH-A1%40{DOMAIN}", {"usageLocation": "BE"})
        assert answers(batch(graph, swap(1), patch))["2"]["status"] == 409

    def test_a_conflict_is_charged_all_the_same(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_quotas(app_tenant_writes={"capacity": 2, "window": 600})
        found = answers(batch(graph, swap(1), swap(2), swap(3)))
        assert [found[number]["status"] for number in "123"] == [200, 409, 429]

    def test_conflicts_within_a_batch_are_a_switch(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_switches(same_user_in_batch_conflicts=False)
        again = item(2, "POST", f"/users/{WITH_A1}/assignLicense", change_body([A3]))
        assert {answer["status"] for answer in answers(batch(graph, swap(1), again)).values()} == {200}


class TestDependsOn:
    def test_a_dependant_runs_after_what_it_needs(self, graph: httpx.Client) -> None:
        location = item(1, "PATCH", f"/users/{WITHOUT_LOCATION}", {"usageLocation": "NL"})
        licence = item(2, "POST", f"/users/{WITHOUT_LOCATION}/assignLicense", change_body([A1]), dependsOn=["1"])
        found = answers(batch(graph, licence, location))
        assert (found["1"]["status"], found["2"]["status"]) == (204, 200)

    def test_a_failed_prerequisite_makes_424(self, graph: httpx.Client, control: SandboxControl) -> None:
        found = answers(batch(graph, item(1, "GET", "/users/nobody"), swap(2, dependsOn=["1"])))
        assert (found["1"]["status"], found["2"]["status"]) == (404, 424)
        assert list(control.ledger()) == []
