from datetime import UTC, datetime

import pytest

from provisioning.domain.errors import InputError
from provisioning.services.paging import Wanted, cut, page_of

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)


class TestPageOf:
    def test_one_row_more_than_asked_means_that_there_is_a_next_page(self) -> None:
        page = page_of([1, 2, 3], 2, lambda number: number)
        assert page.items == [1, 2]
        assert Wanted(cursor=page.next).after(int) == 2

    @pytest.mark.parametrize("rows", [[], [1], [1, 2]])
    def test_no_more_than_asked_is_the_end(self, rows: list[int]) -> None:
        assert page_of(rows, 2, lambda number: number).next is None


class TestACursor:
    def test_keeps_moments_to_the_microsecond(self) -> None:
        moment = NOW.replace(microsecond=123456)
        page = page_of([moment, NOW], 1, lambda at: (at, "x"))
        assert Wanted(cursor=page.next).after(tuple[datetime, str]) == (moment, "x")

    @pytest.mark.parametrize("cursor", ["", "nonsense", "WzFd", "W10", "☃", "a" * 5, "bnVsbA"])
    def test_that_no_list_of_this_kind_gave_out_is_refused(self, cursor: str) -> None:
        with pytest.raises(InputError, match="no cursor of this list"):
            Wanted(cursor=cursor).after(tuple[datetime, str])

    def test_none_is_the_beginning(self) -> None:
        assert Wanted().after(int) is None


class TestCut:
    def test_pages_follow_each_other(self) -> None:
        seen, cursor = [], None
        while True:
            page = cut(list(range(7)), Wanted(cursor=cursor, limit=3), int, lambda number: number)
            seen.append(page.items)
            cursor = page.next
            if cursor is None:
                break
        assert seen == [[0, 1, 2], [3, 4, 5], [6]]

    def test_a_row_that_went_meanwhile_is_no_trouble(self) -> None:
        first = cut([1, 2, 3, 4], Wanted(limit=2), int, lambda number: number)
        assert cut([1, 3, 4], Wanted(cursor=first.next, limit=2), int, lambda number: number).items == [3, 4]
