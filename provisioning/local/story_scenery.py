"""Before the first order: registers and records come in, tenants are bound, confirmed and told what to do."""

from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import TenantId
from provisioning.domain.tenancy import AssignmentMode
from provisioning.intake.record_files import read_records
from provisioning.intake.registers import read_registers
from provisioning.local import story_seed as seed
from provisioning.local.stage import EXAMPLE, Stage
from provisioning.local.world import APP
from provisioning.services.set_policy import PolicyChange

READ = ("Organization.Read.All", "User.Read.All", "GroupMember.Read.All")
WRITE = ("LicenseAssignment.ReadWrite.All", "User.ReadWrite.All")
REDIRECT = "https://localhost/consented"
TENANTS = {
    "waterlijn.example": seed.WATERLIJN,
    "duinrand.example": seed.DUINRAND,
    "vlieger.example": seed.VLIEGER,
    "prisma.example": seed.PRISMA,
}
WATERLIJN_SCHOOLS = tuple(f"99X{letter}00" for letter in "ABCDEFGHIJKL")
_BY_CONSENT = (
    ("99YA00", "duinrand.example"), ("99YB00", "duinrand.example"),
    ("99ZA00", "vlieger.example"), ("99ZB00", "prisma.example"),
)  # fmt: skip


def open_the_twin(stage: Stage, secret: str) -> None:
    """Our application is registered there; no tenant has consented to it yet."""
    stage.twin.register_app(
        APP, secrets=[{"value": secret}], requiredRoles=[*READ, *WRITE], redirectUris=[REDIRECT]
    )  # fmt: skip


def import_the_register(stage: Stage) -> None:
    stage.narrator.scene(
        "Who is who",
        "Address files in the layout of DUO, the register of Dutch schools, say which boards and schools there are; "
        "records say what only people know: who is a member, and which board declared which schools.",
    )
    services, operator = stage.services, stage.cast.operator
    files = [EXAMPLE / "besturen.csv", EXAMPLE / "vestigingen.csv"]
    register = read_registers(files, on=dutch_day(services.clock.now()))
    imported = services.import_organisations(operator, register.organisations, register.relations)
    records = services.import_records(operator, read_records(EXAMPLE / "records.jsonl"))
    stage.narrator.step(
        f"{imported.changed} organisations, {imported.relations} schools under their board, {records.changed} records."
    )


def confirm_the_tenants(stage: Stage) -> None:
    stage.narrator.scene(
        "Whose tenant is it?",
        "Nothing is written to a school's tenant until a second person confirmed that it is the school's own, on two "
        "facts that nobody typed: here its verified web domain, and a consent that carries our signature.",
    )
    services, cast = stage.services, stage.cast
    for domain in TENANTS:
        services.add_tenant(cast.operator, domain)
    for organisation, domain in _BY_CONSENT:
        services.bind_tenant(
            cast.operator, organisation, domain, selectors={Audience.FACULTY: staff_of(organisation)}
        )  # fmt: skip
        came_back = stage.grant_consent(organisation, domain)
        bound = services.confirm_binding(cast.colleague, organisation, domain, returned_address=came_back)
        facts = " and ".join(sorted(fact.replace("_", " ") for fact in bound.evidence))
        stage.narrator.step(f"{organisation} uses {domain}: confirmed by {bound.confirmed_by} on {facts}.")


def agree_on_policies(stage: Stage) -> None:
    stage.narrator.scene(
        "What each school wants",
        "A policy says how licences are given, and what to do for people without a usage location, which Microsoft "
        "demands. One operator proposes it, another approves it.",
    )
    for domain in TENANTS:
        set_policy(stage, domain)
    stage.narrator.step(f"{len(TENANTS)} policies in force: licences directly to people, usage location NL if empty.")


def set_policy(stage: Stage, domain: str) -> None:
    services, cast = stage.services, stage.cast
    change = PolicyChange(asked_by="ticket-1", assignment_mode=AssignmentMode.DIRECT, usage_location="NL")
    proposal = services.set_policy(cast.operator, domain, change)
    services.approve_policy(cast.colleague, domain, proposal.digest)


def staff_of(organisation: str) -> str:
    """The selector of a school's staff: accounts carry the school's code."""
    school = organisation.removesuffix("00")
    return (
        f'{{"all":[{{"attribute":"department","equals":"{school}"}},'
        '{"attribute":"employeeType","equals":"Personeel"}]}'
    )


def tenant_of(domain: str) -> TenantId:
    return TenantId(TENANTS[domain])
