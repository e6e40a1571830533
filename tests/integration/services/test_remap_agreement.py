"""S28, S31, S32: agreements that Microsoft moves, with Microsoft played by hand; days pass on the test's clock."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any
from unittest.mock import patch

import msgspec
import pytest

from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.actors import Identity
from provisioning.domain.agreement_move import AgreementMove
from provisioning.domain.catalogue import Audience
from provisioning.domain.errors import ActionRequiredError, ConflictError, InputError, NotAllowedError, RetryableError
from provisioning.domain.ids import OperationId, OrganisationId, SkuId, TenantId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.observation import HeldLicence, Seats
from provisioning.domain.operation import Operation, OperationKind
from provisioning.domain.reasons import Reason
from provisioning.domain.records import MappingState, Participant, Record, RecordKind, VolumeLicence
from provisioning.domain.tenancy import AssignmentMode
from provisioning.domain.ticket import Ticket, TicketForm, TicketKind, TicketState
from provisioning.planning.assessment import Feasibility
from provisioning.planning.assessment_facts import FactKind
from provisioning.planning.ticket_turn import Standing
from provisioning.services.ticket_work.remap_agreement import RemapAgreementWork
from tests.factories import TODAY, tenancy
from tests.factories import operations as make
from tests.factories import tickets as make_tickets
from tests.factories.tickets import A_YEAR_AGO, BOARD, CONTACT, SCHOOL, SISTER
from tests.factories.trade import PUPILS, STAFF, STAFF_MORE, sku_of
from tests.integration.services.ticket_scene import APPROVER, DESK, OPERATOR, Desk, board_token
from tests.unit.planning.scene import person

_T = TicketState
Open = Callable[[], SqlUnitOfWork]
A3, OTHER = sku_of(STAFF), sku_of(PUPILS)
_END = (OperationState.PLANNING, OperationState.APPLYING, OperationState.VERIFYING, OperationState.COMPLETED)


class Remap:
    """A school's agreement of 40 seats, in its own tenant (`home`), that belongs in the board's (`away`)."""

    def __init__(self, open_uow: Open) -> None:
        self.desk = desk = Desk(open_uow)
        desk.authorise()
        self.x, self.y = desk.home.tenant_id, desk.away.tenant_id
        with open_uow() as uow:
            uow.organisations.add_relations(
                tenancy.relation(BOARD, one, valid_from=A_YEAR_AGO) for one in (SCHOOL, SISTER)
            )
            uow.tenants.add_binding(tenancy.binding(SCHOOL, self.y, is_transition=True))
            uow.tenants.add_policy(tenancy.policy(self.y))
            uow.tenants.add_policy(tenancy.policy(self.x))
            uow.commit()
        desk.record(licence("L1"), licence("L2"))
        self.microsoft = desk.gateway
        self.microsoft.sell(self.x, A3, 40)
        self.microsoft.settle(self.x, *(person(f"x{n}", HeldLicence(A3)) for n in range(30)))
        self.microsoft.settle(self.y, *(person(f"y{n}") for n in range(30)))

    def submit(self, **fields: Any) -> Ticket:
        given = {
            "public_customer_number": "PCN1",
            "licence_ids": ["L1", "L2"],
            "from_tenant": self.desk.home.initial_domain,
            "to_tenant": self.desk.away.initial_domain,
        }
        return self.desk.submit(kind=TicketKind.REMAP_AGREEMENT, given=given | fields)

    def approved(self) -> Ticket:
        return self.desk.approve(self.submit())

    def filed(self) -> Ticket:
        return self.desk.note_case(OPERATOR, self.approved().ticket_id, "2612040050001234")

    def look(self, ticket: Ticket, **by: float) -> Ticket:
        """Time passes, and the ticket is looked at as often as the sweep does."""
        self.desk.clock.forward(timedelta(**by or {"hours": 12}))
        self.desk.advance(ticket.ticket_id)
        self.desk.clock.forward(timedelta(seconds=10))  # what one look shows, a second one confirms
        return self.desk.advance(ticket.ticket_id)

    def move(self) -> None:
        """As Microsoft's support does it, when all goes well."""
        self.microsoft.bring(self.y, self.microsoft.take(self.x, A3))

    def state(self, ticket: Ticket) -> tuple[TicketState, Reason | None]:
        now = self.desk.now(ticket)
        return now.state, now.reason

    def progress(self, ticket: Ticket) -> AgreementMove:
        with self.desk.open_uow() as uow:
            found = uow.agreement_moves.find(ticket.ticket_id)
        assert found is not None
        return found

    def licences(self) -> list[Record]:
        with self.desk.open_uow() as uow:
            return uow.records.list_by(RecordKind.VOLUME_LICENCE)

    def operations(self, kind: OperationKind) -> list[Operation]:
        with self.desk.open_uow() as uow:
            return [one for one in uow.operations.list_by() if one.kind is kind]

    def entitled(self, tenant: str, holder: str = SCHOOL) -> int:
        with self.desk.open_uow() as uow:
            return uow.ledger.entitlement(OrganisationId(holder), tenant, A3, TODAY + timedelta(days=30))

    def alarms(self) -> list[str]:
        with self.desk.open_uow() as uow:
            uow.outbox.relay(self.desk.clock.now() + timedelta(days=1), timedelta(0), 100, timedelta(days=1))
            uow.commit()
        with self.desk.open_uow() as uow:
            return [one.topic for one in uow.outbox.notices(OrganisationId("ourselves"))]


def licence(number: str, holder: str = SCHOOL, agreement_id: str = "a") -> VolumeLicence:
    return VolumeLicence(
        record_id=number,
        organisation_id=OrganisationId(holder),
        agreement_id=agreement_id,
        public_customer_number="PCN1",
    )


def participant(agreement_id: str) -> Participant:
    return Participant(
        record_id="p", organisation_id=OrganisationId(SCHOOL), agreement_id=agreement_id, valid_from=A_YEAR_AGO
    )


@pytest.fixture
def remap(open_uow: Open) -> Remap:
    return Remap(open_uow)


