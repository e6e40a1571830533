import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from provisioning.domain.errors import ActionRequiredError, RetryableError
from provisioning.domain.ids import ServicePlanId, TenantId
from provisioning.domain.operation import Attempt, Change, Outcome, Receipt, StepKind
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Lease
from provisioning.graph.writes import Writer
from tests.unit.graph import fakes
from tests.unit.graph.fakes import A1, A3, NOW, TENANT, FakeGraph, ListeningQuota

ACCEPTED = {"status": 200, "body": {"id": "x", "displayName": "somebody"}}


def apply(
    graph: FakeGraph,
    attempts: "list[Attempt]",
    quota: ListeningQuota | None = None,
    lease: Lease | None = None,
) -> list[Receipt]:
    writer = Writer(graph.client, quota or ListeningQuota(), TENANT, lease or fakes.lease())
    receipts = asyncio.run(writer.apply(attempts))
    return sorted(receipts, key=lambda receipt: receipt.attempt_id)


def accepting() -> FakeGraph:
    return FakeGraph(fakes.batch_of(lambda _: ACCEPTED))


def refusing(status: int, headers: dict[str, str] | None = None, code: str = "x", message: str = "") -> FakeGraph:
    body = fakes.error(code, message)
    return FakeGraph(fakes.batch_of(lambda _: {"status": status, "headers": headers or {}, "body": body}))


class TestRequests:
    def test_a_swap_is_one_call_with_both_arrays(self) -> None:
        graph = accepting()
        plan = ServicePlanId("2078e8df-cff6-4290-98cb-5408261a760a")
        change = Change(add_sku=A3, disabled_plans=frozenset({plan}), remove_skus=(A1,))
        apply(graph, [fakes.attempt(1, change=change)])
        [[item]] = graph.batches
        assert item["method"] == "POST"
        assert item["url"] == f"/users/{fakes.subject(1)}/assignLicense"
        assert item["body"] == {"addLicenses": [{"skuId": A3, "disabledPlans": [plan]}], "removeLicenses": [A1]}

    @pytest.mark.parametrize(
        ("kind", "change", "body"),
        [
            pytest.param(
                StepKind.ASSIGN,
                Change(add_sku=A3),
                {"addLicenses": [{"skuId": A3, "disabledPlans": []}], "removeLicenses": []},
                id="an assignment sends an empty list of removals and of plans",
            ),
            pytest.param(
                StepKind.REMOVE,
                Change(remove_skus=(A1,)),
                {"addLicenses": [], "removeLicenses": [A1]},
                id="a removal sends an empty list of additions",
            ),
        ],
    )
    def test_both_arrays_are_always_there(self, kind: StepKind, change: Change, body: dict[str, Any]) -> None:
        graph = accepting()
        apply(graph, [fakes.attempt(1, kind, change)])
        assert graph.batches[0][0]["body"] == body

    def test_a_usage_location_is_a_patch(self) -> None:
        graph = accepting()
        apply(graph, [fakes.attempt(1, StepKind.SET_USAGE_LOCATION, Change(usage_location="NL"))])
        [[item]] = graph.batches
        assert (item["method"], item["url"]) == ("PATCH", f"/users/{fakes.subject(1)}")
        assert item["body"] == {"usageLocation": "NL"}

    def test_the_attempt_id_is_the_client_request_id(self) -> None:
        graph = accepting()
        apply(graph, [fakes.attempt(1)])
        assert graph.batches[0][0]["headers"]["client-request-id"] == fakes.attempt(1).attempt_id

    def test_forty_one_people_are_three_batches(self) -> None:
        graph = accepting()
        receipts = apply(graph, fakes.attempts(41))
        assert sorted(map(len, graph.batches)) == [1, 20, 20]
        assert len({receipt.attempt_id for receipt in receipts}) == 41

    def test_one_person_occurs_once_in_a_batch_and_in_order(self) -> None:
        graph = accepting()
        location = fakes.attempt(1, StepKind.SET_USAGE_LOCATION, Change(usage_location="NL"))
        apply(graph, [location, fakes.attempt(2, of=1), fakes.attempt(3)])
        assert [[item["id"][-1] for item in items] for items in graph.batches] == [["1", "3"], ["2"]]


