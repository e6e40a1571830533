import pytest

from provisioning.audit.note import SignerKey
from provisioning.domain.errors import InputError
from provisioning.services.sign_report import sign_report, verify_report
from tests.unit.planning.test_calibration import report

SIGNER, OTHER = SignerKey("log.test", bytes(range(32))), SignerKey("log.other", bytes(range(1, 33)))
KEY = str(SIGNER.verifier)


class TestASignedReport:
    def test_is_read_with_the_public_key_alone(self) -> None:
        assert verify_report(sign_report(report(), SIGNER), f"{KEY}\n") == report()

    def test_that_was_changed_is_refused(self) -> None:
        changed = sign_report(report(), SIGNER).replace('"writes": 31', '"writes": 30')
        with pytest.raises(InputError, match="was changed after it was signed"):
            verify_report(changed, KEY)

    def test_of_somebody_else_is_refused(self) -> None:
        with pytest.raises(InputError, match=r"not signed by log\.test"):
            verify_report(sign_report(report(), OTHER), KEY)

    def test_is_no_text_without_a_signature(self) -> None:
        with pytest.raises(InputError):
            verify_report("{}", KEY)
