import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.errors import InputError
from provisioning.domain.ids import SubjectId
from provisioning.domain.observation import Membership, Person
from provisioning.planning.selectors import ATTRIBUTES, Register, Selector, parse_selector

GROUP = "group:0a0b0c0d-0000-4000-8000-000000000001"
MEMBERS = {
    GROUP: Membership(key=GROUP, is_complete=True, members=frozenset({SubjectId("anne"), SubjectId("gone")})),
    "school:7:teacher": Membership(key="school:7:teacher", is_complete=True, members=frozenset({SubjectId("ben")})),
}


def person(name: str, **known: Any) -> Person:
    return Person(subject_id=SubjectId(name), **known)


PEOPLE = (
    person("anne", domain="Noord.example", attributes={"department": "Bovenbouw ", "employeeType": "Teacher"}),
    person("ben", domain="zuid.example", attributes={"department": "BOVENBOUW", "employeeType": "pupil"}),
    person("guest", domain="zuid.example", is_guest=True),
    person("former", domain="noord.example", is_enabled=False),
)


def matching(rule: dict[str, Any] | str) -> set[str]:
    text = rule if isinstance(rule, str) else json.dumps(rule)
    return set(Register(PEOPLE, MEMBERS).matching(parse_selector(text)))


class TestMatching:
    @pytest.mark.parametrize(
        ("rule", "expected"),
        [
            pytest.param({"everyone": True}, {"anne", "ben"}, id="everyone is no guest and no closed account"),
            pytest.param({"everyone": True, "include": ["guests"]}, {"anne", "ben", "guest"}, id="guests by request"),
            pytest.param(
                {"everyone": True, "include": ["disabled"]}, {"anne", "ben", "former"}, id="closed accounts by request"
            ),
            pytest.param({"domain": "NOORD.example"}, {"anne"}, id="a domain in whatever case"),
            pytest.param({"domain": "rd.example"}, set(), id="half a domain is another domain"),
            pytest.param(
                {"attribute": "Department", "equals": " bovenbouw "}, {"anne", "ben"}, id="blanks around count not"
            ),
            pytest.param({"attribute": "department", "equals": "boven"}, set(), id="half a value is another value"),
            pytest.param({"attribute": "companyName", "equals": "x"}, set(), id="an empty attribute equals nothing"),
            pytest.param(
                {"group": "0A0B0C0D-0000-4000-8000-000000000001"}, {"anne"}, id="a member who is gone is nobody"
            ),
            pytest.param({"school": "7", "role": "Teacher"}, {"ben"}, id="a role at a school"),
            pytest.param({"ids": ["ANNE ", "nobody"]}, {"anne"}, id="ids in whatever case"),
            pytest.param({"ids": ["guest"]}, set(), id="a named guest is still a guest"),
            pytest.param({"all": [{"domain": "noord.example"}, {"everyone": True}]}, {"anne"}, id="all is both"),
            pytest.param({"any": [{"ids": ["anne"]}, {"ids": ["ben"]}]}, {"anne", "ben"}, id="any is either"),
            pytest.param(
                {"all": [{"everyone": True}, {"any": [{"ids": ["ben"]}, {"group": GROUP[6:]}]}]},
                {"anne", "ben"},
                id="they nest",
            ),
        ],
    )
    def test_who_is_meant(self, rule: dict[str, Any], expected: set[str]) -> None:
        assert matching(rule) == expected

    def test_every_attribute_of_the_directory_can_be_asked(self) -> None:
        for name in ATTRIBUTES:
            somebody = person("somebody", attributes={name: "x"})
            selector = parse_selector(json.dumps({"attribute": name.upper(), "equals": "X"}))
            assert Register([somebody], {}).matching(selector) == {"somebody"}

    def test_the_memberships_that_must_be_read_are_known_beforehand(self) -> None:
        selector = parse_selector('{"any":[{"unit":"U"},{"all":[{"group":"G"},{"school":"7","role":"student"}]}]}')
        assert selector.keys == {"unit:u", "group:g", "school:7:student"}


class TestParseSelector:
    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("", id="nothing"),
            pytest.param("everyone", id="no JSON"),
            pytest.param("null", id="null"),
            pytest.param("[]", id="a list"),
            pytest.param("{}", id="an empty object"),
            pytest.param('{"everyone":false}', id="nobody"),
            pytest.param('{"everyone":1}', id="one for true"),
            pytest.param('{"everyone":true,"group":"x"}', id="two leaves in one"),
            pytest.param('{"all":[]}', id="all of nothing would be everyone"),
            pytest.param('{"any":[]}', id="any of nothing would be nobody"),
            pytest.param('{"any":{"everyone":true}}', id="any without a list"),
            pytest.param('{"any":[{"everyone":true,"include":["guests"]}]}', id="include inside"),
            pytest.param('{"everyone":true,"include":["robots"]}', id="include of something else"),
            pytest.param('{"everyone":true,"include":"guests"}', id="include without a list"),
            pytest.param('{"everyone":true,"include":[["guests"]]}', id="include of a list"),
            pytest.param('{"everyone":true,"include":[{}]}', id="include of an object"),
            pytest.param('{"group":"  "}', id="a blank group"),
            pytest.param('{"group":7}', id="a number for a group"),
            pytest.param('{"group":18446744073709551616123}', id="a huge number for a group"),
            pytest.param('{"attribute":"displayName","equals":"x"}', id="an attribute that says who somebody is"),
            pytest.param('{"attribute":"department"}', id="an attribute without a value"),
            pytest.param('{"school":"7","role":"parent"}', id="a role that schools do not have"),
            pytest.param('{"ids":[]}', id="no ids"),
            pytest.param('{"ids":[" "]}', id="a blank id"),
            pytest.param('{"ids":[1]}', id="a number for an id"),
            pytest.param('{"all":[' * 3_000 + '{"everyone":true}' + "]}" * 3_000, id="nested beyond reading"),
            pytest.param('{"all":[' * 300 + '{"everyone":true}' + "]}" * 300, id="nested beyond reason"),
            pytest.param('{"group":"\ud800"}', id="half a character"),
            pytest.param(b'{"group":"\xff"}', id="no UTF-8"),
        ],
    )
    def test_what_cannot_be_read_is_said(self, text: str | bytes) -> None:
        with pytest.raises(InputError):
            parse_selector(text)

    def test_the_unreadable_part_is_named(self) -> None:
        with pytest.raises(InputError, match=r'"klas": *"8b"'):
            parse_selector('{"any":[{"everyone":true},{"klas":"8b"}]}')

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["guests", "group"]),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(
                        [
                            "all",
                            "any",
                            "group",
                            "unit",
                            "domain",
                            "attribute",
                            "equals",
                            "school",
                            "role",
                            "ids",
                            "everyone",
                            "include",
                        ]
                    )
                    | st.text(max_size=3),
                    inner,
                    max_size=3,
                )
            ),
            max_leaves=8,
        )
    )
    def test_any_json_is_a_selector_or_an_input_error(self, tree: Any) -> None:
        try:
            selector = parse_selector(json.dumps(tree))
        except InputError:
            return
        assert isinstance(selector, Selector)

    @given(st.binary() | st.text())
    def test_any_bytes_are_a_selector_or_an_input_error(self, text: bytes | str) -> None:
        try:
            selector = parse_selector(text)
        except InputError:
            return
        assert isinstance(selector, Selector)
