"""Ticket files: every mistake told at once under its path; what a board forgot is no mistake."""

import json
from pathlib import Path
from typing import Any

import pytest

from provisioning.domain.errors import InputError
from provisioning.domain.ticket import TicketForm, TicketKind
from provisioning.domain.ticket_wishes import WISHES, missing_in, wish_of
from provisioning.intake.desk_exports import read_desk_export
from provisioning.intake.ticket_fields import TICKET_FIELDS, WISH_FIELDS
from provisioning.intake.ticket_files import LONGEST_FREE_TEXT, parse_completion, parse_tickets, read_tickets
from provisioning.intake.ticket_values import _READERS
from tests.factories import tickets
from tests.factories.trade import MAPPINGS, STAFF, sku_of

STAFF_NAME = MAPPINGS.skus[sku_of(STAFF)].part_number
A_PLAN = MAPPINGS.skus[sku_of(STAFF)].plans[0].name

WHOLE: dict[TicketKind, dict[str, Any]] = {
    TicketKind.CHANGE_SKU: {
        "organisations": ["00XX", "00xx00", 41000],
        "from_sku": STAFF_NAME.lower(),
        "to_sku": sku_of(STAFF).upper(),
        "audience": "Faculty",
        "along": {STAFF_NAME: STAFF_NAME},
        "starts_on": "2027-08-01",
    },
    TicketKind.REMAP_HOLDER: {
        "from_holders": ["00XX00"],
        "to_holder": 41000,
        "sku_id": STAFF_NAME,
        "agreement_id": "A-7",
        "effective_on": "2027-08-01",
    },
    TicketKind.REMAP_AGREEMENT: {
        "public_customer_number": 12345678,
        "licence_ids": ["L1", 2],
        "from_tenant": "Wrong.onmicrosoft.com",
        "to_tenant": "11111111-1111-4111-8111-111111111111",
        "seats": 40,
    },
    TicketKind.MOVE_SCHOOL: {
        "school": "00XX00",
        "to_board": "42000",
        "from_tenant": "a.example",
        "to_tenant": "b.example",
        "people": {"domain": "school.example"},
        "products": {STAFF_NAME: STAFF_NAME},
        "moves_on": "2027-08-01",
    },
    TicketKind.REBIND: {
        "organisation": "00XX00",
        "tenant": "b.example",
        "selectors": {"Faculty": {"domain": "school.example"}},
        "valid_from": "2027-08-01",
    },
    TicketKind.SERVICE_PLAN_POLICY: {
        "tenant": "b.example",
        "sku_id": STAFF_NAME,
        "off": [A_PLAN.lower()],
        "on": [],
        "valid_from": "2027-08-01",
    },
}


def file(kind: TicketKind = TicketKind.REMAP_HOLDER, wish: Any = None, **fields: Any) -> dict[str, Any]:
    whole = WHOLE[kind] if wish is None else wish
    return {"reference": "T-1", "kind": kind.value, "organisation": 41000, "requester": "c-17", "wish": whole} | fields


def parsed(*trees: Any) -> list[TicketForm]:
    tree = trees[0] if len(trees) == 1 else list(trees)
    return parse_tickets("tickets.json", json.dumps(tree).encode(), MAPPINGS)


def refused(*trees: Any) -> str:
    with pytest.raises(InputError) as caught:
        parsed(*trees)
    return str(caught.value)