class TestReceipts:
    def test_accepted_carries_when_and_what_it_cost(self) -> None:
        headers = {"X-MS-Resource-Unit": "1", "Request-Id": "req-9"}
        graph = FakeGraph(fakes.batch_of(lambda _: {**ACCEPTED, "headers": headers}))
        [receipt] = apply(graph, [fakes.attempt(1)])
        assert receipt.outcome is Outcome.ACCEPTED
        assert (receipt.status, receipt.resource_units, receipt.request_id) == (200, 1, "req-9")
        assert (receipt.sent_at, receipt.finished_at) == (NOW, NOW)

    def test_the_envelope_lends_its_request_id(self) -> None:
        [receipt] = apply(accepting(), [fakes.attempt(1)])
        assert receipt.request_id == "envelope-1"

    def test_answers_are_matched_by_id_whatever_their_order_and_case(self) -> None:
        graph = FakeGraph(fakes.batch_of(lambda item: {"status": 204 if item["id"].endswith("7") else 404}))
        receipts = apply(graph, fakes.attempts(20))
        accepted = [r.attempt_id[-2:] for r in receipts if r.outcome is Outcome.ACCEPTED]
        assert accepted == ["07", "17"]

    @pytest.mark.parametrize(
        ("status", "reason", "retryable"),
        [
            pytest.param(401, Reason.TOKEN_REJECTED, True, id="a rejected token is certainly not applied"),
            pytest.param(404, Reason.NOT_FOUND, False, id="who is gone is for the executor to judge"),
            pytest.param(409, Reason.CONCURRENT_WRITE, True, id="somebody else was writing"),
            pytest.param(429, Reason.THROTTLED, True, id="too much"),
            pytest.param(405, Reason.GRAPH_OTHER, False, id="another refusal"),
        ],
    )
    def test_a_refusal_is_certain(self, status: int, reason: Reason, *, retryable: bool) -> None:
        [receipt] = apply(refusing(status), [fakes.attempt(1)])
        assert receipt.outcome is Outcome.REFUSED
        assert (receipt.status, receipt.reason, receipt.retryable) == (status, reason, retryable)
        assert not receipt.tenant_wide

    def test_what_waited_for_a_failed_one_was_never_tried(self) -> None:
        [receipt] = apply(refusing(424), [fakes.attempt(1)])
        assert (receipt.outcome, receipt.reason, receipt.retryable) == (Outcome.NOT_SENT, Reason.TRANSIENT, True)

    @pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 302])
    def test_whatever_is_neither_yes_nor_no_is_unknown(self, status: int) -> None:
        [receipt] = apply(refusing(status), [fakes.attempt(1)])
        assert (receipt.outcome, receipt.reason) == (Outcome.UNKNOWN, Reason.TRANSIENT)
        assert receipt.sent_at == NOW

    def test_a_503_that_says_throttled_is_certain(self) -> None:
        [receipt] = apply(refusing(503, code="Request_ThrottledTemporarily"), [fakes.attempt(1)])
        assert (receipt.outcome, receipt.reason) == (Outcome.REFUSED, Reason.THROTTLED)

    def test_a_forbidden_write_stops_the_tenant_and_the_batches_behind_it(self) -> None:
        graph = refusing(403, code="Authorization_RequestDenied")
        receipts = apply(graph, fakes.attempts(200))
        assert all(receipt.tenant_wide and receipt.reason is Reason.FORBIDDEN for receipt in receipts)
        assert len(graph.requests) <= 4
        assert {r.outcome for r in receipts} == {Outcome.REFUSED, Outcome.NOT_SENT}

    def test_a_forbidden_write_beside_an_accepted_one_concerns_one_person(self) -> None:
        denied = {"status": 403, "body": fakes.error("Authorization_RequestDenied", "Insufficient privileges")}
        graph = FakeGraph(fakes.batch_of(lambda item: denied if item["id"].endswith("1") else ACCEPTED))
        refused = apply(graph, fakes.attempts(2))[1]
        assert (refused.reason, refused.tenant_wide) == (Reason.FORBIDDEN, False)

    def test_an_answer_without_our_item_leaves_it_unknown(self) -> None:
        graph = FakeGraph(lambda _: httpx.Response(200, json={"responses": []}))
        [receipt] = apply(graph, [fakes.attempt(1)])
        assert (receipt.outcome, receipt.reason) == (Outcome.UNKNOWN, Reason.NO_ANSWER)

    def test_a_write_is_never_repeated_inside_the_call(self) -> None:
        for graph in (refusing(503), refusing(429, {"Retry-After": "1"}), refusing(401), refusing(409)):
            apply(graph, [fakes.attempt(1)])
            assert len(graph.requests) == 1

    def test_a_rejected_token_is_not_used_again(self) -> None:
        graph = refusing(401)
        apply(graph, [fakes.attempt(1)])
        apply(graph, [fakes.attempt(1)])
        assert [r.headers["authorization"] for r in graph.requests] == ["Bearer token-1", "Bearer token-2"]


