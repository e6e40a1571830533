"""A rebind: whom it would choose is counted before anybody approves it; then it is written, and confirmed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from unittest.mock import patch

import msgspec
import pytest

from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.actors import Identity
from provisioning.domain.catalogue import Audience
from provisioning.domain.errors import ActionRequiredError, ConflictError, NotAllowedError, RetryableError
from provisioning.domain.ids import OrganisationId, SubjectId, TenantId
from provisioning.domain.observation import Census, HeldLicence
from provisioning.domain.reasons import Reason
from provisioning.domain.rebind_look import Formerly, PeopleSeen, ProductSeen, RebindLook
from provisioning.domain.tenancy import Binding
from provisioning.domain.ticket import Ticket, TicketKind, TicketState
from provisioning.planning.assessment import Feasibility
from provisioning.planning.assessment_facts import FactKind
from provisioning.planning.ticket_turn import Standing
from provisioning.services.ticket_work.rebind import RebindWork
from tests.factories import TODAY, tenancy
from tests.factories.tickets import A_YEAR_AGO, BOARD, SCHOOL, SISTER
from tests.factories.trade import STAFF, sku_of
from tests.integration.services.ticket_scene import APPROVER, DESK, OPERATOR, Desk, board_token, filled_in
from tests.unit.planning.scene import person

_T = TicketState
Open = Callable[[], SqlUnitOfWork]
A3 = sku_of(STAFF)
OTHER_BOARD = OrganisationId("42000")
OURS = '{"domain":"school.example"}'
TEACHERS = '{"attribute":"department","equals":"teachers"}'
GROUP = "00000000-0000-4000-8000-000000000042"
IN_GROUP = f'{{"group":"{GROUP}"}}'


@pytest.fixture
def desk(open_uow: Open) -> Desk:
    """Two schools of one board in one tenant; twelve people there, six of them at the school's own domain."""
    made = Desk(open_uow)
    made.authorise()
    with open_uow() as uow:
        uow.organisations.add_relations(tenancy.relation(BOARD, one, valid_from=A_YEAR_AGO) for one in (SCHOOL, SISTER))
        uow.commit()
    made.gateway.sell(made.home.tenant_id, A3, 40)
    made.gateway.settle(
        made.home.tenant_id,
        *(person(f"ours{n}", *([HeldLicence(A3)] if n < 2 else []), domain="school.example") for n in range(6)),
        *(person(f"theirs{n}", domain="sister.example") for n in range(6)),
    )
    made.gateway.settle(made.away.tenant_id, *(person(f"new{n}", domain="school.example") for n in range(5)))
    return made


def rebind(**fields: Any) -> dict[str, Any]:
    given = {"organisation": SCHOOL, "tenant": "", "selectors": {"faculty": OURS}}
    return {"kind": TicketKind.REBIND, "given": given | fields}


def to_away(desk: Desk, **fields: Any) -> Ticket:
    return desk.submit(**rebind(tenant=desk.away.tenant_id, valid_from=TODAY.isoformat(), **fields))


def at_home(desk: Desk, selector: str = OURS, **fields: Any) -> Ticket:
    return desk.submit(**rebind(tenant=desk.home.tenant_id, selectors={"faculty": selector}, **fields))


def bound(desk: Desk, on: date = TODAY) -> Binding:
    with desk.open_uow() as uow:
        [binding] = uow.tenants.bindings_of(SCHOOL, on)
    return binding


def looks(desk: Desk, ticket: Ticket) -> RebindLook:
    """The last one."""
    with desk.open_uow() as uow:
        found = uow.rebind_looks.find(ticket.ticket_id)
    assert found is not None
    return found


def bind_another_board(desk: Desk, selector: str, tenant: TenantId | None = None) -> None:
    with desk.open_uow() as uow:
        selectors = {Audience.FACULTY: selector}
        where = tenant or desk.home.tenant_id
        uow.tenants.add_binding(tenancy.binding(OTHER_BOARD, where, selectors=selectors, is_transition=True))
        uow.commit()


def state(desk: Desk, ticket: Ticket) -> tuple[TicketState, Reason | None]:
    now = desk.now(ticket)
    return now.state, now.reason


