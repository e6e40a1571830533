"""Tickets by the command: S33 and S29 from the desk's number to the answer, with what each person may see."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from provisioning.domain.agreement_move import AgreementMove, Inventory, Look
from provisioning.domain.ids import TicketId
from provisioning.domain.tenancy import OrganisationKind
from tests.conformance.school import TENANT
from tests.factories import tenancy
from tests.factories.trade import STAFF, entry, sku_of
from tests.integration.cli.conftest import Answer, Installation, flat

BOARD, SCHOOL, OTHER = "41000", "00XX00", "42000"
TODAY = datetime.now(UTC).date()
BEGIN = f"{TODAY.year - 1}-01-01"
DECLARATION = {
    "kind": "declaration",
    "id": "d1",
    "organisation_id": BOARD,
    "signed_on": BEGIN,
    "participants": [SCHOOL],
}
MANDATE = {"kind": "mandate", "id": "m1", "organisation_id": BOARD, "actor": "c-17", "scope": "tickets"}
AGREEMENT = {"kind": "agreement", "id": "a1", "organisation_id": BOARD, "supplier": "microsoft"}


class TicketDesk:
    def __init__(self, provisioning: Installation, team: dict[str, str], folder: Path) -> None:
        self.type, self._team, self._folder = provisioning, team, folder

    def as_(self, who: str, *arguments: str) -> Answer:
        return self.type.as_holder_of(self._team[who])("tickets", *arguments)

    def write(self, name: str, content: Any) -> str:
        path = self._folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        return str(path)

    def submit(self, *trees: Any, who: str = "operator") -> Answer:
        return self.as_(who, "submit", self.write("tickets.json", list(trees)), "--json")

    def record(self, *records: dict[str, Any]) -> Answer:
        lines = "\n".join(json.dumps(one) for one in records)
        self.type.as_holder_of(self._team["second"])
        return self.type("records", "import", self.write("records.jsonl", lines))

    def authorise(self) -> Answer:
        terms = {"licence_form": "group", "starts_on": BEGIN}
        return self.record(DECLARATION, MANDATE | {"valid_from": BEGIN}, AGREEMENT | terms)

    def show(self, ticket: str, who: str = "operator") -> Any:
        return self.as_(who, "show", ticket, "--json").json


@pytest.fixture
def desk(provisioning: Installation, team: dict[str, str], tmp_path: Path) -> TicketDesk:
    services = provisioning.services()
    with services.open_uow() as uow:
        school = tenancy.organisation(organisation_id=SCHOOL, kind=OrganisationKind.SCHOOL)
        uow.organisations.save([*(tenancy.organisation(organisation_id=one) for one in (BOARD, OTHER)), school])
        uow.tenants.save(tenancy.tenant(tenant_id=TENANT))
        uow.tenants.add_binding(tenancy.binding(SCHOOL, TENANT, valid_from=TODAY))
        uow.ledger.append([entry(delta=40, tenant_id=TENANT, holder_id=SCHOOL, effective_on=TODAY, ends_on=None)])
        uow.commit()
    services.close()
    return TicketDesk(provisioning, team, tmp_path)


def holder(**fields: Any) -> dict[str, Any]:
    wish = {"from_holders": [SCHOOL], "to_holder": BOARD}
    plain = {"source": "desk", "reference": "7", "kind": "remap_holder", "organisation": BOARD, "requester": "c-17"}
    return plain | {"wish": wish} | fields


class TestTheWholeWay:
    def test_s33_and_s29(self, desk: TicketDesk) -> None:
        [taken] = desk.submit(holder(text="Juf Anna vraagt of het snel kan")).json
        assert (taken["ticket"]["state"], taken["ticket"]["reason"]) == ("awaiting_authority", "ACTOR_NOT_AUTHORISED")
        assert [x["subject"] for x in desk.type("worklist", "--json").json] == ["ticket desk/7"]
        assert "tickets go on" in flat(desk.authorise().out)

        shown = desk.show("desk/7")
        assert shown["ticket"]["state"] == "awaiting_approval"
        assert shown["texts"] == ["Juf Anna vraagt of het snel kan"]
        assert desk.show("desk/7", "approver")["texts"] == []
        digest = shown["ticket"]["digest"][:8]
        assert desk.as_("operator", "approve", "desk/7", digest).code == 1
        done = desk.as_("approver", "approve", "desk/7", digest)
        assert (done.code, "is completed" in done.out) == (0, True)

        topics = [one["topic"] for one in desk.show("desk/7")["answers"]]
        steps = ["received", "authority_asked", "assessed", "approved", "started", "completed"]
        assert topics == [f"ticket_{step}" for step in steps]
        bought = desk.type("organisations", "show", BOARD, "--json").json
        assert [one["delta"] for one in bought["ledger"]] == [40]
        assert desk.type("notices", "list", "--json").json == []
        assert desk.type("operations", "list", "--json").json == []

    def test_the_same_file_again_changes_nothing_and_another_is_refused(self, desk: TicketDesk) -> None:
        desk.submit(holder())
        again = desk.as_("operator", "submit", desk.write("tickets.json", holder()))
        assert (again.code, again.out.startswith("Nothing new: ticket desk/7")) == (0, True)
        other = desk.submit(holder(requester="c-18"))
        assert (other.code, "says something else (requester)" in flat(other.err)) == (1, True)

    def test_what_is_missing_is_asked_back_and_filled_in(self, desk: TicketDesk) -> None:
        desk.authorise()
        asked = desk.as_("operator", "submit", desk.write("tickets.json", holder(wish={"to_holder": BOARD})))
        assert "from_holders: the codes of the organisations that hold the licences now" in flat(asked.out)
        filled = desk.as_("operator", "complete", "desk/7", desk.write("rest.yaml", f"from_holders: [{SCHOOL}]\n"))
        assert "Ticket desk/7" in filled.out
        assert "awaiting approval" in flat(filled.out)

    def test_a_file_with_mistakes_tells_them_all_with_exit_code_two(self, desk: TicketDesk) -> None:
        answer = desk.submit(holder(kind="rebnd"), holder(reference=None))
        assert answer.code == 2
        assert "tickets[1].kind" in answer.err
        assert "tickets[2].reference" in answer.err
        assert desk.as_("operator", "list", "--json").json == []

    def test_a_desks_own_export_is_read_by_its_mapping(self, desk: TicketDesk) -> None:
        mapping = '[fields]\nnr = "reference"\nboard = "organisation"\n[constants]\nkind = "remap_holder"\n'
        file = desk.write("export.json", {"nr": "I-9", "board": BOARD})
        answer = desk.as_("operator", "submit", file, "--mapping", desk.write("desk.toml", mapping), "--json")
        assert answer.json[0]["ticket"]["missing"] == ["requester", "from_holders", "to_holder"]


class TestWhatIsShown:
    def test_fits_a_terminal(self, desk: TicketDesk) -> None:
        desk.authorise()
        desk.submit(holder(text="x" * 300), holder(reference="8", kind="change_sku", wish={}))
        for arguments in (("list",), ("show", "desk/7"), ("show", "desk/8")):
            out = desk.as_("operator", *arguments).out
            assert out
            assert [line for line in out.splitlines() if len(line) > 80 and "xxx" not in line] == []
        assert "provisioning tickets approve" in desk.as_("operator", "show", "desk/7").out

    def test_a_board_sees_its_own(self, desk: TicketDesk) -> None:
        desk.submit(holder())
        admin = desk.type.as_holder_of(desk._team["admin"])
        for name, board in (("mine", BOARD), ("theirs", OTHER)):
            added = admin("actors", "add", f"client:{name}", "--role", "board", "--board", board, "--json")
            desk._team[name] = added.json["token"]
        assert [one["reference"] for one in desk.as_("mine", "list", "--json").json] == ["7"]
        assert desk.as_("theirs", "list", "--json").json == []
        answer = desk.as_("theirs", "show", "desk/7")
        assert (answer.code, answer.err) == (2, "There is no ticket desk/7.\n")

    def test_a_client_that_brings_in_and_takes_back_is_told_of_none_of_us(self, desk: TicketDesk) -> None:
        """The same as over the API, whichever deed it was."""
        admin = desk.type.as_holder_of(desk._team["admin"])
        desk._team["servicedesk"] = admin("actors", "add", "client:desk", "--role", "desk", "--json").json["token"]
        asked = holder(wish={"to_holder": BOARD}, source=None)
        [taken] = desk.submit(asked, who="servicedesk").json
        named = taken["ticket"]["ticket_id"]
        filled = desk.as_(
            "servicedesk", "complete", named, desk.write("rest.yaml", f"from_holders: [{SCHOOL}]\n"), "--json"
        )
        closed = desk.as_("servicedesk", "withdraw", named, "--reason", "asked twice", "--json").json
        told = [taken["ticket"], filled.json["ticket"], closed]
        assert [one["ticket_id"] for one in told] == [named] * 3
        assert [one for one in told if one.keys() & {"authors", "requested_by", "approved_by", "grounded_by"}] == []
        assert desk.show(named)["ticket"]["authors"] == ["client:desk"]

    def test_a_draft_is_a_file_that_was_not_there(self, desk: TicketDesk, tmp_path: Path) -> None:
        desk.record(*({**MANDATE, "id": one, "organisation_id": one, "valid_from": BEGIN} for one in (BOARD, OTHER)))
        desk.record(DECLARATION)
        sku = entry().sku_id
        wish = {"school": SCHOOL, "to_board": OTHER, "from_tenant": "a.example", "to_tenant": "b.example"}
        rest = {"people": {"domain": "a.example"}, "products": {sku: sku}}
        [taken] = desk.submit(holder(kind="move_school", wish=wish | rest)).json
        assert taken["ticket"]["reason"] == "MIGRATION_TO_PREPARE"
        file = tmp_path / "school.yaml"
        assert desk.as_("operator", "draft", "desk/7", str(file)).code == 0
        assert "asked_by" in file.read_text("utf-8")
        assert desk.as_("operator", "draft", "desk/7", str(file)).code == 2


class TestAnEnd:
    def test_is_told_with_words(self, desk: TicketDesk) -> None:
        desk.submit(holder(), holder(reference="8"))
        assert desk.as_("operator", "withdraw", "desk/7", "--reason", "asked twice").code == 0
        assert desk.as_("approver", "reject", "desk/8", "--reason", "order anew").code == 0
        assert desk.show("desk/8")["answers"][-1]["details"]["words"] == "order anew"
        late = desk.as_("operator", "withdraw", "desk/7", "--reason", "again")
        assert (late.code, "has ended" in late.err) == (1, True)


class TestAgreements:
    """What is particular about tickets that Microsoft has to carry out."""

    @pytest.mark.parametrize(
        ("language", "ways_out"),
        [
            ("nl", ("nieuwe licenties bestellen", "verhuizen (move_school)")),
            ("en", ("order new licences", "move the school")),
        ],
    )
    def test_a_part_is_refused_and_whoever_looks_reads_what_can_be_asked_instead(
        self, desk: TicketDesk, language: str, ways_out: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PROVISIONING_LANGUAGE", language)
        desk.authorise()
        wish = {"public_customer_number": "P1", "licence_ids": ["L1"], "from_tenant": "a.example", "seats": 3}
        desk.submit(holder(kind="remap_agreement", wish=wish | {"to_tenant": "b.example"}))
        shown = desk.as_("operator", "show", "desk/7")
        assert (shown.code, desk.show("desk/7")["ticket"]["reason"]) == (0, "PART_OF_LICENSE_ID")
        assert [one for one in ways_out if one not in flat(shown.out)] == []

    @pytest.fixture
    def named(self, desk: TicketDesk) -> str:
        """Both tenants were looked at; nobody approved it yet."""
        desk.authorise()
        away = tenancy.tenant()
        given = {"public_customer_number": "P1", "licence_ids": ["L1"], "from_tenant": TENANT}
        services = desk.type.services()
        with services.open_uow() as uow:
            uow.tenants.save(away)
            uow.commit()
        ticket = {"reference": "T-9", "kind": "remap_agreement", "organisation": SCHOOL, "requester": "c-17"}
        answer = desk.submit(ticket | {"wish": given | {"to_tenant": away.tenant_id}})
        assert answer.code == 0, answer.err
        [taken] = answer.json
        named: str = taken["ticket"]["ticket_id"]
        now = services.clock.now()
        seen = Look(at=now)
        move = AgreementMove(
            source=TENANT,
            target=away.tenant_id,
            inventory=Inventory(moving={sku_of(STAFF): 40}),
            inventoried_at=now,
            before=seen,
            latest=seen,
            next_look_at=now,
        )
        with services.open_uow() as uow:
            uow.agreement_moves.save(TicketId(named), move, now)
            uow.commit()
        services.close()
        return named

    def test_the_sheet_is_written_once_for_print_or_as_text(self, desk: TicketDesk, named: str, tmp_path: Path) -> None:
        page, text = tmp_path / "case.html", tmp_path / "case.txt"
        for file in (page, text):
            answer = desk.as_("operator", "show", named, "--sheet", str(file))
            assert answer.code == 0, answer.err
            assert "tickets filed" in flat(answer.out)
            assert "M365EDU_A3" in file.read_text("utf-8")
        assert page.read_text("utf-8").startswith("<!doctype html>")
        assert oct(page.stat().st_mode & 0o777) == "0o600"
        again = desk.as_("operator", "show", named, "--sheet", str(page))
        assert again.code != 0
        assert "never takes the place of a file" in flat(again.err)

    def test_the_screen_shows_operators_where_the_seats_are(self, desk: TicketDesk, named: str) -> None:
        shown = flat(desk.as_("operator", "show", named).out)
        assert "Seats unchanged" in shown

    def test_filing_takes_an_approved_ticket_and_a_person(self, desk: TicketDesk, named: str) -> None:
        refused = desk.as_("operator", "filed", named, "--case", "26120400")
        assert refused.code != 0
        assert "nothing to ask of Microsoft yet" in flat(refused.err)
        assert "may not" in flat(desk.as_("approver", "filed", named, "--case", "26120400").err)