class TestEnvelopes:
    @pytest.mark.parametrize(
        ("answer", "outcome", "reason"),
        [
            pytest.param(httpx.Response(429), Outcome.REFUSED, Reason.THROTTLED, id="429: nothing was applied"),
            pytest.param(httpx.Response(401), Outcome.REFUSED, Reason.TOKEN_REJECTED, id="401"),
            pytest.param(httpx.Response(403), Outcome.REFUSED, Reason.FORBIDDEN, id="403"),
            pytest.param(httpx.Response(404), Outcome.REFUSED, Reason.REQUEST_MALFORMED, id="404: no person is meant"),
            pytest.param(httpx.Response(400), Outcome.REFUSED, Reason.REQUEST_MALFORMED, id="400: malformed"),
            pytest.param(
                httpx.Response(504, text="<html>"), Outcome.UNKNOWN, Reason.TRANSIENT, id="504 after the fact"
            ),
            pytest.param(httpx.Response(500), Outcome.UNKNOWN, Reason.TRANSIENT, id="500"),
            pytest.param(httpx.Response(301), Outcome.UNKNOWN, Reason.TRANSIENT, id="a redirect is not followed"),
            pytest.param(httpx.Response(200, text="<html>"), Outcome.UNKNOWN, Reason.NO_ANSWER, id="not JSON"),
            pytest.param(httpx.Response(200, json={}), Outcome.UNKNOWN, Reason.NO_ANSWER, id="no responses"),
            pytest.param(httpx.ReadTimeout("late"), Outcome.UNKNOWN, Reason.NO_ANSWER, id="no answer in time"),
            pytest.param(httpx.ReadError("cut"), Outcome.UNKNOWN, Reason.NO_ANSWER, id="connection cut while reading"),
            pytest.param(httpx.WriteError("cut"), Outcome.UNKNOWN, Reason.NO_ANSWER, id="connection cut while writing"),
            pytest.param(httpx.RemoteProtocolError("?"), Outcome.UNKNOWN, Reason.NO_ANSWER, id="dropped"),
            pytest.param(httpx.ConnectError("refused"), Outcome.NOT_SENT, Reason.TRANSIENT, id="no connection"),
            pytest.param(httpx.ConnectTimeout("late"), Outcome.NOT_SENT, Reason.TRANSIENT, id="no connection in time"),
            pytest.param(httpx.PoolTimeout("full"), Outcome.NOT_SENT, Reason.TRANSIENT, id="no connection free"),
        ],
    )
    def test_one_outcome_for_everybody_inside(
        self, answer: httpx.Response | Exception, outcome: Outcome, reason: Reason
    ) -> None:
        receipts = apply(FakeGraph(fakes.in_sequence(answer)), fakes.attempts(3))
        assert {(receipt.outcome, receipt.reason) for receipt in receipts} == {(outcome, reason)}

    def test_what_was_never_sent_may_be_tried_after_a_few_seconds(self) -> None:
        [receipt] = apply(FakeGraph(fakes.in_sequence(httpx.ConnectError("refused"))), [fakes.attempt(1)])
        assert receipt.retryable
        assert receipt.after == timedelta(seconds=5)
        assert receipt.sent_at is None

    def test_after_a_failed_connection_the_other_batches_stay_home(self) -> None:
        graph = FakeGraph(fakes.in_sequence(httpx.ConnectError("refused")))
        apply(graph, fakes.attempts(400))
        assert len(graph.requests) <= 4


