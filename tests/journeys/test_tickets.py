"""A board's ticket among real workers: asked by whoever may not, then by records, approved, carried out, answered."""

import json
from pathlib import Path
from typing import Any

from provisioning.domain.actors import Role
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.tenancy import Organisation, OrganisationKind
from tests.journeys.customers import A3
from tests.journeys.desk import Desk
from tests.journeys.furniture import Town
from tests.journeys.patience import until
from tests.journeys.promises import check_promises


def test_s29_s33_the_holder_changes_and_nobody_notices(town: Town, tmp_path: Path) -> None:
    school, board = town.school(6), _board(town)
    key = town.order(school, 6)
    assert town.await_end(key).state is OperationState.COMPLETED
    written, desk = town.writes(school), Desk(town.world, town.services)

    def write(name: str, content: str) -> str:
        (tmp_path / name).write_text(content, "utf-8")
        return str(tmp_path / name)

    wish = {"from_holders": [school.code], "to_holder": board}
    plain = {"source": "desk", "reference": "s29", "kind": "remap_holder", "requester": "contact-17"}
    ticket = write("ticket.json", json.dumps(plain | {"organisation": board, "wish": wish}))
    [taken] = desk.do("tickets", "submit", ticket)
    assert (taken["ticket"]["state"], taken["ticket"]["reason"]) == ("awaiting_authority", "ACTOR_NOT_AUTHORISED")

    since = {"valid_from": "2020-01-01"}
    declaration = {"kind": "declaration", "id": f"d-{board}", "organisation_id": board, "signed_on": "2020-01-01"}
    mandate = {"kind": "mandate", "id": f"m-{board}", "organisation_id": board, "actor": "contact-17"}
    agreement = {"kind": "agreement", "id": f"a-{board}", "organisation_id": board, "supplier": "microsoft"}
    records: list[dict[str, Any]] = [
        declaration | {"participants": [school.code]},
        mandate | since | {"scope": "remap_holder"},
    ]
    town.command("records", "import", write("records.jsonl", "\n".join(map(json.dumps, records))))
    assert desk.look("tickets", "show", "desk/s29")["ticket"]["reason"] == "AGREEMENT_UNKNOWN"
    terms = agreement | {"licence_form": "group", "starts_on": "2020-01-01"}
    town.command("records", "import", write("records.jsonl", json.dumps(terms)))

    # from here on it goes by itself: the sweep of a worker finds what it waited for
    shown = until(lambda: _awaiting_approval(desk), "the ticket is assessed")
    done = desk.do("tickets", "approve", "desk/s29", shown["ticket"]["digest"][:8], role=Role.APPROVER)
    assert done["state"] == "completed"

    with town.services.open_uow() as uow:
        sums = {one: sum(entry.delta for entry in uow.ledger.list_by(one)) for one in (school.code, board)}
    assert sums == {school.code: 0, board: 6}
    assert town.writes(school) == written
    assert town.holders(school, A3) == set(school.people)
    topics = [one["topic"] for one in desk.look("tickets", "show", "desk/s29")["answers"]]
    steps = ["received", "authority_asked", "waiting", "assessed", "approved", "started", "completed"]
    assert topics == [f"ticket_{step}" for step in steps]
    check_promises(town, school, goal=A3)


def _board(town: Town) -> str:
    code = "48765"
    board = Organisation(organisation_id=code, kind=OrganisationKind.BOARD, name="Board", membership="active")
    with town.services.open_uow() as uow:
        uow.organisations.save([board])
        uow.commit()
    return code


def _awaiting_approval(desk: Desk) -> Any:
    shown = desk.look("tickets", "show", "desk/s29")
    return shown if shown["ticket"]["state"] == "awaiting_approval" else None