class TestAssessment:
    def test_says_beforehand_what_it_comes_to(self, remap: Remap) -> None:
        ticket = remap.submit()
        assert remap.state(ticket) == (_T.AWAITING_APPROVAL, None)
        standing = remap.desk.sheet(ticket).standing
        assert standing is not None
        assert standing.counts == {
            "seats": "40",
            "people_who_lose": "30",
            "people_there": "30",
            "people_ready": "30",
        }
        assert "people_lose_at_once" in standing.notes
        assert "too_few_people_there" not in standing.notes

    def test_tells_each_school_of_its_people(self, remap: Remap) -> None:
        remap.microsoft.settle(remap.y, person("late"))
        ticket = remap.submit()
        for reader in (APPROVER, board_token()):
            told = remap.desk.assess(ticket, reader).agreement
            assert told is not None
            assert [(one.organisation_id, one.losing, one.present, one.ready) for one in told.schools] == [
                (SCHOOL, 30, 31, 31)
            ]
            assert [(one.sku_id, one.needed, one.moving) for one in told.seats] == [(A3, 31, 40)]
            assert (told.writes, told.is_ours) == (31 + 30, True)

    def test_before_both_tenants_were_seen_there_is_nothing_to_tell(self, remap: Remap) -> None:
        remap.microsoft.trouble[remap.x] = RetryableError("away", Reason.TENANT_UNREADABLE)
        made = remap.desk.assess(remap.submit())
        assert (made.agreement, made.writes, made.feasibility) == (None, 0, Feasibility.UNKNOWN)

    def test_who_stays_behind_is_no_shortage(self, remap: Remap) -> None:
        remap.microsoft.settle(remap.x, *(person(f"more{n}", HeldLicence(A3)) for n in range(20)))
        made = remap.desk.assess(remap.submit(staying_behind=20))
        assert made.agreement is not None
        assert (made.agreement.lacking, made.agreement.staying_behind) == (0, 20)
        assert made.feasibility is Feasibility.POSSIBLE
        assert FactKind.NOT_READY not in {one.kind for one in made.facts}

    def test_pupils_need_no_seat_of_the_staff(self, remap: Remap) -> None:
        """The product goes to whom its audience chooses."""
        with remap.desk.open_uow() as uow:
            [own] = [one for one in uow.tenants.bindings_in(remap.y, TODAY) if one.organisation_id == SCHOOL]
            named = '{"ids":["y0","y1"]}'
            uow.tenants.set_selector(own.binding_id, Audience.FACULTY, named, tenancy.AUTHOR, remap.desk.clock.now())
            uow.tenants.confirm_binding(
                own.binding_id, tenancy.SECOND, remap.desk.clock.now(), frozenset(tenancy.TWO_FACTS)
            )
            uow.commit()
        told = remap.desk.assess(remap.submit()).agreement
        assert told is not None
        assert [one.needed for one in told.seats] == [2]

    def test_what_our_ledger_does_not_know_may_move_along(self, remap: Remap) -> None:
        remap.microsoft.sell(remap.x, OTHER, 200)
        standing = remap.desk.sheet(remap.submit()).standing
        assert standing is not None
        assert "others_move_along" in standing.notes

    def test_seats_of_another_customer_number_stay(self, remap: Remap) -> None:
        remap.desk.buy("01XX00", 10)
        remap.microsoft.sell(remap.x, A3, 10)
        inventory = remap.progress(remap.submit()).inventory
        assert (inventory.moving, inventory.staying, inventory.along) == ({A3: 40}, {A3: 10}, {})

    def test_nobody_there_yet_waits_until_somebody_is(self, remap: Remap) -> None:
        people = remap.microsoft.people.pop(remap.y)
        ticket = remap.submit()
        assert remap.state(ticket) == (_T.HELD, Reason.PEOPLE_NOT_THERE)
        remap.microsoft.settle(remap.y, *people)
        assert remap.look(ticket, hours=1).state is _T.AWAITING_APPROVAL

    def test_fewer_ready_than_lose_it_waits_until_they_are(self, remap: Remap) -> None:
        people = remap.microsoft.people[remap.y]
        remap.microsoft.people[remap.y] = people[:-1]
        ticket = remap.submit()
        assert remap.state(ticket) == (_T.HELD, Reason.PEOPLE_NOT_THERE)
        remap.microsoft.people[remap.y] = people
        assert remap.look(ticket, hours=1).state is _T.AWAITING_APPROVAL

    def test_who_stays_behind_is_not_waited_for(self, remap: Remap) -> None:
        remap.microsoft.people[remap.y] = remap.microsoft.people[remap.y][:-2]
        assert remap.state(remap.submit(staying_behind=2))[0] is _T.AWAITING_APPROVAL

    @pytest.mark.parametrize(("behind", "expected"), [(2, _T.AWAITING_APPROVAL), (1, _T.HELD)])
    def test_how_many_stay_behind_may_be_said_later(self, remap: Remap, behind: int, expected: TicketState) -> None:
        remap.microsoft.people[remap.y] = remap.microsoft.people[remap.y][:-2]
        ticket = remap.submit()
        form = TicketForm(reference=ticket.reference, kind=ticket.kind, given={"staying_behind": behind})
        assert remap.desk.submit_tickets.complete(OPERATOR, ticket.ticket_id, form).ticket.state is expected

    def test_moved_before_anybody_asked_it_goes_on_without_a_case(self, remap: Remap) -> None:
        remap.move()
        ticket = remap.submit()
        standing = remap.desk.sheet(ticket).standing
        assert standing is not None
        assert standing.notes[0] == "seats_there_already"
        remap.desk.approve(ticket)
        remap.look(ticket)
        assert remap.state(ticket) == (_T.RUNNING, None)
        assert (remap.entitled(remap.x), remap.entitled(remap.y)) == (0, 40)

    def test_seats_that_were_bought_for_the_new_tenant_are_not_those_that_move(self, remap: Remap) -> None:
        remap.microsoft.take(remap.x, A3)
        remap.microsoft.sell(remap.y, A3, 40)
        remap.desk.buy("01XX00", 40, tenant_id=remap.y)
        assert remap.state(remap.submit()) == (_T.HELD, Reason.AGREEMENT_NOT_SEEN)

    def test_fewer_seats_than_are_on_record_are_a_persons_work(self, remap: Remap) -> None:
        [one] = remap.microsoft.purchases[remap.x]
        remap.microsoft.purchases[remap.x] = [msgspec.structs.replace(one, total=39)]
        assert remap.state(remap.submit()) == (_T.HELD, Reason.AGREEMENT_NOT_SEEN)

    def test_a_tenant_that_is_not_bound(self, remap: Remap) -> None:
        stranger = tenancy.tenant()
        with remap.desk.open_uow() as uow:
            uow.tenants.save(stranger)
            uow.commit()
        ticket = remap.submit(to_tenant=stranger.initial_domain)
        assert remap.state(ticket) == (_T.HELD, Reason.TENANT_NOT_BOUND)

    def test_a_tenant_that_nobody_knows(self, remap: Remap) -> None:
        assert remap.state(remap.submit(to_tenant="nowhere.example")) == (_T.HELD, Reason.TENANT_UNKNOWN)

    def test_where_it_is_already(self, remap: Remap) -> None:
        ticket = remap.submit(to_tenant=remap.desk.home.initial_domain)
        assert remap.state(ticket) == (_T.REJECTED, Reason.NOTHING_TO_CHANGE)

    def test_nothing_bought_for_either(self, remap: Remap) -> None:
        remap.desk.buy(SCHOOL, -40)
        assert remap.state(remap.submit()) == (_T.HELD, Reason.AGREEMENT_NOT_SEEN)

    def test_a_tenant_that_refuses_is_a_persons_work_and_goes_on_by_itself(self, remap: Remap) -> None:
        remap.microsoft.trouble[remap.y] = ActionRequiredError("No.", Reason.CONSENT_MISSING)
        ticket = remap.submit()
        assert remap.state(ticket) == (_T.HELD, Reason.CONSENT_MISSING)
        told = remap.desk.answers(ticket)
        remap.look(ticket)
        assert remap.desk.answers(ticket) == told  # the same again is no news
        del remap.microsoft.trouble[remap.y]
        assert remap.look(ticket).state is _T.AWAITING_APPROVAL

    def test_microsoft_away_is_nobodys_work(self, remap: Remap) -> None:
        remap.microsoft.trouble[remap.y] = RetryableError("Away.", Reason.NO_ANSWER)
        ticket = remap.submit()
        assert remap.state(ticket) == (_T.ASSESSING, None)
        del remap.microsoft.trouble[remap.y]
        assert remap.look(ticket).state is _T.AWAITING_APPROVAL

    def test_work_on_the_same_seats_comes_first(self, remap: Remap) -> None:
        wish = msgspec.structs.replace(make.wish(), sku_id=A3, holder_id=SCHOOL, organisations=(SCHOOL,))
        with remap.desk.open_uow() as uow:
            uow.operations.add(make.operation(remap.x, wish=wish))
            uow.commit()
        assert remap.state(remap.submit()) == (_T.HELD, Reason.WORK_UNDER_WAY)

    def test_what_changed_a_day_later_is_assessed_anew_and_told(self, remap: Remap) -> None:
        ticket = remap.submit()
        remap.microsoft.settle(remap.y, person("late"))
        again = remap.look(ticket, days=2)
        assert again.state is _T.AWAITING_APPROVAL
        assert again.digest != ticket.digest
        assert remap.desk.answers(ticket).count("assessed") == 2

    def test_whoever_decided_who_gets_the_seats_does_not_approve(self, remap: Remap) -> None:
        author = Identity(actor=tenancy.AUTHOR, roles=APPROVER.roles)
        with pytest.raises(NotAllowedError, match="second person"):
            remap.desk.approve(remap.submit(), author)

    @pytest.mark.parametrize("kind", [RecordKind.VOLUME_LICENCE, RecordKind.AGREEMENT, RecordKind.PARTICIPANT])
    def test_whoever_wrote_the_records_that_it_rests_on_does_not_approve(self, remap: Remap, kind: RecordKind) -> None:
        rests_on: dict[RecordKind, Record] = {
            RecordKind.VOLUME_LICENCE: licence("L3"),
            RecordKind.AGREEMENT: make_tickets.agreement(SCHOOL, record_id="a3"),
            RecordKind.PARTICIPANT: participant("a3"),
        }
        mine = rests_on.pop(kind)
        remap.desk.record(licence("L4", agreement_id="a3"), *rests_on.values())
        with remap.desk.open_uow() as uow:
            uow.records.save([mine], remap.desk.clock.now(), APPROVER.actor)
            uow.commit()
        ticket = remap.submit(licence_ids=[one.record_id for one in remap.licences()])
        with pytest.raises(NotAllowedError, match="second person"):
            remap.desk.approve(ticket)

    def test_whoever_wrote_records_of_other_agreements_does(self, remap: Remap) -> None:
        with remap.desk.open_uow() as uow:
            uow.records.save([participant("of-others")], remap.desk.clock.now(), APPROVER.actor)
            uow.commit()
        assert remap.approved().state is _T.AWAITING_MICROSOFT

    def test_whoever_proposed_the_policy_there_does_not_approve(self, remap: Remap) -> None:
        with remap.desk.open_uow() as uow:
            uow.tenants.add_policy(tenancy.policy(remap.y, created_by=APPROVER.actor))
            uow.commit()
        with pytest.raises(NotAllowedError, match="second person"):
            remap.desk.approve(remap.submit())


