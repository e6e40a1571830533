"""Each error of ours has its status, and its sentence is the one that the command line says."""

import json
from datetime import timedelta

import pytest

from provisioning.domain import errors
from provisioning.domain.errors import (
    ActionRequiredError,
    AmbiguousOutcomeError,
    ConfigurationError,
    ConflictError,
    GraphError,
    InputError,
    NotAllowedError,
    NotFoundError,
    PermanentError,
    ProvisioningError,
    RetryableError,
    UnavailableError,
)
from provisioning.domain.reasons import Reason
from provisioning.intake.problems import FileRefusedError, Problem
from provisioning.web.problems import MEDIA_TYPE, answer_to, seconds
from provisioning.web.refusals import changed_nothing

ROOTS = {ProvisioningError, GraphError}
LEAVES = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, ProvisioningError) and kind not in ROOTS
]


def made(kind: type[ProvisioningError]) -> ProvisioningError:
    return kind("No.", Reason.THROTTLED) if issubclass(kind, GraphError) else kind("No.")


class TestEveryErrorOfOurs:
    @pytest.mark.parametrize("kind", LEAVES, ids=lambda kind: kind.__name__)
    def test_is_a_problem_document(self, kind: type[ProvisioningError]) -> None:
        answer = answer_to(made(kind))
        document = json.loads(answer.body)
        assert answer.media_type == MEDIA_TYPE
        assert document["status"] == answer.status_code
        assert document["detail"] == "No."
        assert document["type"].startswith("urn:licence-provisioning:problem:")

    @pytest.mark.parametrize(
        ("kind", "status"),
        [
            (InputError, 422),
            (NotFoundError, 404),
            (NotAllowedError, 403),
            (ConflictError, 409),
            (ActionRequiredError, 409),
            (PermanentError, 409),
            (RetryableError, 503),
            (UnavailableError, 503),
            (AmbiguousOutcomeError, 502),
            (ConfigurationError, 501),
        ],
        ids=lambda value: getattr(value, "__name__", str(value)),
    )
    def test_has_its_status(self, kind: type[ProvisioningError], status: int) -> None:
        assert answer_to(made(kind)).status_code == status

    def test_says_what_microsoft_meant_in_our_code(self) -> None:
        document = json.loads(answer_to(ActionRequiredError("Act.", Reason.CONSENT_REVOKED)).body)
        assert document["reason"] == "CONSENT_REVOKED"

    def test_names_each_line_and_column_of_a_file(self) -> None:
        refused = FileRefusedError("x", [Problem("line 2", "quantity", "is no number."), Problem("line 3", "", "cut.")])
        assert json.loads(answer_to(refused).body)["errors"] == [
            {"field": "line 2, quantity", "sentence": "is no number."},
            {"field": "line 3", "sentence": "cut."},
        ]

    def test_a_bug_is_none(self) -> None:
        with pytest.raises(ZeroDivisionError):
            answer_to(ZeroDivisionError())


class TestRetryAfter:
    def test_is_what_microsoft_said(self) -> None:
        answer = answer_to(RetryableError("Later.", Reason.THROTTLED, timedelta(seconds=7.2)))
        assert answer.headers["retry-after"] == "8"

    @pytest.mark.parametrize(("length", "told"), [(0.0, "1"), (0.4, "1"), (1.0, "1"), (1.1, "2")])
    def test_is_whole_seconds_and_never_too_few(self, length: float, told: str) -> None:
        assert seconds(timedelta(seconds=length)) == told

    def test_is_not_told_where_waiting_does_not_help(self) -> None:
        assert "retry-after" not in answer_to(InputError("No.")).headers


class TestChangedNothing:
    @pytest.mark.parametrize("error", [InputError("x"), NotAllowedError("x"), RetryableError("x", Reason.THROTTLED)])
    def test_of_a_refusal(self, error: Exception) -> None:
        assert changed_nothing(error)

    @pytest.mark.parametrize(
        "error", [UnavailableError("x"), AmbiguousOutcomeError("x", Reason.THROTTLED), ZeroDivisionError()]
    )
    def test_is_not_certain_of_a_broken_line_or_a_bug(self, error: Exception) -> None:
        assert not changed_nothing(error)
