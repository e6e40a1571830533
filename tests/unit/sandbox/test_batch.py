import msgspec
import pytest

from provisioning.sandbox.batch import read_batch
from provisioning.sandbox.errors import GraphError


def envelope(*items: object) -> bytes:
    return msgspec.json.encode({"requests": items})


def read(number: object, **more: object) -> dict[str, object]:
    return {"id": str(number), "method": "GET", "url": "/organization", **more}


class TestReadBatch:
    def test_keeps_the_body_as_it_came(self) -> None:
        (item,) = read_batch(envelope(read(1, body={"a": [1, 2]})))
        assert bytes(item.body) == b'{"a":[1,2]}'

    def test_20_are_allowed_and_21_are_not(self) -> None:
        assert len(read_batch(envelope(*(read(number) for number in range(20))))) == 20
        with pytest.raises(GraphError, match="exceeds the maximum value of 20"):
            read_batch(envelope(*(read(number) for number in range(21))))

    def test_ids_differ_in_more_than_case(self) -> None:
        with pytest.raises(GraphError, match="unique"):
            read_batch(envelope(read("a"), read("A")))

    def test_a_dependency_is_found_whatever_its_case(self) -> None:
        assert len(read_batch(envelope(read("a"), read("b", dependsOn=["A"])))) == 2
        with pytest.raises(GraphError, match="does not exist"):
            read_batch(envelope(read("b", dependsOn=["a"])))

    @pytest.mark.parametrize("body", [b"", b"[]", b'{"requests": {}}', b'{"requests": [{"id": 1}]}'])
    def test_what_is_no_batch_is_a_bad_request(self, body: bytes) -> None:
        with pytest.raises(GraphError) as refused:
            read_batch(body)
        assert (refused.value.status, refused.value.code) == (400, "BadRequest")
