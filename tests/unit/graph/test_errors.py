import json
from datetime import UTC, datetime, timedelta

import pytest

from provisioning.domain.errors import ActionRequiredError, PermanentError, RetryableError
from provisioning.domain.operation import Outcome
from provisioning.domain.reasons import Reason
from provisioning.graph import errors
from tests.unit.graph import fakes
from tests.unit.graph.fakes import A1, NOW, TENANT

PLAN_A, PLAN_B = "4828c8ec-dc2e-4779-b502-87ac9ce28ab7", "57ff2da0-773e-42df-b2af-ffb7a2317929"


def body(code: str, message: str) -> bytes:
    return json.dumps(fakes.error(code, message)).encode()


class TestJudge:
    @pytest.mark.parametrize(
        ("status", "code", "message", "reason"),
        [
            pytest.param(
                400,
                "Request_BadRequest",
                "License assignment cannot be done for user with invalid usage location.",
                Reason.USAGE_LOCATION,
                id="no usage location",
            ),
            pytest.param(
                400,
                "Request_BadRequest",
                "License assignment failed because the service is not available in the usage location of the user.",
                Reason.USAGE_LOCATION_PROHIBITED,
                id="not sold there",
            ),
            pytest.param(
                400,
                "Request_BadRequest",
                f"Subscription with SKU {A1} does not have any available licenses.",
                Reason.COUNT_VIOLATION,
                id="no seats",
            ),
            pytest.param(
                400,
                "Request_BadRequest",
                f"License {A1} does not correspond to a valid company License.",
                Reason.SKU_NOT_OWNED,
                id="not owned",
            ),
            pytest.param(
                400,
                "Request_BadRequest",
                "User does not have a corresponding license.",
                Reason.LICENCE_NOT_HELD,
                id="removal of what is not held",
            ),
            pytest.param(
                400,
                "Request_BadRequest",
                "User license is inherited from a group membership and it cannot be removed directly from the user.",
                Reason.INHERITED_FROM_GROUP,
                id="held through a group",
            ),
            pytest.param(
                400,
                "Request_BadRequest",
                f"License assignment failed because service plan {PLAN_A} depends on the service plan(s) {PLAN_B}",
                Reason.DEPENDENCY,
                id="dependency",
            ),
            pytest.param(
                400,
                "Request_BadRequest",
                f"License assignment failed because service plans {PLAN_A}, {PLAN_B} are mutually exclusive.",
                Reason.MUTUALLY_EXCLUSIVE,
                id="conflict",
            ),
            pytest.param(
                400,
                "Request_BadRequest",
                "Another object with the same value for property proxyAddresses already exists.",
                Reason.UNIQUENESS,
                id="address clash",
            ),
            pytest.param(
                400,
                "Request_BadRequest",
                "One or more parameters of the operation 'assignLicense' are missing from the request payload. "
                "The missing parameters are: removeLicenses.",
                Reason.REQUEST_MALFORMED,
                id="parameter missing",
            ),
            pytest.param(
                400,
                "Request_BadRequest",
                "Cannot convert the literal 'A3' to the expected type 'Edm.Guid'.",
                Reason.REQUEST_MALFORMED,
                id="malformed GUID",
            ),
            pytest.param(
                400,
                "Request_BadRequest",
                f"Service plan {PLAN_A} is not part of the license {A1}.",
                Reason.REQUEST_MALFORMED,
                id="plan of another SKU",
            ),
            pytest.param(
                404,
                "Request_ResourceNotFound",
                "Resource 'x' does not exist or one of its queried reference-property objects are not present.",
                Reason.NOT_FOUND,
                id="no such person",
            ),
            pytest.param(
                403,
                "Authorization_RequestDenied",
                "Insufficient privileges to complete the operation.",
                Reason.FORBIDDEN,
                id="permission missing",
            ),
            pytest.param(
                401, "InvalidAuthenticationToken", "Access token is empty.", Reason.TOKEN_REJECTED, id="token"
            ),
            pytest.param(
                409,
                "Directory_ConcurrencyViolation",
                "Error due to concurrent requests being made to the tenant. Please wait briefly and retry.",
                Reason.CONCURRENT_WRITE,
                id="concurrent writes",
            ),
            pytest.param(429, "TooManyRequests", "Please retry again later.", Reason.THROTTLED, id="throttled"),
            pytest.param(
                405,
                "Request_BadRequest",
                "Specified HTTP method is not allowed for the request target.",
                Reason.REQUEST_MALFORMED,
                id="wrong method",
            ),
            pytest.param(400, "Request_BadRequest", "Something new.", Reason.GRAPH_OTHER, id="not in the catalogue"),
        ],
    )
    def test_the_catalogue(self, status: int, code: str, message: str, reason: Reason) -> None:
        verdict = errors.judge(status, {}, body(code, message), NOW)
        assert (verdict.outcome, verdict.reason, verdict.error_code) == (Outcome.REFUSED, reason, code)
        assert verdict.request_id == "inner-1"

    @pytest.mark.parametrize(
        ("message", "of_group", "of_person"),
        [
            pytest.param(
                "One or more added object references already exist for the following modified properties: 'members'.",
                Reason.MEMBER_ALREADY,
                Reason.GRAPH_OTHER,
                id="a member already",
            ),
            pytest.param(
                "The source resource object or one of the objects being referenced do not exist.",
                Reason.GROUP_TOO_NEW,
                Reason.GRAPH_OTHER,
                id="a group that not everybody knows yet",
            ),
            pytest.param(
                "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects "
                "currently undergoing migration.",
                Reason.GROUP_READ_ONLY,
                Reason.GRAPH_OTHER,
                id="a sync tool's: a synced person is no group",
            ),
            pytest.param(
                "Unable to update the specified properties for objects that have originated within an external "
                "service.",
                Reason.GROUP_READ_ONLY,
                Reason.GRAPH_OTHER,
                id="another service's",
            ),
            pytest.param(
                "Cannot Update a mail-enabled security groups and or distribution list.",
                Reason.GROUP_READ_ONLY,
                Reason.GRAPH_OTHER,
                id="Exchange's",
            ),
            pytest.param(
                "Members of a group with dynamic membership cannot be changed.",
                Reason.GROUP_READ_ONLY,
                Reason.GRAPH_OTHER,
                id="a rule's",
            ),
            pytest.param(
                f"License assignment failed because service plan {PLAN_A} depends on the service plan(s) {PLAN_B}",
                Reason.DEPENDENCY,
                Reason.DEPENDENCY,
                id="of both: a dependency",
            ),
        ],
    )
    def test_of_groups_some_sentences_mean_more(self, message: str, of_group: Reason, of_person: Reason) -> None:
        answer = body("Request_BadRequest", message)
        assert errors.judge(400, {}, answer, NOW, of_group=True).reason is of_group
        assert errors.judge(400, {}, answer, NOW).reason is of_person

    def test_a_new_group_is_waited_for_and_no_other_refusal(self) -> None:
        too_new = body("Request_BadRequest", "The source resource object or one of the objects being referenced do not")
        verdict = errors.judge(400, {}, too_new, NOW, of_group=True)
        assert (verdict.retryable, verdict.after) == (True, timedelta(seconds=5))
        already = errors.judge(
            400, {}, body("", "One or more added object references already exist"), NOW, of_group=True
        )
        assert (already.retryable, already.after) == (False, None)

    def test_what_waited_for_a_failed_request_never_left(self) -> None:
        verdict = errors.judge(424, {"retry-after": "3"}, body("FailedDependency", ""), NOW)
        assert (verdict.outcome, verdict.retryable, verdict.after) == (Outcome.NOT_SENT, True, timedelta(seconds=3))

    @pytest.mark.parametrize(("status", "code"), [(503, "ServiceUnavailable"), (504, "UnknownError"), (500, "")])
    def test_a_transient_failure_of_the_directory_is_unknown(self, status: int, code: str) -> None:
        assert errors.judge(status, {}, body(code, ""), NOW).outcome is Outcome.UNKNOWN

    def test_the_wording_may_change_case(self) -> None:
        message = f"SUBSCRIPTION WITH SKU {A1} DOES NOT HAVE ANY AVAILABLE LICENSES"
        assert errors.judge(400, {}, body("Request_BadRequest", message), NOW).reason is Reason.COUNT_VIOLATION

    def test_the_plans_of_a_conflict_stay_readable(self) -> None:
        message = f"License assignment failed because service plans {PLAN_A}, {PLAN_B} are mutually exclusive."
        assert errors.judge(400, {}, body("Request_BadRequest", message), NOW).detail == message

    def test_a_concurrent_write_waits_briefly_unless_told_otherwise(self) -> None:
        refusal = body("Directory_ConcurrencyViolation", "")
        assert errors.judge(409, {}, refusal, NOW).after == timedelta(seconds=2)
        assert errors.judge(409, {"retry-after": "5"}, refusal, NOW).after == timedelta(seconds=5)

    @pytest.mark.parametrize("unreadable", [b"", b"<html>", b"[]", b'{"error":"x"}'])
    def test_a_body_that_is_not_graphs_still_has_a_meaning(self, unreadable: bytes) -> None:
        verdict = errors.judge(400, {}, unreadable, NOW)
        assert (verdict.outcome, verdict.reason, verdict.detail) == (Outcome.REFUSED, Reason.GRAPH_OTHER, None)

    def test_a_code_that_is_no_code_is_left_out(self) -> None:
        assert errors.judge(400, {}, body("p.shah@northfield.example", ""), NOW).error_code is None


