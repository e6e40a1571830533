"""Who gets which assessment of which operations, put together from what is stored."""

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from config.limits import default_limits
from provisioning.domain.actors import ANONYMOUS, Identity, Role
from provisioning.domain.errors import InputError
from provisioning.domain.ids import Actor, OperationId, OrganisationId, PlanId, Pseudonym, TenantId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.order import LedgerCause, LedgerEntry
from provisioning.domain.tenancy import Organisation, OrganisationKind, Relation, RelationKind
from provisioning.planning.assessment import Assessment, Feasibility
from provisioning.planning.assessment_facts import Fact, FactKind
from provisioning.planning.plan import Plan
from provisioning.ports import PlannedPerson, PlanRecord
from provisioning.services.assess import Assess
from tests.unit.planning.assessments import Chosen, a_wish, planned, some
from tests.unit.planning.scene import A1, A3, MAPPINGS, held, seats
from tests.unit.services.fakes_access import (
    APPROVER,
    AUDITOR,
    NOW,
    OPERATION,
    OPERATOR,
    TENANT,
    FakeClock,
    World,
    a_binding,
    a_tenant,
    an_operation,
)

BOARD, LINDE, EIK = OrganisationId("41000"), OrganisationId("00XX01"), OrganisationId("00XX02")
OTHER_BOARD, BEUK = OrganisationId("42000"), OrganisationId("00ZZ01")
OTHER = OperationId("bbbb0001-0000-4000-8000-000000000000")
PUBLIC = {BOARD: "Stichting Noord", LINDE: "De Linde", EIK: "De Eik", OTHER_BOARD: "Stichting Zuid", BEUK: "De Beuk"}
DESK = Identity(actor=Actor("client:desk"), roles=frozenset({Role.DESK}))


def of_board(board: OrganisationId | None) -> Identity:
    return Identity(actor=Actor("client:noord"), roles=frozenset({Role.BOARD}), board_id=board)


def a_plan(world: World, chosen: list[Chosen], operation: OperationId = OPERATION, **known: Any) -> Plan:
    plan = planned(chosen, **known)
    plan_id = PlanId(f"plan-of-{operation}")
    world.plans.append(
        PlanRecord(
            plan_id=plan_id,
            operation_id=operation,
            digest=f"digest-of-{operation}",
            envelope=msgspec.json.encode(plan.envelope),
            drawn_at=NOW,
            observed_at=NOW,
            valid_until=NOW + timedelta(days=1),
            guard_breaches=plan.guard_breaches,
            requested_by=OPERATOR.actor,
            seats=plan.seats,
        )
    )
    people = [
        PlannedPerson(**msgspec.structs.asdict(one), pseudonym=Pseudonym(f"p-{one.subject_id}"))
        for one in plan.subjects
    ]
    world.planned[plan_id] = (people, list(plan.steps))
    return plan


def an_order(world: World, operation: OperationId = OPERATION, holder: OrganisationId = BOARD, **changes: Any) -> None:
    organisations = changes.pop("organisations", (LINDE, EIK))
    wish = a_wish(holder_id=holder, **changes.pop("wish", {}))
    wish = msgspec.structs.replace(wish, organisations=organisations)
    state = changes.pop("state", OperationState.AWAITING_APPROVAL)
    an_operation(world, state, operation_id=operation, wish=wish, **changes)


@pytest.fixture
def world() -> World:
    """Two boards with their schools; an operation of the first, for four people of whom three get a seat."""
    world = World()
    a_tenant(world)
    for organisation, name in PUBLIC.items():
        kind = OrganisationKind.BOARD if organisation in {BOARD, OTHER_BOARD} else OrganisationKind.LOCATION
        world.organisations[organisation] = Organisation(organisation_id=organisation, kind=kind, name=name)
    for parent, child in ((BOARD, LINDE), (BOARD, EIK), (OTHER_BOARD, BEUK)):
        world.relations.append(
            Relation(parent_id=parent, child_id=child, kind=RelationKind.HIERARCHICAL, valid_from=date(2020, 1, 1))
        )
    for school in (LINDE, EIK):
        a_binding(world, organisation_id=school)
    an_order(world)
    a_plan(world, [*some(3, LINDE), *some(1, EIK)], seats=seats(3), entitlement=3)
    return world


