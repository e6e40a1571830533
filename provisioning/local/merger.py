"""The world `merger`: both boards are known, their tenants confirmed, the target's seats bought. What is left to do is
the migration itself.
"""

from datetime import timedelta
from pathlib import Path

from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import ArticleCode, OrganisationId, SkuId, TenantId
from provisioning.domain.order import LedgerCause, LedgerEntry
from provisioning.domain.tenancy import Organisation, OrganisationKind
from provisioning.local import merger_seed as seed
from provisioning.local.merger_files import write_merger_files
from provisioning.local.stage import Stage
from provisioning.local.story_scenery import set_policy
from provisioning.local.story_seed import A3

_BOUND = (
    (seed.SOURCE_BOARD, seed.SOURCE),
    (seed.TARGET_BOARD, seed.TARGET),
    (seed.NEIGHBOUR_SCHOOL, seed.SOURCE),
)
_BOUGHT = (
    (ArticleCode("MS-BP-A3-MED"), SkuId(A3), seed.STAFF_SEATS),
    (ArticleCode("MS-BP-A3-LLN"), SkuId(seed.A3_STUDENT), seed.PUPIL_SEATS),
)


def furnish_merger(stage: Stage, folder: Path) -> None:
    """Leaves an example of each file that a migration takes in the folder."""
    services, cast = stage.services, stage.cast
    services.import_organisations(cast.operator, _organisations(), ())
    for domain in (seed.SOURCE, seed.TARGET):
        services.add_tenant(cast.operator, domain)
    for organisation, domain in _BOUND:
        _bind(stage, organisation, domain)
    for domain in (seed.SOURCE, seed.TARGET):
        set_policy(stage, domain)
    _entitle(stage)
    write_merger_files(folder)
    stage.narrator.say(
        "Two boards become one: Oostwijk (40 people and a guest) goes to Samen, which has 60 of its own. Both are "
        "known to the service, their tenants confirmed, their policies in force, and the seats are bought."
    )


def _organisations() -> list[Organisation]:
    board, school = OrganisationKind.BOARD, OrganisationKind.LOCATION
    return [
        _organisation(seed.SOURCE_BOARD, board, "Stichting Oostwijk", seed.SOURCE),
        _organisation(seed.TARGET_BOARD, board, "Stichting Samen", seed.TARGET),
        _organisation(seed.NEIGHBOUR_SCHOOL, school, "De Buurman", seed.NEIGHBOUR),
    ]


def _organisation(code: str, kind: OrganisationKind, name: str, domain: str) -> Organisation:
    number = code if kind is OrganisationKind.BOARD else None
    return Organisation(
        organisation_id=OrganisationId(code), kind=kind, name=name, board_number=number, web_domain=domain
    )


def _bind(stage: Stage, organisation: str, domain: str) -> None:
    services, cast = stage.services, stage.cast
    services.bind_tenant(cast.operator, organisation, domain, selectors=_selectors(organisation, domain))
    came_back = stage.grant_consent(organisation, domain)
    services.confirm_binding(cast.colleague, organisation, domain, returned_address=came_back)


def _selectors(organisation: str, domain: str) -> dict[Audience, str]:
    if organisation == seed.NEIGHBOUR_SCHOOL:
        return {Audience.FACULTY: f'{{"attribute":"officeLocation","equals":"{organisation}"}}'}
    return {
        Audience.FACULTY: f'{{"domain":"{domain}"}}',
        Audience.STUDENT: f'{{"domain":"leerling.{domain}"}}',
    }


def _entitle(stage: Stage) -> None:
    """What the target's board bought before this world begins, for its own people and for those who come."""
    began = dutch_day(stage.services.clock.now()) - timedelta(days=30)
    entries = [
        LedgerEntry(
            holder_id=OrganisationId(seed.TARGET_BOARD),
            tenant_id=TenantId(seed.TARGET_TENANT),
            article_code=article,
            sku_id=sku,
            delta=seats,
            effective_on=began,
            ends_on=None,
            cause=LedgerCause.CORRECTION,
            cause_ref="bought earlier",
        )
        for article, sku, seats in _BOUGHT
    ]
    with stage.services.open_uow() as uow:
        uow.ledger.append(entries)
        uow.commit()
