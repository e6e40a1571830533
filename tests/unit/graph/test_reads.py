import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from provisioning.domain.errors import ActionRequiredError, PermanentError, RetryableError
from provisioning.domain.ids import SubjectId, TenantId
from provisioning.domain.observation import HeldLicence
from provisioning.domain.reasons import Reason
from provisioning.graph import inventory, reads
from tests.unit.graph import fakes
from tests.unit.graph.fakes import A1, A3, NOW, TENANT, FakeGraph

NEXT = "https://graph.test/v1.0/users?$skiptoken=2"
PLAN = "2078e8df-cff6-4290-98cb-5408261a760a"


def user(number: int, **properties: Any) -> dict[str, Any]:
    return {"id": fakes.subject(number), "userPrincipalName": f"person{number}@School.example", **properties}


def page(*users: dict[str, Any], link: str | None = None) -> httpx.Response:
    return httpx.Response(200, json={"value": users} | ({"@odata.nextLink": link} if link else {}))


class TestCensus:
    def observe(self, graph: FakeGraph) -> Any:
        return asyncio.run(reads.observe_census(graph.client, TENANT))

    def test_follows_every_page(self) -> None:
        graph = FakeGraph(fakes.in_sequence(page(user(1), link=NEXT), page(user(2))))
        census = self.observe(graph)
        assert [person.subject_id for person in census.people] == [fakes.subject(1), fakes.subject(2)]
        assert census.is_complete
        assert census.observed_at == NOW
        assert str(graph.requests[1].url) == NEXT

    def test_asks_for_999_and_the_needed_fields_only(self) -> None:
        graph = FakeGraph(fakes.in_sequence(page()))
        self.observe(graph)
        query = graph.requests[0].url.params
        assert query["$top"] == "999"
        assert "licenseAssignmentStates" in query["$select"]
        assert "displayName" not in query["$select"]
        assert "$filter" not in query

    def test_an_empty_page_in_the_middle_ends_nothing(self) -> None:
        graph = FakeGraph(fakes.in_sequence(page(user(1), link=NEXT), page(link=NEXT + "3"), page(user(2), link=None)))
        census = self.observe(graph)
        assert len(census.people) == 2
        assert census.is_complete

    @pytest.mark.parametrize(
        "broken",
        [
            pytest.param(httpx.Response(503), id="stays unavailable"),
            pytest.param(httpx.Response(400, json=fakes.error("Directory_ExpiredPageToken", "")), id="token expired"),
            pytest.param(httpx.Response(200, text="<html>"), id="unreadable"),
            pytest.param(httpx.ReadError("cut"), id="cut"),
        ],
    )
    def test_a_page_that_stays_unreadable_makes_it_incomplete(self, broken: httpx.Response | Exception) -> None:
        census = self.observe(FakeGraph(fakes.in_sequence(page(user(1), link=NEXT), broken)))
        assert not census.is_complete
        assert len(census.people) == 1

    def test_nothing_at_all_is_an_error_not_an_empty_school(self) -> None:
        with pytest.raises(RetryableError):
            self.observe(FakeGraph(fakes.in_sequence(httpx.Response(503))))

    def test_a_missing_permission_is_never_an_incomplete_answer(self) -> None:
        graph = FakeGraph(fakes.in_sequence(page(user(1), link=NEXT), httpx.Response(403)))
        with pytest.raises(ActionRequiredError):
            self.observe(graph)

    def test_a_link_to_another_host_is_not_followed(self) -> None:
        graph = FakeGraph(fakes.in_sequence(page(user(1), link="https://evil.test/v1.0/users?$skiptoken=2")))
        assert not self.observe(graph).is_complete
        assert {request.url.host for request in graph.requests} == {"graph.test"}

    def test_pages_that_go_round_in_circles_end(self) -> None:
        census = self.observe(FakeGraph(fakes.in_sequence(page(user(1), link=NEXT))))
        assert not census.is_complete

    def test_who_moves_between_pages_is_counted_once(self) -> None:
        census = self.observe(FakeGraph(fakes.in_sequence(page(user(1), link=NEXT), page(user(1)))))
        assert len(census.people) == 1

    def test_a_page_is_tried_three_times(self) -> None:
        graph = FakeGraph(fakes.in_sequence(httpx.Response(503), httpx.Response(504), page(user(1))))
        assert self.observe(graph).is_complete
        assert len(graph.requests) == 3


