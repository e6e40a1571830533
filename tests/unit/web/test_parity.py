"""What a command can do, the API can do: both lists are held together here."""

from collections.abc import Iterator
from typing import Any

import pytest

from provisioning.bootstrap import Services
from provisioning.cli.app import TREE
from provisioning.web.app import create_app, routes_of
from tests.unit.bootstrap.test_services import settings

# command → the route that does the same, through the same service
SAME = {
    "actors add": "POST /api/v1/actors",
    "actors list": "GET /api/v1/actors",
    "actors revoke": "POST /api/v1/actors/{actor}/revoke",
    "audit checkpoint": "POST /api/v1/audit/checkpoint",
    "audit export": "GET /api/v1/audit/export",
    "audit forget": "POST /api/v1/audit/forget",
    "audit list": "GET /api/v1/audit",
    "campaigns abort": "POST /api/v1/campaigns/{campaign}/abort",
    "campaigns approve": "POST /api/v1/campaigns/{campaign}/approve",
    "campaigns check": "POST /api/v1/campaigns/{campaign}/check",
    "campaigns create": "POST /api/v1/campaigns",
    "campaigns exclude": "POST /api/v1/campaigns/{campaign}/exclude",
    "campaigns include": "POST /api/v1/campaigns/{campaign}/include",
    "campaigns list": "GET /api/v1/campaigns",
    "campaigns pause": "POST /api/v1/campaigns/{campaign}/pause",
    "campaigns report": "GET /api/v1/campaigns/{campaign}/report",
    "campaigns resume": "POST /api/v1/campaigns/{campaign}/resume",
    "campaigns retry": "POST /api/v1/campaigns/{campaign}/retry",
    "campaigns show": "GET /api/v1/campaigns/{campaign}",
    "campaigns start": "POST /api/v1/campaigns/{campaign}/start",
    "configuration approve": "POST /api/v1/configuration/{digest}/approve",
    "configuration propose": "POST /api/v1/configuration",
    "configuration reject": "POST /api/v1/configuration/{digest}/reject",
    "configuration review": "POST /api/v1/configuration/{digest}/review",
    "configuration rollback": "POST /api/v1/configuration/mappings/rollback",
    "configuration show": "GET /api/v1/configuration",
    "configuration versions": "GET /api/v1/configuration/versions",
    "metrics": "GET /metrics",
    "migrations abort": "POST /api/v1/migrations/{migration}/abort",
    "migrations check": "POST /api/v1/migrations/{migration}/waves/{wave}/check",
    "migrations create": "POST /api/v1/migrations",
    "migrations gate": "POST /api/v1/migrations/{migration}/gate",
    "migrations list": "GET /api/v1/migrations",
    "migrations match": "POST /api/v1/migrations/{migration}/match",
    "migrations pause": "POST /api/v1/migrations/{migration}/pause",
    "migrations release": "POST /api/v1/migrations/{migration}/waves/{wave}/release",
    "migrations report": "GET /api/v1/migrations/{migration}/report",
    "migrations resume": "POST /api/v1/migrations/{migration}/resume",
    "migrations retry": "POST /api/v1/migrations/{migration}/waves/{wave}/retry",
    "migrations rollback": "POST /api/v1/migrations/{migration}/waves/{wave}/rollback",
    "migrations show": "GET /api/v1/migrations/{migration}",
    "migrations start": "POST /api/v1/migrations/{migration}/waves/{wave}/start",
    "notices list": "GET /api/v1/notices",
    "operations list": "GET /api/v1/operations",
    "operations retry": "POST /api/v1/operations/{operation}/retry",
    "operations show": "GET /api/v1/operations/{operation}",
    "orders cancel": "POST /api/v1/orders/{order}/cancel",
    "orders list": "GET /api/v1/orders",
    "orders release": "POST /api/v1/orders/{order}/release",
    "orders show": "GET /api/v1/orders/{order}",
    "orders submit": "POST /api/v1/orders",
    "organisations import": "POST /api/v1/organisations/import",
    "organisations list": "GET /api/v1/organisations",
    "organisations show": "GET /api/v1/organisations/{organisation}",
    "plans approve": "POST /api/v1/plans/{operation}/approve",
    "plans assess": "GET /api/v1/plans/{operation}/assessment",
    "plans reject": "POST /api/v1/plans/{operation}/reject",
    "plans review": "POST /api/v1/plans/{operation}/review",
    "plans show": "GET /api/v1/plans/{operation}",
    "records import": "POST /api/v1/records",
    "resume": "POST /api/v1/stops/resume",
    "stop": "POST /api/v1/stops",
    "tenants add": "POST /api/v1/tenants",
    "tenants bind": "POST /api/v1/tenants/{tenant}/bind",
    "tenants confirm": "POST /api/v1/tenants/{tenant}/confirm",
    "tenants consent-url": "POST /api/v1/tenants/{tenant}/consent-url",
    "tenants list": "GET /api/v1/tenants",
    "tenants policy": "POST /api/v1/tenants/{tenant}/policy",
    "tenants select": "POST /api/v1/tenants/{tenant}/select",
    "tenants show": "GET /api/v1/tenants/{tenant}",
    "webhooks list": "GET /api/v1/webhooks",
    "webhooks resend": "POST /api/v1/webhooks/{endpoint}/resend",
    "webhooks show": "GET /api/v1/webhooks/messages",
    "tickets approve": "POST /api/v1/tickets/{ticket}/approve",
    "tickets complete": "POST /api/v1/tickets/{ticket}/complete",
    "tickets draft": "GET /api/v1/tickets/{ticket}/draft",
    "tickets filed": "POST /api/v1/tickets/{ticket}/filed",
    "tickets list": "GET /api/v1/tickets",
    "tickets reject": "POST /api/v1/tickets/{ticket}/reject",
    "tickets show": "GET /api/v1/tickets/{ticket}",
    "tickets submit": "POST /api/v1/tickets",
    "tickets withdraw": "POST /api/v1/tickets/{ticket}/withdraw",
    "worklist": "GET /api/v1/worklist",
}
# a second route of a command whose options make it do two things
PARTS = {
    "GET /api/v1/tickets/{ticket}/assessment": "tickets show",
    "GET /api/v1/stops": "worklist",
    "GET /api/v1/audit/checkpoint": "audit checkpoint",
    "GET /api/v1/campaigns/{campaign}/letters/{board}": "campaigns report",
    "GET /api/v1/campaigns/{campaign}/members": "campaigns show",
    "GET /api/v1/campaigns/{campaign}/readiness": "campaigns show",
    "GET /api/v1/migrations/{migration}/people": "migrations show",
    "GET /api/v1/migrations/{migration}/statement": "migrations report",
    "GET /api/v1/migrations/{migration}/waves/{wave}/check": "migrations check",
    "POST /api/v1/migrations/{migration}/gate/withdraw": "migrations gate",
    "GET /api/v1/tickets/{ticket}/sheet": "tickets show",
    "POST /api/v1/tenants/{tenant}/policy/approve": "tenants policy",
}
ONLY_TYPED = {
    "audit key": "makes a key where it is kept; a private key never travels",
    "audit verify": "needs nothing but a file: whoever verifies trusts no answer of ours",
    "db check": "of the owner of the database, whom the API must not know",
    "db upgrade": "the same",
    "demo": "starts a world on this machine",
    "doctor": "for whoever repairs; GET /readyz says whether, this says why, with hosts and paths",
    "mappings check": "looks at files on the machine of whoever edits them",
    "mappings diff": "the same",
    "migrations rehearse": "starts a world on this machine",
    "migrations watch": "a screen; programs read the migration again",
    "sandbox": "the twin has an interface of its own",
    "serve": "is the API",
    "tenants calibrate": "writes to a test tenant, beside a twin on this machine",
    "tenants snapshot": "writes people down, as pseudonyms, into a file that only its owner may read",
    "up": "starts a world on this machine",
}
ONLY_ASKED = {
    "POST /webhooks/{sender}": "is told by desks; `tickets submit` brings in the same by file",
    "GET /healthz": "is asked by machines that restart us",
    "GET /readyz": "is asked by machines that send us requests",
}
# what is typed about a migration and has another name when it is sent, or none: and why
OTHERWISE = {
    "migrations create file": "`migration` is the file, and `identity_map` the one that it names",
    "migrations gate file": "`content`, and `name` for the record",
    "migrations gate withdraw": "POST /api/v1/migrations/{migration}/gate/withdraw",
    "migrations report csv": "Accept: text/csv",
    "migrations report html": "Accept: text/html",
    "migrations report statement": "GET /api/v1/migrations/{migration}/statement",
    "migrations show people": "GET /api/v1/migrations/{migration}/people",
}
# and the other way round
ONLY_SENT = {
    "migrations create identity_map": "beside the file, where that names it",
    "migrations create migration": "what is in the file",
    "migrations gate content": "what is in the file",
    "migrations gate name": "the file has one",
    "migrations list cursor": "a screen scrolls",
    "migrations list limit": "the same",
    "migrations report language": "PROVISIONING_LANGUAGE says it once for all commands",
    "migrations show cursor": "a screen scrolls",
    "migrations show limit": "the same",
}