class TestTheLook:
    def test_in_the_same_tenant_says_who_comes_and_who_goes(self, desk: Desk) -> None:
        ticket = at_home(desk)
        assert state(desk, ticket) == (_T.AWAITING_APPROVAL, None)
        seen = looks(desk, ticket)
        expected = PeopleSeen(selected=6, licensed=2, before=12, coming=0, going=6)
        assert (seen.total, seen.audiences, seen.formerly) == (expected, {Audience.FACULTY: expected}, Formerly.HERE)
        assert seen.products == (ProductSeen(sku_id=A3, bought=40, enabled=40, free=38),)
        assert seen.is_theirs

    def test_of_another_tenant_says_how_many_it_were_in_the_old_one(self, desk: Desk) -> None:
        ticket = to_away(desk)
        seen = looks(desk, ticket)
        assert (seen.total, seen.formerly) == (PeopleSeen(selected=5, before=12), Formerly.ELSEWHERE)
        assert seen.products == (ProductSeen(sku_id=A3, left=40),)
        assert desk.sheet(ticket).standing is not None
        assert ticket.state is _T.AWAITING_APPROVAL

    def test_leaving_a_selection_takes_nothing_and_the_board_reads_so(self, desk: Desk) -> None:
        ticket = at_home(desk)
        told = desk.sheet(ticket).answers[-1]
        assert told.topic == "ticket_assessed"
        assert "houdt de licenties" in told.details["nl"]
        assert (told.details["people_selected"], told.details["people_going"]) == ("6", "6")

    def test_what_was_bought_for_the_old_tenant_stays_there_and_the_board_reads_so(self, desk: Desk) -> None:
        standing = desk.sheet(to_away(desk)).standing
        assert standing is not None
        assert "bought_stays_there" in standing.notes

    def test_whom_another_board_speaks_for_nobody_can_decide_about(self, desk: Desk) -> None:
        desk.gateway.settle(
            desk.home.tenant_id, person("both", domain="school.example", attributes={"department": "b"})
        )
        bind_another_board(desk, '{"attribute":"department","equals":"b"}')
        seen = looks(desk, at_home(desk))
        assert (seen.total.selected, seen.total.undecided) == (6, {Reason.SCOPE_UNDECIDABLE: 1})
        assert seen.is_shared

    def test_whom_two_audiences_choose_nobody_can_decide_about(self, desk: Desk) -> None:
        desk.gateway.settle(
            desk.home.tenant_id, person("t", domain="school.example", attributes={"department": "teachers"})
        )
        ticket = desk.submit(**rebind(tenant=desk.home.tenant_id, selectors={"faculty": TEACHERS, "student": OURS}))
        seen = looks(desk, ticket)
        assert seen.audiences[Audience.STUDENT].undecided == {Reason.AUDIENCE_MISMATCH: 1}
        assert (seen.total.selected, seen.total.undecided) == (6, {Reason.AUDIENCE_MISMATCH: 1})

    def test_schools_of_the_same_board_are_no_strangers(self, desk: Desk) -> None:
        assert looks(desk, at_home(desk)).total.undecided == {}

    def test_a_present_selector_that_cannot_be_read_keeps_nobody_waiting(self, desk: Desk) -> None:
        desk.gateway.unreadable.add(f"group:{GROUP}")
        with desk.open_uow() as uow:
            now = desk.clock.now()
            uow.tenants.set_selector(bound(desk).binding_id, Audience.FACULTY, IN_GROUP, tenancy.AUTHOR, now)
            uow.commit()
        seen = looks(desk, at_home(desk))
        assert (seen.total, seen.formerly) == (PeopleSeen(selected=6, licensed=2), Formerly.UNREAD)

    def test_an_old_tenant_that_lets_us_in_no_more_keeps_nobody_waiting(self, desk: Desk) -> None:
        desk.gateway.trouble[desk.home.tenant_id] = ActionRequiredError("No.", Reason.CONSENT_REVOKED)
        ticket = to_away(desk)
        seen = looks(desk, ticket)
        assert (ticket.state, seen.total.before, seen.formerly) == (_T.AWAITING_APPROVAL, None, Formerly.UNREAD)
        standing = desk.sheet(ticket).standing
        assert standing is not None
        assert "old_selection_unread" in standing.notes

    def test_people_of_a_tenant_that_nobody_confirmed_to_be_theirs_are_not_counted(self, desk: Desk) -> None:
        desk.facts = NotAllowedError("No.")
        with desk.open_uow() as uow:
            uow.tenants.set_selector(
                bound(desk).binding_id, Audience.FACULTY, TEACHERS, tenancy.AUTHOR, desk.clock.now()
            )
            uow.commit()
        ticket = to_away(desk)
        assert looks(desk, ticket).formerly is Formerly.UNREAD
        assert desk.gateway.asked[desk.home.tenant_id] == 0

    def test_between_looks_microsoft_is_left_alone(self, desk: Desk) -> None:
        at_home(desk)
        asked = desk.gateway.asked[desk.home.tenant_id]
        desk.later(hours=12)
        assert desk.gateway.asked[desk.home.tenant_id] == asked


