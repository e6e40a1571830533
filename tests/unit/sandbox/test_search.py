import pytest

from provisioning.sandbox.errors import GraphError
from provisioning.sandbox.model import User
from provisioning.sandbox.search import compile_search

PERSON = User(id="1", userPrincipalName="ann.oneil@school.example", displayName="Ann-Marie O'Neil", mail=None)


class TestCompileSearch:
    @pytest.mark.parametrize(
        ("text", "matches"),
        [
            ('"displayName:ann"', True),
            ('"displayName:ANN mar"', True),
            ('"displayName:nn"', False),
            ('"userPrincipalName:oneil"', True),
            ('"mail:ann"', False),
            ('"mail:ann" OR "displayName:neil"', True),
            ('"mail:ann" AND "displayName:neil"', False),
            ('"mail:ann" AND "mail:x" OR "displayName:neil"', True),
        ],
    )
    def test_finds_beginnings_of_words(self, text: str, matches: bool) -> None:
        assert compile_search(text)(PERSON) is matches

    @pytest.mark.parametrize(
        "text", ["", "displayName:ann", '"department:x"', '"displayName:"', '"displayName:a" and "x']
    )
    def test_refuses_the_rest(self, text: str) -> None:
        with pytest.raises(GraphError) as refused:
            compile_search(text)
        assert refused.value.status == 400
