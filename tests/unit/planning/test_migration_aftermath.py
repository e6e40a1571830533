"""Licences moved, papers did not: what people have to do afterwards, and by which command."""

from datetime import timedelta
from typing import Any

from provisioning.domain.ids import OrganisationId, SkuId, TenantId
from provisioning.domain.records import Participant
from provisioning.planning.migration_aftermath import AftermathFacts, LeftToDo, Matter, left_to_do
from tests.factories import NOW, guid, tenancy

SCHOOL, STAYS, BOARD = OrganisationId("41AA"), OrganisationId("41BB"), OrganisationId("41000")
A3, OLD = SkuId(guid()), TenantId(guid())
TODAY = NOW.date()


def facts(**known: Any) -> AftermathFacts:
    nothing: dict[str, Any] = {"bindings": (), "participants": (), "seats": {}}
    return AftermathFacts(
        moved=(SCHOOL,),
        source_domain="oud.example",
        target_domain="nieuw.example",
        names={SCHOOL: "De Buurman"},
        products={A3: "Microsoft 365 A3"},
        **nothing | known,
    )


def participant(school: OrganisationId) -> Participant:
    return Participant(
        record_id=f"p-{school}", organisation_id=school, agreement_id="A-7", valid_from=TODAY - timedelta(days=400)
    )


def test_nothing_is_left_where_nothing_stayed_behind() -> None:
    assert left_to_do(facts()) == ()


def test_who_moved_and_is_still_bound_there_is_bound_anew_by_a_ticket() -> None:
    bindings = [tenancy.binding(school, OLD) for school in (STAYS, SCHOOL, SCHOOL)]
    assert left_to_do(facts(bindings=bindings)) == (
        LeftToDo(
            matter=Matter.BINDING,
            organisation_id=SCHOOL,
            name="De Buurman",
            place="oud.example",
            command="provisioning tickets submit (kind: rebind, organisation: 41AA, tenant: nieuw.example)",
        ),
    )


def test_who_takes_part_in_an_agreement_of_the_old_board_is_a_record() -> None:
    [left] = left_to_do(facts(participants=[participant(STAYS), participant(SCHOOL)]))
    assert (left.matter, left.organisation_id, left.place) == (Matter.PARTICIPANT, SCHOOL, "A-7")
    assert left.command.startswith("provisioning records import (participant p-41AA with a last day")


def test_seats_that_are_bought_there_on_are_somebodys_decision() -> None:
    [left] = left_to_do(facts(seats={(BOARD, A3): 40, (SCHOOL, A3): 0}))
    assert (left.matter, left.name, left.seats, left.product) == (Matter.SEATS, "41000", 40, "Microsoft 365 A3")
    assert "kind: remap_holder, from_holders: [41000]" in left.command


def test_who_is_bound_where_comes_first() -> None:
    found = left_to_do(
        facts(bindings=[tenancy.binding(SCHOOL, OLD)], participants=[participant(SCHOOL)], seats={(BOARD, A3): 1})
    )
    assert [one.matter for one in found] == [Matter.BINDING, Matter.PARTICIPANT, Matter.SEATS]
