"""What each kind of ticket comes to."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.actors import Role
from provisioning.domain.errors import ConflictError, InputError, NotAllowedError
from provisioning.domain.ids import SYSTEM, OrganisationId, SkuId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.migration import Migration, Phase, Traveller
from provisioning.domain.migration_lifecycle import MigrationState, PersonState
from provisioning.domain.operation import OperationKind
from provisioning.domain.reasons import Reason
from provisioning.domain.records import Participant, RecordKind, VolumeLicence
from provisioning.domain.tenancy import SkuPolicy
from provisioning.domain.ticket import Ticket, TicketKind, TicketState
from provisioning.services.approve_plan import ApprovePlan
from provisioning.services.authors import authors_of
from tests.factories import NOW, TODAY, guid, migrations, tenancy, tickets
from tests.factories import operations as make
from tests.factories.tickets import BOARD, SCHOOL, SISTER
from tests.factories.trade import MAPPINGS, PUPILS, STAFF, sku_of
from tests.integration.services.ticket_scene import APPROVER, DESK, OPERATOR, Desk, filled_in

_O, _T = OperationState, TicketState
Open = Callable[[], SqlUnitOfWork]
A1 = SkuId("94763226-9b3c-4e75-a931-5c89701abe66")


@pytest.fixture
def desk(open_uow: Open) -> Desk:
    made = Desk(open_uow)
    made.authorise()
    return made


def change(**fields: Any) -> dict[str, Any]:
    given = {"organisations": [SCHOOL, SISTER], "from_sku": A1, "to_sku": sku_of(STAFF)}
    return {"kind": TicketKind.CHANGE_SKU, "given": given | fields}


class TestChangeSku:
    """S30, the side of the ticket."""

    def test_begins_one_remap_for_each_tenant_and_waits_until_all_plans_are_drawn(self, desk: Desk) -> None:
        with desk.open_uow() as uow:
            uow.tenants.add_binding(tenancy.binding(BOARD, desk.away.tenant_id, valid_from=date(2025, 1, 1)))
            uow.commit()
        ticket = desk.submit(**change(organisations=[SCHOOL, SISTER, BOARD]))
        operations = desk.operations(ticket)
        assert ticket.state is _T.ASSESSING
        assert {(one.kind, one.tenant_id, one.wish.organisations) for one in operations} == {
            (OperationKind.REMAP, desk.home.tenant_id, (SCHOOL, SISTER)),
            (OperationKind.REMAP, desk.away.tenant_id, (BOARD,)),
        }
        assert {one.wish.remap.from_sku for one in operations if one.wish.remap} == {A1}
        assert {sent for sent, _ in desk.dispatcher.sent} == {one.operation_id for one in operations}
        desk.draw(operations[0])
        desk.later(seconds=10)
        assert desk.now(ticket).state is _T.ASSESSING
        desk.draw(operations[1], people=2)
        desk.later(seconds=10)
        assert desk.now(ticket).state is _T.AWAITING_APPROVAL
        assert desk.sheet(ticket).answers[-1].details["pending"] == "5"
        assert desk.sheet(ticket).answers[-1].details["tenants"] == "2"

    def test_is_approved_with_every_plan_in_one_act(self, desk: Desk) -> None:
        ticket = self._drawn(desk)
        desk.dispatcher.sent.clear()
        running = desk.approve(ticket)
        [operation] = desk.operations(ticket)
        assert (running.state, operation.state) == (_T.RUNNING, _O.APPLYING)
        assert desk.dispatcher.sent == [(operation.operation_id, operation.lane)]
        with desk.open_uow() as uow:
            plan = uow.plans.current(operation.operation_id)
        assert plan is not None
        assert plan.approved_by == APPROVER.actor

    def test_nobody_goes_round_the_ticket_by_its_plan(self, desk: Desk) -> None:
        ticket = self._drawn(desk)
        [operation] = desk.operations(ticket)
        approve = ApprovePlan(open_uow=desk.open_uow, clock=desk.clock, dispatcher=desk.dispatcher)
        with pytest.raises(ConflictError, match="part of ticket"):
            approve(APPROVER, operation.operation_id, "00000000")

    def test_until_it_has_ended_whom_it_left_out_has_a_plan_of_their_own(self, desk: Desk) -> None:
        ticket = desk.approve(self._drawn(desk))
        [operation] = desk.operations(ticket)
        desk.bring(operation, _O.VERIFYING)
        desk.bring(operation, _O.PARTIALLY_COMPLETED, due_at=None)
        desk.later(seconds=10)
        later = msgspec.structs.replace(operation, operation_id=guid(), state=_O.PLANNING)
        with desk.open_uow() as uow:
            uow.operations.add(later)
            uow.commit()
        desk.draw(later)
        with desk.open_uow() as uow:
            plan = uow.plans.current(later.operation_id)
        assert plan is not None
        approve = ApprovePlan(open_uow=desk.open_uow, clock=desk.clock, dispatcher=desk.dispatcher)
        assert approve(APPROVER, later.operation_id, plan.digest).state is _O.APPLYING
        assert desk.now(ticket).state is _T.PARTIALLY_COMPLETED

    def test_whoever_made_the_binding_does_not_approve(self, desk: Desk) -> None:
        ticket = self._drawn(desk)
        author = msgspec.structs.replace(APPROVER, actor=tenancy.AUTHOR, roles=frozenset({Role.APPROVER}))
        with pytest.raises(NotAllowedError, match="binding"):
            desk.approve(ticket, author)
        assert {one.state for one in desk.operations(ticket)} == {_O.AWAITING_APPROVAL}

    def test_whoever_wrote_it_approves_no_plan_that_follows_from_it(self, desk: Desk) -> None:
        """Once it has ended its plans have a door of their own: for those whom seats reach later."""
        ticket = self._drawn(desk)
        [operation] = desk.operations(ticket)
        with desk.open_uow() as uow:
            plan = uow.plans.current(operation.operation_id)
            assert plan is not None
            later = msgspec.structs.replace(plan, requested_by=SYSTEM)
            hands = dict(authors_of(uow, operation, later))
        assert set(ticket.authors) <= hands.keys()
        assert APPROVER.actor not in hands

    @pytest.mark.parametrize(
        ("end", "expected"),
        [(_O.COMPLETED, _T.COMPLETED), (_O.PARTIALLY_COMPLETED, _T.PARTIALLY_COMPLETED)],
    )
    def test_ends_as_its_operations_do(self, desk: Desk, end: OperationState, expected: TicketState) -> None:
        ticket = desk.approve(self._drawn(desk))
        [operation] = desk.operations(ticket)
        desk.bring(operation, _O.VERIFYING)
        desk.later(seconds=10)
        assert desk.now(ticket).state is _T.RUNNING
        desk.bring(operation, end, due_at=None)
        desk.later(seconds=10)
        assert desk.now(ticket).state is expected
        assert desk.answers(ticket) == ["received", "assessed", "approved", "started", expected.value]

    def test_is_held_with_its_operation_and_goes_on_with_it(self, desk: Desk) -> None:
        ticket = desk.approve(self._drawn(desk))
        [operation] = desk.operations(ticket)
        desk.bring(operation, _O.HELD, reason=Reason.STOPPED, due_at=None)
        desk.later(seconds=10)
        assert (desk.now(ticket).state, desk.now(ticket).reason) == (_T.HELD, Reason.STOPPED)
        desk.bring(operation, _O.APPLYING, reason=None, due_at=desk.clock.now())
        desk.later(minutes=2)
        assert desk.now(ticket).state is _T.RUNNING
        assert desk.answers(ticket)[4:] == ["waiting"]

    def test_a_plan_that_is_drawn_anew_is_approved_anew_and_told_when_it_differs(self, desk: Desk) -> None:
        ticket = self._drawn(desk)
        [operation] = desk.operations(ticket)
        for people in (3, 4):
            desk.draw(operation, people)
            desk.later(minutes=2)
            assert desk.now(ticket).state is _T.AWAITING_APPROVAL
        assert desk.answers(ticket) == ["received", "assessed", "assessed"]
        with pytest.raises(ConflictError, match="not what you saw"):
            desk.approve_ticket(APPROVER, ticket.ticket_id, ticket.digest or "")

    def test_withdrawn_its_operations_are_called_off(self, desk: Desk) -> None:
        ticket = self._drawn(desk)
        desk.close.withdraw(OPERATOR, ticket.ticket_id, "asked twice")
        assert [(one.state, one.reason) for one in desk.operations(ticket)] == [(_O.CANCELLED, Reason.TICKET_CLOSED)]

    def test_authority_that_comes_back_finds_the_same_operations(self, desk: Desk) -> None:
        ticket = self._drawn(desk)
        before = {one.operation_id for one in desk.operations(ticket)}
        desk.record(tickets.mandate(record_id="m", valid_until=TODAY - timedelta(days=1)))
        assert desk.now(ticket).state is _T.AWAITING_AUTHORITY
        desk.record(tickets.mandate(record_id="m"))
        assert desk.now(ticket).state is _T.AWAITING_APPROVAL
        assert {one.operation_id for one in desk.operations(ticket)} == before

    def test_nobody_has_the_product(self, desk: Desk) -> None:
        ticket = desk.submit(**change())
        [operation] = desk.operations(ticket)
        desk.bring(operation, _O.PLANNING)
        desk.bring(operation, _O.COMPLETED, due_at=None)
        desk.later(seconds=10)
        assert (desk.now(ticket).state, desk.now(ticket).reason) == (_T.REJECTED, Reason.NOTHING_TO_CHANGE)

    def test_products_that_cannot_take_each_others_place_are_refused_in_the_boards_language(self, desk: Desk) -> None:
        ticket = desk.submit(**change(to_sku=sku_of(PUPILS)))
        assert (ticket.state, ticket.reason) == (_T.REJECTED, Reason.REMAP_REFUSED)
        told = desk.sheet(ticket).answers[-1].details
        assert "words" not in told
        assert "met deze producten niet mogelijk" in told["nl"]
        assert desk.operations(ticket) == []

    def test_a_product_that_we_do_not_know_waits_for_a_person_and_says_so_once(self, desk: Desk) -> None:
        ticket = desk.submit(**change(to_sku="11111111-0000-4000-8000-000000000000"))
        desk.later(minutes=2)
        assert (desk.now(ticket).state, desk.now(ticket).reason) == (_T.HELD, Reason.SKU_UNKNOWN)
        assert desk.answers(ticket) == ["received", "waiting"]
        assert "mappings/" not in str(desk.sheet(ticket).answers)

    def test_an_organisation_without_a_tenant_waits_for_a_person_and_goes_on_by_itself(self, desk: Desk) -> None:
        ticket = desk.submit(**change(organisations=[BOARD]))
        assert (ticket.state, ticket.reason) == (_T.HELD, Reason.TENANT_NOT_BOUND)
        desk.later(minutes=2)
        with desk.open_uow() as uow:
            uow.tenants.add_binding(tenancy.binding(BOARD, desk.home.tenant_id, valid_from=TODAY))
            uow.commit()
        desk.later(minutes=2)
        assert desk.now(ticket).state is _T.ASSESSING
        assert desk.answers(ticket) == ["received", "waiting"]

    def _drawn(self, desk: Desk) -> Ticket:
        ticket = desk.submit(**change())
        [operation] = desk.operations(ticket)
        desk.draw(operation)
        desk.later(seconds=10)
        return desk.now(ticket)


class TestRemapHolder:
    def test_s29_the_school_takes_part_in_the_boards_agreement(self, desk: Desk) -> None:
        desk.record(tickets.declaration(SISTER, record_id="d"), tickets.mandate(SCHOOL, record_id="m2"))
        desk.approve(desk.submit())
        with desk.open_uow() as uow:
            written = uow.records.list_by(RecordKind.PARTICIPANT)
        assert all(isinstance(one, Participant) and one.agreement_id == "a" for one in written)
        # the declaration's own schools stay: the first participant of an agreement takes the place of its list
        assert {one.organisation_id for one in written} == {SISTER, SCHOOL}

    def test_whoever_filled_it_in_is_the_author_of_what_it_recorded(self, desk: Desk) -> None:
        desk.record(tickets.declaration(SISTER, record_id="d"), tickets.mandate(SCHOOL, record_id="m2"))
        asked = {"kind": TicketKind.REMAP_HOLDER, "given": tickets.holder_wish()}
        ticket = filled_in(desk, asked, "to_holder")
        desk.approve(ticket)
        with desk.open_uow() as uow:
            written = uow.records.list_by(RecordKind.PARTICIPANT)
            assert {uow.records.author(RecordKind.PARTICIPANT, one.record_id) for one in written} == {OPERATOR.actor}

    def test_who_takes_part_already_is_not_written_again(self, desk: Desk) -> None:
        desk.approve(desk.submit())
        with desk.open_uow() as uow:
            assert uow.records.list_by(RecordKind.PARTICIPANT) == []

    def test_waits_while_work_rests_on_what_would_go(self, desk: Desk) -> None:
        wish = make.wish(holder_id=SCHOOL, sku_id=sku_of(STAFF))
        busy = make.operation(desk.home.tenant_id, wish=wish, state=_O.APPLYING)
        with desk.open_uow() as uow:
            uow.operations.add(busy)
            uow.commit()
        ticket = desk.submit()
        assert (ticket.state, ticket.reason) == (_T.HELD, Reason.WORK_UNDER_WAY)
        desk.bring(busy, _O.VERIFYING)
        desk.bring(busy, _O.COMPLETED, due_at=None)
        desk.later(minutes=2)
        assert desk.now(ticket).state is _T.AWAITING_APPROVAL

    @pytest.mark.parametrize(
        ("given", "state", "reason"),
        [
            ({"from_holders": [SISTER]}, _T.REJECTED, Reason.NOTHING_TO_CHANGE),
            ({"sku_id": sku_of(PUPILS)}, _T.REJECTED, Reason.NOTHING_TO_CHANGE),
            ({"agreement_id": "of-nobody"}, _T.HELD, Reason.AGREEMENT_UNKNOWN),
        ],
    )
    def test_says_why_it_cannot_be(
        self, desk: Desk, given: dict[str, object], state: TicketState, reason: Reason
    ) -> None:
        ticket = desk.submit(given=tickets.holder_wish(**given))
        assert (ticket.state, ticket.reason) == (state, reason)

    def test_two_approvals_at_once_transfer_once(self, desk: Desk) -> None:
        first, second = desk.submit(), desk.submit()
        desk.approve(first)
        with pytest.raises(ConflictError):
            desk.approve(second)
        desk.later(minutes=2)
        assert (desk.now(second).state, desk.now(second).reason) == (_T.REJECTED, Reason.NOTHING_TO_CHANGE)
        assert desk.entitled(BOARD) == 40


class TestServicePlanPolicy:
    PLANS = tuple(plan.name for plan in MAPPINGS.skus[sku_of(STAFF)].plans)

    def _given(self, desk: Desk, **fields: Any) -> dict[str, Any]:
        given = {"tenant": desk.home.tenant_id, "sku_id": sku_of(STAFF)} | fields
        return {"kind": TicketKind.SERVICE_PLAN_POLICY, "given": given}

    def _policy(self, desk: Desk) -> SkuPolicy:
        with desk.open_uow() as uow:
            return uow.tenants.policy_on(desk.home.tenant_id, TODAY).skus[sku_of(STAFF)]

    def test_is_proposed_and_put_in_force_in_one_act(self, desk: Desk) -> None:
        one, other = self.PLANS[:2]
        done = desk.approve(desk.submit(**self._given(desk, off=[one, other])))
        assert (done.state, len(self._policy(desk).disabled_plans)) == (_T.COMPLETED, 2)
        with desk.open_uow() as uow:
            policy = uow.tenants.policy_on(desk.home.tenant_id, TODAY)
        assert (policy.created_by, policy.approved_by, policy.asked_by) == (
            done.requested_by,
            APPROVER.actor,
            done.cause,
        )

    def test_whoever_filled_it_in_is_an_author_of_the_policy(self, desk: Desk) -> None:
        desk.approve(filled_in(desk, self._given(desk, off=[self.PLANS[0]]), "sku_id"))
        with desk.open_uow() as uow:
            policy = uow.tenants.policy_on(desk.home.tenant_id, TODAY)
        assert policy.hands == (DESK.actor, OPERATOR.actor)

    def test_r28_the_answer_says_that_nobody_loses_or_gets_a_plan_now(self, desk: Desk) -> None:
        ticket = desk.submit(**self._given(desk, off=[self.PLANS[0]]))
        assert "tot de volgende wijziging" in desk.sheet(ticket).answers[-1].details["nl"]
        done = desk.sheet(desk.approve(ticket)).answers[-1]
        assert "until their licence changes next" in done.details["en"]
        assert desk.dispatcher.sent == []

    def test_what_was_off_stays_off_beside_what_goes_on(self, desk: Desk) -> None:
        one, other, third = self.PLANS[:3]
        desk.approve(desk.submit(**self._given(desk, off=[one, other])))
        last = msgspec.structs.replace(APPROVER, actor="person:second-approver")
        desk.approve(desk.submit(**self._given(desk, off=[third], on=[one])), last)
        names = {plan.plan_id: plan.name for plan in MAPPINGS.skus[sku_of(STAFF)].plans}
        assert {names[plan] for plan in self._policy(desk).disabled_plans} == {other, third}

    def test_everybody_in_the_tenant_must_be_spoken_for(self, desk: Desk) -> None:
        with desk.open_uow() as uow:
            uow.tenants.add_binding(tenancy.binding("42000", desk.home.tenant_id))
            uow.commit()
        ticket = desk.submit(**self._given(desk, off=[self.PLANS[0]]))
        assert (ticket.state, ticket.reason) == (_T.AWAITING_AUTHORITY, Reason.ORGANISATION_NOT_PARTICIPANT)

    def test_another_policy_meanwhile_makes_it_another_assessment(self, desk: Desk) -> None:
        ticket = desk.submit(**self._given(desk, off=[self.PLANS[0]]))
        with desk.open_uow() as uow:
            uow.tenants.add_policy(tenancy.policy(desk.home.tenant_id, approved_by=None, digest="d" * 64))
            uow.tenants.approve_policy(desk.home.tenant_id, "d" * 64, tenancy.SECOND, desk.clock.now())
            uow.commit()
        with pytest.raises(ConflictError, match="not what you saw"):
            desk.approve(ticket)

    def test_off_already(self, desk: Desk) -> None:
        desk.approve(desk.submit(**self._given(desk, off=[self.PLANS[0]])))
        again = desk.submit(**self._given(desk, off=[self.PLANS[0].lower()]))
        assert (again.state, again.reason) == (_T.REJECTED, Reason.NOTHING_TO_CHANGE)


class TestMoveSchool:
    def _ticket(self, desk: Desk) -> Ticket:
        desk.record(tickets.mandate("42000", record_id="m42"))
        given = {
            "school": SCHOOL,
            "to_board": "42000",
            "from_tenant": desk.home.initial_domain,
            "to_tenant": desk.away.initial_domain,
            "people": '{"domain":"school.example"}',
            "products": {sku_of(STAFF): sku_of(STAFF)},
        }
        return desk.submit(kind=TicketKind.MOVE_SCHOOL, given=given)

    def test_waits_for_an_operator_with_a_draft(self, desk: Desk) -> None:
        ticket = self._ticket(desk)
        assert (ticket.state, ticket.reason) == (_T.HELD, Reason.MIGRATION_TO_PREPARE)
        draft = desk.show.draft(OPERATOR, ticket.ticket_id)
        assert ticket.cause in draft
        assert desk.home.initial_domain in draft
        with pytest.raises(ConflictError, match="waits for no approval"):
            desk.approve(ticket)

    @pytest.mark.parametrize(
        ("left", "state", "last"),
        [
            ((), _T.COMPLETED, "completed"),
            ((PersonState.LEFT_OUT,), _T.COMPLETED, "completed"),
            ((PersonState.FAILED,), _T.PARTIALLY_COMPLETED, "partially_completed"),
            ((PersonState.ROLLED_BACK,), _T.PARTIALLY_COMPLETED, "partially_completed"),
        ],
        ids=str,
    )
    def test_follows_the_migration_that_says_it_comes_of_it(
        self, desk: Desk, left: tuple[PersonState, ...], state: TicketState, last: str
    ) -> None:
        ticket = self._ticket(desk)
        made = migrations.migration(desk.home.tenant_id, desk.away.tenant_id)
        definition = msgspec.structs.replace(made.definition, asked_by=ticket.cause)
        people = [self._person(made, one) for one in (PersonState.RELEASED, *left)]
        with desk.open_uow() as uow:
            uow.migrations.add(msgspec.structs.replace(made, definition=definition), migrations.waves(made))
            uow.migrations.replace_travellers(made.migration_id, people)
            uow.commit()
        desk.later(minutes=2)
        assert desk.now(ticket).state is _T.RUNNING
        for next_state in (MigrationState.MATCHED, MigrationState.RUNNING, MigrationState.COMPLETED):
            with desk.open_uow() as uow:
                present = uow.migrations.get(made.migration_id)
                uow.migrations.save(msgspec.structs.replace(present, state=next_state, due_at=None))
                uow.commit()
        desk.later(minutes=2)
        assert desk.now(ticket).state is state
        assert desk.answers(ticket) == ["received", "waiting", "started", last]
        told = desk.sheet(ticket).answers[-1].details
        assert (told["people_moved"], int(told["people_left_out"]) + int(told["people_not_moved"])) == ("1", len(left))

    @pytest.mark.parametrize("other", ["tenant", "board"])
    def test_a_migration_of_another_that_has_its_reference_is_not_its_own(self, desk: Desk, other: str) -> None:
        ticket = self._ticket(desk)
        tenants = [desk.home.tenant_id, desk.away.tenant_id]
        made = migrations.migration(*(reversed(tenants) if other == "tenant" else tenants))
        board = {"target_holder": OrganisationId("43000")} if other == "board" else {}
        definition = msgspec.structs.replace(made.definition, asked_by=ticket.cause, **board)
        with desk.open_uow() as uow:
            uow.migrations.add(msgspec.structs.replace(made, definition=definition), migrations.waves(made))
            uow.commit()
        desk.later(minutes=2)
        assert (desk.now(ticket).state, desk.now(ticket).reason) == (_T.HELD, Reason.MIGRATION_TO_PREPARE)

    def _person(self, made: Migration, state: PersonState) -> Traveller:
        failed = {"failed_in": Phase.PREPARE, "reason": Reason.NOT_FOUND} if state is PersonState.FAILED else {}
        arrived = {"enabled_at": NOW} if state is PersonState.RELEASED else {}
        return migrations.traveller(made, state=state, **failed, **arrived)

    def test_both_boards_must_be_spoken_for(self, desk: Desk) -> None:
        given = {"school": SCHOOL, "to_board": "42000", "from_tenant": "a.example", "to_tenant": "b.example"}
        rest = {"people": '{"domain":"a.example"}', "products": {sku_of(STAFF): sku_of(STAFF)}}
        ticket = desk.submit(kind=TicketKind.MOVE_SCHOOL, given=given | rest)
        assert ticket.state is _T.AWAITING_AUTHORITY

    def test_other_kinds_have_no_draft(self, desk: Desk) -> None:
        with pytest.raises(InputError, match="no migration"):
            desk.show.draft(OPERATOR, desk.submit().ticket_id)


class TestRemapAgreement:
    def _ticket(self, desk: Desk, **fields: Any) -> Ticket:
        given = {
            "public_customer_number": "PCN1",
            "licence_ids": ["L1", "L2"],
            "from_tenant": desk.home.initial_domain,
            "to_tenant": desk.away.initial_domain,
        }
        return desk.submit(kind=TicketKind.REMAP_AGREEMENT, given=given | fields)

    def _licence(self, number: str, holder: str = SCHOOL) -> VolumeLicence:
        return VolumeLicence(
            record_id=number,
            organisation_id=OrganisationId(holder),
            agreement_id="a",
            public_customer_number="PCN1",
        )

    @pytest.mark.parametrize(
        ("fields", "reason"),
        [({"seats": 40}, Reason.PART_OF_LICENSE_ID), ({"licence_ids": ["L1"]}, Reason.NOT_ALL_LICENSE_IDS)],
    )
    def test_s31_a_part_is_explained_and_refused_and_nothing_begins(
        self, desk: Desk, fields: dict[str, object], reason: Reason
    ) -> None:
        desk.record(self._licence("L1"), self._licence("L2"))
        ticket = self._ticket(desk, **fields)
        assert (ticket.state, ticket.reason) == (_T.REJECTED, reason)
        said = desk.sheet(ticket).answers[-1].details
        assert "nieuwe licenties bestellen" in said["nl"]
        assert "move_school" in said["en"]
        assert desk.operations(ticket) == []

    def test_whoever_holds_a_license_id_of_the_number_must_be_spoken_for(self, desk: Desk) -> None:
        desk.record(self._licence("L1"), self._licence("L2", "42000"))
        assert self._ticket(desk).state is _T.AWAITING_AUTHORITY