class TestATicket:
    @pytest.mark.parametrize("kind", TicketKind)
    def test_of_each_kind_becomes_its_wish(self, kind: TicketKind) -> None:
        [form] = parsed(file(kind))
        assert form.kind is kind
        assert missing_in(kind, form.given, form.requester) == ()
        assert type(wish_of(kind, form.given)) is WISHES[kind]

    def test_codes_products_and_tenants_are_written_in_one_way(self) -> None:
        [form] = parsed(file(TicketKind.CHANGE_SKU))
        assert form.organisation_id == "41000"
        assert form.given["organisations"] == ["00XX", "00XX00", "41000"]
        assert (form.given["from_sku"], form.given["to_sku"]) == (sku_of(STAFF), sku_of(STAFF))
        [form] = parsed(file(TicketKind.REMAP_AGREEMENT))
        assert (form.given["from_tenant"], form.given["licence_ids"]) == ("wrong.onmicrosoft.com", ["L1", "2"])

    @pytest.mark.parametrize("tree", [{"tickets": [file(), file(reference="T-2")]}, [file(), file(reference="T-2")]])
    def test_may_be_one_of_several(self, tree: Any) -> None:
        assert [form.reference for form in parsed(tree)] == ["T-1", "T-2"]

    @pytest.mark.parametrize("kind", TicketKind)
    def test_that_lacks_all_its_wish_is_no_mistake(self, kind: TicketKind) -> None:
        [form] = parsed(file(kind, wish={}, requester=None))
        assert form.given == {}
        assert missing_in(kind, form.given, form.requester)[0] == "requester"

    @pytest.mark.parametrize("nothing", [None, "", [], {}])
    def test_an_empty_field_is_one_that_is_not_there(self, nothing: Any) -> None:
        wish = {"from_holders": nothing if isinstance(nothing, list) else [], "to_holder": None}
        [form] = parsed(file(wish=wish))
        assert form.given == {}

    def test_is_read_from_a_file_in_yaml(self, tmp_path: Path) -> None:
        path = tmp_path / "ticket.yaml"
        path.write_text("reference: 7\nkind: rebind\norganisation: 01234\nwish: {organisation: 00XX00}\n", "utf-8")
        [form] = read_tickets(path, MAPPINGS)
        assert (form.reference, form.organisation_id) == ("7", "01234")


class TestAMistake:
    @pytest.mark.parametrize(
        ("tree", "place", "said"),
        [
            (file(reference=None), "reference", "is missing"),
            (file(kind=TicketKind.REBIND) | {"kind": "rebnd"}, "kind", "do you mean rebind"),
            ({"reference": "T"}, "kind", "is missing"),
            (file(surprise=1), "surprise", "there is no such field"),
            (file(wish={"to_holdr": "41000"}), "wish.to_holdr", "do you mean to_holder"),
            (file(wish={"to_holder": 123}), "wish.to_holder", "no code of a board"),
            (file(wish={"from_holders": "00XX00"}), "wish.from_holders", "should be a list"),
            (file(wish={"sku_id": "A1"}), "wish.sku_id", "no product"),
            (file(wish={"effective_on": "1-8-2027"}), "wish.effective_on", "no date"),
            (file(requester="j.devries@school.example"), "requester", "is an address"),
            (file(source="desk/a"), "source", "slash"),
            (file(text="x" * (LONGEST_FREE_TEXT + 1)), "text", "at most"),
            (file(TicketKind.REMAP_AGREEMENT, {"seats": 0}), "wish.seats", "whole number"),
            (file(TicketKind.REMAP_AGREEMENT, {"from_tenant": "two words"}), "wish.from_tenant", "neither a domain"),
            (file(TicketKind.SERVICE_PLAN_POLICY, {"sku_id": STAFF_NAME, "off": ["X"]}), "wish.off", "no service plan"),
            (
                file(TicketKind.SERVICE_PLAN_POLICY, {"sku_id": STAFF_NAME, "off": [A_PLAN], "on": [A_PLAN]}),
                "wish.on",
                "cannot be on and off",
            ),
            (file(TicketKind.MOVE_SCHOOL, {"people": {"ids": ["1"]}}), "wish.people", "lists people by their ids"),
            (
                file(TicketKind.REBIND, {"selectors": {"staff": {"everyone": True}}}),
                "wish.selectors.staff",
                "not known",
            ),
            (
                file(TicketKind.REBIND, {"selectors": {"faculty": {"nobody": True}}}),
                "wish.selectors.faculty",
                "",
            ),
            ("a word", "the file", "should be an object"),
        ],
    )
    def test_is_told_under_its_place(self, tree: Any, place: str, said: str) -> None:
        told = refused(tree)
        assert f"  {place}: " in told
        assert said in told

    def test_every_one_is_told_at_once_and_nothing_is_taken(self) -> None:
        told = refused(file(reference=None), file(wish={"to_holder": "?"}, requester="a@b.example"))
        assert "3 problems; nothing was taken" in told
        for place in ("tickets[1].reference", "tickets[2].wish.to_holder", "tickets[2].requester"):
            assert f"{place}: " in told

    def test_a_reference_is_there_once(self) -> None:
        assert "tickets[2].reference: is in the file twice" in refused(file(), file())

    def test_no_ticket_at_all(self) -> None:
        assert "no ticket in it" in refused([])

    def test_too_many(self) -> None:
        assert "at most 1,000 at once" in refused([{}] * 1001)


