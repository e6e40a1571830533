from datetime import date, datetime, timedelta
from typing import Any

from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.ids import OrganisationId
from provisioning.domain.worklist import Intent, Notice
from tests.factories import NOW

A_MINUTE = timedelta(minutes=1)
TEN_MINUTES = 10 * A_MINUTE


def intent(
    organisation: str = "41000", topic: str = "order_held", reference: str = "shop/1/1", **fields: Any
) -> Intent:
    values = {"topic": topic, "organisation_id": OrganisationId(organisation), "reference": reference, "at": NOW}
    return Intent(**values | fields)


def relay(uow: SqlUnitOfWork, now: datetime = NOW + A_MINUTE, burst: int = 50) -> int:
    return uow.outbox.relay(now, timedelta(seconds=5), burst, TEN_MINUTES)


class TestRelay:
    def test_makes_one_notice_per_organisation_topic_and_day(self, uow: SqlUnitOfWork) -> None:
        later = NOW + timedelta(seconds=1)
        uow.outbox.add([intent(), intent(reference="shop/1/2", at=later), intent("42000"), intent(topic="consent")])
        uow.outbox.add([])
        assert relay(uow) == 4
        assert len(uow.outbox.notices()) == 3
        [*_, notice] = sorted(uow.outbox.notices("41000"), key=lambda each: each.facts)
        assert notice == Notice(
            organisation_id="41000",
            topic="order_held",
            day=date(2026, 8, 3),
            facts=2,
            first_at=NOW,
            last_at=later,
            references=("shop/1/1", "shop/1/2"),
        )

    def test_tells_nothing_twice(self, uow: SqlUnitOfWork) -> None:
        uow.outbox.add([intent()])
        assert (relay(uow), relay(uow)) == (1, 0)
        assert uow.outbox.notices()[0].facts == 1

    def test_leaves_what_is_fresh_to_whoever_wrote_it(self, uow: SqlUnitOfWork) -> None:
        uow.outbox.add([intent()])
        assert relay(uow, now=NOW + timedelta(seconds=4)) == 0
        assert relay(uow, now=NOW + timedelta(seconds=5)) == 1

    def test_later_news_of_the_day_joins_the_notice(self, uow: SqlUnitOfWork) -> None:
        uow.outbox.add([intent()])
        relay(uow)
        uow.outbox.add([intent(reference="shop/2/1", at=NOW + A_MINUTE)])
        relay(uow, now=NOW + 2 * A_MINUTE)
        [notice] = uow.outbox.notices()
        assert (notice.facts, notice.last_at, notice.references) == (2, NOW + A_MINUTE, ("shop/1/1", "shop/2/1"))

    def test_a_day_is_a_dutch_day(self, uow: SqlUnitOfWork) -> None:
        uow.outbox.add([intent(at=NOW.replace(hour=21, minute=59)), intent(at=NOW.replace(hour=22))])
        relay(uow, now=NOW + timedelta(days=1))
        assert {notice.day for notice in uow.outbox.notices()} == {date(2026, 8, 3), date(2026, 8, 4)}

    def test_a_burst_stops_the_sender_until_the_window_has_passed(self, uow: SqlUnitOfWork) -> None:
        uow.outbox.add([intent(str(number), at=NOW + timedelta(seconds=number)) for number in range(5)])
        assert relay(uow, burst=3) == 3
        assert {notice.organisation_id for notice in uow.outbox.notices()} == {"0", "1", "2"}
        assert relay(uow, burst=3) == 0
        assert relay(uow, now=NOW + A_MINUTE + TEN_MINUTES, burst=3) == 2

    def test_boards_of_an_approved_campaign_are_told_at_once_and_keep_nobody_waiting(self, uow: SqlUnitOfWork) -> None:
        told = [intent(str(number), "campaign_announced") for number in range(60)]
        others = [intent(str(number), at=NOW + timedelta(seconds=number)) for number in range(5)]
        uow.outbox.add([*told, *others])
        assert relay(uow, burst=3) == 63
        assert relay(uow, burst=3) == 0

    def test_what_has_its_notice_of_the_day_is_not_stopped_by_a_burst(self, uow: SqlUnitOfWork) -> None:
        uow.outbox.add([intent()])
        relay(uow, burst=1)
        uow.outbox.add([intent(reference="shop/2/1"), intent("42000")])
        assert relay(uow, burst=1) == 1
        assert uow.outbox.notices("41000")[0].facts == 2
        assert uow.outbox.notices("42000") == []
