from typing import Any

import msgspec
import pytest

from provisioning.planning.probe import Ask, Probe
from provisioning.planning.probe_answers import Answered, Plain, Verdict, compared, facts_of

SKU, USER = "4b590615-0888-425a-a965-b3bf7789848d", "0c9e7b52-6a3d-4f18-9b77-51c2ad3f2001"
PLAIN = Plain({"user": USER, "sku": SKU, "rival": SKU, "pillars": ("x",)})


def answered(status: int = 200, body: Any = None, **headers: str) -> Answered:
    return Answered(status, {name.replace("_", "-"): text for name, text in headers.items()}, msgspec.json.encode(body))


def fact(name: str, answer: Answered) -> str:
    probe = Probe(name="p", row="1", question="?", ask=Ask(method="GET", path="/"), shows=(name,))
    return facts_of(probe, answer, PLAIN)[name]


def refused(message: str, code: str = "Request_BadRequest", **headers: str) -> Answered:
    return answered(400, {"error": {"code": code, "message": message}}, **headers)


class TestPlain:
    def test_says_words_for_what_is_of_one_tenant(self) -> None:
        assert PLAIN(f"Sub {SKU.upper()} of {USER}") == "Sub <sku> of <user>"

    def test_says_of_other_ids_only_that_they_are(self) -> None:
        assert PLAIN("Trace 11111111-2222-3333-4444-555555555555.") == "Trace <id>."

    def test_names_nobody(self) -> None:
        assert PLAIN("User 'with-a1@school.nl' is away") == "User '<address>' is away"


class TestFacts:
    def test_of_a_refusal(self) -> None:
        told = refused(f"License {SKU} is not there.")
        assert (fact("status", told), fact("code", told)) == ("400", "Request_BadRequest")
        assert fact("message", told) == "License <sku> is not there."

    @pytest.mark.parametrize("body", [None, [], "text", {"error": "text"}, {"value": 1}])
    def test_of_something_else_are_empty(self, body: Any) -> None:
        assert (fact("code", answered(500, body)), fact("message", answered(500, body))) == ("", "")

    def test_of_a_body_that_is_no_json(self) -> None:
        assert fact("message", Answered(503, {}, b"<html>")) == ""

    @pytest.mark.parametrize(
        ("headers", "told"),
        [({}, "absent"), ({"retry_after": "3"}, "whole seconds"), ({"retry_after": "2.1"}, "fractional or a date")],
    )
    def test_of_a_time_to_wait(self, headers: dict[str, str], told: str) -> None:
        assert fact("retry-after", refused("x", **headers)) == told

    def test_of_a_batch(self) -> None:
        rows = [
            {"id": "1", "status": 409, "headers": {"Retry-After": "3"}, "body": {"error": {"code": "Conflict"}}},
            {"id": "0", "status": 200, "headers": {"request-id": "r"}, "body": {}},
        ]
        batch = answered(200, {"responses": rows})
        assert fact("items", batch) == "200, 409 Conflict"
        assert fact("retry-after", batch) == "whole seconds"
        assert fact("item-ids", batch) == "named"
        assert batch.items["1"].status == 409

    def test_of_licences(self) -> None:
        row = {"skuId": SKU, "assignedByGroup": None, "state": "Active", "error": "None", "disabledPlans": ["x"]}
        shown = answered(200, {"licenseAssignmentStates": [row, {**row, "assignedByGroup": USER, "disabledPlans": []}]})
        assert fact("licences", shown) == "<sku> Active None off 1, <sku> through <user> Active None off 0"

    def test_of_what_is_told_of_a_person(self) -> None:
        assert fact("keys", answered(200, {"id": 1, "@odata.context": 2, "displayName": 3})) == "displayName id"

    def test_of_entra(self) -> None:
        assert fact("entra", answered(400, {"error_description": "AADSTS90002: no tenant"})) == "AADSTS90002"
        assert fact("entra", answered(400)) == "no code"

    def test_of_what_a_request_cost(self) -> None:
        assert fact("units", answered(200, x_ms_resource_unit="2")) == "2"


class TestComparing:
    def test_same_and_different(self) -> None:
        assert compared({"status": "400"}, {"status": "400"}) is Verdict.SAME
        assert compared({"status": "400"}, {"status": "200"}) is Verdict.DIFFERENT


class TestAnAnswer:
    @pytest.mark.parametrize(
        ("status", "accepted", "lost"), [(204, True, False), (404, False, False), (504, False, True)]
    )
    def test_is_accepted_refused_or_lost(self, status: int, accepted: bool, lost: bool) -> None:
        assert (answered(status).is_accepted, answered(status).is_lost) == (accepted, lost)