class TestPeople:
    def decoded(self, **properties: Any) -> Any:
        graph = FakeGraph(fakes.in_sequence(page(user(1, **properties))))
        return asyncio.run(reads.observe_census(graph.client, TENANT)).people[0]

    def test_of_the_upn_only_the_domain_is_kept(self) -> None:
        person = self.decoded()
        assert person.domain == "school.example"
        assert "person1" not in repr(person)

    def test_what_graph_leaves_out_means_an_ordinary_person(self) -> None:
        person = self.decoded()
        assert (person.is_enabled, person.is_guest, person.usage_location) == (True, False, None)
        assert (person.attributes, person.licences) == ({}, ())

    def test_guests_disabled_accounts_and_locations(self) -> None:
        person = self.decoded(userType="Guest", accountEnabled=False, usageLocation="NL")
        assert (person.is_enabled, person.is_guest, person.usage_location) == (False, True, "NL")

    def test_attributes_that_say_something(self) -> None:
        person = self.decoded(
            department="groep 7",
            companyName="",
            officeLocation="De Akker",
            employeeType=None,
            onPremisesExtensionAttributes={"extensionAttribute1": "99XA", "extensionAttribute2": None},
        )
        assert person.attributes == {
            "department": "groep 7",
            "officeLocation": "De Akker",
            "extensionAttribute1": "99XA",
        }

    @pytest.mark.parametrize(
        ("state", "licence"),
        [
            pytest.param(
                {"skuId": A1.upper(), "disabledPlans": [PLAN.upper()], "assignedByGroup": None, "error": "None"},
                HeldLicence(A1, frozenset({PLAN})),  # type: ignore[arg-type]  # text is what it is
                id="direct, and the word None for no error",
            ),
            pytest.param(
                {"skuId": A3, "assignedByGroup": "group-1", "state": "Error", "error": "CountViolation"},
                HeldLicence(A3, frozenset(), "group-1", "Error", "CountViolation"),  # type: ignore[arg-type]  # as above
                id="inherited, in error",
            ),
            pytest.param(
                {"skuId": A3, "state": "ActiveWithError", "error": None},
                HeldLicence(A3, state="ActiveWithError"),
                id="documented null",
            ),
        ],
    )
    def test_licences(self, state: dict[str, Any], licence: HeldLicence) -> None:
        assert self.decoded(licenseAssignmentStates=[state]).licences == (licence,)

    def test_equal_licences_are_one_value(self) -> None:
        states = [
            {"skuId": A1, "disabledPlans": [PLAN], "lastUpdatedDateTime": f"2026-02-0{n}T00:00:00Z"} for n in (1, 2)
        ]
        people = [user(n, licenseAssignmentStates=[state]) for n, state in enumerate(states)]
        graph = FakeGraph(fakes.in_sequence(page(*people)))
        first, second = asyncio.run(reads.observe_census(graph.client, TENANT)).people
        assert first.licences[0] is second.licences[0]