class TestWhatHoldsIt:
    def test_a_selector_that_matches_nobody_waits_for_a_person_and_goes_on_once_it_does(self, desk: Desk) -> None:
        ticket = at_home(desk, TEACHERS)
        assert state(desk, ticket) == (_T.HELD, Reason.SELECTOR_EMPTY)
        assert "levert niemand op" in desk.sheet(ticket).answers[-1].details["nl"]
        desk.gateway.settle(desk.home.tenant_id, person("teacher", attributes={"department": "teachers"}))
        desk.later(minutes=2)
        assert state(desk, ticket) == (_T.AWAITING_APPROVAL, None)
        assert looks(desk, ticket).total.selected == 1

    def test_it_is_looked_at_ever_less_often_and_told_once(self, desk: Desk) -> None:
        ticket = at_home(desk, TEACHERS)
        looked = []
        for minutes in (2, 2, 4, 10, 12, 59):
            desk.later(minutes=minutes)
            looked.append(desk.gateway.asked[desk.home.tenant_id])
        assert looked == [2, 2, 3, 3, 4, 4]  # after 1 minute, then 5, then 15, then an hour
        assert desk.answers(ticket) == ["received", "waiting"]

    def test_one_of_two_selectors_suffices_to_hold_it(self, desk: Desk) -> None:
        ticket = desk.submit(**rebind(tenant=desk.home.tenant_id, selectors={"faculty": OURS, "student": TEACHERS}))
        assert state(desk, ticket) == (_T.HELD, Reason.SELECTOR_EMPTY)

    def test_everybody_in_doubt_is_as_good_as_nobody(self, desk: Desk) -> None:
        bind_another_board(desk, tenancy.EVERYONE)
        ticket = at_home(desk)
        assert state(desk, ticket) == (_T.HELD, Reason.SCOPE_UNDECIDABLE)

    def test_an_unreadable_group_chooses_nobody(self, desk: Desk) -> None:
        desk.gateway.unreadable.add(f"group:{GROUP}")
        ticket = at_home(desk, IN_GROUP)
        assert state(desk, ticket) == (_T.HELD, Reason.SELECTION_INCOMPLETE)
        desk.gateway.unreadable.clear()
        desk.gateway.members[desk.home.tenant_id, f"group:{GROUP}"] = frozenset({SubjectId("ours1")})
        desk.later(minutes=2)
        assert desk.now(ticket).state is _T.AWAITING_APPROVAL

    def test_what_another_board_asks_of_an_unreadable_group_chooses_nobody_either(self, desk: Desk) -> None:
        desk.gateway.unreadable.add(f"group:{GROUP}")
        bind_another_board(desk, IN_GROUP)
        assert state(desk, at_home(desk)) == (_T.HELD, Reason.SELECTION_INCOMPLETE)

    def test_half_a_census_says_nothing(self, desk: Desk) -> None:
        def half(tenant: TenantId) -> Census:
            return Census(tenant_id=tenant, observed_at=desk.clock.now(), is_complete=False, people=())

        with patch.object(desk.gateway, "observe_census", half):
            ticket = at_home(desk)
        assert state(desk, ticket) == (_T.HELD, Reason.SELECTION_INCOMPLETE)
        assert looks(desk, ticket).audiences == {}

    def test_a_tenant_that_refuses_is_a_persons_work_and_goes_on_by_itself(self, desk: Desk) -> None:
        desk.gateway.trouble[desk.away.tenant_id] = ActionRequiredError("No.", Reason.CONSENT_MISSING)
        ticket = to_away(desk)
        assert state(desk, ticket) == (_T.HELD, Reason.CONSENT_MISSING)
        told = desk.answers(ticket)
        desk.later(minutes=2)
        assert desk.answers(ticket) == told
        del desk.gateway.trouble[desk.away.tenant_id]
        desk.later(minutes=10)
        assert desk.now(ticket).state is _T.AWAITING_APPROVAL

    def test_microsoft_away_is_nobodys_work(self, desk: Desk) -> None:
        desk.gateway.trouble[desk.away.tenant_id] = RetryableError("Away.", Reason.NO_ANSWER)
        ticket = to_away(desk)
        assert state(desk, ticket) == (_T.ASSESSING, None)
        del desk.gateway.trouble[desk.away.tenant_id]
        desk.later(minutes=2)
        assert desk.now(ticket).state is _T.AWAITING_APPROVAL

    def test_an_old_tenant_that_does_not_answer_is_waited_for(self, desk: Desk) -> None:
        desk.gateway.trouble[desk.home.tenant_id] = RetryableError("Away.", Reason.NO_ANSWER)
        ticket = to_away(desk)
        assert state(desk, ticket) == (_T.ASSESSING, None)
        del desk.gateway.trouble[desk.home.tenant_id]
        desk.later(minutes=2)
        assert (desk.now(ticket).state, looks(desk, ticket).total.before) == (_T.AWAITING_APPROVAL, 12)

    def test_selectors_of_a_binding_that_ended_meanwhile_go_along_with_nobody(self, desk: Desk) -> None:
        ticket = desk.submit(kind=TicketKind.REBIND, given={"organisation": SCHOOL, "tenant": desk.away.tenant_id})
        with desk.open_uow() as uow:
            uow.tenants.end_binding(bound(desk).binding_id, TODAY - timedelta(days=1))
            uow.commit()
        desk.later(minutes=2)
        assert state(desk, ticket) == (_T.HELD, Reason.SELECTOR_MISSING)

    def test_microsoft_away_a_day_later_leaves_what_was_counted(self, desk: Desk) -> None:
        ticket = to_away(desk)
        desk.gateway.trouble[desk.away.tenant_id] = RetryableError("Away.", Reason.NO_ANSWER)
        desk.later(days=2)
        assert (state(desk, ticket), desk.now(ticket).digest) == ((_T.AWAITING_APPROVAL, None), ticket.digest)


