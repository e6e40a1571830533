"""Boards and schools."""

from provisioning.domain.calendar import dutch_day
from provisioning.domain.errors import InputError
from provisioning.domain.tenancy import Organisation, OrganisationKind
from provisioning.intake.registers import parse_registers
from provisioning.services.import_organisations import ImportedOrganisations
from provisioning.services.paging import Page
from provisioning.services.show_organisations import OrganisationSheet
from provisioning.web.calls import Body, Named, PageWanted, Person, Text
from provisioning.web.routing import router as routes_about

router = routes_about("organisations")


class RegisterFile(Body):
    """`content`: one of DUO's address files, as text."""

    name: Text
    content: str


class Registers(Body):
    files: list[RegisterFile]


@router.post("/import")
def import_files(caller: Person, registers: Registers) -> ImportedOrganisations:
    """Take in the register of boards, schools and locations."""
    if not registers.files:
        raise InputError("There is no file in it; nothing was imported.")
    files = [(file.name, file.content.encode()) for file in registers.files]
    register = parse_registers(files, dutch_day(caller.services.clock.now()))
    return caller.services.import_organisations(caller.identity, register.organisations, register.relations)


@router.get("")
def list_all(caller: Person, wanted: PageWanted, kind: OrganisationKind | None = None) -> Page[Organisation]:
    """Every organisation we know, by code."""
    return caller.services.browse.organisations(wanted, kind)


@router.get("/{organisation}")
def show(caller: Person, organisation: Named) -> OrganisationSheet:
    """One organisation with its tenants and what it bought."""
    return caller.services.show_organisations.one(organisation)
