"""By what people are found again in another tenant."""

import asyncio
from typing import Any

import httpx
import pytest

from provisioning.domain.errors import ActionRequiredError, RetryableError
from provisioning.domain.migration import MatchRule
from provisioning.graph.match_keys import read_match_keys
from tests.unit.graph import fakes
from tests.unit.graph.fakes import TENANT, FakeGraph

NEXT = "https://graph.test/v1.0/users?$skiptoken=2"


def page(*users: dict[str, Any], link: str | None = None) -> httpx.Response:
    return httpx.Response(200, json={"value": users} | ({"@odata.nextLink": link} if link else {}))


def read(graph: FakeGraph, rule: MatchRule = MatchRule.EMPLOYEE_ID) -> dict[Any, str]:
    return asyncio.run(read_match_keys(graph.client, TENANT, rule))


class TestReadMatchKeys:
    @pytest.mark.parametrize(
        ("rule", "name"),
        [
            (MatchRule.EMPLOYEE_ID, "employeeId"),
            (MatchRule.IMMUTABLE_ID, "onPremisesImmutableId"),
            (MatchRule.MAIL_NICKNAME, "mailNickname"),
        ],
    )
    def test_asks_for_the_one_property_and_nothing_else(self, rule: MatchRule, name: str) -> None:
        graph = FakeGraph(fakes.in_sequence(page({"id": "a", name: "7"})))
        assert read(graph, rule) == {"a": "7"}
        query = graph.requests[0].url.params
        assert (query["$select"], query["$top"]) == (f"id,{name}", "999")

    def test_covers_every_rule(self) -> None:
        for rule in MatchRule:
            assert read(FakeGraph(fakes.in_sequence(page())), rule) == {}

    def test_whoever_has_none_is_not_there(self) -> None:
        graph = FakeGraph(
            fakes.in_sequence(page({"id": "a", "employeeId": None}, {"id": "b"}, {"id": "c", "employeeId": ""}))
        )
        assert read(graph) == {}

    def test_follows_every_page(self) -> None:
        graph = FakeGraph(
            fakes.in_sequence(page({"id": "a", "employeeId": "1"}, link=NEXT), page({"id": "b", "employeeId": "2"}))
        )
        assert read(graph) == {"a": "1", "b": "2"}

    @pytest.mark.parametrize(
        "broken",
        [
            pytest.param(httpx.Response(503), id="stays unavailable"),
            pytest.param(httpx.Response(200, text="<html>"), id="unreadable"),
            pytest.param(httpx.ReadError("cut"), id="cut"),
        ],
    )
    def test_half_of_them_is_none(self, broken: httpx.Response | Exception) -> None:
        graph = FakeGraph(fakes.in_sequence(page({"id": "a", "employeeId": "1"}, link=NEXT), broken))
        with pytest.raises(RetryableError):
            read(graph)

    def test_a_missing_permission_needs_a_person(self) -> None:
        with pytest.raises(ActionRequiredError):
            read(FakeGraph(fakes.in_sequence(httpx.Response(403))))
