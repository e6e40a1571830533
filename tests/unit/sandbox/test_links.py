import msgspec
import pytest

from provisioning.sandbox.links import seal, unseal


class Position(msgspec.Struct, array_like=True):
    number: int
    name: str | None


class TestSeal:
    @pytest.mark.parametrize("position", [Position(0, None), Position(300_000, "id,usageLocation")])
    def test_comes_back_and_is_safe_in_a_url(self, position: Position) -> None:
        text = seal(position)
        assert unseal(text, Position) == position
        assert text.replace("-", "").replace("_", "").isalnum()


class TestUnseal:
    @pytest.mark.parametrize("text", ["invented", "é", "AA", seal(Position(1, "x"))[:-2]])
    def test_refuses_what_it_never_gave(self, text: str) -> None:
        with pytest.raises(ValueError, match=r".+"):
            unseal(text, Position)
