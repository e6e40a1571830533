"""Writes through groups: shared calls, lines, and what each answer means for each person."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import httpx
import pytest

from provisioning.domain.ids import GroupId
from provisioning.domain.operation import Attempt, Change, Outcome, Receipt, StepKind
from provisioning.domain.reasons import Reason
from provisioning.graph.writes import IN_LINE, Writer
from tests.unit.graph import fakes
from tests.unit.graph.fakes import A3, GROUP, TENANT, FakeGraph, ListeningQuota

OTHER = GroupId("7e2a4d90-13c5-4b6f-a8e1-9d5f0b6c3002")
ALREADY = "One or more added object references already exist for the following modified properties: 'members'."
TOO_NEW = "The source resource object or one of the objects being referenced do not exist."
SYNCED = (
    "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently "
    "undergoing migration."
)
DEPENDS = (
    "License assignment failed because service plan 4828c8ec-dc2e-4779-b502-87ac9ce28ab7 depends on the service "
    "plan(s) 57ff2da0-773e-42df-b2af-ffb7a2317929"
)
NO_CONTENT = {"status": 204}


def missing(object_id: str) -> str:
    return f"Resource '{object_id}' does not exist or one of its queried reference-property objects are not present."


def refused(status: int, message: str, code: str = "Request_BadRequest") -> dict[str, Any]:
    return {"status": status, "body": fakes.error(code, message)}


class SerialGraph(FakeGraph):
    """Answers items in the order of their dependencies; who waits for a failed one gets 424."""

    def __init__(self, **answers: dict[str, Any]) -> None:
        """`answers`: by "c<number of the call>"; 204 for the rest."""
        self._by_call = {fakes.call_id(int(name[1:])): answer for name, answer in answers.items()}
        super().__init__(self._envelope)

    def _envelope(self, request: httpx.Request) -> httpx.Response:
        failed: set[str] = set()

        def item(asked: dict[str, Any]) -> dict[str, Any]:
            answer = self._by_call.get(asked["id"], NO_CONTENT)
            if failed & set(asked.get("dependsOn", [])):
                answer = refused(424, "", "FailedDependency")
            if answer["status"] >= 400:
                failed.add(asked["id"])
            return answer

        items = httpx.Response(200, content=request.content).json()["requests"]
        parts = [{"id": each["id"], "headers": {"x-ms-resource-unit": "1"}, **item(each)} for each in items]
        return httpx.Response(200, json={"responses": parts[::-1]}, headers={"request-id": "envelope-1"})

    @property
    def lines(self) -> list[list[str]]:
        """The calls of each envelope, by number."""
        return [[item["id"][-2:].lstrip("0") for item in items] for items in self.batches]


def apply(graph: FakeGraph, attempts: Sequence[Attempt], quota: ListeningQuota | None = None) -> list[Receipt]:
    writer = Writer(graph.client, quota or ListeningQuota(), TENANT, fakes.lease())
    return sorted(asyncio.run(writer.apply(attempts)), key=lambda receipt: receipt.attempt_id)


def many_joining(calls: int, group: GroupId = GROUP) -> list[Attempt]:
    """Calls 1 to `calls`, of twenty people each."""
    return [each for n in range(1, calls + 1) for each in fakes.joining(n, *range(n * 20, n * 20 + 20), group=group)]


def outcomes(receipts: Sequence[Receipt]) -> dict[str, Outcome]:
    """By number of the call; all attempts of a call have the same."""
    return {receipt.attempt_id.partition("#")[0][-2:].lstrip("0"): receipt.outcome for receipt in receipts}


class TestSharedCalls:
    def test_all_of_a_call_have_one_outcome_and_the_cost_stands_once(self) -> None:
        receipts = apply(SerialGraph(), fakes.joining(1, *range(20)))
        assert [receipt.attempt_id for receipt in receipts] == sorted(f"{fakes.call_id(1)}#{n}" for n in range(20))
        assert {(r.outcome, r.status, r.request_id) for r in receipts} == {(Outcome.ACCEPTED, 204, "envelope-1")}
        assert sum(receipt.resource_units or 0 for receipt in receipts) == 1

    def test_a_lost_envelope_leaves_everybody_unknown(self) -> None:
        graph = FakeGraph(fakes.in_sequence(httpx.ReadTimeout("late")))
        receipts = apply(graph, many_joining(2))
        assert {(receipt.outcome, receipt.reason) for receipt in receipts} == {(Outcome.UNKNOWN, Reason.NO_ANSWER)}

    def test_too_many_in_one_call_never_leave(self) -> None:
        graph = SerialGraph()
        receipts = apply(graph, fakes.joining(1, *range(21)))
        assert {(r.outcome, r.reason) for r in receipts} == {(Outcome.NOT_SENT, Reason.REQUEST_MALFORMED)}
        assert len(receipts) == 21
        assert not graph.requests

    def test_the_new_groups_id_comes_back(self) -> None:
        graph = FakeGraph(fakes.batch_of(lambda _: {"status": 201, "body": {"id": GROUP.upper(), "displayName": "x"}}))
        [receipt] = apply(graph, [fakes.attempt(1, StepKind.CREATE_GROUP, Change(group_name="lic-a3"))])
        assert (receipt.outcome, receipt.created) == (Outcome.ACCEPTED, GROUP)

    def test_a_yes_without_an_id_is_still_a_yes(self) -> None:
        graph = FakeGraph(fakes.batch_of(lambda _: {"status": 201}))
        [receipt] = apply(graph, [fakes.attempt(1, StepKind.CREATE_GROUP, Change(group_name="lic-a3"))])
        assert (receipt.outcome, receipt.created) == (Outcome.ACCEPTED, None)

    def test_only_a_new_group_has_an_id_to_tell(self) -> None:
        graph = FakeGraph(fakes.batch_of(lambda _: {"status": 202, "body": {"id": GROUP}}))
        [receipt] = apply(graph, [fakes.attempt(1, StepKind.LICENSE_GROUP, Change(group_id=GROUP, add_sku=A3))])
        assert (receipt.outcome, receipt.created) == (Outcome.ACCEPTED, None)


class TestLines:
    def test_a_chunk_of_160_people_is_one_envelope_in_which_each_waits_for_the_one_before(self) -> None:
        graph = SerialGraph()
        receipts = apply(graph, many_joining(8))
        [items] = graph.batches
        assert [item.get("dependsOn") for item in items] == [None, *([item["id"]] for item in items[:-1])]
        assert [item["method"] for item in items] == ["PATCH"] * 8
        assert {receipt.outcome for receipt in receipts} == {Outcome.ACCEPTED}

    def test_a_long_line_leaves_in_parts_one_after_the_other(self) -> None:
        graph = SerialGraph()
        apply(graph, many_joining(12))
        assert graph.lines == [[str(n) for n in range(1, IN_LINE + 1)], ["11", "12"]]

    def test_a_thousand_people_are_fifty_writes_in_five_envelopes(self) -> None:
        graph = SerialGraph()
        receipts = apply(graph, many_joining(50))
        assert len(receipts) == 1000
        assert sum(map(len, graph.batches)) == 50
        assert len(graph.requests) == 5

    def test_who_leaves_one_group_leaves_in_line_too(self) -> None:
        graph = SerialGraph()
        apply(graph, [fakes.leaving(n) for n in range(3)])
        [items] = graph.batches
        assert sum("dependsOn" in item for item in items) == 2

    def test_single_writes_of_many_groups_and_people_travel_together(self) -> None:
        graph = SerialGraph()
        apply(graph, [*fakes.joining(1, 1), *fakes.joining(2, 2, group=OTHER), fakes.attempt(3)])
        [items] = graph.batches
        assert len(items) == 3
        assert not any("dependsOn" in item for item in items)

    def test_lines_of_two_groups_do_not_wait_for_each_other(self) -> None:
        graph = SerialGraph(c1=refused(409, "", "Directory_ConcurrencyViolation"))
        second = [fakes.joining(n, n + 100, group=OTHER) for n in (11, 12)]
        receipts = outcomes(apply(graph, [*many_joining(2), *second[0], *second[1]]))
        assert receipts == {
            "1": Outcome.REFUSED,
            "2": Outcome.NOT_SENT,
            "11": Outcome.ACCEPTED,
            "12": Outcome.ACCEPTED,
        }

    def test_a_persons_own_writes_leave_in_their_order(self) -> None:
        graph = SerialGraph()
        location = fakes.attempt(31, StepKind.SET_USAGE_LOCATION, Change(usage_location="NL"), of=1)
        apply(graph, [location, *fakes.joining(1, 1, 2)])
        assert graph.lines == [["31"], ["1"]]

    def test_licences_come_before_the_people_of_the_same_group(self) -> None:
        graph = SerialGraph()
        licensing = fakes.attempt(31, StepKind.LICENSE_GROUP, Change(group_id=GROUP, add_sku=A3))
        apply(graph, [licensing, *fakes.joining(1, 1)])
        assert graph.lines == [["31", "1"]]
        assert graph.batches[0][1]["dependsOn"] == [licensing.attempt_id]


class TestBrokenLines:
    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param(refused(400, ALREADY), id="one is a member already"),
            pytest.param(refused(404, missing(fakes.subject(45)), "Request_ResourceNotFound"), id="one is gone"),
            pytest.param(refused(400, "Something new."), id="nobody knows why"),
        ],
    )
    def test_who_stands_behind_a_call_refused_for_its_people_goes_on_at_once(self, answer: dict[str, Any]) -> None:
        graph = SerialGraph(c2=answer)
        receipts = apply(graph, many_joining(4))
        assert graph.lines == [["1", "2", "3", "4"], ["3", "4"]]
        assert graph.batches[1][0].get("dependsOn") is None
        expected = {"1": Outcome.ACCEPTED, "2": Outcome.REFUSED, "3": Outcome.ACCEPTED, "4": Outcome.ACCEPTED}
        assert outcomes(receipts) == expected
        assert len(receipts) == 80

    @pytest.mark.parametrize(
        ("answer", "outcome", "reason", "after"),
        [
            pytest.param(
                {**refused(429, ""), "headers": {"Retry-After": "9"}},
                Outcome.REFUSED,
                Reason.THROTTLED,
                timedelta(seconds=9),
                id="throttled",
            ),
            pytest.param(refused(409, ""), Outcome.REFUSED, Reason.CONCURRENT_WRITE, timedelta(seconds=2), id="409"),
            pytest.param(
                refused(400, TOO_NEW), Outcome.REFUSED, Reason.GROUP_TOO_NEW, timedelta(seconds=5), id="too new"
            ),
            pytest.param(refused(400, SYNCED), Outcome.REFUSED, Reason.GROUP_READ_ONLY, None, id="synced"),
            pytest.param(refused(404, missing(GROUP)), Outcome.REFUSED, Reason.GROUP_GONE, None, id="group gone"),
            pytest.param(refused(504, ""), Outcome.UNKNOWN, Reason.TRANSIENT, timedelta(seconds=5), id="in doubt"),
        ],
    )
    def test_what_concerns_the_group_keeps_the_rest_home(
        self, answer: dict[str, Any], outcome: Outcome, reason: Reason, after: timedelta | None
    ) -> None:
        graph = SerialGraph(c2=answer)
        receipts = apply(graph, many_joining(3))
        assert len(graph.requests) == 1
        assert outcomes(receipts) == {"1": Outcome.ACCEPTED, "2": outcome, "3": Outcome.NOT_SENT}
        behind = {(r.reason, r.retryable, r.after) for r in receipts if r.outcome is Outcome.NOT_SENT}
        assert behind == {(reason, True, after)}

    def test_a_missing_permission_stops_the_tenant(self) -> None:
        receipts = apply(SerialGraph(c1=refused(403, "", "Authorization_RequestDenied")), many_joining(3))
        assert all(receipt.tenant_wide and receipt.reason is Reason.FORBIDDEN for receipt in receipts)

    def test_people_do_not_join_a_group_whose_licence_was_refused(self) -> None:
        graph = FakeGraph(
            fakes.batch_of(lambda item: refused(424, "") if item.get("dependsOn") else refused(400, DEPENDS))
        )
        licensing = fakes.attempt(31, StepKind.LICENSE_GROUP, Change(group_id=GROUP, add_sku=A3))
        first, *others = apply(graph, [licensing, *fakes.joining(1, 1, 2)])
        assert (first.outcome, first.reason) == (Outcome.REFUSED, Reason.DEPENDENCY)
        assert {(r.outcome, r.reason) for r in others} == {(Outcome.NOT_SENT, Reason.DEPENDENCY)}
        assert len(graph.requests) == 1

    def test_a_mistake_in_one_call_is_not_held_against_the_next(self) -> None:
        malformed = refused(400, "One or more parameters of the operation are missing from the request payload.")
        graph = FakeGraph(fakes.batch_of(lambda item: refused(424, "") if item.get("dependsOn") else malformed))
        licensing = fakes.attempt(31, StepKind.LICENSE_GROUP, Change(group_id=GROUP, add_sku=A3))
        first, other = apply(graph, [licensing, *fakes.joining(1, 1)])
        assert first.reason is Reason.REQUEST_MALFORMED
        assert (other.outcome, other.reason, other.retryable) == (Outcome.NOT_SENT, Reason.TRANSIENT, True)

    def test_a_403_behind_an_accepted_call_concerns_no_tenant_and_ends_the_line(self) -> None:
        graph = SerialGraph(c2=refused(403, "", "Authorization_RequestDenied"))
        receipts = apply(graph, many_joining(3))
        assert not any(receipt.tenant_wide for receipt in receipts)
        assert outcomes(receipts) == {"1": Outcome.ACCEPTED, "2": Outcome.REFUSED, "3": Outcome.NOT_SENT}
        assert len(graph.requests) == 1

    def test_a_graph_that_tries_nothing_is_not_asked_for_ever(self) -> None:
        graph = FakeGraph(fakes.batch_of(lambda _: refused(424, "")))
        receipts = apply(graph, many_joining(2))
        assert len(graph.requests) == 1
        assert {(r.outcome, r.retryable) for r in receipts} == {(Outcome.NOT_SENT, True)}

    def test_a_lost_envelope_keeps_the_rest_of_its_line_home(self) -> None:
        graph = FakeGraph(fakes.in_sequence(httpx.ReadTimeout("late")))
        receipts = outcomes(apply(graph, many_joining(12)))
        assert len(graph.requests) == 1
        assert (receipts["10"], receipts["11"]) == (Outcome.UNKNOWN, Outcome.NOT_SENT)


class TestRefusals:
    def joining(self, answer: dict[str, Any]) -> list[Receipt]:
        return apply(SerialGraph(c1=answer), fakes.joining(1, 1, 2, 3))

    def test_somebody_is_a_member_already_and_nobody_was_added(self) -> None:
        receipts = self.joining(refused(400, ALREADY))
        assert {(r.outcome, r.reason, r.retryable) for r in receipts} == {
            (Outcome.REFUSED, Reason.MEMBER_ALREADY, False)
        }
        assert receipts[0].detail == ALREADY

    def test_who_is_gone_is_named_and_the_others_may_come_without_them(self) -> None:
        receipts = self.joining(refused(404, missing(fakes.subject(2)), "Request_ResourceNotFound"))
        assert [(r.outcome, r.status, r.reason, r.retryable) for r in receipts] == [
            (Outcome.REFUSED, 404, Reason.TRANSIENT, True),
            (Outcome.REFUSED, 404, Reason.NOT_FOUND, False),
            (Outcome.REFUSED, 404, Reason.TRANSIENT, True),
        ]
        assert [bool(receipt.detail) for receipt in receipts] == [False, True, False]

    def test_without_a_name_it_is_the_group_that_is_gone(self) -> None:
        assert {receipt.reason for receipt in self.joining(refused(404, ""))} == {Reason.GROUP_GONE}

    @pytest.mark.parametrize(
        ("attempt", "answer", "reason"),
        [
            pytest.param(
                fakes.leaving(1), refused(404, missing(fakes.subject(1))), Reason.NOT_FOUND, id="no member (any more)"
            ),
            pytest.param(
                fakes.leaving(1), refused(404, missing(GROUP)), Reason.GROUP_GONE, id="group of a member gone"
            ),
            pytest.param(fakes.leaving(1), refused(400, SYNCED), Reason.GROUP_READ_ONLY, id="a sync tool's members"),
            pytest.param(
                fakes.attempt(1), refused(404, missing(fakes.subject(1))), Reason.NOT_FOUND, id="a person's own licence"
            ),
            pytest.param(
                fakes.attempt(1, StepKind.REPROCESS, Change()),
                refused(404, missing(fakes.subject(1))),
                Reason.NOT_FOUND,
                id="nobody to look at again",
            ),
            pytest.param(
                fakes.attempt(1, StepKind.REPROCESS, Change()),
                refused(400, DEPENDS),
                Reason.DEPENDENCY,
                id="the true reason",
            ),
            pytest.param(
                fakes.attempt(1, StepKind.LICENSE_GROUP, Change(group_id=GROUP, add_sku=A3)),
                refused(404, missing(GROUP)),
                Reason.GROUP_GONE,
                id="no group to license",
            ),
            pytest.param(
                fakes.attempt(1, StepKind.LICENSE_GROUP, Change(group_id=GROUP, add_sku=A3)),
                refused(400, DEPENDS),
                Reason.DEPENDENCY,
                id="what the group lacks",
            ),
        ],
    )
    def test_of_one_write(self, attempt: Attempt, answer: dict[str, Any], reason: Reason) -> None:
        [receipt] = apply(FakeGraph(fakes.batch_of(lambda _: answer)), [attempt])
        assert (receipt.outcome, receipt.reason, receipt.retryable) == (Outcome.REFUSED, reason, False)

    def test_reprocessing_names_the_plans(self) -> None:
        graph = FakeGraph(fakes.batch_of(lambda _: refused(400, DEPENDS)))
        [receipt] = apply(graph, [fakes.attempt(1, StepKind.REPROCESS, Change())])
        assert receipt.detail == DEPENDS
