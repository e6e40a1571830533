"""What is left after a migration is read from bindings, records and ledger, and is gone once somebody did it."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from provisioning.domain.ids import ArticleCode, OrganisationId
from provisioning.domain.migration_lifecycle import MigrationState, PersonState
from provisioning.domain.order import LedgerCause, LedgerEntry
from provisioning.domain.records import Agreement, Participant
from provisioning.planning.migration_aftermath import LeftToDo, Matter
from provisioning.services.migration_aftermath import aftermath
from tests.factories import tenancy
from tests.unit.services.fakes_access import NOW, TENANT, World
from tests.unit.services.migration_scene import A3, MIGRATION, NEW_BOARD, OLD_BOARD, TARGET, a_merger

SCHOOL = OrganisationId("41AA")
TODAY = NOW.date()


@pytest.fixture
def world() -> World:
    """One school left the board: its people have moved, and all of its papers are as they were."""
    world = World()
    a_merger(world, state=MigrationState.COMPLETED)
    for key, one in world.travellers.items():
        if one.state is PersonState.RELEASED:
            world.travellers[key] = msgspec.structs.replace(one, organisation_id=SCHOOL)
    world.bindings = [tenancy.binding(code, TENANT, valid_from=TODAY) for code in (SCHOOL, OLD_BOARD)]
    world.records += [agreement("A-7", OLD_BOARD), agreement("A-8", NEW_BOARD), participant("p-1", "A-7")]
    world.ledger.append(bought(OLD_BOARD, 40))
    return world


def agreement(name: str, holder: OrganisationId) -> Agreement:
    return Agreement(record_id=name, organisation_id=holder, supplier="s", licence_form="EES", starts_on=TODAY)


def participant(name: str, under: str, **changes: Any) -> Participant:
    return Participant(record_id=name, organisation_id=SCHOOL, agreement_id=under, valid_from=TODAY, **changes)


def bought(holder: OrganisationId, seats: int) -> LedgerEntry:
    return LedgerEntry(
        holder_id=holder,
        tenant_id=TENANT,
        article_code=ArticleCode("MS"),
        sku_id=A3,
        delta=seats,
        effective_on=TODAY,
        ends_on=None,
        cause=LedgerCause.CORRECTION,
        cause_ref="bought",
    )


def left(world: World) -> tuple[LeftToDo, ...]:
    with world.open() as uow:
        people = uow.migrations.travellers(MIGRATION)
        return aftermath(uow, uow.migrations.get(MIGRATION), people, {A3: "A3"}, TODAY)


def test_each_paper_that_stayed_is_told(world: World) -> None:
    assert [(one.matter, one.organisation_id) for one in left(world)] == [
        (Matter.BINDING, SCHOOL),
        (Matter.PARTICIPANT, SCHOOL),
        (Matter.SEATS, OLD_BOARD),
    ]
    assert left(world)[0].place == "school.onmicrosoft.com"
    assert "tenant: zuid.onmicrosoft.com" in left(world)[0].command
    assert left(world)[2].name == "Stichting Noord"


def test_what_somebody_did_is_not_told_any_more(world: World) -> None:
    world.bindings = [tenancy.binding(SCHOOL, TARGET, valid_from=TODAY), tenancy.binding(OLD_BOARD, TENANT)]
    yesterday = TODAY - timedelta(days=1)
    world.records[-1] = participant("p-1", "A-7", valid_until=yesterday)
    world.records.append(participant("p-2", "A-8"))
    world.ledger.append(bought(OLD_BOARD, -40))
    assert left(world) == ()


@pytest.mark.parametrize("state", [MigrationState.RUNNING, MigrationState.ABORTED])
def test_before_it_is_completed_nothing_is(world: World, state: MigrationState) -> None:
    world.migrations[MIGRATION] = msgspec.structs.replace(world.migrations[MIGRATION], state=state)
    assert left(world) == ()


def test_whose_people_are_all_there_still_has_nothing_to_do(world: World) -> None:
    world.travellers = {key: one for key, one in world.travellers.items() if one.state is not PersonState.RELEASED}
    assert left(world) == ()