class TestMeanwhile:
    """Somebody decides while a worker looks, or records change while Microsoft is at it."""

    def test_what_a_worker_finds_while_it_is_approved_is_not_approved_with_it(self, remap: Remap) -> None:
        ticket = remap.submit()
        remap.desk.clock.forward(timedelta(days=2))
        seen = remap.progress(ticket).inventory

        class LookedAt(RemapAgreementWork):
            def standing(self, *given: Any) -> Standing:
                found = RemapAgreementWork.standing(self, *given)
                if len(remap.microsoft.people[remap.y]) == 30:
                    remap.microsoft.settle(remap.y, person("late"))
                    remap.desk.follow(ticket)
                return found

        follow, limits = remap.desk.follow, remap.desk.advance.limits
        work = LookedAt(follow=follow, look=follow.at_once, limits=limits)
        approve = replace(remap.desk.approve_ticket, works={**remap.desk.works, TicketKind.REMAP_AGREEMENT: work})
        with pytest.raises(ConflictError, match="is not what you saw"):
            approve(APPROVER, ticket.ticket_id, ticket.digest or "")
        assert remap.progress(ticket).inventory != seen
        assert remap.desk.now(ticket).approved_by is None

    def test_taken_back_while_a_worker_looks_nothing_is_begun(self, remap: Remap) -> None:
        remap.move()
        ticket = remap.submit()
        approve = replace(remap.desk.approve_ticket, advance=lambda _: remap.desk.now(ticket))
        approve(APPROVER, ticket.ticket_id, ticket.digest or "")
        look, looks = remap.microsoft.observe_seats, count()

        def taking_it_back(tenant: TenantId) -> Seats:
            if next(looks) == 0:
                remap.desk.close.withdraw(OPERATOR, ticket.ticket_id, "after all not")
            return look(tenant)

        with patch.object(remap.microsoft, "observe_seats", taking_it_back):
            remap.look(ticket)
        assert remap.state(ticket)[0] is _T.WITHDRAWN
        assert (remap.entitled(remap.x), remap.entitled(remap.y)) == (40, 0)
        assert remap.operations(OperationKind.DELIVER) == []

    def test_records_that_change_meanwhile_change_nothing_of_whose_seats_move(self, remap: Remap) -> None:
        remap.desk.buy("01XX00", 10)
        remap.microsoft.sell(remap.x, A3, 10)
        ticket = remap.filed()
        remap.desk.record(licence("L9", holder="01XX00"))
        [ours, theirs] = remap.microsoft.take(remap.x, A3)
        remap.microsoft.bring(remap.x, [theirs])
        remap.microsoft.bring(remap.y, [ours])
        remap.look(ticket)
        assert (remap.entitled(remap.x, "01XX00"), remap.entitled(remap.y, "01XX00")) == (10, 0)
        assert (remap.entitled(remap.x), remap.entitled(remap.y)) == (0, 40)

    def test_license_ids_that_get_another_number_meanwhile_keep_nobody_waiting(self, remap: Remap) -> None:
        ticket = remap.filed()
        remap.desk.record(
            *(msgspec.structs.replace(licence(one), public_customer_number="PCN9") for one in ("L1", "L2"))
        )
        remap.move()
        remap.look(ticket)
        assert remap.state(ticket)[0] is _T.RUNNING
        assert (remap.entitled(remap.x), remap.entitled(remap.y)) == (0, 40)

    def test_a_domain_that_goes_to_another_tenant_meanwhile_changes_nothing(self, remap: Remap) -> None:
        domain = remap.desk.home.verified_domains[0]
        ticket = remap.desk.approve(remap.submit(from_tenant=domain))
        with remap.desk.open_uow() as uow:
            uow.tenants.save(msgspec.structs.replace(remap.desk.home, verified_domains=()))
            uow.commit()
        remap.desk.note_case(OPERATOR, ticket.ticket_id, "1")
        remap.move()
        remap.look(ticket)
        assert remap.state(ticket)[0] is _T.RUNNING
        assert remap.desk.draw_sheet(OPERATOR, ticket.ticket_id).wrong[1] == remap.x