class TestObservePeople:
    def observe(self, graph: FakeGraph, count: int = 3) -> Any:
        wanted = [fakes.subject(number) for number in range(count)]
        return asyncio.run(reads.observe_people(graph.client, TENANT, wanted))

    def test_found_gone_and_unreadable_are_three_things(self) -> None:
        statuses = {"0": 200, "1": 404, "2": 503}

        def answer(item: dict[str, Any]) -> dict[str, Any]:
            number = item["url"].partition("?")[0][-1]
            return {"status": statuses[number], "body": user(int(number))}

        people = self.observe(FakeGraph(fakes.batch_of(answer)))
        assert people[fakes.subject(0)].domain == "school.example"
        assert people[fakes.subject(1)] is None
        assert fakes.subject(2) not in people

    def test_only_what_is_missing_is_asked_again(self) -> None:
        asked: list[str] = []

        def answer(item: dict[str, Any]) -> dict[str, Any]:
            number = item["url"].partition("?")[0][-1]
            asked.append(number)
            is_down = number == "1" and asked.count("1") < 2
            return {"status": 429 if is_down else 200, "body": user(int(number))}

        assert len(self.observe(FakeGraph(fakes.batch_of(answer)))) == 3
        assert sorted(asked) == ["0", "1", "1", "2"]

    def test_twenty_a_batch(self) -> None:
        graph = FakeGraph(fakes.batch_of(lambda _: {"status": 404}))
        self.observe(graph, 41)
        assert sorted(map(len, graph.batches)) == [1, 20, 20]

    def test_an_unreadable_envelope_is_tried_three_times(self) -> None:
        graph = FakeGraph(fakes.in_sequence(httpx.Response(200, text="<html>")))
        with pytest.raises(RetryableError):
            self.observe(graph)
        assert len(graph.requests) == 3

    def test_a_missing_permission_concerns_the_tenant(self) -> None:
        with pytest.raises(ActionRequiredError) as caught:
            self.observe(FakeGraph(fakes.batch_of(lambda _: {"status": 403, "body": fakes.error("x", "")})))
        assert caught.value.reason is Reason.FORBIDDEN

    def test_nobody_asks_nothing(self) -> None:
        graph = FakeGraph(fakes.in_sequence(httpx.Response(500)))
        assert self.observe(graph, 0) == {}
        assert graph.requests == []


class TestResolveSubjects:
    def resolve(self, answer: Callable[[dict[str, Any]], dict[str, Any]], *references: str) -> Any:
        self.graph = FakeGraph(fakes.batch_of(answer))
        return asyncio.run(reads.resolve_subjects(self.graph.client, TENANT, references))

    def test_upns_and_ids(self) -> None:
        found = self.resolve(
            lambda item: {"status": 200, "body": {"id": "id-1"}} if "person" in item["url"] else {"status": 404},
            "person@school.example",
            "0c9e7b52-0000-4f18-9b77-51c2ad3f2001",
        )
        assert found == {"person@school.example": "id-1", "0c9e7b52-0000-4f18-9b77-51c2ad3f2001": None}

    def test_what_cannot_be_a_reference_is_nobody(self) -> None:
        assert self.resolve(lambda _: {"status": 400, "body": fakes.error("x", "")}, "?") == {"?": None}

    def test_what_stays_unreadable_is_left_out(self) -> None:
        answers = self.resolve(
            lambda item: {"status": 200 if "one" in item["url"] else 500, "body": {"id": "1"}}, "one", "two"
        )
        assert answers == {"one": "1"}

    @pytest.mark.parametrize(
        "reference", ["gast_elders.example#EXT#@school.example", "o'brien@school.example", "a/b?c=d"]
    )
    def test_odd_signs_stay_inside_their_place(self, reference: str) -> None:
        self.resolve(lambda _: {"status": 404}, reference)
        path, _, query = self.graph.batches[0][0]["url"].partition("?")
        assert path.count("/") == 2
        assert unquote(path) == f"/users/{reference}"
        assert query == "$select=id"

    def test_no_upn_stands_in_a_url(self) -> None:
        self.resolve(lambda _: {"status": 404}, "person@school.example")
        assert all("person" not in str(request.url) for request in self.graph.requests)