class TestQuota:
    @pytest.mark.parametrize(
        ("value", "after"),
        [
            pytest.param("9", timedelta(seconds=9), id="whole seconds"),
            pytest.param("2.128", timedelta(seconds=2.128), id="fractional seconds"),
            pytest.param("Tue, 03 Feb 2026 08:20:30 GMT", timedelta(seconds=30), id="an HTTP date"),
            pytest.param(None, None, id="nothing said"),
        ],
    )
    def test_a_refusal_closes_the_bucket_it_names(self, value: str | None, after: timedelta | None) -> None:
        quota = ListeningQuota()
        headers = {"x-ms-throttle-scope": "Tenant_Application/Write/app/tenant"} | (
            {"Retry-After": value} if value else {}
        )
        [receipt] = apply(refusing(429, headers), [fakes.attempt(1)], quota)
        assert receipt.after == after
        assert quota.refusals == [(TENANT, "Tenant_Application/Write/app/tenant", after)]

    def test_the_longest_wait_of_a_batch_counts(self) -> None:
        quota = ListeningQuota()
        body = fakes.error("TooManyRequests", "")
        graph = FakeGraph(
            fakes.batch_of(lambda item: {"status": 429, "headers": {"Retry-After": item["id"][-1]}, "body": body})
        )
        apply(graph, fakes.attempts(10), quota)
        assert quota.refusals == [(TENANT, None, timedelta(seconds=9))]
        assert quota.lost == 10

    def test_a_refusal_keeps_the_next_batches_home(self) -> None:
        graph = refusing(429, {"Retry-After": "9"})
        receipts = apply(graph, fakes.attempts(400))
        assert len(graph.requests) <= 4
        unsent = [receipt for receipt in receipts if receipt.outcome is Outcome.NOT_SENT]
        assert {(r.reason, r.after) for r in unsent} == {(Reason.THROTTLED, timedelta(seconds=9))}

    def test_pressure_is_passed_on_once_the_highest(self) -> None:
        quota = ListeningQuota()
        headers = {"x-ms-throttle-limit-percentage": "0.9"}
        graph = FakeGraph(fakes.batch_of(lambda _: {**ACCEPTED, "headers": headers}))
        apply(graph, fakes.attempts(3), quota)
        assert quota.pressures == [(TENANT, 0.9)]

    def test_no_pressure_nothing_said(self) -> None:
        quota = ListeningQuota()
        apply(accepting(), fakes.attempts(3), quota)
        assert quota.pressures == []


class TestLease:
    def test_nothing_leaves_that_could_outlast_the_lease(self) -> None:
        graph = accepting()
        receipts = apply(graph, fakes.attempts(2), lease=fakes.lease(timedelta(seconds=19)))
        assert {(receipt.outcome, receipt.retryable) for receipt in receipts} == {(Outcome.NOT_SENT, True)}
        assert not graph.requests

    def test_a_lease_of_just_the_write_time_out_is_enough(self) -> None:
        receipts = apply(accepting(), fakes.attempts(2), lease=fakes.lease(timedelta(seconds=20)))
        assert {receipt.outcome for receipt in receipts} == {Outcome.ACCEPTED}

    def test_batches_stay_home_when_the_lease_runs_out_on_the_way(self) -> None:
        graph = accepting()
        answer = graph._answer

        def slow(request: httpx.Request) -> httpx.Response:
            graph.clock.advance(timedelta(seconds=11))
            return answer(request)

        graph._answer = slow
        receipts = apply(graph, fakes.attempts(200))
        assert len(graph.requests) <= 4
        assert sum(receipt.outcome is Outcome.NOT_SENT for receipt in receipts) >= 120


class TestTenant:
    def test_an_attempt_for_another_tenant_never_leaves(self) -> None:
        graph = accepting()
        writer = Writer(graph.client, ListeningQuota(), TenantId("another"), fakes.lease())
        [receipt] = asyncio.run(writer.apply([fakes.attempt(1)]))
        assert (receipt.outcome, receipt.reason) == (Outcome.NOT_SENT, Reason.TENANT_MISMATCH)
        assert not receipt.retryable
        assert not graph.requests

    def test_a_kind_that_is_no_write_never_leaves(self) -> None:
        graph = accepting()
        [receipt] = apply(graph, [fakes.attempt(1, StepKind.NO_OP)])
        assert (receipt.outcome, receipt.reason) == (Outcome.NOT_SENT, Reason.REQUEST_MALFORMED)

    @pytest.mark.parametrize(
        ("failure", "tenant_wide", "retryable"),
        [
            pytest.param(
                ActionRequiredError("no consent", Reason.CONSENT_MISSING), True, False, id="a person must act"
            ),
            pytest.param(RetryableError("busy", Reason.THROTTLED), False, True, id="Entra is busy"),
        ],
    )
    def test_without_a_token_nothing_leaves(self, failure: Exception, *, tenant_wide: bool, retryable: bool) -> None:
        graph = accepting()

        async def refuse(*_: object) -> None:
            raise failure

        graph.tokens._renew = refuse  # type: ignore[method-assign]  # the one thing under test that fails
        [receipt] = apply(graph, [fakes.attempt(1)])
        assert receipt.outcome is Outcome.NOT_SENT
        assert (receipt.tenant_wide, receipt.retryable) == (tenant_wide, retryable)
        assert not graph.requests
