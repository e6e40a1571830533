import pytest

from provisioning.planning.register_codes import candidates, is_brin, is_location


class TestCandidates:
    @pytest.mark.parametrize(
        ("code", "expected"),
        [
            ("00xx00", ("00XX00",)),
            (" 00XX ", ("00XX", "00XX00")),
            ("40001", ("40001",)),
            ("123", ("123", "00123")),
            ("10 OF 02", ("10OF02",)),
        ],
    )
    def test_read_a_code_as_the_register_would_write_it(self, code: str, expected: tuple[str, ...]) -> None:
        assert candidates(code) == expected


def test_a_school_code_is_no_location_and_the_reverse() -> None:
    assert (is_brin("00XX"), is_brin("00XX00")) == (True, False)
    assert (is_location("00XX"), is_location("00XX00")) == (False, True)
