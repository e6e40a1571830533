"""The document about tickets says what the readers do: its fields are theirs, its examples are read by them."""

import re
from pathlib import Path

import msgspec

from mappings.loader import load_mappings
from provisioning.domain.ticket import TicketKind, TicketState
from provisioning.domain.ticket_wishes import missing_in
from provisioning.intake.desk_mappings import read_desk_mapping
from provisioning.intake.ticket_fields import TICKET_FIELDS, WISH_FIELDS
from provisioning.intake.ticket_files import parse_tickets
from provisioning.planning.authority import ALL_TICKETS, ONE_TICKET, SIGNATORY
from provisioning.planning.desk_fields import translated
from tests.architecture.source import ROOT

TEXT = (ROOT / "docs" / "tickets.md").read_text("utf-8")


def table(text: str) -> dict[str, str]:
    return dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", text, re.MULTILINE))


def example(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    return str(found)


class TestFields:
    def test_of_every_ticket_are_those_of_the_reader(self) -> None:
        assert table(TEXT.partition("## The kinds")[0]) == dict(TICKET_FIELDS)

    def test_of_each_kind_are_those_of_the_reader(self) -> None:
        kinds = TEXT.partition("## The kinds")[2].partition("## Who may ask")[0]
        _, *sections = re.split(r"^### ", kinds, flags=re.MULTILINE)
        told = {section.partition("\n")[0]: table(section) for section in sections}
        assert told == {kind.value: dict(WISH_FIELDS[kind]) for kind in TicketKind}

    def test_states_are_told_in_order(self) -> None:
        assert [*table(TEXT.partition("## States")[2])] == [*TicketState]

    def test_scopes_of_mandates_are_told(self) -> None:
        section = TEXT.partition("## Who may ask")[2]
        assert [word for word in (SIGNATORY, ALL_TICKETS, ONE_TICKET) if f"`{word}" not in section] == []


class TestExamples:
    def test_the_ticket_is_read_and_nothing_is_missing_in_it(self) -> None:
        [form] = parse_tickets("ticket.yaml", example("yaml").encode(), load_mappings())
        assert missing_in(form.kind, form.given, form.requester) == ()
        assert form.text

    def test_the_mapping_is_read_and_fills_the_same_ticket(self, tmp_path: Path) -> None:
        (tmp_path / "desk.toml").write_text(example("toml"), "utf-8")
        mapping = read_desk_mapping(tmp_path / "desk.toml")
        fields = {"board": "De Waterlijn", "schools": "00XX00,01XX00"}
        message = {"issue": {"key": "2027-0142", "contact": "contact-17", "fields": fields}}
        content = msgspec.json.encode(translated(message, mapping))
        [form] = parse_tickets("export.json", content, load_mappings())
        assert missing_in(form.kind, form.given, form.requester) == ("to_holder",)
        assert form.organisation_id == "40001"