class TestCase:
    def test_approved_it_waits_for_an_operator_to_ask(self, remap: Remap) -> None:
        ticket = remap.approved()
        assert remap.state(ticket) == (_T.AWAITING_MICROSOFT, Reason.MICROSOFT_TO_BE_ASKED)
        assert remap.desk.answers(ticket) == ["received", "assessed", "approved", "waiting"]
        with remap.desk.open_uow() as uow:
            assert Reason.MICROSOFT_TO_BE_ASKED in [one.reason for one in uow.worklist.items(remap.desk.clock.now())]

    def test_filed_is_on_record_and_told_once(self, remap: Remap) -> None:
        ticket = remap.filed()
        remap.desk.note_case(OPERATOR, ticket.ticket_id, "2612040050001234")
        assert remap.state(ticket) == (_T.AWAITING_MICROSOFT, None)
        assert remap.desk.answers(ticket)[-2:] == ["waiting", "waiting"]
        assert "ongeveer een week" in remap.desk.sheet(ticket).answers[-1].details["nl"]
        assert remap.desk.kinds(ticket).count("ticket.case_filed") == 1
        with remap.desk.open_uow() as uow:
            found = uow.records.list_by(RecordKind.VOLUME_LICENCE)
        assert {one.mapping_state for one in found} == {MappingState.REMAP_REQUESTED}

    @pytest.mark.parametrize("number", ["", "  ", "x" * 61, "12\n34"])
    def test_a_number_that_is_none(self, remap: Remap, number: str) -> None:
        ticket = remap.approved()
        with pytest.raises(InputError, match="the number under which"):
            remap.desk.note_case(OPERATOR, ticket.ticket_id, number)

    def test_not_before_it_is_approved(self, remap: Remap) -> None:
        with pytest.raises(ConflictError, match="nothing to ask"):
            remap.desk.note_case(OPERATOR, remap.submit().ticket_id, "1")

    @pytest.mark.parametrize("identity", [APPROVER, DESK, board_token()])
    def test_takes_an_operator(self, remap: Remap, identity: Identity) -> None:
        ticket = remap.approved()
        with pytest.raises(NotAllowedError):
            remap.desk.note_case(identity, ticket.ticket_id, "1")

    def test_the_sheet_has_what_support_asks_for_and_names_nobody(self, remap: Remap) -> None:
        sheet = remap.desk.draw_sheet(OPERATOR, remap.filed().ticket_id)
        assert sheet.wrong == (remap.desk.home.initial_domain, remap.x)
        assert sheet.right == (remap.desk.away.initial_domain, remap.y)
        assert (sheet.licence_ids, sheet.programs, sheet.case_number) == (("L1", "L2"), ("EES",), "2612040050001234")
        assert [(one.sku_id, one.seats) for one in sheet.products] == [(A3, 40)]
        assert [one.total for one in sheet.purchases] == [40]

    def test_the_sheet_is_not_for_boards(self, remap: Remap) -> None:
        ticket = remap.approved()
        with pytest.raises(NotAllowedError):
            remap.desk.draw_sheet(board_token(), ticket.ticket_id)

    def test_other_kinds_have_no_sheet(self, remap: Remap) -> None:
        with pytest.raises(ConflictError, match="no sheet"):
            remap.desk.draw_sheet(OPERATOR, remap.desk.submit().ticket_id)

    def test_microsoft_says_no(self, remap: Remap) -> None:
        closed = remap.desk.close.reject(OPERATOR, remap.filed().ticket_id, "order new licences")
        assert closed.state is _T.REJECTED
        assert remap.entitled(remap.x) == 40

    @pytest.mark.parametrize("days", [1, 6])
    def test_given_up_by_microsoft_only_after_days(self, remap: Remap, days: int) -> None:
        ticket = remap.filed()
        remap.microsoft.take(remap.x, A3)
        remap.look(ticket)
        remap.look(ticket, days=days)
        if days == 1:
            with pytest.raises(ConflictError, match="begun to move"):
                remap.desk.close.reject(OPERATOR, ticket.ticket_id, "order new licences")
        else:
            assert remap.desk.close.reject(OPERATOR, ticket.ticket_id, "order new licences").state is _T.REJECTED
        assert remap.entitled(remap.x) == 40

    @pytest.mark.parametrize("days", [4, 5])
    def test_in_both_for_days_it_may_end(self, remap: Remap, days: int) -> None:
        ticket = remap.filed()
        remap.microsoft.bring(remap.y, remap.microsoft.purchases[remap.x])
        remap.look(ticket)
        remap.look(ticket, days=days)
        if days == 4:
            with pytest.raises(ConflictError, match="begun to move"):
                remap.desk.close.reject(OPERATOR, ticket.ticket_id, "Microsoft leaves it so")
        else:
            ended = remap.desk.close.reject(OPERATOR, ticket.ticket_id, "Microsoft leaves it so")
            assert ended.state is _T.REJECTED

    def test_ran_out_it_may_end(self, remap: Remap) -> None:
        ticket = remap.filed()
        [one] = remap.microsoft.purchases[remap.x]
        remap.microsoft.purchases[remap.x] = [msgspec.structs.replace(one, status="Suspended")]
        remap.look(ticket)
        assert remap.desk.close.withdraw(OPERATOR, ticket.ticket_id, "renewed elsewhere").state is _T.WITHDRAWN

    def test_not_once_it_is_being_carried_out(self, remap: Remap) -> None:
        ticket = remap.filed()
        remap.move()
        remap.look(ticket)
        [serving] = remap.operations(OperationKind.DELIVER)
        remap.desk.bring(serving, OperationState.HELD, reason=Reason.SELECTOR_EMPTY)
        remap.look(ticket)
        assert remap.state(ticket)[0] is _T.HELD
        with pytest.raises(ConflictError):
            remap.desk.close.reject(OPERATOR, ticket.ticket_id, "no")

    def test_not_when_a_look_at_that_moment_shows_that_they_went(self, remap: Remap) -> None:
        ticket = remap.look(remap.filed())
        remap.move()  # within the hours between two looks
        with pytest.raises(ConflictError, match="begun to move"):
            remap.desk.close.withdraw(OPERATOR, ticket.ticket_id, "after all not")
        remap.look(ticket)
        assert remap.state(ticket) == (_T.RUNNING, None)

    def test_while_nobody_can_look_by_what_the_last_look_showed(self, remap: Remap) -> None:
        ticket = remap.look(remap.filed())
        remap.microsoft.trouble[remap.y] = RetryableError("Busy.", Reason.NO_ANSWER)
        assert remap.desk.close.reject(OPERATOR, ticket.ticket_id, "order new licences").state is _T.REJECTED

    def test_not_any_more_once_seats_are_on_their_way(self, remap: Remap) -> None:
        ticket = remap.filed()
        remap.microsoft.take(remap.x, A3)
        remap.look(ticket)
        with pytest.raises(ConflictError, match="begun to move"):
            remap.desk.close.withdraw(OPERATOR, ticket.ticket_id, "after all not")


