"""Who is whom: what the file says outranks what a rule finds, whatever is wrong with it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from config.limits import default_limits
from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.errors import InputError
from provisioning.domain.ids import SubjectId
from provisioning.domain.migration import Situation, Treatment
from provisioning.domain.migration_lifecycle import PersonState
from provisioning.planning.preflight import PreflightCheck
from provisioning.services.purge_references import PurgeReferences
from tests.factories import tenancy
from tests.integration.services.migrating import ELSE, LEAVING, TAKING, THERE, Boards
from tests.unit.planning.scene import A3, held, person

Open = Callable[[], SqlUnitOfWork]
MATCHED, MISSING = Situation.MATCHED, Situation.MISSING_IN_TARGET
ANN, ANN2, TYPO = "ann@oost.example", "ann2@samen.example", "an2@samen.example"


@pytest.fixture
def boards(open_uow: Open) -> Boards:
    return Boards(open_uow)


class TestARowThatNamesNobodyInTheTarget:
    def test_outranks_the_rules_that_would_find_somebody(self, boards: Boards) -> None:
        boards.come("ben", key="7")
        made = boards.create(("ben@oost.example", TYPO), (ANN, ANN2))
        assert boards.found(made.migration) == {"ann": (MATCHED, "ann2"), "ben": (MISSING, None)}
        assert made.unknown == (f"line 2: ben@oost.example → {TYPO}",)
        assert boards.nameless(made.migration) == [(2, "target")]

    def test_keeps_the_wave_from_beginning_until_it_is_left_out_by_name(self, boards: Boards) -> None:
        held_up = boards.create((ANN, TYPO))
        with pytest.raises(InputError, match="1 missing in target: nobody said"):
            boards.start(held_up.migration)
        treated = {"treatments": {MISSING: Treatment.LEAVE_OUT}}
        boards.come("ben", key="7")
        again = boards.create((ANN, TYPO), **treated)
        boards.start(again.migration)
        assert {name: one.state for name, one in boards.travellers(again.migration).items()} == {
            "ann": PersonState.LEFT_OUT,
            "ben": PersonState.WAITING,
        }

    def test_does_not_settle_what_two_rows_dispute(self, boards: Boards) -> None:
        made = boards.create((ANN, TYPO), (ANN, ANN2))
        assert boards.found(made.migration) == {"ann": (Situation.DISPUTED, None)}


class TestARowThatNamesNobodyInTheSource:
    def test_is_somebody_missing_there_who_keeps_the_wave_from_beginning(self, boards: Boards) -> None:
        boards.come("ben", key="7")
        made = boards.create((ANN, ANN2), ("ban@oost.example", "ben2@samen.example"))
        found = boards.found(made.migration)
        assert found["line 3"] == (Situation.MISSING_IN_SOURCE, None)
        with pytest.raises(InputError, match="1 missing in source"):
            boards.start(made.migration)
        assert boards.nameless(made.migration) == [(3, "source")]

    def test_holds_on_to_whoever_it_leads_to(self, boards: Boards) -> None:
        made = boards.create(("an@oost.example", ANN2), (ANN, ANN2))
        assert boards.found(made.migration)["ann"] == (Situation.MATCHED_TWICE, "ann2")

    def test_lets_the_others_go_when_it_is_left_out_by_name(self, boards: Boards) -> None:
        treated = {"treatments": {Situation.MISSING_IN_SOURCE: Treatment.LEAVE_OUT}}
        made = boards.create((ANN, ANN2), ("ban@oost.example", TYPO), **treated)
        boards.start(made.migration)
        assert {name: one.state for name, one in boards.travellers(made.migration).items()} == {
            "ann": PersonState.WAITING,
            "line 3": PersonState.LEFT_OUT,
        }
        assert boards.nameless(made.migration) == [(3, "source"), (3, "target")]

    def test_is_nobody_whom_another_migration_could_have_too(self, boards: Boards) -> None:
        nobody = ("ban@oost.example", "ban2@samen.example")
        only = '{"ids":["ben"]}'
        boards.come("ben")
        boards.create(nobody, (ANN, ANN2), people='{"ids":["ann"]}')
        other = boards.create(nobody, ("ben@oost.example", "ben2@samen.example"), people=only)
        assert other.unread is None
        assert boards.found(other.migration)["ben"] == (MATCHED, "ben2")


class TestMatchingAgain:
    def test_loses_nothing(self, boards: Boards) -> None:
        boards.come("ben", key="7")
        made = boards.create((ANN, TYPO), ("ban@oost.example", "ben2@samen.example"))
        before = boards.found(made.migration)
        boards.match_again(made.migration)
        assert boards.found(made.migration) == before
        assert len(before) == 3

    def test_finds_whoever_came_since(self, boards: Boards) -> None:
        made = boards.create((ANN, TYPO), ("ben@oost.example", "ben2@samen.example"))
        boards.come("ben")
        boards.gateway.names[boards.target.tenant_id][TYPO] = boards.gateway.people[boards.target.tenant_id][
            0
        ].subject_id
        boards.match_again(made.migration)
        assert boards.found(made.migration) == {"ann": (MATCHED, "ann2"), "ben": (MATCHED, "ben2")}
        assert boards.nameless(made.migration) == []
        boards.gateway.names.clear()  # who was found is known by id from then on
        boards.match_again(made.migration)
        assert boards.found(made.migration) == {"ann": (MATCHED, "ann2"), "ben": (MATCHED, "ben2")}

    def test_still_holds_everything_up_when_the_names_are_too_old_to_keep(self, boards: Boards) -> None:
        made = boards.create((ANN, TYPO))
        boards.clock.forward(default_limits().references_kept + timedelta(days=1))
        PurgeReferences(open_uow=boards.open_uow, clock=boards.clock, limits=default_limits())()
        boards.gateway.names[boards.target.tenant_id][TYPO] = boards.gateway.people[boards.target.tenant_id][
            0
        ].subject_id
        boards.match_again(made.migration)
        assert boards.found(made.migration) == {"ann": (MISSING, None)}
        assert boards.nameless(made.migration) == [(2, "target")]


class TestWhatRests:
    def test_is_no_name_outside_the_references(self, boards: Boards) -> None:
        made = boards.create((ANN, TYPO))
        with boards.open_uow() as uow:
            assert uow.migrations.get(made.migration.migration_id).definition.identity == (("ann", "line 2"),)
            written = uow._connection.scalars(text("SELECT row_to_json(each)::text FROM migrations AS each")).all()
            kept = uow._connection.scalars(text("SELECT reference FROM subject_references")).all()
        assert not any("@" in row for row in written)
        assert kept == [TYPO]

    def test_is_an_id_once_somebody_is_found(self, boards: Boards) -> None:
        made = boards.create((ANN, TYPO))
        boards.gateway.names[boards.target.tenant_id][TYPO] = boards.gateway.people[boards.target.tenant_id][
            0
        ].subject_id
        boards.match_again(made.migration)
        with boards.open_uow() as uow:
            rows = uow._connection.execute(text("SELECT reference, subject_id FROM subject_references")).all()
        assert [tuple(row) for row in rows] == [(None, "ann2")]


class TestAnotherBoardInTheTarget:
    THEIRS = '{"ids":["ann2"]}'

    def test_whom_its_selector_matches_there_is_of_two_boards_and_holds_the_wave(self, boards: Boards) -> None:
        boards.neighbour(ELSE, self.THEIRS)
        boards.come("ben", key="7")
        made = boards.create((ANN, ANN2))
        assert boards.found(made.migration) == {"ann": (Situation.OF_TWO_BOARDS, "ann2"), "ben": (MATCHED, "ben2")}
        with pytest.raises(InputError, match="1 of two boards"):
            boards.start(made.migration)

    def test_members_of_its_group_too(self, boards: Boards) -> None:
        boards.gateway.members[boards.target.tenant_id, "group:g"] = frozenset({SubjectId("ann2")})
        boards.neighbour(ELSE, '{"group":"g"}')
        assert boards.found(boards.create((ANN, ANN2)).migration)["ann"] == (Situation.OF_TWO_BOARDS, "ann2")

    @pytest.mark.parametrize("board", [pytest.param(LEAVING, id="sends them"), pytest.param(TAKING, id="takes them")])
    def test_a_board_of_the_migration_itself_is_no_other(self, boards: Boards, board: str) -> None:
        boards.neighbour(board, self.THEIRS)
        assert boards.found(boards.create((ANN, ANN2)).migration) == {"ann": (MATCHED, "ann2")}

    def test_a_sister_school_of_the_board_that_takes_them_is_no_other(self, boards: Boards) -> None:
        with boards.open_uow() as uow:
            uow.organisations.save([tenancy.organisation(organisation_id="07KO")])
            uow.organisations.add_relations([tenancy.relation(TAKING, "07KO")])
            uow.commit()
        boards.neighbour("07KO", self.THEIRS)
        assert boards.found(boards.create((ANN, ANN2)).migration) == {"ann": (MATCHED, "ann2")}


class TestSeatsOfASharedTarget:
    def short(self, boards: Boards) -> int:
        boards.be_at(boards.target.tenant_id, THERE, person("neighbour", held(A3)))
        boards.buy(seats=2, entitled=1)
        found = boards.check(boards.create((ANN, ANN2)).migration).findings
        return sum(one.people for one in found if one.check is PreflightCheck.TARGET_SEATS)

    def test_holders_of_another_board_do_not_use_up_what_we_bought(self, boards: Boards) -> None:
        boards.neighbour(ELSE, '{"ids":["neighbour"]}')
        assert self.short(boards) == 0

    def test_holders_of_nobody_and_of_both_do(self, boards: Boards) -> None:
        boards.neighbour(ELSE, '{"ids":["somebody"]}')
        assert self.short(boards) == 1
