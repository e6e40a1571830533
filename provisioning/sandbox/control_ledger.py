"""Questions to the ledger: what was written, what a person was, when they were without a service."""

import msgspec

from provisioning.sandbox.clock import from_moment, to_moment
from provisioning.sandbox.control_settings import Answer, get_tenant
from provisioning.sandbox.ledger import Entry, GroupEntry, to_json
from provisioning.sandbox.wire import Request
from provisioning.sandbox.world import World

LARGEST_PAGE = 5_000


def list_entries(world: World, request: Request) -> Answer:
    """`?since=SEQUENCE&top=N&tenant=&user=&group=&app=&changed=true`: entries after a sequence number, oldest first.

    `next` is the sequence to ask from; null at the end.
    """
    options = request.options
    since, top = int(options.get("since", 0)), min(int(options.get("top", 1_000)), LARGEST_PAGE)
    entries = world.ledger.since(since, top)
    reached = since + len(entries)
    rows = [entry.to_json() for entry in entries if _fits(entry, options)]
    return {"value": rows, "next": reached if reached < len(world.ledger) else None}


def _fits(entry: Entry | GroupEntry, options: dict[str, str]) -> bool:
    wanted = (
        (options.get("tenant"), entry.tenant),
        (options.get("user"), entry.user),
        (options.get("group"), entry.group if isinstance(entry, GroupEntry) else None),
        (options.get("app"), entry.author.app),
    )
    if any(want is not None and want.lower() != have for want, have in wanted):
        return False
    return "changed" not in options or (options["changed"] == "true") == entry.changed


def state_at(world: World, request: Request) -> Answer:
    """`?tenant=&user=&at=`: a person at a sandbox moment (ISO 8601 or Unix seconds; default now)."""
    options = request.options
    tenant = get_tenant(world, options.get("tenant", ""))
    at = to_seconds(options["at"]) if "at" in options else world.clock.now()
    user_id = options.get("user", "").lower()
    state = world.ledger.state_at(tenant.id, user_id, at, tenant.directory.users.get(user_id))
    return {"tenant": tenant.id, "user": user_id, "at": at, "moment": to_moment(at), "state": to_json(state)}


def writes_per_user(world: World, request: Request) -> Answer:
    """`?tenant=`: per person how many writes were accepted and how many changed something."""
    tenant = get_tenant(world, request.options.get("tenant", ""))
    return {"value": world.ledger.writes_per_user(tenant.id)}


class GapQuestion(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Families of service plans that each of `users` (default: all) should have had between two moments."""

    tenant: str
    families: list[list[str]]
    users: list[str] | None = None
    since: str | float = 0.0
    until: str | float | None = None


def gaps(world: World, request: Request) -> Answer:
    """The spans in which a person had no service plan of a family, although somebody says they should."""
    question = msgspec.json.decode(request.body, type=GapQuestion)
    tenant = get_tenant(world, question.tenant)
    until = world.clock.now() if question.until is None else to_seconds(question.until)
    span = (to_seconds(question.since), until)
    users = list(tenant.directory.users) if question.users is None else question.users
    found = [
        gap
        for user in users
        for family in question.families
        for gap in world.ledger.gaps(
            tenant.id, user, tuple(family), world.catalogue.skus, span, tenant.directory.users.get(user)
        )
    ]
    return {"value": found}


def to_seconds(moment: str | float) -> float:
    """Unix seconds of a moment given as a number or in ISO 8601; raises ValueError."""
    if isinstance(moment, str):
        try:
            return float(moment)
        except ValueError:
            return from_moment(moment)
    return moment
