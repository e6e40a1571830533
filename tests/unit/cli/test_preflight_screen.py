"""What a preflight looks like to an operator."""

from datetime import UTC, datetime

from provisioning.cli.preflight_screen import render_preflight
from provisioning.cli.wording import Wording
from provisioning.domain.ids import SubjectId
from provisioning.planning.preflight import Finding, Preflight, PreflightCheck
from provisioning.words.catalogue import Language, Words

NOW = datetime(2027, 7, 20, 12, tzinfo=UTC)
ENGLISH = Wording(Words(Language.ENGLISH))
SEATS = Finding(check=PreflightCheck.TARGET_SEATS, people=15, details=("M365EDU_A3_FACULTY: 15 missing",))
GROUPS = Finding(
    check=PreflightCheck.NEVER_RELEASED_FROM_GROUP,
    people=7,
    subjects=tuple(SubjectId(f"{n}0000000-person") for n in range(7)),
)


def shown(*findings: Finding) -> str:
    return render_preflight(Preflight(findings=findings, checked_at=NOW), ENGLISH)


class TestRenderPreflight:
    def test_says_what_is_in_the_way_and_what_to_do(self) -> None:
        text = shown(SEATS)
        assert "STOP  The target has too few free seats for this wave." in text
        assert "Order what is missing" in text
        assert "M365EDU_A3_FACULTY: 15 missing" in text
        assert "1 in the way: the wave cannot begin. Looked at 2027-07-20 12:00 UTC." in text

    def test_what_is_only_worth_knowing_keeps_nothing_from_beginning(self) -> None:
        text = shown(GROUPS)
        assert text.startswith("note  ")
        assert "Nothing is in the way." in text

    def test_names_some_people_by_the_beginning_of_their_ids_and_counts_the_rest(self) -> None:
        assert "7 people: 00000000, 10000000, 20000000, 30000000, 40000000 and 2 more" in " ".join(
            shown(GROUPS).split()
        )

    def test_fits_an_old_terminal(self) -> None:
        assert all(len(line) <= 80 for line in shown(SEATS, GROUPS).splitlines())