def assess(world: World, identity: Identity = OPERATOR, *named: str, facts: tuple[Fact, ...] = ()) -> Assessment:
    make = Assess(open_uow=world.open, clock=FakeClock(), mappings=MAPPINGS, limits=default_limits())
    return make(identity, named or ("77aa",), facts)


def a_strangers_operation(world: World, **changes: Any) -> None:
    an_order(world, OTHER, OTHER_BOARD, organisations=(BEUK,), **changes)
    a_plan(world, some(2, BEUK), OTHER)


class TestOperator:
    def test_gets_everything_that_is_stored(self, world: World) -> None:
        made = assess(world)
        [part] = made.parts
        assert (made.people, made.served, made.held, made.feasibility) == (4, 3, 1, Feasibility.PARTLY)
        assert [school.name for school in part.schools] == ["De Eik", "De Linde"]
        assert (part.domain, part.digest) == ("school.onmicrosoft.com", f"digest-of-{OPERATION}")
        assert (part.seats.enabled, part.seats.free, part.seats.missing) == (3, 3, 1)
        assert made.for_board is None

    def test_of_several_operations_at_once_each_once(self, world: World) -> None:
        a_strangers_operation(world)
        made = assess(world, OPERATOR, "77aa", "bbbb", OTHER)
        assert [part.operation_id for part in made.parts] == [OPERATION, OTHER]
        assert made.people == 6

    def test_where_there_is_no_plan_yet_that_is_said(self, world: World) -> None:
        an_order(world, OTHER, state=OperationState.PLANNING)
        made = assess(world, OPERATOR, "77aa", "bbbb")
        assert made.feasibility is Feasibility.UNKNOWN
        assert [(one.kind, one.names) for one in made.facts] == [
            (FactKind.LOOK_INCOMPLETE, ("school.onmicrosoft.com",))
        ]

    def test_of_what_ended_without_a_plan_none_is_awaited(self, world: World) -> None:
        an_order(world, OTHER, state=OperationState.COMPLETED)
        assert assess(world, OPERATOR, "77aa", "bbbb").facts == ()

    def test_the_digest_is_another_once_the_plan_is_there(self, world: World) -> None:
        an_order(world, OTHER, state=OperationState.PLANNING)
        before = assess(world, OPERATOR, "77aa", "bbbb")
        a_plan(world, some(1, EIK), OTHER)
        assert assess(world, OPERATOR, "77aa", "bbbb").digest != before.digest

    def test_what_no_plan_knows_comes_along(self, world: World) -> None:
        blocked = Fact(kind=FactKind.PART_OF_LICENSE_ID, names=("L1",))
        made = assess(world, facts=(blocked,))
        assert (made.feasibility, made.facts) == (Feasibility.IMPOSSIBLE, (blocked,))
        assert made.digest != assess(world).digest

    def test_writes_nothing(self, world: World) -> None:
        assess(world)
        assert (world.events, world.intents) == ([], [])

    def test_an_operation_that_does_not_exist_is_an_error(self, world: World) -> None:
        with pytest.raises(InputError, match="There is no operation beef"):
            assess(world, OPERATOR, "77aa", "beef")


class TestWhatToOrder:
    @pytest.mark.parametrize(
        ("bought", "article"),
        [pytest.param(0, "MS-BP-A3-MED", id="base"), pytest.param(3, "MS-BP-A3-MED-UITBR", id="extension")],
    )
    def test_depends_on_what_the_holder_has(self, world: World, bought: int, article: str) -> None:
        entry = LedgerEntry(
            holder_id=BOARD,
            tenant_id=TENANT,
            article_code="MS-BP-A3-MED",
            sku_id=A3,
            delta=bought,
            effective_on=date(2026, 1, 1),
            ends_on=None,
            cause=LedgerCause.ORDER_LINE,
            cause_ref="x",
        )
        world.ledger.append(entry)
        assert assess(world).parts[0].seats.article == article


