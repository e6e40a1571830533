"""Entra tenants: known, bound to organisations, and what their schools want."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from provisioning.cli.command import command, noun, one_of
from provisioning.cli.commands.tenant_policy import Named, policy_facts, told_proposal
from provisioning.cli.operation_screen import operation_columns
from provisioning.cli.output import Column, moment, paragraph, sheet, short, table
from provisioning.cli.progress import track
from provisioning.cli.session import Session
from provisioning.cli.text_files import new_private_file, read_text
from provisioning.domain.catalogue import Audience
from provisioning.domain.errors import InputError
from provisioning.domain.tenancy import Binding

group = noun("Entra tenants, whose they are, and what schools want.")

_Organisation = Annotated[str, typer.Argument(help="Its register code.")]
_Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="YYYY-MM-DD")]

_COLUMNS = (
    Column("Tenant", lambda x: short(x.tenant_id), fixed=True),
    Column("Domain", lambda x: x.initial_domain),
    Column("Consent", lambda x: x.consent, fixed=True),
    Column("First write (UTC)", lambda x: moment(x.first_write_at), fixed=True),
)
_BINDING_COLUMNS = (
    Column("Organisation", lambda x: x.organisation_id),
    Column("From", lambda x: str(x.valid_from), fixed=True),
    Column("Until", lambda x: str(x.valid_until or "-"), fixed=True),
    Column("Confirmed by", lambda x: x.confirmed_by or "nobody yet"),
    Column("Selectors", lambda x: " ".join(sorted(x.selectors)) or "none"),
)


@command(group, "add", examples=("provisioning tenants add school.nl",))
def add(session: Session, domain: Annotated[str, typer.Argument(help="A domain of the tenant, or its id.")]) -> None:
    """Find the tenant that owns a domain, and look at it. Adding it again looks anew."""
    tenant = session.checked_services.add_tenant(session.identity, domain)
    session.tell(tenant, f"Tenant {tenant.tenant_id} ({tenant.initial_domain}); consent: {tenant.consent}.")


@command(group, "list", ours=True)
def list_all(session: Session) -> None:
    """Every tenant we know."""
    session.show_rows(session.services.show_tenants(), _COLUMNS, "No tenant is known yet.")


@command(group, "show", examples=("provisioning tenants show school.nl",), ours=True)
def show(session: Session, tenant: Named) -> None:
    """One tenant with its bindings, policy, stops and operations."""
    found = session.services.show_tenants.one(tenant)
    it = found.tenant
    facts = [
        ("Tenant", it.tenant_id),
        ("Domain", it.initial_domain),
        ("Verified domains", f"{len(it.verified_domains)}: {', '.join(it.verified_domains[:3]) or '-'}"),
        ("Consent", it.consent),
        ("First write", moment(it.first_write_at)),
        ("Stopped", ", ".join(stop.scope for stop in found.stops) or "no"),
        *policy_facts(found.policy),
    ]
    blocks = [
        sheet(facts),
        *map(told_proposal, found.proposals),
        table(found.bindings, _BINDING_COLUMNS) if found.bindings else "No organisation is bound to it.",
    ]
    if found.operations:
        blocks.append(table(found.operations, operation_columns(session.wording)))
    session.show(found, "\n\n".join(blocks))


@command(
    group,
    "bind",
    examples=(
        "provisioning tenants bind 41234 school.nl --from 2026-08-01",
        "provisioning tenants bind 41234 school.nl --select faculty=JSON",
    ),
)
def bind(
    session: Session,
    organisation: _Organisation,
    tenant: Named,
    *,
    begin: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="Default: today.")
    ] = None,
    until: _Day = None,
    transition: Annotated[bool, typer.Option("--transition", help="Beside another binding, in a merger.")] = False,
    select: Annotated[list[str] | None, typer.Option(metavar="AUDIENCE=JSON", help="Who belongs to it.")] = None,
) -> None:
    """Say that an organisation uses a tenant. A second person confirms it."""
    bound = session.services.bind_tenant(
        session.identity,
        organisation,
        tenant,
        valid_from=_day(begin),
        valid_until=_day(until),
        is_transition=transition,
        selectors=dict(_selector(text) for text in select or ()),
    )
    session.tell(bound, f"Bound. {_to_confirm(bound, tenant)}")


@command(
    group,
    "confirm",
    examples=(
        "provisioning tenants confirm 41234 school.nl",
        "provisioning tenants confirm 41234 school.nl --returned URL",
    ),
)
def confirm(
    session: Session,
    organisation: _Organisation,
    tenant: Named,
    returned: Annotated[
        str | None, typer.Option(help="The address on which the school came back from consent.")
    ] = None,
    on: _Day = None,
) -> None:
    """Confirm that the tenant is the organisation's own.

    It takes another person than who bound it, and two independent facts.
    """
    bound = session.checked_services.confirm_binding(
        session.identity, organisation, tenant, returned_address=returned, on=_day(on)
    )
    facts = " and ".join(fact.replace("_", " ") for fact in sorted(bound.evidence))
    session.tell(bound, f"Confirmed by {bound.confirmed_by}, on the ground of {facts}.")


@command(
    group,
    "select",
    examples=(
        'provisioning tenants select 41234 school.nl faculty \'{"domain":"school.nl"}\'',
        "provisioning tenants select 41234 school.nl faculty @selector.json",
    ),
)
def select_people(
    session: Session,
    organisation: _Organisation,
    tenant: Named,
    audience: Annotated[Audience, typer.Argument(metavar="AUDIENCE", help=one_of(Audience))],
    selector: Annotated[str, typer.Argument(metavar="SELECTOR", help="JSON, or @FILE.")],
    on: _Day = None,
) -> None:
    """Say who of the tenant belongs to the organisation. The binding is confirmed anew afterwards."""
    text = read_text(Path(selector[1:])) if selector.startswith("@") else selector
    bound = session.services.set_selector(session.identity, organisation, tenant, audience, text, _day(on))
    session.tell(bound, f"Set. {_to_confirm(bound, tenant)}")


@command(group, "consent-url", examples=("provisioning tenants consent-url 41234 school.nl",))
def consent_url(session: Session, organisation: _Organisation, tenant: Named) -> None:
    """The link on which a school grants us consent.

    For an administrator of the tenant; it carries our signature and ends after 30 days.
    """
    link = session.services.consent_url(session.identity, organisation, tenant)
    session.show({"url": link}, link)


@command(
    group,
    "snapshot",
    examples=(
        "provisioning tenants snapshot school.nl",
        "provisioning tenants snapshot school.nl --to school.json",
    ),
)
def snapshot(
    session: Session,
    tenant: Named,
    to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Default: <domain>-<day>.seed.json; never overwritten.")
    ] = None,
) -> None:
    """Write a live tenant down for the sandbox, without names.

    People are pseudonyms; groups, licences, states and counts are true. It only
    reads. Plant it with `provisioning sandbox seed FILE`.
    """
    taken = session.checked_services.take_snapshot(session.identity, tenant)
    file = to or Path(f"{taken.domain}-{taken.day}.seed.json")
    with new_private_file(file, "a snapshot is never overwritten") as kept:
        for line in track(taken, "Reading people"):
            kept.write(line)
    summary = taken.summary
    whole = "everybody" if summary.is_complete else "NOT everybody"
    told = f"{summary.people:,} people ({whole}) and {summary.groups:,} groups are in {file}."
    session.show(
        {"file": str(file), **msgspec.to_builtins(summary)}, "\n".join(map(paragraph, (told, *summary.remarks)))
    )


def _to_confirm(binding: Binding, tenant: str) -> str:
    return (
        "A second person confirms it:\n"
        f"  provisioning tenants confirm {binding.organisation_id} {tenant} --on {binding.valid_from}"
    )


def _selector(text: str) -> tuple[Audience, str]:
    audience, _, selector = text.partition("=")
    if audience not in set(Audience):
        raise InputError(f"{audience!r} is no audience; write --select AUDIENCE=JSON with {', '.join(Audience)}.")
    return Audience(audience), selector


def _day(moment_: datetime | None) -> date | None:
    return moment_.date() if moment_ else None
