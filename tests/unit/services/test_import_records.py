from datetime import date

import pytest

from provisioning.domain.errors import NotAllowedError
from provisioning.domain.records import Membership, RelationRecord
from provisioning.domain.tenancy import RelationKind
from provisioning.services.import_records import ImportedRecords
from tests.factories.trade import BOARD, SCHOOL, SISTER, count, declaration
from tests.unit.services.trade import AUDITOR, OPERATOR, Trade


@pytest.fixture
def trade() -> Trade:
    return Trade()


class TestImportRecords:
    def test_says_per_kind_how_many_came_in_and_names_nobody(self, trade: Trade) -> None:
        trade.import_records(OPERATOR, [count(SCHOOL, 20), count(SISTER, 10), declaration(SCHOOL)])
        told = [(event.actor, event.details) for event in trade.world.events]
        assert told == [
            (OPERATOR.actor, {"kind": "annual_count", "count": "2"}),
            (OPERATOR.actor, {"kind": "declaration", "count": "1"}),
        ]

    def test_a_relation_is_written_with_its_dates(self, trade: Trade) -> None:
        record = RelationRecord(
            record_id="r1",
            organisation_id=SCHOOL,
            parent_id=BOARD,
            relation=RelationKind.PARTICIPATES,
            valid_from=date(2026, 1, 1),
            valid_until=date(2026, 12, 31),
        )
        trade.import_records(OPERATOR, [record])
        (relation,) = trade.world.relations
        assert (relation.parent_id, relation.child_id, relation.kind) == (BOARD, SCHOOL, RelationKind.PARTICIPATES)
        assert (relation.valid_from, relation.valid_until) == (date(2026, 1, 1), date(2026, 12, 31))

    def test_a_member_that_the_register_did_not_bring_yet_is_only_on_record(self, trade: Trade) -> None:
        trade.import_records(OPERATOR, [Membership(record_id="m1", organisation_id=SISTER, status="active")])
        assert SISTER not in trade.world.organisations

    def test_nothing_held_means_nothing_judged(self, trade: Trade) -> None:
        assert trade.import_records(OPERATOR, [count(SCHOOL, 20)]) == ImportedRecords(changed=1, lines=0, parts=0)

    def test_it_takes_the_right(self, trade: Trade) -> None:
        with pytest.raises(NotAllowedError):
            trade.import_records(AUDITOR, [count(SCHOOL, 20)])
        assert trade.world.records == {}