class TestWaiting:
    def test_looks_ever_less_often_and_keeps_each_look(self, remap: Remap) -> None:
        ticket = remap.filed()
        gaps = []
        for _ in range(5):
            due = remap.desk.now(ticket).due_at
            assert due is not None
            gaps.append(due - remap.desk.clock.now())
            remap.desk.clock.moment = due
            remap.desk.sweep()
        assert gaps == sorted(gaps)
        assert gaps[0] < gaps[-1] <= timedelta(days=1)
        with remap.desk.open_uow() as uow:
            assert len({one.latest.at for one in uow.agreement_moves.looks(ticket.ticket_id)}) >= 5

    def test_between_looks_microsoft_is_left_alone(self, remap: Remap) -> None:
        ticket = remap.look(remap.filed(), hours=1)
        asked = remap.microsoft.asked[remap.x]
        for _ in range(5):
            remap.look(ticket, minutes=1)
        assert remap.microsoft.asked[remap.x] == asked

    def test_seats_in_both_are_nobodys_yet(self, remap: Remap) -> None:
        ticket = remap.filed()
        told = remap.desk.answers(ticket)
        remap.microsoft.bring(remap.y, remap.microsoft.purchases[remap.x])
        remap.look(ticket, days=3)
        assert remap.state(ticket) == (_T.AWAITING_MICROSOFT, None)
        assert remap.desk.answers(ticket) == told
        assert (remap.entitled(remap.x), remap.entitled(remap.y)) == (40, 0)
        assert remap.operations(OperationKind.DELIVER) == []

    def test_seats_that_stay_in_both_become_a_persons_work_and_go_on_by_themselves(self, remap: Remap) -> None:
        ticket = remap.filed()
        remap.microsoft.bring(remap.y, remap.microsoft.purchases[remap.x])
        remap.look(ticket, days=3)
        remap.look(ticket, hours=23)
        assert remap.state(ticket) == (_T.AWAITING_MICROSOFT, None)
        remap.look(ticket, hours=1)
        assert remap.state(ticket) == (_T.HELD, Reason.SEATS_HALF_MOVED)
        remap.look(ticket, hours=6)
        assert remap.desk.kinds(ticket).count("agreement.alarm") == 1
        remap.microsoft.take(remap.x, A3)
        remap.look(ticket)
        assert remap.state(ticket) == (_T.RUNNING, None)

    def test_a_case_that_moves_nothing_for_a_month_is_asked_for(self, remap: Remap) -> None:
        ticket = remap.approved()
        remap.look(ticket, days=29)
        assert remap.state(ticket) == (_T.AWAITING_MICROSOFT, Reason.MICROSOFT_TO_BE_ASKED)
        remap.desk.note_case(OPERATOR, ticket.ticket_id, "2612040050001234")
        remap.desk.note_case(OPERATOR, remap.look(ticket, days=29).ticket_id, "2612040050009999")
        assert remap.state(ticket) == (_T.AWAITING_MICROSOFT, None)
        remap.look(ticket, days=1)
        assert remap.state(ticket) == (_T.HELD, Reason.MICROSOFT_IS_SILENT)
        assert remap.desk.close.reject(OPERATOR, ticket.ticket_id, "order new licences").state is _T.REJECTED

    def test_an_order_that_arrives_in_the_new_tenant_is_not_the_agreement(self, remap: Remap) -> None:
        ticket = remap.filed()
        remap.microsoft.take(remap.x, A3)
        remap.microsoft.sell(remap.y, A3, 40)
        remap.desk.buy("01XX00", 40, tenant_id=remap.y)
        remap.look(ticket)
        assert remap.state(ticket)[0] is _T.AWAITING_MICROSOFT
        assert remap.entitled(remap.y) == 0

    @pytest.mark.parametrize("status", ["Warning", "Suspended"])
    def test_seats_in_grace_have_not_arrived(self, remap: Remap, status: str) -> None:
        ticket = remap.filed()
        remap.microsoft.bring(remap.y, remap.microsoft.take(remap.x, A3), status)
        remap.look(ticket)
        assert remap.state(ticket)[0] is _T.AWAITING_MICROSOFT
        assert remap.entitled(remap.y) == 0

    def test_missing_for_days_is_told_after_a_day_escalated_later_and_ends_by_itself(self, remap: Remap) -> None:
        ticket = remap.filed()
        gone = remap.microsoft.take(remap.x, A3)
        remap.look(ticket)
        assert remap.state(ticket)[0] is _T.AWAITING_MICROSOFT  # within a day it is patience
        remap.look(ticket, days=1)
        assert remap.state(ticket) == (_T.HELD, Reason.SEATS_NOWHERE)
        assert "agreement_alarm" in remap.alarms()
        assert remap.desk.kinds(ticket).count("agreement.alarm") == 1
        remap.look(ticket, days=4)
        assert remap.state(ticket) == (_T.HELD, Reason.SEATS_NOWHERE_FOR_DAYS)
        assert (remap.entitled(remap.x), remap.entitled(remap.y)) == (40, 0)
        remap.microsoft.bring(remap.y, gone)
        remap.look(ticket)
        assert remap.state(ticket) == (_T.RUNNING, None)
        assert remap.desk.answers(ticket)[-1] == "started"
        with remap.desk.open_uow() as uow:
            seen = [(one.before, one.after) for one in uow.audit.list_by() if one.kind == "agreement.seen"]
        assert sorted(seen) == [("unchanged", "vanished"), ("vanished", "moved")]

    def test_ran_out_instead_of_moving(self, remap: Remap) -> None:
        ticket = remap.filed()
        [one] = remap.microsoft.purchases[remap.x]
        remap.microsoft.purchases[remap.x] = [msgspec.structs.replace(one, status="Warning")]
        remap.look(ticket)
        assert remap.state(ticket) == (_T.HELD, Reason.SEATS_LAPSED)

    def test_others_that_moved_along_are_an_alarm_and_hold_up_nobody(self, remap: Remap) -> None:
        remap.microsoft.sell(remap.x, OTHER, 200)
        ticket = remap.filed()
        remap.microsoft.take(remap.x, OTHER)
        remap.move()
        remap.look(ticket)
        assert remap.state(ticket)[0] is _T.RUNNING
        assert remap.progress(ticket).alarms == (Reason.OTHERS_MOVED_ALONG,)

    def test_a_source_that_takes_back_its_consent_once_the_seats_were_seen_to_go_keeps_nobody_waiting(
        self, remap: Remap
    ) -> None:
        ticket = remap.filed()
        remap.move()
        remap.desk.clock.forward(timedelta(hours=12))
        remap.desk.advance(ticket.ticket_id)  # one look, which is not enough
        assert remap.state(ticket)[0] is _T.AWAITING_MICROSOFT
        remap.microsoft.trouble[remap.x] = ActionRequiredError("No.", Reason.CONSENT_REVOKED)
        remap.look(ticket)
        assert remap.state(ticket) == (_T.RUNNING, None)
        assert (remap.entitled(remap.x), remap.entitled(remap.y)) == (0, 40)
        assert len(remap.operations(OperationKind.DELIVER)) == 1

    def test_a_source_that_refuses_is_held_and_told_once(self, remap: Remap) -> None:
        ticket = remap.filed()
        remap.microsoft.trouble[remap.x] = ActionRequiredError("No.", Reason.CONSENT_REVOKED)
        remap.look(ticket)
        remap.look(ticket)
        assert remap.state(ticket) == (_T.HELD, Reason.CONSENT_REVOKED)
        assert remap.desk.answers(ticket).count("waiting") == 3
        remap.microsoft.trouble.clear()
        remap.look(ticket)
        assert remap.state(ticket) == (_T.AWAITING_MICROSOFT, None)


