"""Long lists in pages, as far as somebody may see them."""

from datetime import timedelta

import pytest

from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM, Actor, OrganisationId
from provisioning.domain.lifecycle import LineState, OperationState
from provisioning.domain.sight import EVERYTHING, NOTHING, Sight
from provisioning.domain.tenancy import RelationKind, Tenant
from provisioning.domain.worklist import Intent, Topic
from provisioning.ports import LinePlace, NoticePlace, OperationPlace
from tests.factories import NOW, TODAY, orders, tenancy
from tests.factories import operations as make

A_DAY = timedelta(days=1)
BOARD, SCHOOL, LOCATION, OTHER = (OrganisationId(code) for code in ("41000", "41AA", "41AA01", "42000"))
OURS = Sight(organisations=frozenset({BOARD, SCHOOL}))
SHOP = Actor("client:webshop")


class TestOrganisationsUnder:
    @pytest.fixture(autouse=True)
    def _tree(self, uow: SqlUnitOfWork) -> None:
        uow.organisations.save(tenancy.organisation(organisation_id=code) for code in (BOARD, SCHOOL, LOCATION, OTHER))
        uow.organisations.add_relations([tenancy.relation(BOARD, SCHOOL), tenancy.relation(SCHOOL, LOCATION)])

    def test_are_all_below_at_any_depth_and_the_board_itself(self, uow: SqlUnitOfWork) -> None:
        assert uow.pages.organisations_under(BOARD, TODAY) == {BOARD, SCHOOL, LOCATION}

    def test_who_stands_under_nobody_is_alone(self, uow: SqlUnitOfWork) -> None:
        assert uow.pages.organisations_under(OTHER, TODAY) == {OTHER}

    def test_who_left_is_no_longer_one_of_them(self, uow: SqlUnitOfWork) -> None:
        gone = tenancy.relation(BOARD, OTHER, valid_from=TODAY - A_DAY, valid_until=TODAY - A_DAY)
        uow.organisations.add_relations([gone])
        assert OTHER not in uow.pages.organisations_under(BOARD, TODAY)
        assert OTHER in uow.pages.organisations_under(BOARD, TODAY - A_DAY)

    def test_only_standing_under_counts(self, uow: SqlUnitOfWork) -> None:
        uow.organisations.add_relations([tenancy.relation(BOARD, OTHER, kind=RelationKind.ADMINISTERED_BY)])
        assert OTHER not in uow.pages.organisations_under(BOARD, TODAY)

    def test_a_circle_ends(self, uow: SqlUnitOfWork) -> None:
        uow.organisations.add_relations([tenancy.relation(LOCATION, BOARD)])
        assert uow.pages.organisations_under(BOARD, TODAY) == {BOARD, SCHOOL, LOCATION}


class TestOrderLines:
    @pytest.fixture(autouse=True)
    def _lines(self, uow: SqlUnitOfWork) -> None:
        for place, code in enumerate((SCHOOL, OTHER, SCHOOL)):
            key = orders.line_key(order_number=f"n-{place}")
            uow.orders.receive(orders.shop_line(key=key, organisation_code=code), NOW + place * A_DAY)

    def numbers(self, uow: SqlUnitOfWork, sight: Sight, **asked: object) -> list[str]:
        return [line.shop.key.order_number for line in uow.pages.order_lines(sight, limit=10, **asked)]  # type: ignore[arg-type]

    def test_whoever_sees_everything_sees_all(self, uow: SqlUnitOfWork) -> None:
        assert self.numbers(uow, EVERYTHING) == ["n-0", "n-1", "n-2"]

    def test_a_board_sees_its_own(self, uow: SqlUnitOfWork) -> None:
        assert self.numbers(uow, OURS) == ["n-0", "n-2"]
        assert self.numbers(uow, OURS, order_number="n-1") == []

    def test_nobody_sees_nothing(self, uow: SqlUnitOfWork) -> None:
        assert self.numbers(uow, NOTHING) == []

    def test_a_client_sees_what_it_brought_in(self, uow: SqlUnitOfWork) -> None:
        sight = Sight(brought_in_by=SHOP)
        assert self.numbers(uow, sight) == []
        (_, second, _) = uow.pages.order_lines(EVERYTHING, limit=10)
        uow.pages.note_brought_in([second.shop.key], SHOP)
        assert self.numbers(uow, sight) == ["n-1"]

    def test_whoever_was_first_brought_it_in(self, uow: SqlUnitOfWork) -> None:
        keys = [line.shop.key for line in uow.pages.order_lines(EVERYTHING, limit=10)]
        uow.pages.note_brought_in(keys[:1], SHOP)
        uow.pages.note_brought_in(keys[:2], Actor("client:other"))
        assert uow.pages.who_brought_in(keys) == {keys[0]: SHOP, keys[1]: Actor("client:other")}
        assert uow.pages.who_brought_in([]) == {}

    def test_a_page_begins_after_its_place(self, uow: SqlUnitOfWork) -> None:
        first = uow.pages.order_lines(EVERYTHING, limit=1)[0]
        place = LinePlace(first.received_at, *(getattr(first.shop.key, name) for name in LinePlace._fields[1:]))
        assert self.numbers(uow, EVERYTHING, after=place) == ["n-1", "n-2"]

    def test_states_are_those_that_are_asked_for(self, uow: SqlUnitOfWork) -> None:
        assert self.numbers(uow, EVERYTHING, states=[LineState.HELD]) == []
        assert len(self.numbers(uow, EVERYTHING, states=[LineState.HELD, LineState.RECEIVED])) == 3