ORGANISATION = {
    "id": TENANT,
    "countryLetterCode": "NL",
    "defaultUsageLocation": None,
    "verifiedDomains": [
        {"name": "School.example", "isInitial": False},
        {"name": "school.onmicrosoft.com", "isInitial": True},
    ],
}
SKU = {
    "skuId": A3.upper(),
    "skuPartNumber": "M365EDU_A3_FACULTY",
    "capabilityStatus": "Enabled",
    "consumedUnits": 412,
    "prepaidUnits": {"enabled": 450, "suspended": 1, "warning": 2, "lockedOut": 3},
    "servicePlans": [{"servicePlanId": PLAN.upper(), "servicePlanName": "YAMMER_EDU"}],
}
PURCHASE = {
    "id": "sub-1",
    "skuId": A3.upper(),
    "status": "Enabled",
    "totalLicenses": 450,
    "nextLifecycleDateTime": "2026-08-31T00:00:00Z",
}


def inventory_of(**answers: dict[str, Any]) -> FakeGraph:
    """A Graph that answers each item of a batch by the last word of its address; the rest is as above."""
    known = {
        "organization": {"status": 200, "body": {"value": [ORGANISATION]}},
        "subscribedSkus": {"status": 200, "body": {"value": [SKU]}},
        "subscriptions": {"status": 200, "body": {"value": [PURCHASE]}},
    } | answers
    return FakeGraph(fakes.batch_of(lambda item: known[item["url"].rpartition("/")[2]]))


class TestTenantProfile:
    def test_who_it_is_and_what_we_may(self) -> None:
        graph = inventory_of()
        graph.tokens.roles = frozenset({"User.Read.All"})
        profile = asyncio.run(inventory.observe_tenant(graph.client, TENANT))
        assert profile.initial_domain == "school.onmicrosoft.com"
        assert profile.verified_domains == ("school.example", "school.onmicrosoft.com")
        assert (profile.country, profile.default_usage_location) == ("NL", None)
        assert profile.permissions == {"User.Read.All"}

    def test_permissions_are_never_older_than_a_minute(self) -> None:
        graph = inventory_of()
        asyncio.run(inventory.observe_tenant(graph.client, TENANT))
        graph.clock.advance(inventory.FRESH * 2)
        asyncio.run(inventory.observe_tenant(graph.client, TENANT))
        assert graph.tokens.renewals == 2

    def test_another_organisation_is_refused(self) -> None:
        graph = inventory_of(organization={"status": 200, "body": {"value": [{**ORGANISATION, "id": "another"}]}})
        with pytest.raises(PermanentError) as caught:
            asyncio.run(inventory.observe_tenant(graph.client, TENANT))
        assert caught.value.reason is Reason.TENANT_MISMATCH


class TestSeats:
    def test_counts_and_purchases(self) -> None:
        graph = inventory_of()
        seats = asyncio.run(inventory.observe_seats(graph.client, TENANT))
        count = seats.counts[A3]
        assert (count.enabled, count.suspended, count.warning, count.locked_out, count.consumed) == (450, 1, 2, 3, 412)
        assert count.plan_ids == {PLAN}
        [purchase] = seats.subscriptions
        assert (purchase.sku_id, purchase.total, purchase.next_lifecycle_at.year) == (A3, 450, 2026)
        [items] = graph.batches
        assert [item["url"] for item in items] == ["/subscribedSkus", "/directory/subscriptions"]

    def test_half_an_answer_is_no_answer(self) -> None:
        graph = inventory_of(subscriptions={"status": 503})
        with pytest.raises(RetryableError):
            asyncio.run(inventory.observe_seats(graph.client, TENANT))
        assert [len(items) for items in graph.batches] == [2, 1, 1]

    def test_a_refusal_is_what_graph_said(self) -> None:
        graph = inventory_of(subscriptions={"status": 404, "body": fakes.error("ResourceNotFound", "?")})
        with pytest.raises(PermanentError) as caught:
            asyncio.run(inventory.observe_seats(graph.client, TENANT))
        assert caught.value.reason is Reason.NOT_FOUND

    def test_further_pages_are_read_as_well(self) -> None:
        more = {"@odata.nextLink": "https://graph.test/v1.0/directory/subscriptions?$skiptoken=x"}
        graph = inventory_of(subscriptions={"status": 200, "body": {"value": [PURCHASE], **more}})
        first = graph._answer
        graph._answer = lambda request: (
            first(request) if "$batch" in str(request.url) else page(PURCHASE | {"id": "sub-2"})
        )
        seats = asyncio.run(inventory.observe_seats(graph.client, TENANT))
        assert [each.subscription_id for each in seats.subscriptions] == ["sub-1", "sub-2"]

    @pytest.mark.parametrize("body", ["<html>", {"value": [{"skuPartNumber": "no id"}]}, {"value": 3}])
    def test_an_answer_without_sense_is_read_again_later(self, body: object) -> None:
        graph = inventory_of(subscribedSkus={"status": 200, "body": body})
        with pytest.raises(RetryableError):
            asyncio.run(inventory.observe_seats(graph.client, TENANT))


