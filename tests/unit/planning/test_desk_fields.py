"""A desk's own message in our fields."""

import pytest

from provisioning.domain.errors import InputError
from provisioning.planning.desk_fields import DeskMapping, translated

MAPPING = DeskMapping(
    fields={
        "issue.key": "reference",
        "issue.fields.type": "kind",
        "issue.fields.board": "organisation",
        "issue.fields.schools": "wish.organisations",
        "issue.fields.new": "wish.to_sku",
        "issue.description": "text",
    },
    values={"kind": {"Ander product": "change_sku"}, "wish.to_sku": {"A3": "M365EDU_A3_FACULTY"}},
    constants={"source": "topdesk"},
    lists=("wish.organisations",),
)


def test_fields_are_found_by_their_path_and_values_put_into_our_words() -> None:
    fields = {"type": "Ander product", "board": "41000", "schools": "00XX00, 01XX00,", "new": " A3 ", "else": 1}
    message = {"issue": {"key": "IT-7", "fields": fields, "description": "Beste desk"}}
    assert translated(message, MAPPING) == {
        "source": "topdesk",
        "reference": "IT-7",
        "kind": "change_sku",
        "organisation": "41000",
        "wish": {"organisations": ["00XX00", "01XX00"], "to_sku": "M365EDU_A3_FACULTY"},
        "text": "Beste desk",
    }


@pytest.mark.parametrize("message", [{}, {"issue": None}, {"issue": {"fields": "none", "key": ""}}])
def test_what_is_not_there_is_missing(message: dict[str, object]) -> None:
    assert translated(message, MAPPING) == {"source": "topdesk"}


def test_a_word_that_nobody_mapped_stays_as_it_is() -> None:
    message = {"issue": {"fields": {"type": "rebind", "schools": ["00XX00"]}}}
    assert translated(message, MAPPING)["kind"] == "rebind"
    assert translated(message, MAPPING)["wish"] == {"organisations": ["00XX00"]}


def test_a_mapping_that_fills_a_field_and_its_inside_is_refused() -> None:
    mapping = DeskMapping(fields={"a": "wish", "b": "wish.to_sku"})
    with pytest.raises(InputError, match="keep one"):
        translated({"a": "x", "b": "y"}, mapping)
