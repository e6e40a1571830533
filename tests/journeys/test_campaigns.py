"""S36: a product of the sector becomes another in many tenants, canaries first; it stops by itself and goes on."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from provisioning.domain.actors import Role
from provisioning.domain.ids import ArticleCode, SkuId
from provisioning.domain.order import LedgerCause, LedgerEntry
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Topic
from provisioning.local.world import APP
from tests.journeys.callers import EVERY, Api, Caller
from tests.journeys.customers import A1, A3, LONG_AGO, READ, ROLES, Customer
from tests.journeys.desk import Desk, paper
from tests.journeys.furniture import Town
from tests.journeys.patience import until
from tests.journeys.promises import check_log, check_promises, events_of

_PEOPLE = 12
_CANCELLED = 7  # of one school's new licences, once everything had been looked at
_WITHIN = 90.0


def test_s36_a_sector_changes_product_in_a_night(town: Town, desk: Desk, api: Api, tmp_path: Path) -> None:
    """Readiness names who will not succeed; a canary fails and stops it; cured, the others follow, and all is told."""
    schools = [town.school(_PEOPLE) for _ in range(7)]
    silent = town.school(_PEOPLE, roles=READ)  # its administrator never consented to writing
    for school in (*schools, silent):
        _entitle(town, school)
    watch = api.caller("person:campaign-watch", Role.OPERATOR)
    made = desk.do("campaigns", "create", paper(tmp_path, "sector.yaml", _definition(town, [*schools, silent])))
    campaign = str(made["campaign"]["campaign_id"])
    assert (made["tenants"], made["people"]) == (8, 8 * _PEOPLE)
    assert _unready(desk, watch, campaign) == {silent.tenant: {Reason.CONSENT_INSUFFICIENT}}
    desk.do("campaigns", "exclude", campaign, "--tenant", silent.tenant, "--reason", "no consent")

    digest = desk.look("campaigns", "show", campaign)["campaign"]["digest"]
    assert "may not approve a campaign" in desk.refused("campaigns", "approve", campaign, "--digest", digest[:8])
    desk.do("campaigns", "approve", campaign, "--digest", digest[:8], role=Role.APPROVER)
    canary, late = _first_and_last(watch, campaign, schools)
    town.control.withdraw_consent(canary.tenant, APP)
    _order(town, late, -_CANCELLED)
    desk.do("campaigns", "start", campaign)
    stopped = _await(watch, campaign, "stopped")
    assert stopped["campaign"]["reason"] == Reason.CAMPAIGN_STOPPED
    later = {one["state"] for one in _members(desk, campaign) if one["wave"] > 0}
    assert later <= {"waiting", "excluded"}

    town.control.grant_consent(canary.tenant, APP, list(ROLES))
    desk.do("campaigns", "resume", campaign, "--reason", "the school consented again")
    _await(watch, campaign, "completed")
    left = [one for one in _members(desk, campaign) if one["state"] == "partially_completed"]
    assert [(one["tenant_id"], one["left"]) for one in left] == [(late.tenant, _CANCELLED)]
    assert len(town.holders(late, A1)) == _CANCELLED  # whom nothing was ordered for keep what they had
    _order(town, late, _CANCELLED)
    assert desk.do("campaigns", "retry", campaign, "--reason", "ordered again")["members"] == 1
    _await(watch, campaign, "completed")

    states = Counter(one["state"] for one in _members(desk, campaign))
    assert states == {"completed": 7, "excluded": 1}
    told = desk.look("campaigns", "report", campaign)
    assert sum(one["right"] for one in told["members"]) == 7 * _PEOPLE
    for school in schools:
        assert town.holders(school, A3) == set(school.people)
        assert town.holders(school, A1) == set()
        check_promises(town, school, goal=A3)
        approvals = [one for one in events_of(town, school) if one.kind == "plan.approved"]
        assert {(one.actor, one.details["within"]) for one in approvals} == {(desk.who(Role.APPROVER), campaign)}
    assert town.holders(silent, A1) == set(silent.people)
    assert town.writes(silent) == 0
    _boards_were_told(api, schools)
    check_log(town)


def _entitle(town: Town, school: Customer) -> None:
    """The old product was bought once, and the new one has been ordered for everybody."""
    _order(town, school, _PEOPLE, A1)
    _order(town, school, _PEOPLE)


def _order(town: Town, school: Customer, seats: int, sku: str = A3) -> None:
    """What the ledger says after an order, or after some of it was cancelled."""
    entry = LedgerEntry(
        holder_id=school.code,
        tenant_id=school.tenant,
        article_code=ArticleCode(""),
        sku_id=SkuId(sku),
        delta=seats,
        effective_on=LONG_AGO,
        ends_on=None,
        cause=LedgerCause.ORDER_LINE,
        cause_ref=f"{school.code} {sku} {uuid4()}",
    )
    with town.services.open_uow() as uow:
        uow.ledger.append([entry])
        uow.commit()


def _definition(town: Town, schools: Sequence[Customer]) -> dict[str, Any]:
    return {
        "name": "sector 2027",
        "asked_by": "letter 7",
        "why": "The contract ends.",
        "products": [{"from": A1, "to": A3}],
        "tenants": {"by": "list", "tenants": [one.domain for one in schools]},
        "begins_at": (town.services.clock.now() - timedelta(minutes=1)).isoformat(),
        "waves": {"canaries": 3},
    }


def _unready(desk: Desk, watch: Caller, campaign: str) -> dict[str, set[str]]:
    desk.do("campaigns", "check", campaign, code=None)  # a worker may be at some of them, too, and find who is unready
    until(lambda: _were_looked_at(watch, campaign), "all were looked at")
    found: dict[str, set[str]] = {}
    for row in desk.look("campaigns", "show", campaign, "--readiness"):
        if row["is_blocking"]:
            found.setdefault(row["tenant_id"], set()).add(row["reason"])
    return found


def _were_looked_at(watch: Caller, campaign: str) -> bool:
    return watch.get(f"campaigns/{campaign}")["readiness"]["never_looked_at"] == 0


def _members(desk: Desk, campaign: str) -> list[dict[str, Any]]:
    return [row["member"] for row in desk.look("campaigns", "show", campaign, "--members")]


def _first_and_last(watch: Caller, campaign: str, schools: Sequence[Customer]) -> tuple[Customer, Customer]:
    """A canary, and one whose turn comes at the end."""
    rows = watch.get(f"campaigns/{campaign}/members?state=waiting")["items"]
    by_tenant = {one.tenant: one for one in schools}
    in_order = [by_tenant[row["member"]["tenant_id"]] for row in rows]
    assert rows[0]["member"]["wave"] == 0 < rows[-1]["member"]["wave"]
    return in_order[0], in_order[-1]


def _await(watch: Caller, campaign: str, state: str) -> Any:
    def look() -> Any:
        shown = watch.get(f"campaigns/{campaign}")
        return shown if shown["campaign"]["state"] == state else None

    def story() -> str:
        rows = watch.get(f"campaigns/{campaign}/members")["items"]
        members = [[one["member"][it] for it in ("wave", "state", "reason", "right", "failed")] for one in rows]
        return f"campaign {state}: {watch.get(f'campaigns/{campaign}')['campaign']['told']} {members}"

    return until(look, story, within=_WITHIN, every=EVERY)


def _boards_were_told(api: Api, schools: Sequence[Customer]) -> None:
    """Before and after, once each: as each reads it with its own token."""
    boards = [api.caller(f"client:board-{one.code.lower()}", Role.BOARD, board=one.code) for one in schools]

    def told() -> bool:
        topics = [Counter(row["topic"] for row in board.get("notices")["items"]) for board in boards]
        return all(x[Topic.CAMPAIGN_ANNOUNCED] == x[Topic.CAMPAIGN_ENDED] == 1 for x in topics)

    until(told, "boards were told", every=EVERY)
