"""G5.2: filters on licences and the rest of the advanced queries; what fails without their headers, and how."""

import httpx
import pytest

from tests.conformance.actions import change, message, skus_of
from tests.conformance.reading import EVENTUAL, EVERYBODY, ids, pages, refusal
from tests.conformance.school import (
    A1,
    A3,
    BOTH_WAYS,
    DOMAIN,
    GUEST,
    INHERITING,
    PUPIL,
    WITH_A1,
    WITH_NOTHING,
    WITHOUT_LOCATION,
)
from tests.sandbox_process import SandboxControl

COUNTED = {"$count": "true"}
UNSUPPORTED = (400, "Request_UnsupportedQuery")
EXPIRED = (400, "Directory_ExpiredPageToken")
HOLDING_A3 = {"$filter": f"assignedLicenses/any(x:x/skuId eq {A3})"}


def advanced(graph: httpx.Client, text: str, address: str = "/users") -> httpx.Response:
    return graph.get(address, params={"$filter": text, **COUNTED}, headers=EVENTUAL)


class TestG52Rows:
    def test_g5_2_01_any_licence_is_answered_by_the_default_index(self, graph: httpx.Client) -> None:
        assert ids(graph.get("/users", params=HOLDING_A3)) == [INHERITING, BOTH_WAYS]

    def test_g5_2_01_any_licence_pages_reliably_with_header_and_count(self, graph: httpx.Client) -> None:
        options = {**HOLDING_A3, **COUNTED, "$top": 1}
        assert [user for page in pages(graph, EVENTUAL, **options) for user in ids(page)] == [INHERITING, BOTH_WAYS]

    def test_g5_2_01_the_id_has_no_quotes(self, graph: httpx.Client) -> None:
        response = graph.get("/users", params={"$filter": f"assignedLicenses/any(x:x/skuId eq '{A3}')"})
        assert response.status_code == 400
        assert "incompatible types" in message(response)

    @pytest.mark.parametrize(
        ("operator", "found"),
        [("ne", [WITH_A1, INHERITING, BOTH_WAYS]), ("eq", [WITH_NOTHING, WITHOUT_LOCATION, GUEST, PUPIL])],
    )
    def test_g5_2_02_the_number_of_licences(self, graph: httpx.Client, operator: str, found: list[str]) -> None:
        response = advanced(graph, f"assignedLicenses/$count {operator} 0")
        assert ids(response) == found
        assert response.json()["@odata.count"] == len(found)

    def test_g5_2_03_not_holding_a_licence(self, graph: httpx.Client) -> None:
        text = f"not(assignedLicenses/any(x:x/skuId eq {A1})) and department eq '99XA'"
        assert ids(advanced(graph, text)) == [WITH_NOTHING]

    def test_g5_2_04_usage_location_equal_is_default(self, graph: httpx.Client) -> None:
        response = graph.get("/users", params={"$filter": "usageLocation eq null"})
        assert ids(response) == [WITHOUT_LOCATION, GUEST]

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("usageLocation ne null and department eq null", [PUPIL]),
            ("usageLocation in ('NL') and department eq null", [PUPIL]),
            ("startsWith(usageLocation,'N') and department eq null", [PUPIL]),
        ],
    )
    def test_g5_2_04_the_rest_on_usage_location_is_advanced(
        self, graph: httpx.Client, text: str, found: list[str]
    ) -> None:
        assert refusal(graph.get("/users", params={"$filter": text})) == UNSUPPORTED
        assert ids(advanced(graph, text)) == found

    @pytest.mark.parametrize("headers", [{}, EVENTUAL], ids=["plain", "advanced"])
    @pytest.mark.parametrize(
        "text", ["licenseAssignmentStates/any(x:x/state eq 'Error')", "licenseAssignmentStates eq null"]
    )
    def test_g5_2_05_assignment_states_are_not_filterable(
        self, graph: httpx.Client, headers: dict[str, str], text: str
    ) -> None:
        response = graph.get("/users", params={"$filter": text, **COUNTED}, headers=headers)
        assert response.status_code == 400


