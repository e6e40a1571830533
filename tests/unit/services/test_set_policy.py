import pytest

from provisioning.domain.catalogue import Audience, Mappings, ServicePlan, Sku
from provisioning.domain.errors import InputError, NotAllowedError
from provisioning.domain.ids import GroupId
from provisioning.domain.tenancy import AssignmentMode, SkuPolicy
from provisioning.services.approve_policy import ApprovePolicy
from provisioning.services.set_policy import PolicyChange, SetPolicy
from tests.unit.services.fakes_access import (
    A3,
    APPROVER,
    AUDITOR,
    OPERATOR,
    SECOND,
    TENANT,
    TODAY,
    FakeClock,
    FakeDispatcher,
    World,
    a_tenant,
)

TEAMS, SWAY = "aaaa0000-0000-4000-8000-000000000001", "aaaa0000-0000-4000-8000-000000000002"
SKU = Sku(
    sku_id=A3,
    part_number="M365EDU_A3_FACULTY",
    name="A3",
    family="A3",
    audience=Audience.FACULTY,
    product_line="m365",
    is_student_use_benefit=False,
    lifecycle="listed",
    plans=(ServicePlan(TEAMS, "TEAMS1", "teams"), ServicePlan(SWAY, "SWAY", "sway")),
)
MAPPINGS = Mappings(
    articles=(), skus={A3: SKU}, plan_rules=(), remaps=(), group_licensing=frozenset(), ambiguous={}, digest="m"
)


@pytest.fixture
def world() -> World:
    world = World()
    a_tenant(world)
    return world


def propose(world: World, identity: object = OPERATOR, **change: object) -> object:
    service = SetPolicy(open_uow=world.open, clock=FakeClock(), mappings=MAPPINGS)
    return service(identity, "school.nl", PolicyChange(**{"asked_by": "ticket 12", **change}))


def approve(world: World, digest: str, identity: object = APPROVER, dispatcher: FakeDispatcher | None = None) -> object:
    service = ApprovePolicy(open_uow=world.open, clock=FakeClock(), dispatcher=dispatcher or FakeDispatcher())
    return service(identity, "school.nl", digest)


def in_force(world: World) -> object:
    with world.open() as uow:
        return uow.tenants.policy_on(TENANT, TODAY)


class TestSetPolicy:
    def test_a_proposal_changes_nothing_yet(self, world: World) -> None:
        proposed = propose(world, assignment_mode=AssignmentMode.DIRECT)
        assert proposed.assignment_mode is AssignmentMode.DIRECT
        assert in_force(world).assignment_mode is AssignmentMode.NONE
        assert (world.kinds, world.events[0].reason) == (["policy.proposed"], "ticket 12")

    def test_what_is_not_mentioned_stays_as_it_is(self, world: World) -> None:
        approve(world, propose(world, assignment_mode=AssignmentMode.DIRECT, usage_location="NL").digest)
        second = propose(world, seat_priority=("41234",))
        assert (second.assignment_mode, second.usage_location) == (AssignmentMode.DIRECT, "NL")
        assert second.approved_by is None

    @pytest.mark.parametrize("named", [A3, "m365edu_a3_faculty"], ids=["by id", "by part number"])
    def test_a_plan_is_switched_off_and_the_others_are_decided_about(self, world: World, named: str) -> None:
        proposed = propose(world, disabled_plans={named: ["sway"]})
        assert proposed.skus == {A3: SkuPolicy(frozenset({SWAY}), frozenset({TEAMS, SWAY}))}

    @pytest.mark.parametrize(
        ("change", "problem"),
        [
            pytest.param({"asked_by": " "}, "who at the school asked", id="asked by nobody"),
            pytest.param({"managed_by": "them"}, "us, customer or mixed", id="managed by somebody else"),
            pytest.param({"group_id": GroupId("licences")}, "no object id", id="a group by its name"),
            pytest.param({"usage_location": "Nederland"}, "two capitals", id="a country's name"),
            pytest.param({"usage_location": "nl"}, "two capitals", id="small letters"),
            pytest.param({"disabled_plans": {"A9": []}}, "no SKU A9", id="an unknown SKU"),
            pytest.param({"disabled_plans": {A3: ["YAMMER"]}}, "has no service plan YAMMER", id="an unknown plan"),
        ],
    )
    def test_what_does_not_hang_together_is_refused(
        self, world: World, change: dict[str, object], problem: str
    ) -> None:
        with pytest.raises(InputError, match=problem):
            propose(world, **change)
        assert world.policies == []

    def test_equal_wishes_have_one_digest_whoever_writes_them(self, world: World) -> None:
        assert propose(world, usage_location="NL").digest == propose(world, SECOND, usage_location="NL").digest

    def test_different_wishes_have_different_digests(self, world: World) -> None:
        assert propose(world, usage_location="NL").digest != propose(world, usage_location="BE").digest


class TestApprovePolicy:
    def test_a_second_person_puts_it_in_force(self, world: World) -> None:
        proposed = propose(world, assignment_mode=AssignmentMode.DIRECT)
        approve(world, proposed.digest[:8])
        assert in_force(world).assignment_mode is AssignmentMode.DIRECT
        assert in_force(world).approved_by == APPROVER.actor

    def test_who_proposed_it_does_not_approve_it(self, world: World) -> None:
        proposed = propose(world)
        with pytest.raises(NotAllowedError, match="person:duty proposed this policy"):
            approve(world, proposed.digest, OPERATOR)
        assert world.policies[0].approved_by is None

    def test_an_auditor_does_not_approve(self, world: World) -> None:
        proposed = propose(world)
        with pytest.raises(NotAllowedError):
            approve(world, proposed.digest, AUDITOR)

    @pytest.mark.parametrize(
        ("digest", "problem"), [("abc", "at least the first 8"), ("0123456789", "waits for approval in this tenant")]
    )
    def test_it_is_named_by_its_digest(self, world: World, digest: str, problem: str) -> None:
        propose(world)
        with pytest.raises(InputError, match=problem):
            approve(world, digest)

    def test_it_is_approved_once(self, world: World) -> None:
        proposed = propose(world)
        approve(world, proposed.digest)
        with pytest.raises(InputError, match="waits for approval"):
            approve(world, proposed.digest)
