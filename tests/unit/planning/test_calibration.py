from datetime import UTC, datetime

import pytest

from provisioning.domain.errors import InputError
from provisioning.domain.ids import Actor, TenantId
from provisioning.planning.calibration import (
    Asked,
    Found,
    Report,
    read_report,
    spelled,
    to_row,
    to_untried,
    told,
)
from provisioning.planning.probe import Ask, OutOfReach, Probe
from provisioning.planning.probe_answers import Verdict

PROBE = Probe(name="seats-none", row="3.4 #3", question="What when no seat is free?", ask=Ask(method="POST", path="/"))
ASKED = Asked(request_id="r-1", date="Mon", status=400)
AT = datetime(2026, 8, 3, 9, tzinfo=UTC)


def report(*, is_restored: bool = True) -> Report:
    same = to_row(PROBE, Found(facts={"status": "400"}), Found(facts={"status": "400"}, requests=(ASKED,), seconds=1.5))
    other = to_row(PROBE, Found(facts={"status": "400", "code": "x"}), Found(facts={"status": "200", "code": "x"}))
    never = to_untried(OutOfReach(name="throttled", row="3.4 #17", question="?", reason="too many writes"))
    return Report(
        tenant=TenantId("t"),
        domain="test.onmicrosoft.com",
        actor=Actor("person:duty"),
        began=AT,
        ended=AT,
        writes=31,
        is_restored=is_restored,
        rows=(same, other, never),
    )


class TestARow:
    def test_that_one_side_was_not_asked_is_not_tried(self) -> None:
        row = to_row(PROBE, Found(facts={"status": "400"}), Found(reason="no product is without a free seat"))
        assert (row.verdict, row.reason) == (Verdict.NOT_TRIED, "no product is without a free seat")

    def test_of_two_answers_is_same_or_different(self) -> None:
        assert [row.verdict for row in report().rows] == [Verdict.SAME, Verdict.DIFFERENT, Verdict.NOT_TRIED]


class TestAReport:
    def test_comes_back_as_it_was_spelled(self) -> None:
        assert read_report(spelled(report())) == report()

    def test_is_told_with_what_differs_first(self) -> None:
        page = told(report())
        assert page.index("## Different") < page.index("## Same") < page.index("## Not tried")
        assert "- status: Microsoft `200`, twin `400`" in page
        assert "- code: x" in page
        assert "shown after 1.5 s" in page
        assert "request r-1, Mon" in page
        assert "not tried: too many writes" in page
        assert "1 same, 1 different, 1 not tried; 31 writes." in page

    def test_cries_out_when_somebody_is_not_as_before(self) -> None:
        assert "**The test person is NOT as before.**" in told(report(is_restored=False))

    @pytest.mark.parametrize("text", ["", "log.example\n12\nhash\n", "licence-provisioning calibration 1\n{}"])
    def test_is_no_other_text(self, text: str) -> None:
        with pytest.raises(InputError):
            read_report(text)