class TestReassignment:
    @pytest.mark.parametrize(
        ("days", "changes", "is_warned"),
        [
            pytest.param(10, {}, True, id="what we gave ten days ago goes already"),
            pytest.param(91, {}, False, id="what we gave three months ago may go"),
            pytest.param(10, {"organisations": (BEUK,)}, False, id="what others were given is nobody's matter here"),
            pytest.param(10, {"tenant_id": TenantId("elsewhere")}, False, id="nor what was given elsewhere"),
            pytest.param(10, {"state": OperationState.CANCELLED}, False, id="nor what was never given"),
            pytest.param(10, {"wish": {"sku_id": A3}}, False, id="nor what stays"),
        ],
    )
    def test_within_ninety_days_is_warned_of(
        self, world: World, days: int, changes: dict[str, Any], is_warned: bool
    ) -> None:
        given = {"state": OperationState.COMPLETED, "wish": {"sku_id": A1}} | changes
        an_order(world, OTHER, entered_at=NOW - timedelta(days=days), **given)
        kinds = [fact.kind for fact in assess(world).facts]
        assert kinds == ([FactKind.REASSIGNED_SOON] if is_warned else [])


class TestNames:
    @pytest.mark.parametrize(
        ("identity", "expected"),
        [
            pytest.param(OPERATOR, ("00XX02-0000",), id="an operator reads ids"),
            pytest.param(APPROVER, ("p-00XX02-0000",), id="an approver pseudonyms"),
            pytest.param(AUDITOR, ("p-00XX02-0000",), id="so does an auditor"),
            pytest.param(ANONYMOUS, ("p-00XX02-0000",), id="and whoever only looks"),
            pytest.param(DESK, (), id="a desk counts alone"),
            pytest.param(of_board(BOARD), (), id="and so does a board"),
        ],
    )
    def test_are_for_who_may_see_them(self, world: World, identity: Identity, expected: tuple[str, ...]) -> None:
        [held_people] = assess(world, identity).parts[0].held
        assert (held_people.people, held_people.who) == (1, expected)


class TestBoard:
    def test_gets_its_own_part(self, world: World) -> None:
        made = assess(world, of_board(BOARD))
        assert (made.people, made.served, made.for_board) == (4, 3, "Stichting Noord")
        assert made.parts[0].seats.enabled == 3
        assert made.digest == assess(world).digest

    def test_of_a_tenant_that_it_shares_the_seats_are_not_told(self, world: World) -> None:
        a_binding(world, organisation_id=BEUK)
        assert assess(world, of_board(BOARD)).parts[0].seats.enabled is None
        assert assess(world).parts[0].seats.enabled == 3

    @pytest.mark.parametrize("board", [OTHER_BOARD, None], ids=["another board", "bound to none"])
    def test_is_not_told_that_anothers_operation_exists(self, world: World, board: OrganisationId | None) -> None:
        with pytest.raises(InputError) as refused:
            assess(world, of_board(board))
        with pytest.raises(InputError) as unknown:
            assess(world, of_board(board), "beef")
        assert str(refused.value).replace("77aa", "beef") == str(unknown.value)

    def test_one_strange_operation_among_its_own_is_refused_too(self, world: World) -> None:
        a_strangers_operation(world)
        with pytest.raises(InputError, match="There is no operation bbbb"):
            assess(world, of_board(BOARD), "77aa", "bbbb")

    def test_of_an_operation_over_two_boards_it_sees_its_own_people(self, world: World) -> None:
        world.plans.clear()
        an_order(world, organisations=(LINDE, BEUK))
        a_plan(world, [*some(2, LINDE), *some(3, BEUK, held(A1))])
        first, second = assess(world, of_board(BOARD)), assess(world, of_board(OTHER_BOARD))
        assert (first.people, second.people, assess(world).people) == (2, 3, 5)
        for made, other in ((first, BEUK), (second, LINDE)):
            told = msgspec.json.encode(made).decode()
            assert other not in told
            assert PUBLIC[other] not in told

    def test_a_board_that_left_the_register_is_called_by_its_number(self, world: World) -> None:
        del world.organisations[BOARD]
        assert assess(world, of_board(BOARD)).for_board == BOARD