class TestG52FailureModes:
    def test_g5_2_06_page_2_of_a_licence_filter_without_advanced_parameters(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        link = graph.get("/users", params={**HOLDING_A3, "$top": "1"}).json()["@odata.nextLink"]
        assert refusal(graph.get(link)) == EXPIRED
        control.set_switches(users_page_token_expires=False)
        assert ids(graph.get(link)) == [BOTH_WAYS]

    def test_g5_2_06_page_2_when_the_header_is_dropped(self, graph: httpx.Client) -> None:
        first = graph.get("/users", params={**HOLDING_A3, **COUNTED, "$top": "1"}, headers=EVENTUAL)
        link = first.json()["@odata.nextLink"]
        assert refusal(graph.get(link)) == EXPIRED
        assert ids(graph.get(link, headers=EVENTUAL)) == [BOTH_WAYS]

    @pytest.mark.parametrize(
        "text",
        [
            *("department ne null", "assignedLicenses/$count ne 0", "not(department eq '99XA')"),
            f"endsWith(userPrincipalName,'pupil@{DOMAIN}')",
        ],
    )
    @pytest.mark.parametrize(
        ("options", "headers"),
        [({}, {}), (COUNTED, {}), ({}, EVENTUAL)],
        ids=["neither", "count alone", "header alone"],
    )
    def test_g5_2_07_header_and_count_are_both_needed(
        self, graph: httpx.Client, text: str, options: dict[str, str], headers: dict[str, str]
    ) -> None:
        refused = graph.get("/users", params={"$filter": text, **options}, headers=headers)
        assert refusal(refused) == UNSUPPORTED
        assert message(refused) == "Unsupported Query."

    def test_g5_2_08_the_count_needs_the_header(self, graph: httpx.Client) -> None:
        refused = graph.get("/users/$count")
        assert refusal(refused) == (400, "Request_BadRequest")
        assert message(refused) == "$count is not currently supported."

    def test_g5_2_08_count_true_without_the_header_is_ignored(self, graph: httpx.Client) -> None:
        body = graph.get("/users", params=COUNTED).json()
        assert len(body["value"]) == len(EVERYBODY)
        assert "@odata.count" not in body

    def test_g5_2_08_the_count_is_plain_text(self, graph: httpx.Client) -> None:
        response = graph.get("/users/$count", headers=EVENTUAL)
        assert (response.text, response.headers["Content-Type"]) == (str(len(EVERYBODY)), "text/plain")

    @pytest.mark.parametrize("text", ["licenseAssignmentStates eq null", "shoeSize eq 1"])
    def test_g5_2_09_a_property_without_an_index(self, graph: httpx.Client, text: str) -> None:
        refused = graph.get("/users", params={"$filter": text})
        assert refusal(refused) == UNSUPPORTED
        assert message(refused).startswith("The request uses a filter property that is not indexed")

    def test_g5_2_10_the_index_lags_further_than_the_objects(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        control.set_switches(index_extra_lag_seconds=60)
        change(graph, WITH_A1, remove=[A1])
        assert skus_of(graph, WITH_A1) == set()
        assert WITH_A1 in ids(advanced(graph, "assignedLicenses/$count ne 0"))
        assert WITH_A1 in ids(graph.get("/users", params={"$search": '"displayName:with"'}, headers=EVENTUAL))
        control.set_clock(advance=61)
        assert WITH_A1 not in ids(advanced(graph, "assignedLicenses/$count ne 0"))

    def test_g5_2_10_the_index_lags_on_top_of_the_replicas(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_lag(20)
        control.set_switches(index_extra_lag_seconds=60)
        change(graph, WITH_A1, remove=[A1])
        control.set_clock(advance=59)
        assert skus_of(graph, WITH_A1) == set()
        for _ in range(10):
            assert WITH_A1 in ids(advanced(graph, "assignedLicenses/$count ne 0"))
        control.set_clock(advance=22)
        for _ in range(10):
            assert WITH_A1 not in ids(advanced(graph, "assignedLicenses/$count ne 0"))

    def test_g5_2_10_a_count_reads_the_index_as_well(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_switches(index_extra_lag_seconds=60)
        change(graph, WITH_A1, remove=[A1])
        options = {"$filter": "assignedLicenses/$count ne 0"}
        assert graph.get("/users/$count", params=options, headers=EVENTUAL).text == "3"


class TestG52Filter:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("department eq '99XA'", [WITH_A1, WITH_NOTHING]),
            ("accountEnabled eq false", [PUPIL]),
            ("userType eq 'guest'", [GUEST]),
            ("startsWith(userPrincipalName,'with')", [WITH_A1, WITH_NOTHING, WITHOUT_LOCATION]),
            (f"id in ('{PUPIL}', '{GUEST}')", [GUEST, PUPIL]),
            ("department eq '99XA' and (displayName eq 'with-a1' or displayName eq 'pupil')", [WITH_A1]),
        ],
    )
    def test_g5_2_the_default_index_answers(self, graph: httpx.Client, text: str, found: list[str]) -> None:
        assert ids(graph.get("/users", params={"$filter": text})) == found

    @pytest.mark.parametrize("text", ["department eq", "department eq 'a' b", "(department eq 'a'", "eq"])
    def test_g5_2_what_cannot_be_parsed_is_refused(self, graph: httpx.Client, text: str) -> None:
        assert graph.get("/users", params={"$filter": text}).status_code == 400

    def test_g5_2_a_link_of_the_advanced_index_needs_the_header_again(self, graph: httpx.Client) -> None:
        link = graph.get("/users", params={"$top": 3, **COUNTED}, headers=EVENTUAL).json()["@odata.nextLink"]
        assert refusal(graph.get(link)) == EXPIRED
        assert ids(graph.get(link, headers=EVENTUAL)) == EVERYBODY[3:6]

    def test_g5_2_the_count_is_on_the_first_page_only(self, graph: httpx.Client) -> None:
        first, second, *_ = pages(graph, EVENTUAL, **{"$top": 3, **COUNTED})
        assert first.json()["@odata.count"] == len(EVERYBODY)
        assert "@odata.count" not in second.json()


class TestG52Search:
    def test_g5_2_search_without_the_header_is_refused(self, graph: httpx.Client) -> None:
        refused = graph.get("/users", params={"$search": '"displayName:with"'})
        assert refusal(refused) == UNSUPPORTED
        assert "special request header: 'ConsistencyLevel: eventual'" in message(refused)

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ('"displayName:with"', [WITH_A1, WITH_NOTHING, WITHOUT_LOCATION]),
            ('"displayName:nothing"', [WITH_NOTHING]),
            ('"displayName:with" AND "displayName:nothing"', [WITH_NOTHING]),
            ('"displayName:guest" OR "userPrincipalName:pupil"', [GUEST, PUPIL]),
        ],
    )
    def test_g5_2_search_finds_the_beginnings_of_words(self, graph: httpx.Client, text: str, found: list[str]) -> None:
        assert ids(graph.get("/users", params={"$search": text}, headers=EVENTUAL)) == found

    @pytest.mark.parametrize("text", ["displayName:with", '"department:99XA"', '"with"'])
    def test_g5_2_search_for_what_cannot_be_searched(self, graph: httpx.Client, text: str) -> None:
        assert graph.get("/users", params={"$search": text}, headers=EVENTUAL).status_code == 400


class TestG52Order:
    def test_g5_2_names_sort_by_default(self, graph: httpx.Client) -> None:
        names = [page.json()["value"] for page in pages(graph, **{"$orderby": "displayName desc", "$top": 3})]
        sorted_names = [row["displayName"] for page in names for row in page]
        assert sorted_names == sorted(sorted_names, reverse=True)
        assert len(sorted_names) == len(EVERYBODY)

    @pytest.mark.parametrize(
        "options",
        [{"$orderby": "department"}, {"$orderby": "displayName", "$filter": "accountEnabled eq true"}],
        ids=["another property", "with a filter"],
    )
    def test_g5_2_more_is_an_advanced_query(self, graph: httpx.Client, options: dict[str, str]) -> None:
        assert refusal(graph.get("/users", params=options)) == UNSUPPORTED
        assert graph.get("/users", params={**options, **COUNTED}, headers=EVENTUAL).status_code == 200

    @pytest.mark.parametrize("order", ["shoeSize", "displayName sideways", "displayName,mail"])
    def test_g5_2_an_order_nobody_knows(self, graph: httpx.Client, order: str) -> None:
        assert refusal(graph.get("/users", params={"$orderby": order})) == UNSUPPORTED
