import pytest

from provisioning.sandbox.errors import GraphError
from provisioning.sandbox.model import User
from provisioning.sandbox.ordering import read_ordering

PEOPLE = [
    User(id=number, userPrincipalName=f"{number}@x.example", displayName=name, department=department)
    for number, name, department in (("1", "bo", "B"), ("2", "Al", None), ("3", None, "A"))
]


class TestReadOrdering:
    @pytest.mark.parametrize(
        ("text", "ids", "is_advanced"),
        [
            ("displayName", ["3", "2", "1"], False),
            ("displayName asc", ["3", "2", "1"], False),
            (" displayName  DESC ", ["1", "2", "3"], False),
            ("userPrincipalName", ["1", "2", "3"], False),
            ("department", ["2", "3", "1"], True),
        ],
    )
    def test_sorts_without_regard_to_capitals(self, text: str, ids: list[str], is_advanced: bool) -> None:
        ordering = read_ordering(text)
        assert (ordering.sort(PEOPLE), ordering.is_advanced) == (ids, is_advanced)

    @pytest.mark.parametrize("text", ["shoeSize", "displayName up", "displayName,mail", "assignedLicenses"])
    def test_refuses_what_has_no_index(self, text: str) -> None:
        with pytest.raises(GraphError) as refused:
            read_ordering(text)
        assert refused.value.code == "Request_UnsupportedQuery"
