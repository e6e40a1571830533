"""Questions to the ledger: what was written, what a person was, when they were without a service."""

from collections.abc import Callable

import msgspec

from provisioning.sandbox.clock import from_moment, to_moment
from provisioning.sandbox.continuity import Supply, Witness
from provisioning.sandbox.control_settings import Answer, get_tenant, needed
from provisioning.sandbox.errors import AbsentError
from provisioning.sandbox.ledger import Entry, to_json
from provisioning.sandbox.repeats import find_repeats
from provisioning.sandbox.subscriptions import SERVING
from provisioning.sandbox.tenants import Tenant
from provisioning.sandbox.wire import Request
from provisioning.sandbox.world import World

LARGEST_PAGE = 5_000


def list_entries(world: World, request: Request) -> Answer:
    """`?since=SEQUENCE&top=N&tenant=&user=&app=&changed=true`: entries after a sequence number, oldest first.

    `next` is the sequence to ask from; null at the end. A tenant may be named by a domain, and then a user by UPN.
    """
    options = request.options
    since, top = _whole(options, "since", 0), min(_whole(options, "top", 1_000), LARGEST_PAGE)
    fits = _filter(world, options)
    entries = world.ledger.since(since, top)
    reached = since + len(entries)
    rows = [entry.to_json() for entry in entries if fits(entry)]
    return {"value": rows, "next": reached if reached < len(world.ledger) else None}


def _whole(options: dict[str, str], name: str, otherwise: int) -> int:
    text = options.get(name, str(otherwise))
    if not text.isdigit():
        raise ValueError(f"The query option {name} is a whole number of 0 or more, not {text}.")
    return int(text)


def _filter(world: World, options: dict[str, str]) -> Callable[[Entry], bool]:
    tenant = get_tenant(world, options["tenant"]) if "tenant" in options else None
    user = options.get("user")
    if user is not None:
        user = _user_id(tenant, user) if tenant else user.lower()
    app, changed = options.get("app"), options.get("changed")

    def fits(entry: Entry) -> bool:
        return (
            (tenant is None or entry.tenant == tenant.id)
            and (user is None or entry.user == user)
            and (app is None or entry.author.app == app.lower())
            and (changed is None or entry.changed == (changed == "true"))
        )

    return fits


def _user_id(tenant: Tenant, id_or_upn: str) -> str:
    """The id behind a UPN; who is gone, or was never there, is only known by id."""
    return tenant.directory.find_id(id_or_upn) or id_or_upn.lower()


def state_at(world: World, request: Request) -> Answer:
    """`?tenant=&user=&at=`: a person at a sandbox moment (ISO 8601 or Unix seconds; default now)."""
    options = request.options
    tenant = get_tenant(world, needed(options, "tenant"))
    at = to_seconds(options["at"]) if "at" in options else world.clock.now()
    user_id = _user_id(tenant, needed(options, "user"))
    if user_id not in tenant.directory.users:
        raise AbsentError(f"Tenant {tenant.id} never had a user {options['user']}.")
    state = world.ledger.state_at(tenant.id, user_id, at, tenant.directory.users.get(user_id))
    return {"tenant": tenant.id, "user": user_id, "at": at, "moment": to_moment(at), "state": to_json(state)}


def writes_per_user(world: World, request: Request) -> Answer:
    """`?tenant=[&user=]`: per person how many writes were accepted and how many changed something."""
    tenant = get_tenant(world, needed(request.options, "tenant"))
    counted = world.ledger.writes_per_user(tenant.id)
    if (user := request.options.get("user")) is not None:
        user_id = _user_id(tenant, user)
        counted = {user_id: counted[user_id]} if user_id in counted else {}
    return {"value": counted}


class GapQuestion(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Families of service plans that each of `users` (default: all) should have had between two moments."""

    tenant: str
    families: list[list[str]]
    users: list[str] | None = None
    since: str | float = 0.0
    until: str | float | None = None


def gaps(world: World, request: Request) -> Answer:
    """The spans in which a person had no service of a family, although somebody says they should."""
    question = msgspec.json.decode(request.body, type=GapQuestion)
    tenant = get_tenant(world, question.tenant)
    now = world.clock.now()
    span = (to_seconds(question.since), now if question.until is None else to_seconds(question.until))
    users = (
        list(tenant.directory.users) if question.users is None else [_user_id(tenant, user) for user in question.users]
    )
    tenant.visible_subscriptions(now)  # moves them on to where they are now
    witness = Witness(world.ledger, tenant.id, world.catalogue.skus, _supply(world, tenant), span)
    families = [tuple(family) for family in question.families]
    found = [gap for user in users for gap in witness.gaps(user, tenant.directory.users.get(user), families)]
    return {"value": found}


def _supply(world: World, tenant: Tenant) -> Supply:
    serving = SERVING if world.switches.warning_serves else SERVING - {"Warning"}
    return Supply(tenant.subscriptions.values(), serving)


def repeats(world: World, request: Request) -> Answer:
    """`?tenant=[&user=]`: accepted writes that changed nothing, or came twice under one client request id."""
    tenant = get_tenant(world, needed(request.options, "tenant"))
    user = request.options.get("user")
    entries = world.ledger.in_tenant(tenant.id) if user is None else world.ledger.of(tenant.id, _user_id(tenant, user))
    return {"value": list(find_repeats(entries))}


def to_seconds(moment: str | float) -> float:
    """Unix seconds of a moment given as a number or in ISO 8601; raises ValueError."""
    if isinstance(moment, str):
        try:
            return float(moment)
        except ValueError:
            return from_moment(moment)
    return moment
