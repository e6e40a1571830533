"""Requests without plans, as they are told: by school, within eighty columns, and on a page."""

import msgspec
import pytest

from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import OrganisationId, SkuId
from provisioning.domain.reasons import Reason
from provisioning.domain.rebind_look import PeopleSeen
from provisioning.planning.assessment import Assessment, Feasibility, Reader
from provisioning.planning.assessment_facts import Fact, FactKind
from provisioning.planning.assessment_page import to_page
from provisioning.planning.assessment_text import WIDTH, to_text
from provisioning.planning.rebind_counts import RebindCounts, SeatsThere
from provisioning.planning.ticket_counts import AgreementCounts, HolderCount, SchoolMove, SeatsMove
from provisioning.words.assessments import tongue_of
from provisioning.words.catalogue import Language
from tests.unit.planning.assessments import ALL, NORTH, OF_BOARD, SOUTH, assess
from tests.unit.planning.scene import NOW

LINDE = SchoolMove(organisation_id=NORTH, name="De Linde", losing=1200, present=1180, ready=1150)
EIK = SchoolMove(organisation_id=SOUTH, name="De Eik", losing=30, present=30, ready=30)
MOVED = AgreementCounts(
    observed_at=NOW,
    schools=(LINDE, EIK),
    seats=(SeatsMove(sku_id=SkuId("a3"), product="A3 voor medewerkers", needed=1230, moving=1300),),
    services=("exchange", "teams"),
    switched_off=(),
    staying_behind=0,
    lacking=0,
    writes=2460,
    minutes=3,
    is_ours=True,
)
HELD = (
    HolderCount(organisation_id=NORTH, name="De Linde", product="A3 voor medewerkers", before=40, after=0),
    HolderCount(
        organisation_id=OrganisationId("41000"), name="41000", product="A3 voor medewerkers", before=0, after=40
    ),
)
DUTCH, ENGLISH = tongue_of(Language.DUTCH), tongue_of(Language.ENGLISH)


def moved(reader: Reader = OF_BOARD, **fields: object) -> Assessment:
    counts = msgspec.structs.replace(MOVED, **fields)
    made = assess(reader=reader)
    return msgspec.structs.replace(made, agreement=counts, writes=counts.writes, minutes=counts.minutes)


def held() -> Assessment:
    return msgspec.structs.replace(assess(reader=OF_BOARD), holders=HELD)


CHOSEN = RebindCounts(
    observed_at=NOW,
    organisation_id=NORTH,
    name="De Linde",
    people={
        Audience.FACULTY: PeopleSeen(selected=1150, before=1200, coming=10, going=60),
        Audience.STUDENT: PeopleSeen(selected=8, before=None),
    },
    total=PeopleSeen(selected=1158, licensed=900, undecided={Reason.SCOPE_UNDECIDABLE: 7}),
    seats=(
        SeatsThere(
            sku_id=SkuId("a3"),
            product="A3 voor medewerkers",
            needed=1150,
            bought=1000,
            left=1300,
            enabled=2000,
            free=5,
            in_grace=0,
        ),
    ),
)


def rebound(reader: Reader = OF_BOARD, facts: tuple[Fact, ...] = (), **fields: object) -> Assessment:
    counts = msgspec.structs.replace(CHOSEN, **fields)
    return msgspec.structs.replace(assess(reader=reader, facts=facts), rebind=counts)


def said(made: Assessment, language: Language = Language.DUTCH) -> str:
    return " ".join(to_text(made, tongue_of(language)).split())


class TestAgreement:
    def test_a_board_reads_its_schools_seats_services_and_time(self) -> None:
        text = said(moved())
        assert "De Linde (north) 1.200 1.180 1.150" in text
        assert "De Eik (south) 30 30 30" in text
        assert "Alle scholen samen 1.230 1.210 1.180" in text
        assert "Nodig van A3 voor medewerkers: 1.230." in text
        assert "Microsoft verhuist van A3 voor medewerkers: 1.300." in text
        assert "Er zijn genoeg licenties vrij." in text
        assert "komen terug in de nieuwe: E-mail en agenda" in text
        assert "nog geen licentie kunnen krijgen: 30." in text
        assert "keken voor het laatst in uw omgeving op" in text
        assert "Duur van het werk in minuten, ongeveer: 3." in text

    def test_writes_are_for_operators(self) -> None:
        assert "Writes: 2,460." in said(moved(ALL), Language.ENGLISH)
        assert "2.460" not in said(moved())

    def test_fewer_seats_than_people_are_told(self) -> None:
        short = (msgspec.structs.replace(MOVED.seats[0], moving=1200),)
        assert "Er zijn te weinig licenties vrij. Aantal te weinig: 30." in said(moved(seats=short))

    def test_who_lacks_and_who_stays_behind_are_told_apart(self) -> None:
        text = said(moved(lacking=5, staying_behind=20))
        assert "in de nieuwe omgeving nog niet klaar zijn: 5." in text
        assert "Mensen die achterblijven, zoals in het verzoek staat: 20." in text
        assert "Iedereen kan mee." not in text

    def test_what_stays_off_there_is_told_apart(self) -> None:
        text = said(moved(services=("teams",), switched_off=("exchange",)))
        assert "komen terug in de nieuwe: Overleg en lessen (Teams)." in text
        assert "Deze diensten blijven uit, want zo is het afgesproken voor de nieuwe omgeving: E-mail" in text

    def test_one_school_needs_no_sum(self) -> None:
        assert "Alle scholen samen" not in said(moved(schools=(EIK,)))

    def test_with_everybody_ready_nobody_is_left_out(self) -> None:
        assert "Iedereen kan mee." in said(moved(schools=(EIK,)))

    def test_of_a_school_that_assigns_by_itself_no_time_is_promised(self) -> None:
        text = said(moved(is_ours=False, writes=0, minutes=0))
        assert "ongeveer een week" in text
        assert "minuten" not in text
        assert "Er is geen werk te doen" not in text
        assert "komen terug" not in text
        assert "deelt de school zelf licenties uit" in text

    def test_where_nobody_was_seen_there_is_no_table(self) -> None:
        assert "per school" not in said(moved(schools=()))


