"""What both boards read at the end: numbers that add up, days, and who let it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.ids import Actor, OperationId, OrganisationId
from provisioning.domain.migration import EvidenceSource, GateEvidence, Phase, Situation
from provisioning.domain.migration_lifecycle import MigrationState, PersonState
from provisioning.domain.reasons import Reason
from provisioning.planning.migration_aftermath import LeftToDo, Matter
from provisioning.planning.migration_report import Approval, MigrationReport, Outcome
from provisioning.planning.migration_statement import sections, to_statement
from provisioning.words.catalogue import Language
from tests.unit.planning.migration_reports import DAY, NOW, done, person, report, tongue

P = PersonState
DUTCH = tongue()
TOLD = GateEvidence(source=EvidenceSource.LIST, reference="l", given_by=Actor("person:duty"), given_at=NOW)
APPROVAL = Approval(
    wave=1,
    phase=Phase.RELEASE,
    operation_id=OperationId("o"),
    people=1_250,
    digest="9c1f22ab" * 8,
    approved_by=Actor("person:ap"),
    approved_at=NOW,
    is_alone=False,
)


def said(made: MigrationReport) -> str:
    return " ".join(to_statement(made, DUTCH).split())


class TestStatement:
    def test_is_for_both_boards(self) -> None:
        text = said(report(person("anne")))
        assert "Deze verklaring is voor Stichting Noord en voor Stichting Zuid." in text
        assert "van de omgeving noord.nl naar de omgeving zuid.nl" in text
        assert "De opdracht staat in brief 2027-14." in text

    @pytest.mark.parametrize("state", MigrationState)
    def test_says_how_far_it_is(self, state: MigrationState) -> None:
        standing = DUTCH.words.standing[state].format(day="13 juli 2027")
        assert standing in said(report(person("anne"), state=state))

    def test_says_when_things_were_done_in_dutch_days(self) -> None:
        operations = (
            done(Phase.PREPARE, ("anne2", "bram2"), NOW - 40 * DAY),
            done(Phase.RELEASE, ("anne",), NOW - DAY),
            done(Phase.RELEASE, ("bram",), NOW.replace(hour=22)),  # after midnight in Amsterdam
        )
        text = said(report(person("anne", state=P.RELEASED), person("bram", state=P.RELEASED), operations=operations))
        assert "Groep 1 (Proefgroep): 2. De nieuwe licenties waren klaar op 23 juli 2027." in text
        assert "weggehaald van 31 augustus 2027 tot en met 2 september 2027." in text

    def test_says_why_people_stayed(self) -> None:
        text = said(
            report(
                person("anne", state=P.FAILED, failed_in=Phase.ENABLE, reason=Reason.NOT_AS_WE_LEFT),
                person("bram", state=P.LEFT_OUT, situation=Situation.GUEST, reason=Reason.LEFT_OUT),
                person("cato", state=P.WAITING),
            )
        )
        assert f"Niet gelukt: 1. {DUTCH.why(Reason.NOT_AS_WE_LEFT)}" in text
        assert "Niet meegenomen: 1. Gast." in text
        assert "Nog niet begonnen: 1." in text
        assert "Wie niet is verhuisd, houdt de oude licentie." in text

    def test_says_until_when_old_licences_stay(self) -> None:
        text = said(
            report(
                person("anne", state=P.ENABLED, enabled_at=NOW - 2 * DAY),
                person("bram", state=P.ENABLED, enabled_at=NOW - 2 * DAY),
                person("cato", state=P.ENABLED, enabled_at=NOW - 31 * DAY),
            )
        )
        assert "ten minste staan tot 29 september 2027. Aantal mensen: 2." in text
        assert "De bewaartermijn is voorbij, dus de oude licentie mag weg. Aantal mensen: 1." in text

    def test_called_off_nobody_takes_them_away_any_more(self) -> None:
        people = (
            person("anne", state=P.ENABLED, enabled_at=NOW),
            person("bram", state=P.PREPARED),
            person("cato", state=P.FAILED, failed_in=Phase.ENABLE),
            person("daan", state=P.FAILED, failed_in=Phase.PREPARE),
        )
        text = said(report(*people, state=MigrationState.ABORTED))
        assert "in beide omgevingen, tot een bestuur er een weghaalt. Aantal mensen: 3." in text
        assert "ten minste staan tot" not in text
        assert "in beide omgevingen" not in said(report(*people))

    def test_called_off_it_says_for_whom_exchange_still_comes_on(self) -> None:
        people = (
            person("anne", state=P.PREPARED, evidence=TOLD),
            person("bram", state=P.ENABLING, evidence=TOLD),
            person("cato", state=P.PREPARED),
            person("daan", state=P.ENABLED, evidence=TOLD, enabled_at=NOW),
            person("emma", evidence=TOLD),
        )
        told = "Daarom gaat Exchange in de nieuwe omgeving nog aan. Aantal mensen: 2."
        assert told in said(report(*people, state=MigrationState.ABORTED))
        assert "gaat Exchange" not in said(report(*people))
        assert "gaat Exchange" not in said(report(*people[2:], state=MigrationState.ABORTED))

    def test_when_all_moved_nothing_is_left(self) -> None:
        text = said(report(person("anne", state=P.RELEASED)))
        assert "Iedereen is verhuisd." in text
        assert "Er staan geen oude licenties meer te wachten." in text

    def test_says_by_what_mailboxes_are_known_to_have_moved(self) -> None:
        assert "Door: lijst van wie de mailboxen verhuisde. Aantal mensen: 1." in said(
            report(person("anne", evidence=TOLD))
        )
        assert "Er zijn nog geen mailboxen gemeld." in said(report(person("anne")))

    def test_says_what_people_have_to_do_where_something_stayed(self) -> None:
        seats = LeftToDo(
            matter=Matter.SEATS,
            organisation_id=OrganisationId("41111"),
            name="Stichting Noord",
            place="noord.nl",
            seats=1_200,
            product="Microsoft 365 A3",
            command="provisioning tickets submit",
        )
        text = said(report(person("anne"), left_to_do=(seats,)))
        assert "Wat moet er nog gebeuren?" in text
        assert "Stichting Noord heeft nog 1.200 plaatsen voor Microsoft 365 A3 in de omgeving noord.nl." in text
        assert "provisioning tickets" not in text  # boards type nothing
        assert "Wat moet er nog gebeuren?" not in said(report(person("anne")))

    def test_says_who_approved_what(self) -> None:
        text = said(report(person("anne"), approvals=(APPROVAL,)))
        assert "person:ap keurde op 1 september 2027 dit goed: oude licentie weghalen, groep 1 (Proefgroep)." in text
        assert "Aantal mensen: 1.250. Plan 9c1f22ab." in text
        assert "Er is nog niets goedgekeurd." in said(report(person("anne")))

    def test_names_nobody_who_moves(self) -> None:
        assert "q77" not in said(report(person("q77", state=P.RELEASED)))

    def test_a_name_with_braces_is_a_name(self) -> None:
        assert "Fusie {wave} {0}" in said(report(person("anne"), name="Fusie {wave} {0}"))


class TestNumbers:
    @given(st.lists(st.sampled_from(PersonState), max_size=40))
    def test_add_up_to_their_sum(self, states: list[PersonState]) -> None:
        made = report(*(person(str(n), state=state) for n, state in enumerate(states)))
        (figures,) = [section.figures for section in sections(made, DUTCH) if section.figures]
        *parts, total = [int(number) for number, _ in figures]
        assert sum(parts) == total == len(states)

    @given(st.lists(st.tuples(st.sampled_from(PersonState), st.sampled_from(Situation)), max_size=20))
    def test_everybody_who_stayed_has_a_line(self, people: list[tuple[PersonState, Situation]]) -> None:
        made = report(*(person(str(n), state=p, situation=s) for n, (p, s) in enumerate(people)))
        lines = next(x.lines for x in sections(made, DUTCH) if x.heading == DUTCH.words.stayed)
        counted = sum(int(found.group(1)) for line in lines if (found := re.search(r": (\d+)\.", line)))
        assert counted == sum(made.outcomes.values()) - sum(
            made.outcomes.get(one, 0) for one in (Outcome.MOVED, Outcome.ARRIVED)
        )


class TestLines:
    @pytest.mark.parametrize("language", Language)
    def test_fit_a_page(self, language: Language) -> None:
        made = report(person("anne"), name="Een naam " * 25, approvals=(APPROVAL,), wave_name="alle overigen " * 9)
        assert all(len(line) <= 78 for line in to_statement(made, tongue(language)).splitlines())