class TestWrongPlace:
    def _lost(self, remap: Remap) -> tuple[Ticket, str]:
        stranger = tenancy.tenant()
        with remap.desk.open_uow() as uow:
            uow.tenants.save(stranger)
            uow.commit()
        ticket = remap.filed()
        remap.microsoft.bring(stranger.tenant_id, remap.microsoft.take(remap.x, A3))
        remap.look(ticket)
        return ticket, stranger.tenant_id

    def test_is_an_alarm_at_once_and_names_nobody_elses_tenant(self, remap: Remap) -> None:
        ticket, stranger = self._lost(remap)
        assert remap.state(ticket) == (_T.HELD, Reason.SEATS_IN_WRONG_TENANT)
        assert remap.progress(ticket).seen_in == stranger
        assert "agreement_alarm" in remap.alarms()
        for_board = remap.desk.sheet(ticket, board_token())
        assert stranger not in msgspec.json.encode(for_board).decode()
        assert remap.desk.sheet(ticket).move is not None

    @pytest.mark.parametrize("days", [4, 5])
    def test_where_microsoft_leaves_them_it_ends_only_after_days(self, remap: Remap, days: int) -> None:
        ticket, _ = self._lost(remap)
        remap.look(ticket, days=days)
        if days == 4:
            with pytest.raises(ConflictError, match="begun to move"):
                remap.desk.close.reject(OPERATOR, ticket.ticket_id, "Microsoft leaves it so")
        else:
            ended = remap.desk.close.reject(OPERATOR, ticket.ticket_id, "Microsoft leaves it so")
            assert ended.state is _T.REJECTED

    def test_nothing_is_done_there_and_it_goes_on_when_they_are_right(self, remap: Remap) -> None:
        ticket, stranger = self._lost(remap)
        with remap.desk.open_uow() as uow:
            assert uow.operations.list_by() == []
        remap.microsoft.bring(remap.y, remap.microsoft.take(stranger, A3))
        remap.look(ticket)
        assert remap.state(ticket)[0] is _T.RUNNING
        assert {one.tenant_id for one in remap.operations(OperationKind.DELIVER)} == {remap.y}

    def test_seats_that_others_bought_there_are_theirs(self, remap: Remap) -> None:
        stranger = tenancy.tenant()
        with remap.desk.open_uow() as uow:
            uow.tenants.save(stranger)
            uow.commit()
        remap.desk.buy("01XX00", 40, tenant_id=stranger.tenant_id)
        remap.microsoft.sell(stranger.tenant_id, A3, 40)
        ticket = remap.filed()
        remap.microsoft.take(remap.x, A3)
        remap.look(ticket)
        assert remap.progress(ticket).seen_in is None