class TestTokenFailure:
    @pytest.mark.parametrize(
        ("code", "reason", "credential"),
        [
            (90002, Reason.TENANT_GONE, False),
            (700016, Reason.CONSENT_MISSING, False),
            (90099, Reason.CONSENT_MISSING, False),
            (500011, Reason.CONSENT_MISSING, False),
            (7000112, Reason.CONSENT_REVOKED, False),
            (70001, Reason.CONSENT_REVOKED, False),
            (7000215, Reason.CREDENTIAL_REJECTED, True),
            (7000222, Reason.CREDENTIAL_REJECTED, True),
            (7000218, Reason.CREDENTIAL_REJECTED, True),
            (700027, Reason.CREDENTIAL_REJECTED, True),
            (700024, Reason.CREDENTIAL_REJECTED, True),
            (50012, Reason.CREDENTIAL_REJECTED, True),
            (50027, Reason.CREDENTIAL_REJECTED, True),
            (700030, Reason.CREDENTIAL_REJECTED, True),
            (53003, Reason.FORBIDDEN, False),
            (90038, Reason.TENANT_MISMATCH, False),
            (900382, Reason.TENANT_MISMATCH, False),
            (900432, Reason.TENANT_MISMATCH, False),
        ],
    )
    def test_a_person_must_act(self, code: int, reason: Reason, *, credential: bool) -> None:
        error = errors.token_failure(TENANT, 400, f"Microsoft Entra ID error '(x) AADSTS{code}: Contoso'")
        assert isinstance(error, ActionRequiredError)
        assert (error.reason, error.credential) == (reason, credential)
        assert str(code) in str(error)
        assert "Contoso" not in str(error)

    @pytest.mark.parametrize("code", [90055, 90024, 90033, 90006, 50196])
    def test_time_helps(self, code: int) -> None:
        error = errors.token_failure(TENANT, 400, f"AADSTS{code}: busy", timedelta(seconds=3))
        assert isinstance(error, RetryableError)
        assert error.after == timedelta(seconds=3)

    @pytest.mark.parametrize("code", [70011, 900144, 9001023, 90124])
    def test_our_own_mistakes_are_permanent(self, code: int) -> None:
        assert isinstance(errors.token_failure(TENANT, 400, f"AADSTS{code}: wrong"), PermanentError)

    @pytest.mark.parametrize(
        ("status", "reason"),
        [(429, Reason.THROTTLED), (503, Reason.TRANSIENT), (500, Reason.TRANSIENT), (None, Reason.TRANSIENT)],
    )
    def test_without_a_code_the_status_decides(self, status: int | None, reason: Reason) -> None:
        error = errors.token_failure(TENANT, status, "Service Unavailable")
        assert isinstance(error, RetryableError)
        assert error.reason is reason

    def test_an_unknown_refusal_of_the_client_may_be_our_credential(self) -> None:
        error = errors.token_failure(TENANT, 401, "(invalid_client) AADSTS999999: new")
        assert isinstance(error, ActionRequiredError)
        assert error.credential

    def test_any_other_refusal_needs_a_person_but_is_not_held_against_the_credential(self) -> None:
        error = errors.token_failure(TENANT, 400, "(invalid_grant) AADSTS999998: new")
        assert isinstance(error, ActionRequiredError)
        assert (error.reason, error.credential) == (Reason.GRAPH_OTHER, False)


