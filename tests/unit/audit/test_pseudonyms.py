import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.audit.errors import AuditFormatError
from provisioning.audit.pseudonyms import draw_pseudonym, is_pseudonym


class TestDrawPseudonym:
    def test_its_form_is_fixed(self) -> None:
        assert draw_pseudonym(bytes(16)) == "p_" + "a" * 26

    @given(st.binary(min_size=16, max_size=16))
    def test_each_is_recognised(self, entropy: bytes) -> None:
        assert is_pseudonym(draw_pseudonym(entropy))

    @given(st.sets(st.binary(min_size=16, max_size=16), max_size=20))
    def test_other_bytes_give_another(self, draws: set[bytes]) -> None:
        assert len({draw_pseudonym(entropy) for entropy in draws}) == len(draws)

    @pytest.mark.parametrize("length", [0, 15, 17])
    def test_too_little_or_too_much_chance_is_refused(self, length: int) -> None:
        with pytest.raises(AuditFormatError, match="16 random bytes"):
            draw_pseudonym(bytes(length))


class TestIsPseudonym:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "p_",
            "p_" + "a" * 25,
            "p_" + "a" * 27,
            "p_" + "A" * 26,
            "p_" + "1" * 26,
            "q_" + "a" * 26,
            "p_" + "a" * 26 + "\n",
        ],
    )
    def test_other_texts_are_none(self, text: str) -> None:
        assert not is_pseudonym(text)