class TestWhatIsApproved:
    def test_what_changed_a_day_later_is_assessed_anew_and_told(self, desk: Desk) -> None:
        ticket = at_home(desk)
        desk.gateway.settle(desk.home.tenant_id, person("late", domain="school.example"))
        desk.later(days=2)
        again = desk.now(ticket)
        assert (again.state, again.digest == ticket.digest) == (_T.AWAITING_APPROVAL, False)
        assert desk.answers(ticket).count("assessed") == 2
        with pytest.raises(ConflictError, match="is not what you saw"):
            desk.approve(ticket)

    def test_what_did_not_change_is_not_told_again(self, desk: Desk) -> None:
        ticket = at_home(desk)
        desk.gateway.sell(desk.home.tenant_id, A3, 10)  # seats come and go with everybody's orders
        desk.later(days=2)
        assert desk.now(ticket).digest == ticket.digest
        assert desk.answers(ticket) == ["received", "assessed"]

    def test_another_board_that_came_in_meanwhile_is_looked_at_before_anybody_approves(self, desk: Desk) -> None:
        ticket = at_home(desk)
        bind_another_board(desk, '{"attribute":"department","equals":"b"}')
        with pytest.raises(ConflictError, match="is not what you saw"):
            desk.approve(ticket)
        desk.later(minutes=2)
        assert (desk.now(ticket).state, looks(desk, ticket).is_shared) == (_T.AWAITING_APPROVAL, True)

    def test_another_selector_meanwhile_is_looked_at_before_anybody_approves(self, desk: Desk) -> None:
        ticket = at_home(desk)
        with desk.open_uow() as uow:
            student = Audience.STUDENT
            uow.tenants.set_selector(
                bound(desk).binding_id, student, '{"domain":"sister.example"}', OPERATOR.actor, desk.clock.now()
            )
            uow.commit()
        with pytest.raises(ConflictError, match="is not what you saw"):
            desk.approve(ticket)
        desk.later(minutes=2)
        assert looks(desk, ticket).audiences.keys() == {Audience.FACULTY, Audience.STUDENT}

    def test_what_a_worker_finds_while_it_is_approved_is_not_approved_with_it(self, desk: Desk) -> None:
        ticket = at_home(desk)
        desk.clock.forward(timedelta(days=2))

        class LookedAt(RebindWork):
            def standing(self, *given: Any) -> Standing:
                found = RebindWork.standing(self, *given)
                if len(desk.gateway.people[desk.home.tenant_id]) == 12:
                    desk.gateway.settle(desk.home.tenant_id, person("late", domain="school.example"))
                    desk.look_before_rebind(ticket)
                return found

        work = LookedAt(confirm=desk.confirm, look=desk.look_before_rebind)
        approve = replace(desk.approve_ticket, works={**desk.works, TicketKind.REBIND: work})
        with pytest.raises(ConflictError, match="is not what you saw"):
            approve(APPROVER, ticket.ticket_id, ticket.digest or "")
        assert desk.now(ticket).approved_by is None
        assert bound(desk).selectors[Audience.FACULTY] == tenancy.EVERYONE

    def test_taken_back_while_a_worker_looks_nothing_is_kept_of_it(self, desk: Desk) -> None:
        ticket = at_home(desk)
        desk.clock.forward(timedelta(days=2))
        before, observe = looks(desk, ticket), desk.gateway.observe_census

        def taking_it_back(tenant: TenantId) -> Census:
            desk.close.withdraw(DESK, ticket.ticket_id, "asked twice")
            return observe(tenant)

        with patch.object(desk.gateway, "observe_census", taking_it_back):
            desk.look_before_rebind(ticket)
        assert (desk.now(ticket).state, looks(desk, ticket)) == (_T.WITHDRAWN, before)

    def test_of_two_workers_that_look_at_once_one_is_kept(self, desk: Desk) -> None:
        ticket = at_home(desk)
        desk.clock.forward(timedelta(days=2))
        observe = desk.gateway.observe_census

        def overtaken(tenant: TenantId) -> Census:
            with patch.object(desk.gateway, "observe_census", observe):
                desk.look_before_rebind(ticket)
            desk.gateway.settle(tenant, person("late", domain="school.example"))
            return observe(tenant)

        with patch.object(desk.gateway, "observe_census", overtaken):
            desk.look_before_rebind(ticket)
        assert looks(desk, ticket).total.selected == 6

    def test_a_look_that_ends_while_it_is_being_approved_is_not_kept(self, desk: Desk) -> None:
        """The ticket's row is where they meet: what stands behind the approval is what was approved."""
        ticket = at_home(desk)
        desk.clock.forward(timedelta(days=2))
        desk.gateway.settle(desk.home.tenant_id, person("late", domain="school.example"))
        approved = {"state": _T.RUNNING, "approved_by": APPROVER.actor, "approved_at": desk.clock.now()}
        with ThreadPoolExecutor(1) as other:
            with desk.open_uow() as uow:
                uow.rebind_looks.find_for_work(ticket.ticket_id)
                looking = other.submit(desk.look_before_rebind, ticket)
                with pytest.raises(NotYet):
                    looking.result(timeout=0.3)
                uow.tickets.save(msgspec.structs.replace(ticket, **approved))
                uow.commit()
            looking.result(timeout=20)
        assert looks(desk, ticket).total.selected == 6

    def test_a_shrunken_selection_that_was_approved_does_not_hold_up_the_next_order(self, desk: Desk) -> None:
        with desk.open_uow() as uow:
            uow.tenants.note_selection(bound(desk).binding_id, Audience.FACULTY, 12, desk.clock.now())
            uow.commit()
        desk.approve(at_home(desk))
        with desk.open_uow() as uow:
            assert uow.tenants.selection_size(bound(desk).binding_id, Audience.FACULTY) == 6

    def test_how_many_it_were_is_on_record(self, desk: Desk) -> None:
        ticket = desk.approve(at_home(desk))
        with desk.open_uow() as uow:
            [written] = [one for one in uow.audit.list_by() if one.kind == "selector.set"]
        assert written.details == {"ticket": ticket.ticket_id, "selected": "6"}

    def test_others_chosen_while_it_is_confirmed_are_assessed_anew(self, desk: Desk) -> None:
        desk.facts = RetryableError("503", Reason.TRANSIENT)
        ticket = desk.approve(at_home(desk))
        assert ticket.state is _T.RUNNING
        with desk.open_uow() as uow:
            uow.tenants.set_selector(
                bound(desk).binding_id, Audience.FACULTY, tenancy.EVERYONE, OPERATOR.actor, desk.clock.now()
            )
            uow.commit()
        desk.later(seconds=10)
        assert desk.now(ticket).state is _T.AWAITING_APPROVAL

    def test_what_was_seen_goes_a_school_year_after_the_ticket_ended(self, desk: Desk) -> None:
        ticket = desk.approve(at_home(desk))
        desk.clock.forward(timedelta(days=399))
        desk.purge()
        assert looks(desk, ticket).total.selected == 6
        desk.clock.forward(timedelta(days=2))
        desk.purge()
        with desk.open_uow() as uow:
            assert uow.rebind_looks.find(ticket.ticket_id) is None

    def test_whoever_made_the_binding_that_it_follows_does_not_approve(self, desk: Desk) -> None:
        author = Identity(actor=tenancy.AUTHOR, roles=APPROVER.roles)
        with pytest.raises(NotAllowedError, match="second person"):
            desk.approve_ticket(author, to_away(desk).ticket_id, "0" * 8)