class TestHolders:
    def test_each_before_and_after_by_name_and_code(self) -> None:
        text = said(held())
        assert "Op naam van" in text
        assert "De Linde (north) A3 voor medewerkers 40 0" in text
        assert "41000 A3 voor medewerkers 0 40" in text
        assert "Niemand krijgt of verliest een dienst." in text
        assert "Er is geen werk te doen." in text


class TestRebind:
    def test_a_board_reads_who_belongs_to_it_before_and_after_by_audience(self) -> None:
        text = said(rebound())
        assert "De Linde (north) Medewerkers 1.200 1.150 10 60" in text
        assert "Leerlingen – 8 – –" in text
        assert "Wie straks een licentie kan krijgen. Mensen: 1.158." in text
        assert "Mensen: 900." in text
        assert "keken voor het laatst in uw omgeving op" in text

    def test_seats_are_those_needed_bought_left_and_free(self) -> None:
        text = said(rebound())
        assert "Nodig van A3 voor medewerkers, als iedereen er een krijgt: 1.150." in text
        assert "Gekocht van A3 voor medewerkers voor deze omgeving: 1.000." in text
        assert "In de oude omgeving blijft staan van A3 voor medewerkers: 1.300." in text
        assert "In de omgeving staan 2.000 licenties. Daarvan zijn er 5 vrij." in text

    def test_what_others_have_there_is_not_told(self) -> None:
        seats = (msgspec.structs.replace(CHOSEN.seats[0], enabled=None, free=None, in_grace=None, left=0),)
        text = said(rebound(seats=seats))
        assert "In de omgeving staan" not in text
        assert "oude omgeving" not in text

    def test_where_nothing_was_bought_it_says_so(self) -> None:
        assert "Voor deze omgeving is nog niets gekocht." in said(rebound(seats=()))

    def test_who_is_in_doubt_is_told_with_why(self) -> None:
        doubts = {Reason.AUDIENCE_MISMATCH: 2, Reason.SCOPE_UNDECIDABLE: 1007}
        text = said(rebound(total=PeopleSeen(selected=1, undecided=doubts)))
        assert "Mensen die ook een ander bestuur noemt: 1.007." in text
        assert "Mensen die in meer dan één groep staan: 2." in text
        assert "Iedereen kan mee." in said(rebound(total=PeopleSeen(selected=1)))

    def test_nobody_gets_or_loses_a_service_by_it(self) -> None:
        assert "Nobody gains or loses a service." in said(rebound(), Language.ENGLISH)
        assert "Er is geen werk te doen." in said(rebound())

    @pytest.mark.parametrize(
        ("kind", "expected"),
        [
            (FactKind.NOBODY_SELECTED, Feasibility.IMPOSSIBLE),
            (FactKind.SOME_UNDECIDED, Feasibility.PARTLY),
            (FactKind.TENANT_UNPROVEN, Feasibility.UNKNOWN),
            (FactKind.TENANT_UNREAD, Feasibility.UNKNOWN),
            (FactKind.LOOK_INCOMPLETE, Feasibility.UNKNOWN),
        ],
    )
    def test_whether_it_can_be_follows_from_what_was_seen(self, kind: FactKind, expected: Feasibility) -> None:
        assert rebound(facts=(Fact(kind=kind, people=7, names=("school.example",)),)).feasibility is expected

    def test_nobody_to_choose_cannot_be_missed(self) -> None:
        text = said(rebound(facts=(Fact(kind=FactKind.NOBODY_SELECTED),)))
        assert text.index("Dit kan niet.") < text.index("Let op: bij deze keuze is er geen enkele persoon")


class TestDrawn:
    @pytest.mark.parametrize("tongue", [DUTCH, ENGLISH], ids=lambda one: one.words.language)
    @pytest.mark.parametrize("made", [moved(), held(), rebound()], ids=["moved", "held", "rebound"])
    def test_on_a_screen_and_on_a_page(self, made: Assessment, tongue: object) -> None:
        text = to_text(made, tongue)  # type: ignore[arg-type]
        assert max(map(len, text.splitlines())) <= WIDTH
        page = to_page(made, tongue)  # type: ignore[arg-type]
        assert page.count("<table>") == 1
        assert "De Linde" in page