class TestOperations:
    def test_are_those_of_the_organisations_and_after_their_place(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        made = [
            make.operation(tenant.tenant_id, wish=make.wish(holder_id=code), created_at=NOW + place * A_DAY)
            for place, code in enumerate((SCHOOL, OTHER, BOARD))
        ]
        for each in made:
            uow.operations.add(each)
        assert uow.pages.operations(OURS, limit=10) == [made[0], made[2]]
        place = OperationPlace(made[0].created_at, made[0].operation_id)
        assert uow.pages.operations(OURS, after=place, limit=10) == [made[2]]
        assert uow.pages.operations(EVERYTHING, states=[OperationState.HELD], limit=10) == []
        assert uow.pages.operations(EVERYTHING, tenant=tenant.tenant_id, limit=2) == made[:2]

    def test_a_client_sees_those_of_its_lines(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        key = orders.line_key()
        mine = make.operation(tenant.tenant_id, wish=make.wish(line=key))
        for each in (mine, make.operation(tenant.tenant_id, wish=make.wish(line=orders.line_key()))):
            uow.operations.add(each)
        uow.operations.add(make.operation(tenant.tenant_id))
        uow.pages.note_brought_in([key], SHOP)
        assert uow.pages.operations(Sight(brought_in_by=SHOP), limit=10) == [mine]

    def test_are_found_by_the_beginning_of_their_id_if_they_are_seen(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        theirs = make.operation(tenant.tenant_id, wish=make.wish(holder_id=OTHER))
        uow.operations.add(theirs)
        assert uow.pages.operation_ids(EVERYTHING, theirs.operation_id[:8]) == [theirs.operation_id]
        assert uow.pages.operation_ids(OURS, theirs.operation_id) == []
        assert uow.pages.operation_ids(EVERYTHING, "%") == []


class TestNotices:
    def test_the_latest_day_comes_first_and_others_are_not_seen(self, uow: SqlUnitOfWork) -> None:
        for place, code in enumerate((SCHOOL, OTHER, BOARD)):
            told = Intent(topic=Topic.ORDER_COMPLETED, organisation_id=code, reference="r", at=NOW + place * A_DAY)
            uow.outbox.add([told])
        uow.outbox.relay(NOW + 9 * A_DAY, timedelta(0), 100, A_DAY)
        found = uow.pages.notices(OURS, limit=10)
        assert [one.organisation_id for one in found] == [BOARD, SCHOOL]
        place = NoticePlace(found[0].day, found[0].organisation_id, found[0].topic)
        assert uow.pages.notices(OURS, after=place, limit=10) == found[1:]
        assert uow.pages.notices(Sight(brought_in_by=SHOP), limit=10) == []


class TestEvents:
    def test_the_latest_come_first_and_only_of_whom_is_seen(self, uow: SqlUnitOfWork) -> None:
        codes = (SCHOOL, OTHER, None, BOARD)
        uow.audit.record([Event(at=NOW, actor=SYSTEM, kind="order.received", organisation=code) for code in codes])
        found = uow.pages.events(OURS, limit=10)
        assert [one.event.organisation for one in found] == [BOARD, SCHOOL]
        assert uow.pages.events(OURS, after=found[0].number, limit=10) == found[1:]
        assert len(uow.pages.events(EVERYTHING, limit=10)) == 4
        assert uow.pages.events(Sight(brought_in_by=SHOP), limit=10) == []