class TestArrived:
    def test_not_on_one_look_alone(self, remap: Remap) -> None:
        ticket = remap.filed()
        remap.move()
        remap.desk.clock.forward(timedelta(hours=12))
        remap.desk.advance(ticket.ticket_id)
        assert remap.entitled(remap.y) == 0
        due = remap.desk.now(ticket).due_at
        assert due is not None
        assert due - remap.desk.clock.now() <= timedelta(minutes=1)

    def _arrived(self, remap: Remap) -> Ticket:
        ticket = remap.filed()
        remap.move()
        return remap.look(ticket)

    def test_a_second_look_that_fails_is_none(self, remap: Remap) -> None:
        ticket = remap.filed()
        remap.move()
        remap.desk.clock.forward(timedelta(hours=12))
        remap.desk.advance(ticket.ticket_id)
        remap.microsoft.trouble[remap.x] = RetryableError("Away.", Reason.NO_ANSWER)
        remap.look(ticket, minutes=1)
        assert remap.entitled(remap.y) == 0
        remap.microsoft.trouble.clear()
        remap.look(ticket)
        assert remap.entitled(remap.y) == 40

    def test_what_was_there_when_it_was_approved_and_is_gone_is_a_persons_work(self, remap: Remap) -> None:
        remap.move()
        ticket = remap.submit()
        remap.microsoft.take(remap.y, A3)
        remap.desk.approve(ticket)
        remap.look(ticket)
        assert remap.state(ticket) == (_T.HELD, Reason.AGREEMENT_NOT_SEEN)
        assert remap.entitled(remap.y) == 0

    def test_with_nobody_to_serve_any_more_it_is_not_called_whole(self, remap: Remap) -> None:
        ticket = remap.filed()
        with remap.desk.open_uow() as uow:
            bound = uow.tenants.bindings_of(SCHOOL, TODAY + timedelta(days=1))
            [binding] = [one for one in bound if one.tenant_id == remap.y]
            uow.tenants.end_binding(binding.binding_id, TODAY)
            uow.commit()
        remap.move()
        remap.look(ticket, days=2)
        remap.look(ticket)
        [releasing] = remap.operations(OperationKind.RELEASE)  # without a seat it gives nobody anything
        remap.desk.bring(releasing, *_END)
        remap.look(ticket)
        assert remap.state(ticket)[0] is _T.PARTIALLY_COMPLETED

    def test_what_the_board_bought_beside_the_school_serves_the_school_too(self, remap: Remap) -> None:
        remap.desk.buy(BOARD, 15)
        remap.microsoft.sell(remap.x, A3, 15)
        self._arrived(remap)
        served = {one.wish.holder_id: one.wish.organisations for one in remap.operations(OperationKind.DELIVER)}
        assert served == {SCHOOL: (SCHOOL,), BOARD: (SCHOOL,)}
        assert remap.entitled(remap.y, BOARD) == 15

    def test_what_was_bought_follows_on_the_day(self, remap: Remap) -> None:
        ticket = self._arrived(remap)
        assert remap.state(ticket) == (_T.RUNNING, None)
        assert (remap.entitled(remap.x), remap.entitled(remap.y)) == (0, 40)
        with remap.desk.open_uow() as uow:
            entries = uow.ledger.list_by(SCHOOL)
            found = uow.records.list_by(RecordKind.VOLUME_LICENCE)
        assert [one.delta for one in entries] == [40, -40, 40]
        assert {one.cause_ref for one in entries[1:]} == {ticket.cause}
        assert {(one.tenant_id, one.mapping_state) for one in found} == {(remap.y, MappingState.REMAPPED)}
        assert remap.desk.kinds(ticket).count("licence.mapped") == 4  # asked, then moved, of two License IDs

    def test_one_delivery_serves_the_people_there(self, remap: Remap) -> None:
        self._arrived(remap)
        [serving] = remap.operations(OperationKind.DELIVER)
        assert (serving.tenant_id, serving.wish.holder_id) == (remap.y, SCHOOL)
        assert (serving.wish.organisations, serving.wish.sku_id) == ((SCHOOL,), A3)
        assert (serving.operation_id, serving.lane) in remap.desk.dispatcher.sent

    def test_base_and_extension_are_one_delivery(self, remap: Remap) -> None:
        remap.desk.buy(SCHOOL, 5, article_code=STAFF_MORE)
        remap.microsoft.sell(remap.x, A3, 5)
        self._arrived(remap)
        assert len(remap.operations(OperationKind.DELIVER)) == 1
        assert remap.entitled(remap.y) == 45

    def test_then_what_is_left_is_released_and_the_answer_has_numbers(self, remap: Remap) -> None:
        ticket = self._arrived(remap)
        [serving] = remap.operations(OperationKind.DELIVER)
        assert remap.operations(OperationKind.RELEASE) == []
        remap.desk.bring(serving, *_END)
        remap.look(ticket)
        [releasing] = remap.operations(OperationKind.RELEASE)
        assert (releasing.tenant_id, releasing.wish.sku_id) == (remap.x, A3)
        assert remap.state(ticket)[0] is _T.RUNNING
        again = msgspec.structs.replace(releasing, operation_id=OperationId("a-later-one"))
        with remap.desk.open_uow() as uow:
            found = [uow.tickets.behind(one) for one in (serving, releasing, again)]
            stranger = msgspec.structs.replace(releasing, tenant_id=remap.y)
            assert uow.tickets.behind(stranger) == []
        assert [[one.ticket_id for one in tickets] for tickets in found] == [[ticket.ticket_id]] * 3
        remap.desk.bring(releasing, *_END)
        remap.look(ticket)
        assert remap.state(ticket) == (_T.COMPLETED, None)
        assert remap.desk.answers(ticket)[-2:] == ["started", "completed"]
        assert remap.desk.sheet(ticket).answers[-1].details["seats"] == "40"

    def test_a_school_that_assigns_itself_clears_up_itself(self, remap: Remap) -> None:
        with remap.desk.open_uow() as uow:
            uow.tenants.add_policy(
                tenancy.policy(remap.x, assignment_mode=AssignmentMode.NONE, valid_from=TODAY + timedelta(days=1))
            )
            uow.commit()
        ticket = remap.filed()
        remap.move()
        remap.look(ticket, days=2)
        [serving] = remap.operations(OperationKind.DELIVER)
        remap.desk.bring(serving, *_END)
        remap.look(ticket)
        assert remap.state(ticket)[0] is _T.COMPLETED
        assert remap.operations(OperationKind.RELEASE) == []
        assert "opruimen" in remap.desk.sheet(ticket).answers[-1].details["nl"]

    def test_with_others_seats_in_the_source_nobody_loses_theirs_before_all_are_served(self, remap: Remap) -> None:
        remap.desk.buy("01XX00", 10)
        remap.microsoft.sell(remap.x, A3, 10)
        ticket = remap.filed()
        [mine, theirs] = remap.microsoft.take(remap.x, A3)
        remap.microsoft.purchases[remap.x] = [theirs]
        remap.microsoft.bring(remap.y, [mine])
        remap.look(ticket)
        [serving] = remap.operations(OperationKind.DELIVER)
        remap.desk.bring(serving, *_END[:-1], OperationState.PARTIALLY_COMPLETED)
        remap.look(ticket)
        assert remap.state(ticket)[0] is _T.PARTIALLY_COMPLETED
        assert remap.operations(OperationKind.RELEASE) == []

    def test_held_and_resumed_with_its_operation(self, remap: Remap) -> None:
        ticket = self._arrived(remap)
        [serving] = remap.operations(OperationKind.DELIVER)
        remap.desk.bring(serving, OperationState.HELD, reason=Reason.SELECTOR_EMPTY)
        remap.look(ticket)
        assert remap.state(ticket) == (_T.HELD, Reason.SELECTOR_EMPTY)


