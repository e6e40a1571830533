from datetime import timedelta

import pytest

from provisioning.domain import errors
from provisioning.domain.errors import ActionRequiredError, GraphError, ProvisioningError, RetryableError
from provisioning.domain.reasons import Reason

OURS = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, Exception)]


class TestTheTree:
    @pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
    def test_every_error_of_ours_is_under_one_root_and_says_so_in_its_name(self, kind: type[Exception]) -> None:
        assert issubclass(kind, ProvisioningError)
        assert kind.__name__.endswith("Error")

    @pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
    def test_the_drawing_shows_all_of_them(self, kind: type[Exception]) -> None:
        assert kind.__name__ in (errors.__doc__ or "")

    @pytest.mark.parametrize(
        "kind", [one for one in OURS if issubclass(one, GraphError)], ids=lambda kind: kind.__name__
    )
    def test_what_microsoft_said_keeps_its_sentence_and_our_reason(self, kind: type[GraphError]) -> None:
        error = kind("Microsoft refused.", Reason.FORBIDDEN)
        assert (str(error), error.reason) == ("Microsoft refused.", Reason.FORBIDDEN)


class TestWhatTheyCarry:
    def test_how_long_to_wait(self) -> None:
        assert RetryableError("Later.", Reason.THROTTLED, timedelta(seconds=7)).after == timedelta(seconds=7)
        assert RetryableError("Later.", Reason.THROTTLED).after is None

    def test_whether_the_fault_may_be_ours(self) -> None:
        assert ActionRequiredError("Act.", Reason.CREDENTIAL_REJECTED, credential=True).credential
        assert not ActionRequiredError("Act.", Reason.CONSENT_REVOKED).credential