class TestReadiness:
    def test_is_one_call(self) -> None:
        graph = inventory_of()
        profile, seats = asyncio.run(inventory.observe_readiness(graph.client, TENANT))
        assert (profile.tenant_id, seats.enabled(A3)) == (TENANT, 450)
        assert len(graph.requests) == 1

    @pytest.mark.parametrize("what", ["organization", "subscribedSkus", "subscriptions"])
    def test_forbidden_in_part_is_forbidden(self, what: str) -> None:
        graph = inventory_of(**{what: {"status": 403, "body": fakes.error("Authorization_RequestDenied", "?")}})
        with pytest.raises(ActionRequiredError) as caught:
            asyncio.run(inventory.observe_readiness(graph.client, TENANT))
        assert caught.value.reason is Reason.FORBIDDEN


class TestFindTenant:
    def find(self, answer: httpx.Response | Exception, domain: str = "School.example") -> TenantId | None:
        self.graph = FakeGraph(fakes.in_sequence(answer))
        return asyncio.run(inventory.find_tenant(self.graph.client, domain))

    def test_by_the_discovery_document_without_a_token(self) -> None:
        assert self.find(httpx.Response(200, json={"issuer": f"https://entra.test/{TENANT.upper()}/v2.0"})) == TENANT
        [request] = self.graph.requests
        assert str(request.url) == "https://entra.test/school.example/v2.0/.well-known/openid-configuration"
        assert "authorization" not in request.headers

    @pytest.mark.parametrize("code", [90002, 900023])
    def test_no_tenant_owns_it(self, code: int) -> None:
        description = {"error": "invalid_tenant", "error_description": f"AADSTS{code}: Tenant not found."}
        assert self.find(httpx.Response(400, json=description)) is None

    @pytest.mark.parametrize("domain", ["", "a b", "../common", "school.example/x", "p@school.example"])
    def test_what_is_no_domain_is_not_asked(self, domain: str) -> None:
        assert self.find(httpx.Response(500), domain) is None
        assert self.graph.requests == []

    @pytest.mark.parametrize(
        "answer",
        [
            httpx.Response(503),
            httpx.Response(400, text="?"),
            httpx.Response(200, text="<html>"),
            httpx.Response(200, json={"issuer": "https://entra.test/common/v2.0"}),
            httpx.ConnectError("refused"),
        ],
    )
    def test_not_knowing_is_not_the_same_as_nobody(self, answer: httpx.Response | Exception) -> None:
        with pytest.raises(RetryableError):
            self.find(answer)
        assert len(self.graph.requests) == 3


def test_one_batch_of_reads_carries_no_subject_in_its_address() -> None:
    graph = FakeGraph(fakes.batch_of(lambda _: {"status": 404}))
    asyncio.run(reads.observe_people(graph.client, TENANT, [SubjectId("s-1")]))
    assert json.loads(graph.requests[0].content)["requests"][0]["method"] == "GET"
    assert graph.requests[0].url.path == "/v1.0/$batch"