def commands(group: Any = TREE, words: tuple[str, ...] = ()) -> Iterator[str]:
    for name, one in group.commands.items():
        if hasattr(one, "commands") and name != "sandbox":
            yield from commands(one, (*words, name))
        else:
            yield " ".join((*words, name))


def routes() -> set[str]:
    app = create_app(Services(settings()))
    return {f"{method} {route.path_format}" for route in routes_of(app) for method in route.methods}


def typed(command: str) -> set[str]:
    """The arguments and options of a command."""
    one: Any = TREE
    for word in command.split():
        one = one.commands[word]
    return {f"{command} {given.name}" for given in one.params} - {f"{command} as_json"}


def sent(command: str) -> set[str]:
    """What its routes take, by path, by query and in the body."""
    described = create_app(Services(settings())).openapi()
    addresses = [SAME[command], *(route for route, of in PARTS.items() if of == command)]
    taken: set[str] = set()
    for method, _, path in (address.partition(" ") for address in addresses):
        route: Any = described["paths"][path][method.lower()]  # type: ignore[index]
        taken |= {one["name"] for one in route.get("parameters", ()) if one["in"] != "header"}
        for content in route.get("requestBody", {}).get("content", {}).values():
            body = content["schema"]["$ref"].rpartition("/")[2]
            taken |= set(described["components"]["schemas"][body]["properties"])  # type: ignore[index]
    return {f"{command} {name}" for name in taken}


MIGRATING = [command for command in SAME if command.startswith("migrations ")]


@pytest.mark.parametrize("command", MIGRATING)
def test_what_can_be_typed_about_a_migration_can_be_sent(command: str) -> None:
    apart = {one for one in OTHERWISE if one.startswith(f"{command} ")}
    assert typed(command) - sent(command) == apart


@pytest.mark.parametrize("command", MIGRATING)
def test_what_can_be_sent_about_a_migration_can_be_typed(command: str) -> None:
    apart = {one for one in ONLY_SENT if one.startswith(f"{command} ")}
    assert sent(command) - typed(command) == apart


def test_every_command_is_a_route_or_has_a_reason_to_be_none() -> None:
    assert set(commands()) == {*SAME, *ONLY_TYPED}


def test_every_route_is_a_command_or_has_a_reason_to_be_none() -> None:
    assert routes() == {*SAME.values(), *PARTS, *ONLY_ASKED}


def test_no_command_is_both() -> None:
    assert SAME.keys() & ONLY_TYPED.keys() == set()
    assert set(PARTS.values()) <= SAME.keys()
