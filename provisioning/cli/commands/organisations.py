"""Boards and schools."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from provisioning.cli.command import command, noun, one_of
from provisioning.cli.output import Column, sheet, table
from provisioning.cli.session import Session
from provisioning.domain.calendar import dutch_day
from provisioning.domain.tenancy import OrganisationKind

group = noun("Boards, schools and locations, by their register codes.")

_KIND = typer.Option(metavar="KIND", help=one_of(OrganisationKind))

_COLUMNS = (
    Column("Code", lambda x: x.organisation_id),
    Column("Kind", lambda x: x.kind),
    Column("Name", lambda x: x.name),
    Column("Town", lambda x: x.town or "-"),
    Column("Member", lambda x: x.membership, fixed=True),
)
_BINDING_COLUMNS = (
    Column("Tenant", lambda x: x.tenant_id, fixed=True),
    Column("From", lambda x: str(x.valid_from), fixed=True),
    Column("Confirmed by", lambda x: x.confirmed_by or "nobody yet"),
)
_LEDGER_COLUMNS = (
    Column("From", lambda x: str(x.effective_on), fixed=True),
    Column("Until", lambda x: str(x.ends_on or "-"), fixed=True),
    Column("Article", lambda x: x.article_code),
    Column("Seats", lambda x: f"{x.delta:+,}", right=True),
    Column("Because of", lambda x: f"{x.cause.replace('_', ' ')} {x.cause_ref}"),
)


@command(group, "import", examples=("provisioning organisations import boards.csv schools.csv locations.csv",))
def import_files(
    session: Session, files: Annotated[list[Path], typer.Argument(help="DUO's address files, in any order.")]
) -> None:
    """Take in the register of boards, schools and locations."""
    from provisioning.intake.registers import read_registers

    register = read_registers(files, dutch_day(datetime.now(UTC)))
    done = session.services.import_organisations(session.identity, register.organisations, register.relations)
    told = (
        f"{len(register.organisations):,} organisations read: {done.changed:,} new or changed, "
        f"{done.relations:,} relations added; {done.lines:,} order lines judged again."
    )
    moved = f"\nUnder another board than ours says: {', '.join(done.moved)}. A relation record decides."
    session.tell(done, told + (moved if done.moved else ""))


@command(group, "list", examples=("provisioning organisations list --kind board",), ours=True)
def list_all(
    session: Session,
    kind: Annotated[OrganisationKind | None, _KIND] = None,
) -> None:
    """Every organisation we know."""
    rows = session.services.show_organisations(kind)
    session.show_rows(rows, _COLUMNS, "No organisation is known; `provisioning organisations import` brings them in.")


@command(group, "show", examples=("provisioning organisations show 41234",), ours=True)
def show(session: Session, organisation: Annotated[str, typer.Argument(help="Its register code.")]) -> None:
    """One organisation with its tenants and what it bought."""
    found = session.services.show_organisations.one(organisation)
    it = found.organisation
    facts = [
        ("Code", it.organisation_id),
        ("Kind", it.kind),
        ("Name", it.name),
        ("Town", it.town or "-"),
        ("Web domain", it.web_domain or "-"),
        ("Member", it.membership),
        ("Above it", ", ".join(x.parent_id for x in found.relations if x.child_id == it.organisation_id) or "-"),
        ("Below it", f"{sum(x.parent_id == it.organisation_id for x in found.relations):,}"),
    ]
    blocks = [
        sheet(facts),
        table(found.bindings, _BINDING_COLUMNS) if found.bindings else "It is bound to no tenant.",
        table(found.ledger, _LEDGER_COLUMNS) if found.ledger else "It has bought nothing yet.",
    ]
    session.show(found, "\n\n".join(blocks))