class TestTheAssessment:
    def test_says_whom_it_would_choose_and_what_seats_there_are(self, desk: Desk) -> None:
        ticket = at_home(desk)
        told = desk.assess(ticket)
        assert told.rebind is not None
        assert (told.feasibility, told.rebind.organisation_id) == (Feasibility.POSSIBLE, SCHOOL)
        assert told.rebind.people[Audience.FACULTY] == looks(desk, ticket).total
        [seats] = told.rebind.seats
        assert (seats.needed, seats.bought, seats.enabled, seats.free) == (6, 40, 40, 38)
        assert told.asked is not None
        assert told.asked.digest == ticket.digest

    def test_its_board_reads_the_same_but_for_what_others_have_there(self, desk: Desk) -> None:
        ticket = at_home(desk)
        assert desk.assess(ticket, board_token()).rebind == desk.assess(ticket).rebind
        bind_another_board(desk, '{"domain":"elsewhere.example"}')
        desk.later(minutes=2)
        told = desk.assess(ticket, board_token()).rebind
        assert told is not None
        [seats] = told.seats
        assert (seats.bought, seats.enabled, seats.free) == (40, None, None)

    def test_of_a_tenant_that_may_be_anothers_the_board_learns_nothing_and_the_approver_all(self, desk: Desk) -> None:
        ticket = to_away(desk)
        told, known = desk.assess(ticket, board_token()), desk.assess(ticket)
        assert (told.rebind, told.feasibility) == (None, Feasibility.UNKNOWN)
        assert [one.kind for one in known.facts] == [FactKind.TENANT_UNPROVEN]
        assert known.rebind is not None
        assert known.rebind.total.selected == 5
        told_counts = desk.sheet(ticket).answers[-1].details
        assert not [name for name in told_counts if name.startswith("people_")]

    def test_a_verified_domain_of_theirs_shows_whose_it_is(self, desk: Desk) -> None:
        with desk.open_uow() as uow:
            school = uow.organisations.find(SCHOOL)
            assert school is not None
            uow.organisations.save([msgspec.structs.replace(school, web_domain=desk.away.verified_domains[0])])
            uow.commit()
        told = desk.assess(to_away(desk), board_token())
        assert told.rebind is not None
        assert (told.rebind.total.selected, told.feasibility) == (5, Feasibility.POSSIBLE)

    def test_who_is_in_doubt_makes_it_possible_in_part(self, desk: Desk) -> None:
        desk.gateway.settle(desk.home.tenant_id, person("b", domain="school.example", attributes={"department": "b"}))
        bind_another_board(desk, '{"attribute":"department","equals":"b"}')
        told = desk.assess(at_home(desk))
        assert (told.feasibility, [(one.kind, one.people) for one in told.facts]) == (
            Feasibility.PARTLY,
            [(FactKind.SOME_UNDECIDED, 1)],
        )

    def test_nobody_to_choose_is_the_first_thing_it_says(self, desk: Desk) -> None:
        told = desk.assess(at_home(desk, TEACHERS))
        assert (told.feasibility, [one.kind for one in told.facts]) == (
            Feasibility.IMPOSSIBLE,
            [FactKind.NOBODY_SELECTED],
        )

    def test_before_anybody_could_look_nobody_knows(self, desk: Desk) -> None:
        desk.gateway.trouble[desk.home.tenant_id] = RetryableError("Away.", Reason.NO_ANSWER)
        told = desk.assess(at_home(desk))
        assert (told.rebind, told.feasibility) == (None, Feasibility.UNKNOWN)

    def test_of_a_tenant_that_refuses_it_says_that_somebody_must_see_to_it(self, desk: Desk) -> None:
        desk.gateway.trouble[desk.home.tenant_id] = ActionRequiredError("No.", Reason.CONSENT_MISSING)
        told = desk.assess(at_home(desk))
        assert (told.feasibility, [one.kind for one in told.facts]) == (Feasibility.UNKNOWN, [FactKind.TENANT_UNREAD])

    def test_stays_as_it_was_once_it_is_carried_out(self, desk: Desk) -> None:
        ticket = at_home(desk)
        before = desk.assess(ticket)
        after = desk.assess(desk.approve(ticket))
        assert (after.rebind, after.feasibility) == (before.rebind, Feasibility.POSSIBLE)

    def test_of_boards_above_each_licence_counts(self, desk: Desk) -> None:
        desk.buy(BOARD, 100)
        told = desk.assess(at_home(desk))
        assert told.rebind is not None
        assert [one.bought for one in told.rebind.seats] == [140]


