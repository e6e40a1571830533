"""A ticket from submission to answer: intake, authority, approval by another person, crash at every boundary."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.actors import PERSON_ROLES, Identity, Role
from provisioning.domain.errors import ConflictError, InputError, NotAllowedError
from provisioning.domain.ids import OrganisationId
from provisioning.domain.reasons import Reason
from provisioning.domain.ticket import Ticket, TicketKind, TicketState
from provisioning.domain.worklist import Owner
from tests.factories import NOW, TODAY, tickets
from tests.factories.tickets import BOARD, SCHOOL, SISTER
from tests.integration.services.ticket_scene import APPROVER, DESK, IMPORTER, OPERATOR, Desk, board_token

_T = TicketState
Open = Callable[[], SqlUnitOfWork]


@pytest.fixture
def desk(open_uow: Open) -> Desk:
    return Desk(open_uow)


@pytest.fixture
def ready(desk: Desk) -> Ticket:
    """Authorised, assessed, waiting for an approver."""
    desk.authorise()
    ticket = desk.submit()
    assert (ticket.state, ticket.reason) == (_T.AWAITING_APPROVAL, None)
    return ticket


def worklist(desk: Desk) -> list[tuple[str, Reason, Owner]]:
    with desk.open_uow() as uow:
        return [(item.subject, item.reason, item.owner) for item in uow.worklist.items(desk.clock.now())]


class TestFromSubmissionToAnswer:
    def test_s29_the_holder_changes_in_the_ledger_and_nobody_notices(self, desk: Desk, ready: Ticket) -> None:
        desk.buy(SCHOOL, 5, ends_on=TODAY.replace(year=TODAY.year + 2))
        assert desk.sheet(ready).standing is not None
        ready = desk.advance(ready.ticket_id)  # other seats: what is to be approved is another thing now
        assert desk.answers(ready) == ["received", "assessed", "assessed"]
        done = desk.approve(ready)
        assert (done.state, done.approved_by) == (_T.COMPLETED, APPROVER.actor)
        assert desk.answers(done)[3:] == ["approved", "started", "completed"]
        assert (desk.entitled(SCHOOL), desk.entitled(BOARD)) == (0, 45)
        next_year = TODAY.replace(year=TODAY.year + 1)
        assert (desk.entitled(SCHOOL, next_year), desk.entitled(BOARD, next_year)) == (0, 5)
        assert desk.dispatcher.sent == []
        assert desk.operations(done) == []
        assert worklist(desk) == []

    def test_says_in_numbers_and_two_languages_what_came_of_it(self, desk: Desk, ready: Ticket) -> None:
        last = desk.sheet(desk.approve(ready)).answers[-1]
        assert (last.organisation_id, last.reference, last.details["seats"]) == (BOARD, ready.reference, "40")
        assert last.details["state"] == "completed"
        assert last.details["nl"].startswith("Uw aanvraag is uitgevoerd")
        assert last.details["en"].startswith("Your request was carried out")

    def test_leaves_a_line_for_every_step(self, desk: Desk, ready: Ticket) -> None:
        assert desk.kinds(desk.approve(ready)) == [
            "ticket.received",
            "ticket.assessing",
            "ticket.awaiting_approval",
            "ticket.approved",
            "ticket.running",
            "entitlement.transferred",
            "ticket.completed",
        ]

    def test_answers_are_no_part_of_any_notice(self, desk: Desk, ready: Ticket) -> None:
        with desk.open_uow() as uow:
            later = desk.clock.now() + timedelta(hours=1)
            assert uow.outbox.relay(later, timedelta(0), 50, timedelta(minutes=10)) == 0
            assert uow.outbox.notices() == []
        assert {one.sent_at for one in desk.sheet(ready).answers} == {None}


class TestTheSameAgain:
    def test_has_no_effect(self, desk: Desk) -> None:
        form = tickets.form()
        first = desk.submit_again(form)
        assert desk.submit_again(form) == first
        assert desk.answers(first) == ["received", "authority_asked"]

    def test_not_even_when_it_was_carried_out(self, desk: Desk) -> None:
        desk.authorise()
        form = tickets.form()
        done = desk.approve(desk.submit_again(form))
        assert desk.submit_again(form) == desk.now(done)

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"given": tickets.holder_wish(from_holders=[SISTER])}, "from_holders"),
            ({"given": tickets.holder_wish(sku_id="x")}, "sku_id"),
            ({"requester": "contact-18"}, "requester"),
            ({"organisation_id": OrganisationId("42000")}, "organisation"),
            ({"kind": TicketKind.CHANGE_SKU}, "kind"),
        ],
    )
    def test_but_something_else_under_the_same_reference_is_refused(
        self, desk: Desk, changes: dict[str, Any], said: str
    ) -> None:
        form = tickets.form()
        first = desk.submit_again(form)
        with pytest.raises(ConflictError, match=said):
            desk.submit_again(msgspec.structs.replace(form, **changes))
        assert desk.now(first) == first

    def test_two_desks_may_have_the_same_number(self, desk: Desk) -> None:
        other = Identity(actor=desk.submit(reference="7").requested_by, roles=DESK.roles)
        other = msgspec.structs.replace(other, actor="client:second")
        assert desk.submit(other, reference="7").source == "second"

    def test_a_file_is_taken_whole_or_not_at_all(self, desk: Desk) -> None:
        unknown = tickets.form(organisation_id=OrganisationId("99999"))
        with pytest.raises(InputError, match="99999"):
            desk.submit_tickets(DESK, [tickets.form(), unknown])
        assert desk.show(OPERATOR) == []


class TestWhatABoardForgot:
    def test_is_asked_back_in_one_message(self, desk: Desk) -> None:
        desk.authorise()
        ticket = desk.submit(given={}, requester=None)
        assert (ticket.state, ticket.missing) == (_T.INCOMPLETE, ("requester", "from_holders", "to_holder"))
        assert desk.answers(ticket) == ["received", "asked_back"]
        asked = desk.sheet(ticket).answers[-1].details
        assert asked["missing"] == "requester from_holders to_holder"
        assert asked["nl"].count("\n- ") == asked["en"].count("\n- ") == 3
        assert worklist(desk) == [(f"ticket {ticket.key}", Reason.TICKET_INCOMPLETE, Owner.SCHOOL)]

    def test_the_same_reference_with_all_of_it_goes_on(self, desk: Desk) -> None:
        desk.authorise()
        form = tickets.form(given={"to_holder": BOARD})
        assert desk.submit_again(form).state is _T.INCOMPLETE
        whole = msgspec.structs.replace(form, given=tickets.holder_wish())
        assert desk.submit_again(whole).state is _T.AWAITING_APPROVAL
        assert desk.submit_again(form).state is _T.AWAITING_APPROVAL  # the first message once more, late

    def test_an_operator_fills_it_in_and_then_does_not_approve_it(self, desk: Desk) -> None:
        desk.authorise()
        ticket = desk.submit(given={"to_holder": BOARD})
        helper = Identity(actor=OPERATOR.actor, roles=frozenset({Role.OPERATOR, Role.APPROVER}))
        rest = tickets.form(reference=ticket.reference, organisation_id=None, given={"from_holders": [SCHOOL]})
        done = desk.submit_tickets.complete(helper, ticket.ticket_id, rest)
        assert done.is_continued
        assert done.ticket.authors == (DESK.actor, OPERATOR.actor)
        with pytest.raises(NotAllowedError, match="wrote some of this ticket"):
            desk.approve(done.ticket, helper)

    def test_an_agreement_is_asked_for_when_there_are_two(self, desk: Desk) -> None:
        desk.authorise()
        desk.record(tickets.agreement(record_id="b"))
        ticket = desk.submit()
        assert (ticket.state, ticket.missing) == (_T.INCOMPLETE, ("agreement_id",))
        named = tickets.form(
            reference=ticket.reference, organisation_id=None, given=tickets.holder_wish(agreement_id="b")
        )
        assert desk.submit_tickets.complete(DESK, ticket.ticket_id, named).ticket.state is _T.AWAITING_APPROVAL


class TestAuthority:
    def test_s33_asked_by_somebody_without_it_the_signatory_is_asked(self, desk: Desk) -> None:
        ticket = desk.submit()
        assert (ticket.state, ticket.reason) == (_T.AWAITING_AUTHORITY, Reason.ACTOR_NOT_AUTHORISED)
        assert desk.answers(ticket) == ["received", "authority_asked"]
        assert worklist(desk) == [(f"ticket {ticket.key}", Reason.ACTOR_NOT_AUTHORISED, Owner.OPERATOR)]
        desk.later(hours=2)
        assert desk.now(ticket).version == ticket.version

    def test_only_who_is_not_spoken_for_is_asked(self, desk: Desk) -> None:
        desk.record(tickets.mandate(BOARD))
        ticket = desk.submit()
        assert ticket.reason is Reason.BOARD_DECLARATION_MISSING
        assert [one.organisation_id for one in desk.sheet(ticket).answers] == [BOARD, SCHOOL]

    def test_goes_on_when_the_records_arrive(self, desk: Desk) -> None:
        ticket = desk.submit()
        desk.authorise()
        desk.later(minutes=1)  # the agreement came last
        assert desk.now(ticket).state is _T.AWAITING_APPROVAL

    def test_or_when_the_day_of_a_mandate_comes(self, desk: Desk) -> None:
        desk.authorise()
        tomorrow = TODAY + timedelta(days=1)
        desk.record(tickets.mandate(record_id="m", valid_from=tomorrow))
        ticket = desk.submit()
        assert ticket.state is _T.AWAITING_AUTHORITY
        desk.later(hours=23)
        assert desk.now(ticket).state is _T.AWAITING_APPROVAL

    def test_s33_a_declaration_revoked_meanwhile_stops_it_before_approval(self, desk: Desk, ready: Ticket) -> None:
        desk.record(tickets.declaration(SCHOOL, SISTER, record_id="d", revoked_on=TODAY))
        stopped = desk.now(ready)
        assert (stopped.state, stopped.reason) == (_T.AWAITING_AUTHORITY, Reason.BOARD_DECLARATION_MISSING)
        with pytest.raises(ConflictError, match="awaiting authority"):
            desk.approve(ready)
        desk.record(tickets.declaration(SCHOOL, SISTER, record_id="d2"))
        assert desk.now(ready).state is _T.AWAITING_APPROVAL

    def test_and_at_the_very_approval(self, desk: Desk, ready: Ticket) -> None:
        with desk.open_uow() as uow:  # nobody looked at the ticket since
            uow.records.save([tickets.declaration(SCHOOL, record_id="d", revoked_on=TODAY)], desk.clock.now(), IMPORTER)
            uow.commit()
        with pytest.raises(ConflictError, match="may not ask it any more"):
            desk.approve(ready)
        assert (desk.entitled(SCHOOL), desk.entitled(BOARD)) == (40, 0)


class TestFourEyes:
    @pytest.mark.parametrize(
        ("by", "approver", "said"),
        [
            (OPERATOR, OPERATOR.actor, "wrote some of this ticket"),
            (DESK, IMPORTER, "imported the declaration"),
            (DESK, "contact-17", "asked for it at the board"),
        ],
    )
    def test_nobody_approves_what_they_had_a_hand_in_and_the_attempt_is_on_record(
        self, desk: Desk, by: Identity, approver: str, said: str
    ) -> None:
        desk.authorise()
        person = f"person:{approver}" if ":" not in approver else approver
        if approver == "contact-17":
            desk.record(tickets.mandate(record_id="m", actor=person))
        ticket = desk.submit(by, **({"requester": person} if approver == "contact-17" else {}))
        everything = Identity(actor=person, roles=PERSON_ROLES)
        with pytest.raises(NotAllowedError, match=said):
            desk.approve(ticket, everything)
        with desk.open_uow() as uow:
            [line] = [one for one in uow.audit.list_by() if one.kind == "approval.refused"]
        assert (line.actor, line.after, line.details["deed"]) == (person, ticket.digest, "approve_ticket")
        assert line.details["of"] == ticket.ticket_id
        assert said in (line.reason or "")
        assert desk.now(ticket) == ticket

    def test_a_client_and_a_person_without_the_role_do_not(self, desk: Desk, ready: Ticket) -> None:
        for identity in (DESK, OPERATOR, Identity(actor=DESK.actor, roles=frozenset(Role))):
            with pytest.raises(NotAllowedError, match="approve a ticket"):
                desk.approve(ready, identity)

    def test_what_was_approved_is_what_was_shown(self, desk: Desk, ready: Ticket) -> None:
        desk.buy(SCHOOL, 1)
        with pytest.raises(ConflictError, match="not what you saw"):
            desk.approve(ready)
        with pytest.raises(InputError, match="8 characters"):
            desk.approve_ticket(APPROVER, ready.ticket_id, "abc")
        assert desk.entitled(BOARD) == 0

    @pytest.mark.parametrize(
        "change",
        [
            "approved_by = requested_by, approved_at = created_at",
            "approved_by = 'person:' || requested_by, approved_at = NULL",
            "approved_by = requester, approved_at = created_at",
            "state = 'running'",
            "state = 'completed'",
            "approved_by = 'person:x', approved_at = created_at, digest = NULL",
        ],
    )
    def test_nor_by_sql(self, desk: Desk, ready: Ticket, engine: Engine, change: str) -> None:
        with pytest.raises((IntegrityError, NotAllowedError)), engine.begin() as connection:
            connection.execute(text(f"UPDATE tickets SET {change}"))  # noqa: S608  # ours
        assert desk.now(ready) == ready

    @pytest.mark.parametrize("column", ["requested_by", "source", "reference", "kind", "organisation_id", "board_id"])
    @pytest.mark.usefixtures("ready")
    def test_who_asked_what_for_whom_stays_as_it_was_written(self, engine: Engine, column: str) -> None:
        with pytest.raises(ProgrammingError, match="permission denied"), engine.begin() as connection:
            connection.execute(text(f"UPDATE tickets SET {column} = {column}"))  # noqa: S608  # ours


class TestABoardsToken:
    def test_brings_in_for_its_own_board_alone(self, desk: Desk) -> None:
        desk.authorise()
        assert desk.submit(board_token(), organisation_id=None).organisation_id == BOARD
        with pytest.raises(NotAllowedError, match="speaks for board 41000"):
            desk.submit(board_token(), organisation_id=OrganisationId("42000"))

    def test_sees_and_touches_its_own_alone(self, desk: Desk, ready: Ticket) -> None:
        other = board_token("42000", "client:others")
        assert [one.ticket_id for one in desk.show(board_token())] == [ready.ticket_id]
        assert desk.show(other) == []
        for touch in (
            lambda: desk.show.one(other, ready.ticket_id),
            lambda: desk.show.one(other, ready.key),
            lambda: desk.close.withdraw(other, ready.ticket_id, "mine"),
            lambda: desk.submit_tickets.complete(other, ready.ticket_id, tickets.form()),
        ):
            with pytest.raises(InputError, match="There is no ticket"):
                touch()

    def test_without_a_board_sees_nothing(self, desk: Desk, ready: Ticket) -> None:
        lost = Identity(actor=DESK.actor, roles=frozenset({Role.BOARD}))
        assert desk.show(lost) == []
        with pytest.raises(InputError):
            desk.show.one(lost, ready.ticket_id)

    def test_does_not_speak_for_the_schools_of_another_board(self, desk: Desk) -> None:
        desk.authorise()
        given = tickets.holder_wish(to_holder="42000")
        ticket = desk.submit(board_token("42000", "client:others"), organisation_id=None, given=given)
        assert (ticket.state, ticket.reason) == (_T.AWAITING_AUTHORITY, Reason.ACTOR_NOT_AUTHORISED)

    @pytest.mark.parametrize("is_revoked", [False, True])
    @pytest.mark.parametrize(("board", "state"), [(BOARD, _T.AWAITING_APPROVAL), ("42000", _T.AWAITING_AUTHORITY)])
    def test_fills_in_a_desks_ticket_within_its_own_reach_alone(
        self, desk: Desk, board: str, state: TicketState, *, is_revoked: bool
    ) -> None:
        desk.record(tickets.mandate(BOARD), tickets.mandate("42000", record_id="office"))
        desk.record(tickets.declaration(SCHOOL))
        writer = board_token(board)
        ticket = desk.submit(organisation_id=OrganisationId(board), given={"to_holder": board}, requester=None)
        desk.record(tickets.agreement(board, record_id="of-the-writer"))
        with desk.open_uow() as uow:
            uow.actors.add(msgspec.structs.replace(writer, expires_at=NOW + timedelta(days=30)), "digest", NOW)
            if is_revoked:
                uow.actors.revoke(writer.actor, NOW)
            uow.commit()
        given = {"from_holders": [SCHOOL], "to_holder": board, "agreement_id": "of-the-writer"}
        form = tickets.form(reference=ticket.reference, organisation_id=OrganisationId(board), given=given)
        taken = desk.submit_tickets.complete(writer, ticket.ticket_id, form)
        assert taken.ticket.state is state

    def test_takes_back_what_it_brought_in_alone(self, desk: Desk, ready: Ticket) -> None:
        with pytest.raises(NotAllowedError, match="did not bring in"):
            desk.close.withdraw(board_token(), ready.ticket_id, "we changed our minds")


class TestFreeText:
    def test_rests_apart_and_is_shown_to_operators_alone(self, desk: Desk, engine: Engine) -> None:
        ticket = desk.submit(text="Juf Anna belt wel even")
        assert desk.sheet(ticket, APPROVER).texts == ()
        assert "ticket.text_shown" not in desk.kinds(ticket)
        assert desk.sheet(ticket).texts == ("Juf Anna belt wel even",)
        assert desk.kinds(ticket)[-1] == "ticket.text_shown"
        assert desk.sheet(ticket, board_token()).texts == ()
        elsewhere = "SELECT row_to_json(t) FROM tickets t UNION ALL SELECT row_to_json(o) FROM outbox_intents o"
        with engine.connect() as connection:
            rows = [str(row) for row in connection.scalars(text(elsewhere))]
            rows += [str(body) for body in connection.scalars(text("SELECT body FROM audit_events"))]
        assert len(rows) > 2
        assert not [row for row in rows if "Anna" in row]

    def test_goes_after_ninety_days(self, desk: Desk) -> None:
        ticket = desk.submit(text="Juf Anna belt wel even")
        desk.later(days=89)
        assert desk.purge() == 0
        desk.later(days=1, seconds=1)
        assert (desk.purge(), desk.sheet(ticket).texts) == (1, ())
        assert desk.now(ticket).given == ticket.given

    def test_after_a_school_year_an_ended_ticket_names_nobody(self, desk: Desk, ready: Ticket) -> None:
        given = {"organisation": SCHOOL, "tenant": desk.home.tenant_id, "selectors": {"faculty": '{"ids":["a"]}'}}
        ended = desk.submit(kind=TicketKind.REBIND, given=given)
        desk.close.reject(OPERATOR, ended.ticket_id, "not now")
        moved = tickets.ticket(kind=TicketKind.MOVE_SCHOOL, given={"people": '{"ids":["a"]}'}, state=_T.REJECTED)
        with desk.open_uow() as uow:
            uow.tickets.add(msgspec.structs.replace(moved, due_at=None))
            uow.commit()
        desk.clock.forward(timedelta(days=399))
        desk.purge()
        assert desk.now(ended).requester == ended.requester
        desk.clock.forward(timedelta(days=2))
        desk.purge()
        kept = {name: value for name, value in ended.given.items() if name != "selectors"}
        assert (desk.now(ended).requester, desk.now(ended).given) == (None, kept)
        assert desk.now(moved).given == {"people": ""}
        assert desk.now(ready).requester == ready.requester

    def test_the_same_words_are_kept_once(self, desk: Desk) -> None:
        form = tickets.form(text="Graag snel")
        ticket = desk.submit_again(form)
        desk.submit_again(form)
        desk.submit_again(msgspec.structs.replace(form, text="Nog niets gehoord"))
        assert desk.sheet(ticket).texts == ("Graag snel", "Nog niets gehoord")


class TestClosing:
    def test_a_rejection_tells_the_board_what_to_ask_instead(self, desk: Desk, ready: Ticket) -> None:
        closed = desk.close.reject(OPERATOR, ready.key, "order new licences instead")
        assert (closed.state, closed.reason) == (_T.REJECTED, Reason.TICKET_CLOSED)
        last = desk.sheet(closed).answers[-1]
        assert (last.topic, last.details["words"]) == ("ticket_rejected", "order new licences instead")
        desk.later(days=1)
        assert desk.answers(closed) == ["received", "assessed", "rejected"]

    def test_whoever_brought_it_in_takes_it_back(self, desk: Desk, ready: Ticket) -> None:
        assert desk.close.withdraw(DESK, ready.ticket_id, "asked twice").state is _T.WITHDRAWN
        with pytest.raises(ConflictError, match="has ended"):
            desk.close.reject(OPERATOR, ready.ticket_id, "late")

    def test_needs_a_reason(self, desk: Desk, ready: Ticket) -> None:
        with pytest.raises(InputError, match="needs a reason"):
            desk.close.reject(OPERATOR, ready.ticket_id, " ")

    def test_comes_too_late_once_it_is_carried_out(self, desk: Desk, ready: Ticket) -> None:
        done = desk.approve(ready)
        with pytest.raises(ConflictError, match="has ended"):
            desk.close.withdraw(DESK, done.ticket_id, "never mind")
