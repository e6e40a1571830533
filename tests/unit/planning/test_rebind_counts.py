"""What a rebind comes to, for whoever reads it: seats by audience, and what stands in its way."""

from datetime import datetime
from typing import Any

import msgspec
import pytest

from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import SkuId
from provisioning.domain.reasons import Reason
from provisioning.domain.rebind_look import PeopleSeen, ProductSeen, RebindLook
from provisioning.planning.assessment_facts import FactKind
from provisioning.planning.rebind_counts import RebindCounts, SeatsThere, count_rebind, rebind_facts
from tests.factories.trade import MAPPINGS, NOW, PUPILS, SCHOOL, STAFF, sku_of

FACULTY, STUDENT = Audience.FACULTY, Audience.STUDENT
STAFF_A3, PUPILS_A3 = sku_of(STAFF), sku_of(PUPILS)
LOOK = RebindLook(
    basis="b",
    next_look_at=NOW,
    asked=(FACULTY,),
    seen_at=NOW,
    audiences={FACULTY: PeopleSeen(selected=30), STUDENT: PeopleSeen(selected=400)},
    total=PeopleSeen(selected=430),
    products=(ProductSeen(sku_id=STAFF_A3, bought=40, left=3, enabled=500, free=7, in_grace=2),),
    is_theirs=True,
)


def look(**fields: Any) -> RebindLook:
    return msgspec.structs.replace(LOOK, **fields)


def counted(seen: RebindLook = LOOK, *, shows_tenant: bool = True) -> RebindCounts:
    found = count_rebind(seen, SCHOOL, "De Linde", MAPPINGS, shows_tenant=shows_tenant)
    assert found is not None
    return found


class TestCounts:
    def test_people_by_audience_and_everybody_once(self) -> None:
        found = counted()
        assert (found.people, found.total) == (LOOK.audiences, LOOK.total)
        assert (found.name, found.observed_at) == ("De Linde", NOW)

    def test_seats_are_needed_for_whom_the_product_is_for(self) -> None:
        products = (*LOOK.products, ProductSeen(sku_id=PUPILS_A3), ProductSeen(sku_id=SkuId("unheard-of")))
        assert [one.needed for one in counted(look(products=products)).seats] == [30, 400, 430]

    def test_an_audience_that_no_selector_speaks_of_needs_none(self) -> None:
        only_pupils = look(audiences={STUDENT: PeopleSeen(selected=400)})
        assert [one.needed for one in counted(only_pupils).seats] == [0]

    def test_a_product_by_its_name_with_what_the_tenant_shows(self) -> None:
        assert counted().seats == (
            SeatsThere(
                sku_id=STAFF_A3,
                product=MAPPINGS.skus[STAFF_A3].name,
                needed=30,
                bought=40,
                left=3,
                enabled=500,
                free=7,
                in_grace=2,
            ),
        )

    def test_what_others_have_there_is_not_for_everybody(self) -> None:
        [seats] = counted(shows_tenant=False).seats
        assert (seats.bought, seats.enabled, seats.free, seats.in_grace) == (40, None, None, None)

    def test_before_somebody_looked_there_is_nothing_to_count(self) -> None:
        assert count_rebind(look(seen_at=None), SCHOOL, "De Linde", MAPPINGS, shows_tenant=True) is None


def facts(seen: RebindLook | None, *, is_for_board: bool = False) -> list[FactKind]:
    return [one.kind for one in rebind_facts(seen, "school.example", is_for_board=is_for_board)]


class TestFacts:
    @pytest.mark.parametrize("seen", [None, look(seen_at=None)])
    def test_without_a_look_nobody_knows(self, seen: RebindLook | None) -> None:
        assert facts(seen) == [FactKind.LOOK_INCOMPLETE]

    @pytest.mark.parametrize("seen_at", [None, NOW])
    def test_a_tenant_that_refuses_is_a_persons_work_whatever_was_seen_before(self, seen_at: datetime | None) -> None:
        refused = look(seen_at=seen_at, trouble=Reason.CONSENT_MISSING)
        assert facts(refused, is_for_board=True) == [FactKind.TENANT_UNREAD]

    def test_with_everybody_decided_there_are_none(self) -> None:
        assert facts(LOOK) == []

    def test_nobody_to_choose_blocks(self) -> None:
        [fact] = rebind_facts(look(audiences={FACULTY: PeopleSeen()}), "school.example", is_for_board=True)
        assert (fact.kind, fact.blocks) == (FactKind.NOBODY_SELECTED, True)

    def test_whom_nobody_can_decide_about_are_counted(self) -> None:
        total = PeopleSeen(selected=1, undecided={Reason.SCOPE_UNDECIDABLE: 2, Reason.AUDIENCE_MISMATCH: 1})
        [fact] = rebind_facts(look(total=total), "school.example", is_for_board=False)
        assert (fact.kind, fact.people, fact.blocks) == (FactKind.SOME_UNDECIDED, 3, False)

    @pytest.mark.parametrize(
        ("is_for_board", "expected"),
        [(True, [FactKind.TENANT_UNPROVEN]), (False, [FactKind.TENANT_UNPROVEN, FactKind.SOME_UNDECIDED])],
    )
    def test_of_a_tenant_that_may_be_another_customers_a_board_learns_nothing(
        self, *, is_for_board: bool, expected: list[FactKind]
    ) -> None:
        total = PeopleSeen(selected=1, undecided={Reason.SCOPE_UNDECIDABLE: 2})
        assert facts(look(is_theirs=False, total=total), is_for_board=is_for_board) == expected
