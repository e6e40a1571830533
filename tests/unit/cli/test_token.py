import re
from pathlib import Path

import pytest

from provisioning.cli.token import read_token
from provisioning.domain.errors import NotAllowedError


def private(path: Path, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("secret\n")
    path.chmod(mode)
    return path


class TestReadToken:
    def test_without_any_there_is_none(self, tmp_path: Path) -> None:
        assert read_token({"HOME": str(tmp_path)}) is None
        assert read_token({}) is None

    def test_the_variable_comes_first(self, tmp_path: Path) -> None:
        file = private(tmp_path / "token")
        assert read_token({"PROVISIONING_TOKEN": " mine ", "PROVISIONING_TOKEN_FILE": str(file)}) == "mine"

    @pytest.mark.parametrize("mode", [0o600, 0o400])
    def test_a_private_file_is_read(self, tmp_path: Path, mode: int) -> None:
        assert read_token({"PROVISIONING_TOKEN_FILE": str(private(tmp_path / "token", mode))}) == "secret"

    def test_the_usual_place_is_looked_at(self, tmp_path: Path) -> None:
        private(tmp_path / ".config" / "provisioning" / "token")
        assert read_token({"HOME": str(tmp_path)}) == "secret"

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o610])
    def test_a_file_that_others_can_touch_is_refused(self, tmp_path: Path, mode: int) -> None:
        file = private(tmp_path / "token", mode)
        with pytest.raises(NotAllowedError, match=f"chmod 600 {re.escape(str(file))}"):
            read_token({"PROVISIONING_TOKEN_FILE": str(file)})

    def test_a_file_that_holds_no_text_is_said(self, tmp_path: Path) -> None:
        file = private(tmp_path / "token")
        file.write_bytes(b"\xff\xfe\x00")
        with pytest.raises(NotAllowedError, match="holds no token"):
            read_token({"PROVISIONING_TOKEN_FILE": str(file)})

    def test_a_file_that_is_named_but_not_there_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(NotAllowedError, match="cannot be read: No such file"):
            read_token({"PROVISIONING_TOKEN_FILE": str(tmp_path / "none")})