class TestCrash:
    """A worker that dies at any commit leaves what the next one finishes, once."""

    @pytest.mark.parametrize("commits", range(1, 9))
    def test_between_every_two_transactions(self, remap: Remap, commits: int) -> None:
        ticket = remap.filed()
        remap.move()
        with _dying_after(remap, commits):
            self._go_on(remap, ticket)
        self._go_on(remap, ticket)
        assert remap.state(ticket) == (_T.RUNNING, None)
        assert (remap.entitled(remap.x), remap.entitled(remap.y)) == (0, 40)
        assert len(remap.operations(OperationKind.DELIVER)) == 1
        assert remap.desk.answers(ticket).count("started") == 1
        assert remap.desk.kinds(ticket).count("entitlement.relocated") == 1

    @pytest.mark.parametrize("commits", range(6))
    def test_up_to_the_answer(self, remap: Remap, commits: int) -> None:
        ticket = remap.filed()
        remap.move()
        remap.look(ticket)
        [serving] = remap.operations(OperationKind.DELIVER)
        remap.desk.bring(serving, *_END)
        with _dying_after(remap, commits):
            self._go_on(remap, ticket)
        self._go_on(remap, ticket)
        [releasing] = remap.operations(OperationKind.RELEASE)
        remap.desk.bring(releasing, *_END)
        with _dying_after(remap, commits):
            self._go_on(remap, ticket)
        self._go_on(remap, ticket)
        assert remap.state(ticket) == (_T.COMPLETED, None)
        assert remap.desk.answers(ticket)[-2:] == ["started", "completed"]

    def test_two_at_once_move_it_once(self, remap: Remap) -> None:
        ticket = remap.filed()
        remap.move()
        remap.desk.clock.forward(timedelta(hours=12))
        remap.desk.advance(ticket.ticket_id)
        remap.desk.clock.forward(timedelta(seconds=10))
        with ThreadPoolExecutor(4) as workers:
            list(workers.map(self._one_of_several(remap, ticket), range(4)))
        assert (remap.entitled(remap.x), remap.entitled(remap.y)) == (0, 40)
        assert remap.desk.kinds(ticket).count("entitlement.relocated") == 1
        assert len(remap.operations(OperationKind.DELIVER)) == 1
        assert remap.look(ticket).state is _T.RUNNING
        assert remap.desk.answers(ticket).count("started") == 1

    def _one_of_several(self, remap: Remap, ticket: Ticket) -> Callable[[int], None]:
        def work(_: int) -> None:
            with suppress(ConflictError):  # as the sweep does: who was overtaken leaves it
                remap.desk.advance(ticket.ticket_id)

        return work

    def _go_on(self, remap: Remap, ticket: Ticket) -> None:
        try:
            for _ in range(3):
                remap.look(ticket)
        except _DeadError:
            pass


class _DeadError(Exception):
    pass


@contextmanager
def _dying_after(remap: Remap, commits: int) -> Any:
    """The next commits succeed, and then the process is gone: whatever is open is lost."""
    left = [commits]
    real = remap.desk.open_uow

    class Dying(SqlUnitOfWork):
        def commit(self) -> None:
            if not left[0]:
                raise _DeadError
            left[0] -= 1
            super().commit()

    def dying() -> SqlUnitOfWork:
        made = real()
        made.__class__ = Dying
        return made

    services = (remap.desk.advance, remap.desk.follow)
    for one in services:
        object.__setattr__(one, "open_uow", dying)
    try:
        yield
    finally:
        for one in services:
            object.__setattr__(one, "open_uow", real)


class TestStrays:
    """S32: ordered for one tenant, activated in another customer's."""

    def _stray(self, remap: Remap) -> tuple[Operation, str]:
        stranger = tenancy.tenant()
        remap.desk.buy(SCHOOL, 25, tenant_id=remap.y)
        remap.microsoft.sell(remap.y, OTHER, 1)
        wish = msgspec.structs.replace(
            make.wish(), sku_id=A3, holder_id=SCHOOL, organisations=(SCHOOL,), seats_wanted=25, seats_before=0
        )
        waiting = make.operation(remap.y, wish=wish, state=OperationState.AWAITING_SEATS)
        with remap.desk.open_uow() as uow:
            uow.tenants.save(stranger)
            uow.operations.add(waiting)
            uow.commit()
        remap.microsoft.sell(stranger.tenant_id, A3, 25)
        remap.desk.clock.forward(timedelta(days=2))
        return waiting, stranger.tenant_id

    def _prepared(self, remap: Remap) -> Ticket:
        with remap.desk.open_uow() as uow:
            [found] = [one for one in uow.tickets.list_by() if one.source == "system"]
        return found

    def test_prepares_a_ticket_once_and_alarms_operators_alone(self, remap: Remap) -> None:
        _, stranger = self._stray(remap)
        assert remap.desk.find_strays() == 1
        assert remap.desk.find_strays() == 0
        ticket = self._prepared(remap)
        assert (ticket.state, ticket.missing) == (_T.INCOMPLETE, ("requester",))
        assert remap.desk.answers(ticket) == []
        assert "agreement_alarm" in remap.alarms()
        assert stranger not in json.dumps(ticket.given)
        assert remap.progress(ticket).source == stranger

    def test_is_completed_by_an_operator_and_shows_the_board_nothing_of_the_other(self, remap: Remap) -> None:
        _, stranger = self._stray(remap)
        remap.microsoft.settle(stranger, *(person(f"z{n}", HeldLicence(A3)) for n in range(7)))
        remap.desk.find_strays()
        ticket = self._completed(remap)
        assert remap.state(ticket) == (_T.AWAITING_APPROVAL, None)
        for_board = remap.desk.sheet(ticket, board_token(SCHOOL))
        assert stranger not in msgspec.json.encode(for_board).decode()
        assert for_board.standing is not None
        assert "people_who_lose" not in for_board.standing.counts
        assert remap.desk.draw_sheet(OPERATOR, ticket.ticket_id).wrong[1] == stranger

    def test_moved_back_the_order_goes_on_and_nothing_is_taken_there(self, remap: Remap) -> None:
        waiting, stranger = self._stray(remap)
        remap.desk.find_strays()
        ticket = remap.desk.approve(self._completed(remap))
        remap.desk.note_case(OPERATOR, ticket.ticket_id, "77")
        remap.microsoft.bring(remap.y, remap.microsoft.take(stranger, A3))
        remap.look(ticket)
        assert remap.state(ticket) == (_T.COMPLETED, None)
        assert remap.entitled(remap.y) == 25
        with remap.desk.open_uow() as uow:
            assert [one.operation_id for one in uow.operations.list_by()] == [waiting.operation_id]

    def _completed(self, remap: Remap) -> Ticket:
        remap.desk.buy(SCHOOL, -40)
        form = self._form()
        taken = remap.desk.submit_tickets.complete(OPERATOR, self._prepared(remap).ticket_id, form)
        return taken.ticket

    def _form(self) -> Any:
        return TicketForm(reference="x", kind=TicketKind.REMAP_AGREEMENT, requester=CONTACT)

    def test_seats_that_belong_there_are_no_strays(self, remap: Remap) -> None:
        _, stranger = self._stray(remap)
        remap.desk.buy("01XX00", 25, tenant_id=stranger)
        assert remap.desk.find_strays() == 0

    def test_not_within_a_day(self, remap: Remap) -> None:
        self._stray(remap)
        remap.desk.clock.forward(timedelta(days=-2))
        assert remap.desk.find_strays() == 0

    def test_in_two_tenants_at_once_it_says_nothing(self, remap: Remap) -> None:
        self._stray(remap)
        another = tenancy.tenant()
        with remap.desk.open_uow() as uow:
            uow.tenants.save(another)
            uow.commit()
        remap.microsoft.sell(another.tenant_id, A3, 25)
        assert remap.desk.find_strays() == 0

    def test_who_lets_nobody_look_is_passed_by(self, remap: Remap) -> None:
        _, stranger = self._stray(remap)
        remap.microsoft.trouble[SkuId(stranger)] = RetryableError("Away.", Reason.NO_ANSWER)
        assert remap.desk.find_strays() == 0
