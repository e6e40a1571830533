"""How operations and their audit lines look on a screen."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from provisioning.cli.output import Column, moment, paragraph, sheet, short, spaced, table
from provisioning.domain.operation import Operation, Wish
from provisioning.domain.ownership import owner_of
from provisioning.domain.reasons import Reason

if TYPE_CHECKING:
    from provisioning.cli.wording import Wording
    from provisioning.services.browse import OperationSummary
    from provisioning.services.show_operations import OperationSheet

EVENT_COLUMNS = (
    Column("When (UTC)", lambda x: f"{x.at:%Y-%m-%d %H:%M:%S}", fixed=True),
    Column("Who", lambda x: x.actor),
    Column("What", lambda x: x.kind),
    Column("Result", lambda x: spaced(x.reason).lower() if x.reason else spaced(x.after or " ").strip()),
    Column("Request", lambda x: short(x.correlation), fixed=True),
)


def operation_columns(wording: "Wording") -> tuple[Column, ...]:
    """How operations are listed, also for a client, who gets them in short."""
    return (
        Column("Operation", lambda x: short(x.operation_id), fixed=True),
        Column("Kind", lambda x: x.kind, fixed=True),
        Column("Tenant", lambda x: short(x.tenant_id), fixed=True),
        Column("Organisation", _holder_of),
        Column("State", lambda x: wording.standing(x.state, x.reason)),
        Column("Since (UTC)", lambda x: moment(x.entered_at), fixed=True),
    )


def _holder_of(operation: "Operation | OperationSummary") -> str:
    return operation.wish.holder_id if isinstance(operation, Operation) else operation.organisation_id


def render_operation(found: "OperationSheet", wording: "Wording") -> str:
    """All of it, for people of ours."""
    log = [table(found.events, EVENT_COLUMNS)] if found.events else []
    return "\n\n".join([_told(_facts(found, wording), found.operation.reason, wording), *log])


def render_in_short(found: "OperationSummary", wording: "Wording") -> str:
    """As a client may read it."""
    return _told(_facts_in_short(found, wording), found.reason, wording)


def _told(facts: Iterable[tuple[str, str]], reason: Reason | None, wording: "Wording") -> str:
    return "\n\n".join([sheet(list(facts)), *([paragraph(wording.why_and_how(reason))] if reason else [])])


def _facts(found: "OperationSheet", wording: "Wording") -> Iterator[tuple[str, str]]:
    it = found.operation
    yield from _standing(it, wording)
    if it.unreadable_since:
        yield "Not readable", f"since {moment(it.unreadable_since)} UTC"
    if it.reason:
        yield "Owner", wording.name(owner_of(it.reason))
    yield "Tenant", f"{it.tenant_id}{f' ({found.tenant.initial_domain})' if found.tenant else ''}"
    yield "Holder", it.wish.holder_id
    yield _wanted(it.wish)
    yield "Looked at", f"{moment(it.due_at)} UTC" if it.due_at else "when a person acts"
    if it.seats_seen is not None:
        yield "Seats", f"{it.seats_seen:,} visible, {it.wish.seats_before or 0:,} there before the order"
    yield "People", _counts({wording.name(state): number for state, number in found.people.items()})
    yield "Steps", _counts({spaced(state): number for state, number in found.steps.items()})
    if found.writes_done_at:
        yield "Written by", f"about {moment(found.writes_done_at)} UTC, then read back"


def _facts_in_short(it: "OperationSummary", wording: "Wording") -> Iterator[tuple[str, str]]:
    yield from _standing(it, wording)
    yield "Tenant", it.tenant_id
    yield "Holder", it.organisation_id
    yield "Article", f"{it.article_code}, {it.seats_wanted:,} seats"
    yield "People", _counts({wording.name(state): number for state, number in (it.people or {}).items()})


def _standing(it: "Operation | OperationSummary", wording: "Wording") -> Iterator[tuple[str, str]]:
    yield "Operation", it.operation_id
    yield "Kind", it.kind
    yield "State", wording.name(it.state)
    yield "Since", f"{moment(it.entered_at)} UTC"


def _wanted(wish: Wish) -> tuple[str, str]:
    """What was ordered; of a remap, which product becomes which, and for whom."""
    if wish.remap is None:
        return "Article", f"{wish.article_code}, {wish.seats_wanted:,} seats"
    asked = f"ticket {wish.remap.ticket_id}" if wish.remap.ticket_id else f"campaign {wish.remap.campaign_id}"
    return "Remap", f"{wish.remap.from_sku} becomes {wish.sku_id}, for {asked}"


def _counts(of: Mapping[str, int]) -> str:
    """`12 verified, 3 waiting`; a dash for nothing."""
    return ", ".join(f"{number:,} {state}" for state, number in of.items() if number) or "-"
