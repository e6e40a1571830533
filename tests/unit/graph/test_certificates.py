from pathlib import Path

import pytest

from provisioning.domain.errors import ConfigurationError
from provisioning.graph.certificates import valid_until
from tests.conformance.credentials import Certificate


class TestValidUntil:
    @pytest.mark.parametrize("is_key_first", [True, False])
    def test_is_read_from_the_file_that_also_holds_the_key(self, tmp_path: Path, is_key_first: bool) -> None:
        made = Certificate()
        key = made.bundle.removeprefix(made.pem.encode())
        file = tmp_path / "app.pem"
        file.write_bytes(key + made.pem.encode() if is_key_first else made.bundle)
        assert valid_until(str(file)) == made.certificate.not_valid_after_utc

    def test_a_file_without_a_certificate_is_named(self, tmp_path: Path) -> None:
        file = tmp_path / "app.pem"
        file.write_text("no certificate")
        with pytest.raises(ConfigurationError, match=str(file)):
            valid_until(str(file))

    def test_a_missing_file_is_named(self) -> None:
        with pytest.raises(ConfigurationError, match=r"/nowhere/app\.pem"):
            valid_until("/nowhere/app.pem")
