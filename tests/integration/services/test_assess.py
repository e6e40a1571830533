"""An assessment out of PostgreSQL is the one of the plan that was stored."""

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from config.limits import default_limits
from mappings.loader import load_mappings
from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.actors import Identity, Role
from provisioning.domain.ids import Actor, GroupId, OrganisationId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.observation import HeldLicence
from provisioning.domain.operation import BeforeImage, Change, Operation, StepKind
from provisioning.domain.reasons import Reason
from provisioning.planning.assessing import draw_assessment
from provisioning.planning.assessment import Assessment, DrawnPlan, Known, Reader
from provisioning.planning.plan import Plan
from provisioning.planning.quota import Sizes
from provisioning.planning.seats import SeatsSeen
from provisioning.ports import SubjectUpdate
from provisioning.services.assess import Assess
from tests.factories import NOW, tenancy
from tests.factories import operations as make
from tests.fakes import FakeClock

OpenUow = Callable[[], SqlUnitOfWork]
MAPPINGS = load_mappings()
BOARD, LINDE, EIK = (OrganisationId(code) for code in ("41000", "10AB00", "10AC00"))
OPERATOR = Identity(actor=Actor("person:duty"), roles=frozenset({Role.OPERATOR}))
HOME = tenancy.tenant()
A1 = (HeldLicence(make.A1),)


@pytest.fixture
def operation(open_uow: OpenUow) -> Operation:
    made = make.operation(HOME.tenant_id, wish=make.wish(holder_id=BOARD, organisations=(LINDE, EIK)))
    with open_uow() as uow:
        uow.organisations.save([tenancy.organisation(organisation_id=code) for code in (BOARD, LINDE, EIK)])
        uow.organisations.add_relations([tenancy.relation(BOARD, LINDE), tenancy.relation(BOARD, EIK)])
        uow.tenants.save(HOME)
        uow.operations.add(made)
        uow.commit()
    return made


def a_plan(operation: Operation) -> Plan:
    """Two swaps, one who waits, one through a group that is written to, and the group itself."""
    first, second, waits, member, group = make.people(5)
    through = Change(group_id=GroupId(group), add_sku=make.A3, remove_skus=(make.A1,))
    inherited = (HeldLicence(make.A1, group_id=GroupId(group)),)
    rows = (
        make.subject(first, organisation_id=LINDE, before=BeforeImage(licences=A1), notes=("KAIZALA_O365_P2",)),
        make.subject(second, organisation_id=EIK, before=BeforeImage(licences=A1)),
        make.subject(
            waits,
            organisation_id=EIK,
            before=BeforeImage(licences=A1),
            state=SubjectState.WAITING,
            reason=Reason.SEATS_INSUFFICIENT,
        ),
        make.subject(member, organisation_id=EIK, before=BeforeImage(licences=inherited)),
        make.subject(group, organisation_id=None, is_group=True),
    )
    steps = (
        make.swap(0, group, kind=StepKind.LICENSE_GROUP, change=through),
        make.swap(1, first),
        make.swap(2, second),
    )
    seen = SeatsSeen(sku_id=make.A3, enabled=3, in_grace=1, free=3, entitled=3)
    return make.plan(operation, subjects=rows, steps=steps, seats=seen)


def keep(open_uow: OpenUow, plan: Plan) -> None:
    with open_uow() as uow:
        pseudonyms = uow.audit.pseudonyms(plan.tenant_id, [one.subject_id for one in plan.subjects])
        uow.plans.add(plan, pseudonyms, sku=make.A3, valid_until=NOW + timedelta(days=1))
        uow.commit()


def assess(open_uow: OpenUow, operation: Operation, identity: Identity = OPERATOR) -> Assessment:
    make_it = Assess(open_uow=open_uow, clock=FakeClock(NOW), mappings=MAPPINGS, limits=default_limits())
    return make_it(identity, (operation.operation_id[:8],))


def of_value(operation: Operation, plan: Plan, open_uow: OpenUow) -> Assessment:
    """The same without a database."""
    with open_uow() as uow:
        names = {one: found.name for one in (LINDE, EIK) if (found := uow.organisations.find(one))}
    drawn = DrawnPlan(
        operation=operation,
        domain=HOME.initial_domain,
        digest=plan.envelope.digest,
        drawn_at=plan.drawn_at,
        observed_at=plan.observed_at,
        people=plan.subjects,
        steps=plan.steps,
        seats=plan.seats,
    )
    known = Known(mappings=MAPPINGS, sizes=Sizes.of(default_limits()), schools=names, now=NOW)
    return draw_assessment([drawn], known, Reader(names={one.subject_id: one.subject_id for one in plan.subjects}))


class TestStored:
    def test_says_what_the_value_says(self, open_uow: OpenUow, operation: Operation) -> None:
        plan = a_plan(operation)
        keep(open_uow, plan)
        made = assess(open_uow, operation)
        assert made == of_value(operation, plan, open_uow)
        assert (made.people, made.served, made.held, made.writes) == (4, 3, 1, 3)

    def test_keeps_its_counts_and_its_digest_while_the_plan_is_carried_out(
        self, open_uow: OpenUow, operation: Operation
    ) -> None:
        plan = a_plan(operation)
        keep(open_uow, plan)
        before = assess(open_uow, operation)
        with open_uow() as uow:
            lease = uow.leases.take(f"tenant:{operation.tenant_id}", "worker-1", NOW, timedelta(seconds=30))
            assert lease is not None
            done = SubjectUpdate(subject_id=plan.subjects[0].subject_id, state=SubjectState.VERIFIED)
            uow.journal.close(operation.operation_id, lease, [], [done])
            uow.commit()
        after = assess(open_uow, operation)
        assert (after.parts[0].schools, after.digest) == (before.parts[0].schools, before.digest)
        assert (after.served, after.held) == (before.served, before.held)

    def test_a_board_reads_none_of_the_others_bytes(self, open_uow: OpenUow, operation: Operation) -> None:
        keep(open_uow, a_plan(operation))
        board = Identity(actor=Actor("client:eik"), roles=frozenset({Role.BOARD}), board_id=EIK)
        told = msgspec.json.encode(assess(open_uow, operation, board)).decode()
        assert EIK in told
        assert LINDE not in told