class TestWhatWasMissing:
    @pytest.mark.parametrize("tree", [{"to_holder": "41000"}, {"wish": {"to_holder": "41000"}}])
    def test_is_read_alone_or_under_the_wish(self, tree: Any) -> None:
        form = parse_completion("rest.json", json.dumps(tree).encode(), tickets.ticket(), MAPPINGS)
        assert (form.given, form.requester) == ({"to_holder": "41000"}, None)

    def test_may_be_who_asks(self) -> None:
        form = parse_completion("rest.yaml", b"requester: c-9\ntext: sorry", tickets.ticket(), MAPPINGS)
        assert (form.requester, form.text, form.given) == ("c-9", "sorry", {})

    @pytest.mark.parametrize("content", [b"kind: rebind", b"- a list", b"to_holder: nobody at all"])
    def test_a_mistake_in_it_is_told(self, content: bytes) -> None:
        with pytest.raises(InputError, match=r"rest\.yaml has"):
            parse_completion("rest.yaml", content, tickets.ticket(), MAPPINGS)


class TestFields:
    def test_every_field_is_read_and_explained(self) -> None:
        assert WISH_FIELDS.keys() == _READERS.keys() == set(TicketKind)
        for kind, fields in WISH_FIELDS.items():
            assert fields.keys() == _READERS[kind].keys() == set(WISHES[kind].__struct_fields__)
        assert all(TICKET_FIELDS.values())


MAPPING = """
lists = ["wish.from_holders"]
[fields]
"number" = "reference"
"caller.number" = "requester"
"extra.board" = "organisation"
"extra.schools" = "wish.from_holders"
"extra.board_again" = "wish.to_holder"
[values.organisation]
"De Waterlijn" = "41000"
[constants]
kind = "remap_holder"
source = "topdesk"
"""


class TestADesksExport:
    def _read(self, folder: Path, mapping: str, message: Any) -> list[TicketForm]:
        (folder / "desk.toml").write_text(mapping, "utf-8")
        (folder / "export.json").write_text(json.dumps(message), "utf-8")
        return read_desk_export(folder / "export.json", folder / "desk.toml", MAPPINGS)

    def test_is_read_by_its_mapping(self, tmp_path: Path) -> None:
        extra = {"board": "De Waterlijn", "schools": "00XX00, 01XX00"}
        [form] = self._read(tmp_path, MAPPING, {"number": "I 24", "caller": {"number": "c-9"}, "extra": extra})
        assert (form.source, form.reference, form.organisation_id) == ("topdesk", "I 24", "41000")
        assert form.given == {"from_holders": ["00XX00", "01XX00"]}
        assert missing_in(form.kind, form.given, form.requester) == ("to_holder",)

    @pytest.mark.parametrize(
        ("mapping", "said"),
        [
            ('[fields]\na = "wish.to_holdr"', "wish.to_holder"),
            ('[fields]\na = "reference"\n[constants]\nknd = "rebind"', "do you mean kind"),
            ('[felds]\na = "reference"', "no desk mapping"),
            ("[fields", "no desk mapping"),
        ],
    )
    def test_a_mapping_that_leads_nowhere_is_refused(self, tmp_path: Path, mapping: str, said: str) -> None:
        with pytest.raises(InputError, match=said):
            self._read(tmp_path, mapping, {})

    def test_an_export_that_is_no_message_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="one message of the desk"):
            self._read(tmp_path, MAPPING, ["a word"])
