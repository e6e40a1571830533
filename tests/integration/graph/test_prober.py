"""Requests that no use case makes, against the sandbox: sent once, and the answer as it came."""

from collections.abc import Iterator

import msgspec
import pytest

from provisioning.domain.errors import AmbiguousOutcomeError, RetryableError
from provisioning.domain.ids import GroupId, SubjectId, TenantId
from provisioning.graph.bridge import Bridge
from provisioning.graph.prober import GraphProber
from provisioning.graph.settings import GraphSettings
from provisioning.planning.probe import Ask
from tests.conformance import school
from tests.integration.graph.conftest import RealClock
from tests.sandbox_process import SandboxProcess

USER = SubjectId(school.WITH_NOTHING)
GIVE = Ask(
    method="POST",
    path=f"/users/{USER}/assignLicense",
    body={"addLicenses": [{"skuId": school.A1, "disabledPlans": []}], "removeLicenses": []},
)


@pytest.fixture
def prober(settings: GraphSettings) -> Iterator[GraphProber]:
    bridge = Bridge()
    made = GraphProber(settings, RealClock(), bridge)
    yield made
    made.close()
    bridge.close()


class TestAsking:
    def test_a_write_is_sent_once_and_named(
        self, prober: GraphProber, sandbox: SandboxProcess, tenant: TenantId
    ) -> None:
        since = max((row["sequence"] for row in sandbox.control.ledger()), default=0)
        answer = prober.ask(tenant, GIVE, "0b1c2d3e-0000-4000-8000-000000000001")
        assert (answer.status, "id" in answer.content) == (200, True)
        [row] = sandbox.control.ledger(since)
        assert row["clientRequestId"] == "0b1c2d3e-0000-4000-8000-000000000001"

    def test_a_refusal_is_an_answer(self, prober: GraphProber, tenant: TenantId) -> None:
        answer = prober.ask(tenant, Ask(method="DELETE", path="/subscribedSkus"), "c")
        assert (answer.status, answer.content["error"]["code"]) == (405, "Request_BadRequest")

    def test_a_failure_is_an_answer_too_and_nothing_is_repeated(
        self, prober: GraphProber, sandbox: SandboxProcess, tenant: TenantId
    ) -> None:
        sandbox.control.add_fault("unavailable", tenant=tenant, route="assignLicense", times=1)
        assert prober.ask(tenant, GIVE, "c").is_lost

    def test_a_cut_connection_is_a_lost_answer(
        self, prober: GraphProber, sandbox: SandboxProcess, tenant: TenantId
    ) -> None:
        prober.ask(tenant, Ask(method="GET", path="/organization"), "c")  # so that it is the write that is cut
        sandbox.control.add_fault("drop", tenant=tenant, route="assignLicense", times=1)
        with pytest.raises(AmbiguousOutcomeError):
            prober.ask(tenant, GIVE, "c")

    def test_items_of_a_batch_belong_to_the_same_call(
        self, prober: GraphProber, sandbox: SandboxProcess, tenant: TenantId
    ) -> None:
        since = max((row["sequence"] for row in sandbox.control.ledger()), default=0)
        call = "0b1c2d3e-0000-4000-8000-000000000002"
        look = Ask(method="GET", path=f"/users/{USER}?$select=id")
        answer = prober.ask(tenant, Ask(method="POST", path="/$batch", items=(GIVE, look)), call)
        assert {place: part.status for place, part in answer.items.items()} == {"0": 200, "1": 200}
        assert [row["clientRequestId"] for row in sandbox.control.ledger(since)] == [call]

    def test_without_a_token(self, prober: GraphProber, tenant: TenantId) -> None:
        answer = prober.ask(tenant, Ask(method="GET", path="/organization", is_open=True), "c")
        assert (answer.status, answer.content["error"]["code"]) == (401, "InvalidAuthenticationToken")

    def test_at_the_door_of_entra(self, prober: GraphProber, tenant: TenantId) -> None:
        path = "/00000000-dead-4000-8000-000000000000/v2.0/.well-known/openid-configuration"
        answer = prober.ask(tenant, Ask(method="GET", path=path, is_open=True, at_entra=True), "c")
        assert (answer.status, b"AADSTS90002" in answer.body) == (400, True)

    def test_filters_and_links_reach_graph_as_they_are(self, prober: GraphProber, tenant: TenantId) -> None:
        path = f"/users?$filter=assignedLicenses/any(x:x/skuId eq {school.A3})&$select=id&$top=1"
        first = prober.ask(tenant, Ask(method="GET", path=path), "c").content
        assert len(first["value"]) == 1
        link = first["@odata.nextLink"].removeprefix(prober.root)
        assert prober.ask(tenant, Ask(method="GET", path=link), "c").status == 400  # as without advanced headers


class TestObserving:
    def test_a_person_and_a_group(self, prober: GraphProber, tenant: TenantId) -> None:
        person = prober.observe_person(tenant, USER)
        group = prober.observe_group(tenant, GroupId(school.GROUP))
        assert person
        assert (person.usage_location, person.licences) == ("NL", ())
        assert group
        assert group.members == {school.INHERITING, school.BOTH_WAYS}

    def test_nobody(self, prober: GraphProber, tenant: TenantId) -> None:
        nowhere = "00000000-0000-4000-8000-000000000000"
        assert prober.observe_person(tenant, SubjectId(nowhere)) is None
        assert prober.observe_group(tenant, GroupId(nowhere)) is None

    def test_while_microsoft_is_away(self, prober: GraphProber, sandbox: SandboxProcess, tenant: TenantId) -> None:
        sandbox.control.add_fault("unavailable", tenant=tenant, route="user")
        with pytest.raises(RetryableError):
            prober.observe_person(tenant, USER)


def test_bodies_are_json() -> None:
    assert msgspec.json.decode(msgspec.json.encode(GIVE), type=Ask) == GIVE
