"""Whom a binding would choose: against the present one, against other boards, and what speaks against approving it."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import SkuId, SubjectId, TenantId
from provisioning.domain.observation import Census, HeldLicence, Membership, Person, SeatCount, Seats
from provisioning.domain.reasons import Reason
from provisioning.domain.rebind_look import Formerly, PeopleSeen, ProductSeen, RebindLook
from provisioning.planning.rebinding import (
    Choice,
    Place,
    basis_of,
    choices_in,
    count_audiences,
    count_people,
    count_products,
    counts_of,
    digest_of,
    notes_on,
    reason_against,
)
from tests.factories import NOW, tenancy
from tests.factories.tickets import SCHOOL
from tests.unit.planning.scene import person

TENANT = TenantId("t")
A3, A1 = SkuId("a3"), SkuId("a1")
FACULTY, STUDENT, ANY = Audience.FACULTY, Audience.STUDENT, Audience.ANY
GROUP, MEMBERS = '{"group":"g"}', "group:g"
HERE, ELSEWHERE = Formerly.HERE, Formerly.ELSEWHERE


def of(department: str) -> str:
    return f'{{"attribute":"department","equals":"{department}"}}'


def someone(name: str, department: str = "a", *licences: HeldLicence) -> Person:
    return person(name, *licences, attributes={"department": department})


def place(*people: Person, strangers: Mapping[Audience, str] | None = None, **memberships: Membership) -> Place:
    census = Census(tenant_id=TENANT, observed_at=NOW, is_complete=True, people=people)
    others = (tenancy.binding("49999", TENANT, selectors=dict(strangers)),) if strangers else ()
    return Place(census=census, memberships={one.key: one for one in memberships.values()}, strangers=others)


def binding(**selectors: str) -> Any:
    return tenancy.binding(SCHOOL, TENANT, selectors={Audience(name): text for name, text in selectors.items()})


def names(choice: Choice) -> tuple[set[str], dict[str, Reason]]:
    return set(choice.people), {str(who): why for who, why in choice.undecided.items()}


class TestChoices:
    def test_are_by_audience(self) -> None:
        found = choices_in(place(someone("t"), someone("p", "b")), binding(faculty=of("a"), student=of("b")))
        assert found is not None
        assert {audience: names(one) for audience, one in found.items()} == {FACULTY: ({"t"}, {}), STUDENT: ({"p"}, {})}

    def test_whom_two_audiences_choose_is_in_doubt_in_both(self) -> None:
        found = choices_in(place(someone("t")), binding(faculty=of("a"), student='{"everyone":true}'))
        assert found is not None
        assert [names(one) for one in found.values()] == [(set(), {"t": Reason.AUDIENCE_MISMATCH})] * 2

    def test_s45_whom_another_board_chooses_is_in_doubt(self) -> None:
        found = choices_in(place(someone("t"), someone("u"), strangers={STUDENT: of("a")}), binding(faculty=of("a")))
        assert found is not None
        assert names(found[FACULTY]) == (set(), {"t": Reason.SCOPE_UNDECIDABLE, "u": Reason.SCOPE_UNDECIDABLE})

    def test_a_selector_for_any_audience_chooses_by_itself_alone(self) -> None:
        found = choices_in(place(someone("t"), someone("p", "b")), binding(any=of("b"), faculty=of("a")))
        assert found is not None
        assert (names(found[ANY]), names(found[FACULTY])) == (({"p"}, {}), ({"t"}, {}))

    @pytest.mark.parametrize("is_strangers", [False, True])
    def test_what_could_not_be_read_chooses_nobody(self, *, is_strangers: bool) -> None:
        unread = Membership(key=MEMBERS, is_complete=False, members=frozenset())
        where = place(someone("t"), strangers={FACULTY: GROUP} if is_strangers else None, unread=unread)
        assert choices_in(where, binding(faculty=of("a") if is_strangers else GROUP)) is None

    def test_half_a_census_chooses_nobody(self) -> None:
        half = msgspec.structs.replace(place().census, is_complete=False)
        assert choices_in(msgspec.structs.replace(place(), census=half), binding(faculty=of("a"))) is None


class TestTogether:
    def test_everybody_counts_once(self) -> None:
        both = Choice(people={SubjectId("t"): someone("t")})
        assert Choice.together([both, both]).people.keys() == {"t"}

    def test_whom_one_selector_settles_is_in_no_doubt(self) -> None:
        settled = Choice(people={SubjectId("t"): someone("t")})
        doubted = Choice(undecided={SubjectId("t"): Reason.AUDIENCE_MISMATCH, SubjectId("u"): Reason.SCOPE_UNDECIDABLE})
        assert Choice.together([settled, doubted]).undecided == {"u": Reason.SCOPE_UNDECIDABLE}


def chosen(*people: Person, **undecided: Reason) -> Choice:
    return Choice(
        people={one.subject_id: one for one in people},
        undecided={SubjectId(who): why for who, why in undecided.items()},
    )


class TestPeople:
    def test_in_one_tenant_who_comes_and_who_goes(self) -> None:
        old, new = chosen(someone("a"), someone("b")), chosen(someone("b"), someone("c"), someone("d"))
        assert count_people(new, old, HERE, []) == PeopleSeen(selected=3, before=2, coming=2, going=1)

    def test_in_another_tenant_everybody_is_somebody_else(self) -> None:
        found = count_people(chosen(someone("a")), chosen(someone("a"), someone("b")), ELSEWHERE, [])
        assert found == PeopleSeen(selected=1, before=2)

    @pytest.mark.parametrize("formerly", [Formerly.NOWHERE, Formerly.UNREAD])
    def test_of_whom_nobody_counted_before_there_is_no_number(self, formerly: Formerly) -> None:
        assert count_people(chosen(someone("a")), None, formerly, []) == PeopleSeen(selected=1)

    def test_licences_are_those_that_were_bought_for_them(self) -> None:
        people = [someone("a", "x", HeldLicence(A3)), someone("b", "x", HeldLicence(A1)), someone("c")]
        assert count_people(chosen(*people), None, Formerly.NOWHERE, {A3}).licensed == 1

    def test_who_is_in_doubt_is_counted_by_reason(self) -> None:
        found = count_people(
            chosen(a=Reason.SCOPE_UNDECIDABLE, b=Reason.AUDIENCE_MISMATCH, c=Reason.SCOPE_UNDECIDABLE), None, HERE, []
        )
        assert found.undecided == {Reason.AUDIENCE_MISMATCH: 1, Reason.SCOPE_UNDECIDABLE: 2}

    def test_an_audience_that_is_new_had_nobody_before(self) -> None:
        new = {FACULTY: chosen(someone("a")), STUDENT: chosen(someone("p"))}
        found = count_audiences(new, {FACULTY: chosen(someone("a"))}, HERE, [])
        assert found[STUDENT] == PeopleSeen(selected=1, before=0, coming=1, going=0)
        assert found[FACULTY] == PeopleSeen(selected=1, before=1, coming=0, going=0)

    @given(some.sets(some.integers(0, 30)), some.sets(some.integers(0, 30)))
    def test_whoever_comes_and_goes_adds_up(self, before: set[int], after: set[int]) -> None:
        old, new = (chosen(*(someone(f"{n}") for n in each)) for each in (before, after))
        found = count_people(new, old, HERE, [])
        assert (found.before, found.coming, found.going) == (len(before), len(after - before), len(before - after))
        assert found.selected == len(before) + len(after - before) - len(before - after)


class TestProducts:
    def test_are_those_that_were_bought_there_or_in_the_old_tenant(self) -> None:
        nothing = dict.fromkeys(("suspended", "locked_out"), 0)
        shown = SeatCount(
            sku_id=A3,
            part_number="",
            capability="Enabled",
            enabled=40,
            warning=3,
            consumed=42,
            plan_ids=frozenset(),
            **nothing,
        )
        seats = Seats(tenant_id=TENANT, observed_at=NOW, counts={A3: shown, SkuId("odd"): shown}, subscriptions=())
        assert count_products({A3: 40}, {A1: 5}, seats) == (
            ProductSeen(sku_id=A1, left=5),
            ProductSeen(sku_id=A3, bought=40, enabled=40, free=0, in_grace=3),
        )


SEEN = PeopleSeen(selected=5, before=6, coming=1, going=2)
LOOK = RebindLook(
    basis="b",
    next_look_at=NOW,
    asked=(FACULTY,),
    seen_at=NOW,
    audiences={FACULTY: SEEN},
    total=SEEN,
    formerly=HERE,
    is_theirs=True,
)


def look(**fields: Any) -> RebindLook:
    return msgspec.structs.replace(LOOK, **fields)


class TestReason:
    @pytest.mark.parametrize(
        ("audiences", "expected"),
        [
            pytest.param({FACULTY: SEEN}, None, id="somebody"),
            pytest.param({FACULTY: PeopleSeen()}, Reason.SELECTOR_EMPTY, id="nobody"),
            pytest.param({}, Reason.SELECTOR_MISSING, id="no selector at all"),
            pytest.param({FACULTY: SEEN, STUDENT: PeopleSeen()}, None, id="nobody by a selector that stays as it was"),
            pytest.param(
                {FACULTY: PeopleSeen(undecided={Reason.SCOPE_UNDECIDABLE: 3, Reason.AUDIENCE_MISMATCH: 1})},
                Reason.SCOPE_UNDECIDABLE,
                id="everybody in doubt: what most are",
            ),
            pytest.param(
                {FACULTY: PeopleSeen(selected=1, undecided={Reason.SCOPE_UNDECIDABLE: 300})}, None, id="not everybody"
            ),
        ],
    )
    def test_against_approving(self, audiences: dict[Audience, PeopleSeen], expected: Reason | None) -> None:
        assert reason_against(look(audiences=audiences)) is expected

    def test_one_selector_of_two_suffices(self) -> None:
        both = {FACULTY: SEEN, STUDENT: PeopleSeen()}
        assert reason_against(look(audiences=both, asked=(FACULTY, STUDENT))) is Reason.SELECTOR_EMPTY


class TestTold:
    def test_a_board_is_told_its_own_people(self) -> None:
        total = msgspec.structs.replace(SEEN, undecided={Reason.SCOPE_UNDECIDABLE: 2})
        assert counts_of(look(total=total)) == {
            "people_selected": "5",
            "people_undecided": "2",
            "people_before": "6",
            "people_coming": "1",
            "people_going": "2",
        }

    def test_what_nobody_knows_is_not_told(self) -> None:
        assert counts_of(look(total=PeopleSeen(selected=5))) == {"people_selected": "5", "people_undecided": "0"}

    def test_of_a_tenant_that_may_be_another_customers_nothing_is_told(self) -> None:
        assert counts_of(look(is_theirs=False)) == {}

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({}, ("leaving_takes_nothing",)),
            ({"formerly": Formerly.NOWHERE}, ()),
            (
                {"formerly": ELSEWHERE, "products": (ProductSeen(sku_id=A3, left=1),)},
                ("leaving_takes_nothing", "bought_stays_there"),
            ),
            ({"formerly": Formerly.UNREAD}, ("leaving_takes_nothing", "old_selection_unread")),
            ({"is_theirs": False}, ("leaving_takes_nothing", "tenant_not_known_as_theirs")),
        ],
    )
    def test_what_goes_with_it(self, fields: dict[str, Any], expected: tuple[str, ...]) -> None:
        assert notes_on(look(**fields)) == expected


class TestDigest:
    @pytest.mark.parametrize(
        "fields",
        [
            {"basis": "another"},
            {"total": PeopleSeen(selected=6)},
            {"audiences": {FACULTY: PeopleSeen(selected=6)}},
            {"formerly": ELSEWHERE},
            {"products": (ProductSeen(sku_id=A3, bought=1),)},
        ],
        ids=", ".join,
    )
    def test_is_another_when_it_is_another_decision(self, fields: dict[str, Any]) -> None:
        assert digest_of(look(**fields)) != digest_of(LOOK)

    def test_is_the_same_at_another_moment_and_with_others_seats(self) -> None:
        bought = ProductSeen(sku_id=A3, bought=1)
        seen = msgspec.structs.replace(bought, enabled=9, free=3)
        one, other = look(products=(bought,)), look(products=(seen,), next_look_at=NOW.replace(year=2027), tries=3)
        assert digest_of(one) == digest_of(other)


class TestBasis:
    def test_is_of_the_proposal_and_of_whoever_else_speaks_for_people_there(self) -> None:
        others = [tenancy.binding("49999", TENANT), tenancy.binding("49998", TENANT)]
        bases = {basis_of(TENANT, "p", others), basis_of(TENANT, "q", others), basis_of(TENANT, "p", others[:1])}
        assert len(bases) == 3
        assert basis_of(TENANT, "p", others) == basis_of(TENANT, "p", others[::-1])

    def test_is_another_when_another_board_chooses_others(self) -> None:
        one = tenancy.binding("49999", TENANT)
        other = msgspec.structs.replace(one, selectors={FACULTY: of("a")})
        assert basis_of(TENANT, "p", [one]) != basis_of(TENANT, "p", [other])