class TestReadFailure:
    @pytest.mark.parametrize(
        ("status", "kind", "reason"),
        [
            (401, ActionRequiredError, Reason.TOKEN_REJECTED),
            (403, ActionRequiredError, Reason.FORBIDDEN),
            (404, PermanentError, Reason.NOT_FOUND),
            (400, PermanentError, Reason.GRAPH_OTHER),
            (429, RetryableError, Reason.THROTTLED),
            (408, RetryableError, Reason.TRANSIENT),
            (500, RetryableError, Reason.TRANSIENT),
            (503, RetryableError, Reason.TRANSIENT),
        ],
    )
    def test_every_status_becomes_one_of_our_errors(self, status: int, kind: type[Exception], reason: Reason) -> None:
        error = errors.read_failure(TENANT, status, {}, b"", NOW)
        assert isinstance(error, kind)
        assert error.reason is reason

    def test_it_carries_how_long(self) -> None:
        error = errors.read_failure(TENANT, 429, {"retry-after": "3"}, b"", NOW)
        assert isinstance(error, RetryableError)
        assert error.after == timedelta(seconds=3)

    def test_it_names_no_person(self) -> None:
        said = body("Request_ResourceNotFound", "Resource 'p.shah@northfield.example' does not exist.")
        for status in (400, 404):
            assert "shah" not in str(errors.read_failure(TENANT, status, {}, said, NOW))


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("9", timedelta(seconds=9)),
            ("2.128", timedelta(seconds=2.128)),
            ("Tue, 03 Feb 2026 08:20:30 GMT", timedelta(seconds=30)),
            ("Tue, 03 Feb 2026 08:19:30 GMT", None),
            ("0", None),
            ("-1", None),
            ("nan", None),
            ("1e400", None),
            ("soon", None),
            ("", None),
            (None, None),
        ],
    )
    def test_whole_fractional_date_or_nothing(self, value: str | None, expected: timedelta | None) -> None:
        assert errors.retry_after(value, datetime(2026, 2, 3, 8, 20, tzinfo=UTC)) == expected
