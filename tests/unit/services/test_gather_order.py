"""Whom a code means, who took over, and whose lines news may cure."""

from datetime import date

import pytest

from provisioning.domain.ids import OrganisationId
from provisioning.domain.records import Agreement, Participant
from provisioning.domain.tenancy import Relation, RelationKind
from provisioning.services.gather_order import concerned_by, find_organisation, find_successor
from tests.factories.trade import BOARD, SCHOOL, SISTER, THIRD, TODAY, declaration, organisation
from tests.fakes import FakeUnitOfWork, World


def followed(child: OrganisationId, parent: OrganisationId, on: date = date(2026, 8, 1)) -> Relation:
    return Relation(parent_id=parent, child_id=child, kind=RelationKind.SUCCEEDED_BY, valid_from=on)


@pytest.fixture
def world() -> World:
    return World(organisations={code: organisation(code) for code in (SCHOOL, SISTER, THIRD, BOARD)})


def successor(world: World) -> str | None:
    uow = FakeUnitOfWork(world)
    found = find_successor(uow, world.organisations[SCHOOL], TODAY)  # type: ignore[arg-type]  # the part that it uses
    return found and found.organisation_id


class TestFindOrganisation:
    @pytest.mark.parametrize("code", ["00XX00", "00xx", " 00 XX 00 "])
    def test_reads_the_code_as_the_register_would_write_it(self, world: World, code: str) -> None:
        found = find_organisation(FakeUnitOfWork(world), code)  # type: ignore[arg-type]  # as above
        assert found == world.organisations[SCHOOL]

    @pytest.mark.parametrize("code", ["", "  ", "client:shop", "99ZZ"])
    def test_finds_nobody_by_what_is_no_code(self, world: World, code: str) -> None:
        assert find_organisation(FakeUnitOfWork(world), code) is None  # type: ignore[arg-type]  # as above


class TestFindSuccessor:
    def test_is_nobody_while_the_school_stands(self, world: World) -> None:
        assert successor(world) is None

    def test_is_whoever_took_over(self, world: World) -> None:
        world.relations = [followed(SCHOOL, SISTER)]
        assert successor(world) == SISTER

    def test_is_nobody_before_the_day(self, world: World) -> None:
        world.relations = [followed(SCHOOL, SISTER, date(2026, 9, 2))]
        assert successor(world) is None

    def test_is_the_last_of_those_who_followed_each_other(self, world: World) -> None:
        world.relations = [followed(SCHOOL, SISTER), followed(SISTER, THIRD)]
        assert successor(world) == THIRD

    def test_comes_to_an_end_also_in_a_circle(self, world: World) -> None:
        world.relations = [followed(SCHOOL, SISTER), followed(SISTER, SCHOOL)]
        assert successor(world) in {None, SISTER}


class TestConcernedBy:
    def concerned(self, world: World) -> set[OrganisationId]:
        return concerned_by(FakeUnitOfWork(world), [SCHOOL], TODAY)  # type: ignore[arg-type]  # as above

    def test_is_the_organisation_itself(self, world: World) -> None:
        assert self.concerned(world) == {SCHOOL}

    def test_and_the_board_that_declared_it(self, world: World) -> None:
        world.records[("declaration", "d1")] = declaration(SCHOOL)
        assert self.concerned(world) == {SCHOOL, BOARD}

    def test_and_the_holder_of_the_agreement_in_which_it_takes_part(self, world: World) -> None:
        world.records[("agreement", "a1")] = Agreement(
            record_id="a1", organisation_id=BOARD, supplier="microsoft", licence_form="group", starts_on=TODAY
        )
        world.records[("participant", "p1")] = Participant(
            record_id="p1", organisation_id=SCHOOL, agreement_id="a1", valid_from=TODAY
        )
        assert self.concerned(world) == {SCHOOL, BOARD}

    def test_and_whom_it_succeeded(self, world: World) -> None:
        world.relations = [followed(SISTER, SCHOOL)]
        assert self.concerned(world) == {SCHOOL, SISTER}