class TestRebind:
    def test_another_selection_is_written_once_approved_and_confirmed_by_the_approver(self, desk: Desk) -> None:
        ticket = desk.submit(**rebind(tenant=desk.home.verified_domains[0]))
        assert ticket.state is _T.AWAITING_APPROVAL
        assert bound(desk).is_confirmed  # nothing is loosened before anybody decided
        done = desk.approve(ticket)
        binding = bound(desk)
        assert (done.state, binding.confirmed_by, binding.created_by) == (
            _T.COMPLETED,
            APPROVER.actor,
            ticket.requested_by,
        )
        assert binding.selectors[Audience.FACULTY] == '{"domain":"school.example"}'

    def test_another_tenant_from_a_day_on_ends_the_old_binding_the_day_before(self, desk: Desk) -> None:
        begins = TODAY + timedelta(days=7)
        ticket = desk.submit(**rebind(tenant=desk.away.tenant_id, valid_from=begins.isoformat()))
        assert desk.approve(ticket).state is _T.COMPLETED
        assert bound(desk, begins - timedelta(days=1)).tenant_id == desk.home.tenant_id
        assert bound(desk, begins).tenant_id == desk.away.tenant_id
        assert bound(desk, begins).is_confirmed

    def test_another_selection_from_a_day_on_leaves_the_present_one_until_then(self, desk: Desk) -> None:
        day, before = TODAY + timedelta(days=30), bound(desk)
        ticket = desk.submit(**rebind(tenant=desk.home.verified_domains[0], valid_from=day.isoformat()))
        assert desk.approve(ticket).state is _T.COMPLETED
        assert bound(desk).selectors == before.selectors
        assert bound(desk).is_confirmed
        assert bound(desk, day - timedelta(days=1)).binding_id == before.binding_id
        after = bound(desk, day)
        assert (after.tenant_id, after.valid_from, after.is_confirmed) == (desk.home.tenant_id, day, True)
        assert after.selectors["faculty"] == '{"domain":"school.example"}'  # type: ignore[index]

    def test_without_two_facts_it_waits_for_a_person(self, desk: Desk) -> None:
        desk.facts = NotAllowedError("It takes 2 independent facts.")
        ticket = desk.approve(desk.submit(**rebind(tenant=desk.away.tenant_id, valid_from=TODAY.isoformat())))
        assert (ticket.state, ticket.reason) == (_T.HELD, Reason.BINDING_UNCONFIRMED)
        asked = len(desk.confirmed)
        desk.later(minutes=2)
        assert len(desk.confirmed) == asked
        desk.facts = tenancy.TWO_FACTS
        desk.confirm(OPERATOR, SCHOOL, desk.away.tenant_id, TODAY)  # `tenants confirm`
        desk.later(minutes=2)
        assert desk.now(ticket).state is _T.COMPLETED
        assert desk.answers(ticket) == ["received", "assessed", "approved", "started", "waiting", "completed"]

    def test_while_microsoft_is_away_it_is_tried_again(self, desk: Desk) -> None:
        desk.facts = RetryableError("503", Reason.TRANSIENT)
        ticket = desk.approve(desk.submit(**rebind(tenant=desk.home.tenant_id)))
        assert ticket.state is _T.RUNNING
        desk.facts = tenancy.TWO_FACTS
        desk.later(seconds=10)
        assert desk.now(ticket).state is _T.COMPLETED
        assert {one.actor for one in desk.confirmed} == {APPROVER.actor}

    def test_what_microsoft_refuses_is_told(self, desk: Desk) -> None:
        desk.facts = ActionRequiredError("No consent.", Reason.CONSENT_MISSING)
        ticket = desk.approve(desk.submit(**rebind(tenant=desk.home.tenant_id)))
        assert (ticket.state, ticket.reason) == (_T.HELD, Reason.CONSENT_MISSING)
        desk.later(minutes=2)
        assert desk.answers(ticket)[-1] == "waiting"

    @pytest.mark.parametrize(
        ("given", "state", "reason"),
        [
            ({"tenant": "nobodys.example"}, _T.HELD, Reason.TENANT_UNKNOWN),
            ({"organisation": "42000"}, _T.AWAITING_AUTHORITY, Reason.ORGANISATION_NOT_PARTICIPANT),
        ],
    )
    def test_says_why_it_cannot_be(
        self, desk: Desk, given: dict[str, object], state: TicketState, reason: Reason
    ) -> None:
        ticket = desk.submit(**rebind(**{"tenant": desk.away.tenant_id} | given))
        assert (ticket.state, ticket.reason) == (state, reason)

    def test_as_it_is_already_there_is_nothing_to_do(self, desk: Desk) -> None:
        ticket = desk.submit(**rebind(tenant=desk.home.tenant_id, selectors={"faculty": tenancy.EVERYONE}))
        assert (ticket.state, ticket.reason) == (_T.REJECTED, Reason.NOTHING_TO_CHANGE)

    def test_who_gets_seats_is_asked_when_nothing_says_so(self, desk: Desk) -> None:
        given = {"organisation": BOARD, "tenant": desk.away.tenant_id}
        ticket = desk.submit(kind=TicketKind.REBIND, given=given)
        assert (ticket.state, ticket.missing) == (_T.INCOMPLETE, ("selectors",))

    def test_who_and_from_when_are_asked_in_one_message(self, desk: Desk) -> None:
        with desk.open_uow() as uow:
            uow.tenants.add_binding(tenancy.binding(BOARD, desk.home.tenant_id, valid_from=TODAY, selectors={}))
            uow.commit()
        ticket = desk.submit(kind=TicketKind.REBIND, given={"organisation": BOARD, "tenant": desk.away.tenant_id})
        assert (ticket.state, ticket.missing) == (_T.INCOMPLETE, ("selectors", "valid_from"))
        assert desk.answers(ticket) == ["received", "asked_back"]


class TestWhoHadAHand:
    def test_whoever_filled_it_in_is_an_author_of_the_binding(self, desk: Desk) -> None:
        ticket = filled_in(desk, rebind(tenant=desk.home.tenant_id), "tenant")
        desk.approve(ticket)
        assert bound(desk).hands == (ticket.requested_by, OPERATOR.actor)

    def test_whose_selectors_go_along_to_another_tenant_stays_an_author_of_them(self, desk: Desk) -> None:
        begins = TODAY + timedelta(days=7)
        asked = rebind(tenant=desk.away.tenant_id, valid_from=begins.isoformat())
        desk.approve(filled_in(desk, asked, "tenant"))
        assert set(bound(desk, begins).hands) == {DESK.actor, OPERATOR.actor, tenancy.AUTHOR}
