import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from provisioning.domain.errors import PermanentError
from provisioning.graph import memberships
from tests.unit.graph import fakes
from tests.unit.graph.fakes import TENANT, FakeGraph

NEXT = "https://graph.test/v1.0/groups/g/members?$skiptoken=2"


def page(*members: dict[str, Any], link: str | None = None) -> httpx.Response:
    return httpx.Response(200, json={"value": members} | ({"@odata.nextLink": link} if link else {}))


class TestMemberships:
    def observe(self, answer: Callable[[httpx.Request], httpx.Response], *keys: str) -> Any:
        self.graph = FakeGraph(answer)
        return asyncio.run(memberships.observe_memberships(self.graph.client, TENANT, keys))

    def test_of_a_group_the_people_count(self) -> None:
        members = [
            {"@odata.type": "#microsoft.graph.user", "id": "u1"},
            {"@odata.type": "#microsoft.graph.device", "id": "d1"},
            {"@odata.type": "#microsoft.graph.group", "id": "g1"},
        ]
        found = self.observe(fakes.in_sequence(page(*members)), "group:7e2a")
        assert found["group:7e2a"].members == {"u1"}
        assert found["group:7e2a"].is_complete
        assert self.graph.requests[0].url.path == "/v1.0/groups/7e2a/members"

    def test_a_unit(self) -> None:
        self.observe(fakes.in_sequence(page({"id": "u1"})), "unit:7e2a")
        assert self.graph.requests[0].url.path == "/v1.0/directory/administrativeUnits/7e2a/members"

    @pytest.mark.parametrize(("role", "expected"), [("teacher", {"t"}), ("student", {"s"})])
    def test_a_school_by_role(self, role: str, expected: set[str]) -> None:
        roster = [{"id": "t", "primaryRole": "teacher"}, {"id": "s", "primaryRole": "student"}, {"id": "n"}]
        found = self.observe(fakes.in_sequence(page(*roster)), f"school:1:{role}")
        assert found[f"school:1:{role}"].members == expected
        assert self.graph.requests[0].url.path == "/v1.0/education/schools/1/users"

    def test_all_pages(self) -> None:
        found = self.observe(fakes.in_sequence(page({"id": "1"}, link=NEXT), page({"id": "2"})), "group:g")
        assert found["group:g"].members == {"1", "2"}

    @pytest.mark.parametrize("status", [403, 404, 503])
    def test_what_cannot_be_read_whole_says_so(self, status: int) -> None:
        def answer(request: httpx.Request) -> httpx.Response:
            return httpx.Response(status) if "groups/bad" in str(request.url) else page({"id": "1"})

        found = self.observe(answer, "group:bad", "group:good")
        assert (found["group:bad"].is_complete, found["group:good"].is_complete) == (False, True)

    @pytest.mark.parametrize("key", ["group", "team:1", "school:1", ""])
    def test_what_is_no_membership_is_a_mistake(self, key: str) -> None:
        with pytest.raises(PermanentError, match="is no membership"):
            self.observe(fakes.in_sequence(page()), key)
