from datetime import date

import pytest

from provisioning.domain.errors import NotAllowedError
from provisioning.domain.ids import OrganisationId
from provisioning.domain.lifecycle import LineState
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import Relation, RelationKind
from tests.factories.trade import BOARD, SCHOOL, SISTER, binding, organisation
from tests.unit.services.trade import AUDITOR, OPERATOR, Trade


def under(board: OrganisationId, child: OrganisationId = SCHOOL, on: date = date(2026, 9, 1)) -> Relation:
    return Relation(parent_id=board, child_id=child, kind=RelationKind.HIERARCHICAL, valid_from=on)


@pytest.fixture
def trade() -> Trade:
    return Trade()


class TestImportOrganisations:
    def test_what_only_we_know_survives_the_register(self, trade: Trade) -> None:
        trade.world.organisations[SCHOOL] = organisation(operational_until=date(2027, 7, 31))
        trade.import_organisations(OPERATOR, [organisation(name="New name", membership="none")], [])
        kept = trade.world.organisations[SCHOOL]
        assert (kept.name, kept.membership, kept.operational_until) == ("New name", "active", date(2027, 7, 31))

    def test_the_same_register_again_changes_nothing_also_a_month_later(self, trade: Trade) -> None:
        trade.import_organisations(OPERATOR, [organisation(SISTER)], [under(BOARD, SISTER)])
        again = trade.import_organisations(OPERATOR, [organisation(SISTER)], [under(BOARD, SISTER, date(2026, 10, 1))])
        assert (again.changed, again.relations, again.moved) == (0, 0, ())
        assert len(trade.world.relations) == 1

    def test_another_board_is_told_and_not_taken_over(self, trade: Trade) -> None:
        trade.import_organisations(OPERATOR, [], [under(BOARD)])
        moved = trade.import_organisations(OPERATOR, [], [under(OrganisationId("40002"))])
        assert (moved.moved, moved.relations) == ((SCHOOL,), 0)

    def test_lines_of_organisations_that_were_unknown_go_on(self, trade: Trade) -> None:
        trade.world.bindings.append(binding(SISTER))
        key = trade.order(organisation_code="01xx")
        assert trade.state_of(key) == (LineState.HELD, Reason.ORGANISATION_UNKNOWN)
        assert trade.import_organisations(OPERATOR, [organisation(SISTER)], []).lines == 1
        assert trade.state_of(key) == (LineState.ACCEPTED, None)

    def test_it_takes_the_right_and_is_on_record(self, trade: Trade) -> None:
        with pytest.raises(NotAllowedError):
            trade.import_organisations(AUDITOR, [], [])
        trade.import_organisations(OPERATOR, [organisation(SISTER)], [])
        assert trade.world.kinds() == ["organisations.imported"]
