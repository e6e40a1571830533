"""How far the approval of a campaign reaches: to the plans of its own operations, within what the approver saw."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from config.limits import default_limits
from provisioning.domain.campaign import CampaignApproval, CampaignPair
from provisioning.domain.ids import Actor, CampaignId, OperationId, PlanId, SkuId, TicketId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Operation, OperationKind
from provisioning.domain.remap import RemapPart
from provisioning.domain.tenancy import Policy
from provisioning.planning.mapping_digest import campaign_digest
from provisioning.planning.plan import Grounds, Losses, Plan
from provisioning.ports import PlanRecord
from provisioning.services.standing_approval import approve_in_campaign, validity_of
from tests.factories import campaigns, tickets
from tests.factories.trade import MAPPINGS
from tests.unit.services.fakes_access import A3, APPROVER, NOW, OPERATION, TENANT, World, a_binding, an_operation

CAMPAIGN = CampaignId("campaign")
A1, ADDON, NEW_ADDON, OTHER = (SkuId(name) for name in ("a1", "addon", "new addon", "other"))
SEEN = Losses(families={"yammer": 3})
PAIRS = (CampaignPair(from_sku=A1, to_sku=A3, along={ADDON: NEW_ADDON}),)
GIVEN = CampaignApproval(
    campaign_id=CAMPAIGN,
    approved_by=APPROVER.actor,
    approved_at=NOW - timedelta(days=1),
    digest="of the list and the rules",
    mapping=campaign_digest(PAIRS, MAPPINGS),
    pairs=PAIRS,
    valid_until=NOW + timedelta(days=6),
    losses=frozenset({"family:yammer", "not_carried:OLD"}),
)
AUTHORS = ("policy", "binding", "planner", "sector", "desk")  # asked for the campaign; wrote a ticket behind it


@pytest.fixture
def world() -> World:
    """A remap of the campaign whose plan was just drawn; everybody with a hand in it has another name."""
    world = World()
    remapped(world)
    a_binding(world, Actor("person:binding"))
    world.policies.append(
        Policy(tenant_id=TENANT, valid_from=NOW.date(), created_by=Actor("person:policy"), approved_by=APPROVER.actor)
    )
    plan = drawn(SEEN)
    record = PlanRecord(
        plan_id=plan.plan_id,
        operation_id=OPERATION,
        digest=plan.envelope.digest,
        envelope=msgspec.json.encode(plan.envelope),
        drawn_at=NOW,
        observed_at=NOW,
        valid_until=NOW + timedelta(days=7),
        guard_breaches=("every remap is approved",),
        requested_by=Actor("person:planner"),
    )
    world.plans.append(record)
    asked = campaigns.campaign(campaign_id=CAMPAIGN, requested_by=Actor("person:sector"))
    world.campaigns[CAMPAIGN] = asked
    world.behind.append((OPERATION, tickets.ticket(authors=(Actor("person:desk"),))))
    return world


def remapped(world: World, **changes: Any) -> Operation:
    part = RemapPart(from_sku=A1, along={ADDON: NEW_ADDON}, campaign_id=CAMPAIGN)
    plain = an_operation(world, OperationState.PLANNING, kind=OperationKind.REMAP, requested_by=Actor("person:asked"))
    wish = msgspec.structs.replace(plain.wish, remap=msgspec.structs.replace(part, **changes))
    world.operations[OPERATION] = msgspec.structs.replace(plain, wish=wish)
    return world.operations[OPERATION]


def drawn(losses: Losses) -> Plan:
    return Plan(
        plan_id=PlanId("plan"),
        operation_id=OperationId(OPERATION),
        tenant_id=TENANT,
        drawn_at=NOW,
        observed_at=NOW,
        is_complete=True,
        subjects=(),
        steps=(),
        grounds=Grounds(mapping="m", policy="p", bindings="b", authority="a"),
        losses=losses,
    )


def approved(world: World, lost: Losses = SEEN, **changes: Any) -> bool:
    given, plan = msgspec.structs.replace(GIVEN, **changes), drawn(lost)
    known = {"envelope": msgspec.json.encode(plan.envelope), "digest": plan.envelope.digest}
    world.plans = [msgspec.structs.replace(one, **known) for one in world.plans]
    with world.open() as uow:
        done = approve_in_campaign(uow, world.operations[OPERATION], given, MAPPINGS, NOW)
        uow.commit()
    assert any(one.approved_by for one in world.plans) is done is ("plan.approved" in world.kinds)
    return done


def test_its_approver_is_named_for_the_plan(world: World) -> None:
    assert approved(world)
    assert world.plans[0].approved_by == APPROVER.actor
    [event] = [one for one in world.events if one.kind == "plan.approved"]
    assert (event.actor, event.details) == (APPROVER.actor, {"within": CAMPAIGN})


@pytest.mark.parametrize("author", AUTHORS)
def test_never_when_the_approver_had_a_hand_in_it(world: World, author: str) -> None:
    assert not approved(world, approved_by=Actor(f"person:{author}"))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"valid_until": NOW}, id="too long ago"),
        pytest.param({"approved_at": NOW + timedelta(seconds=1)}, id="not given yet"),
        pytest.param({"mapping": "others"}, id="the mappings changed since"),
        pytest.param({"campaign_id": CampaignId("another")}, id="another campaign's"),
        pytest.param({"pairs": ()}, id="no product"),
        pytest.param({"pairs": (CampaignPair(from_sku=OTHER, to_sku=A3, along={}),)}, id="from another product"),
        pytest.param({"pairs": (CampaignPair(from_sku=A1, to_sku=OTHER, along={}),)}, id="to another product"),
        pytest.param(
            {"pairs": (CampaignPair(from_sku=A1, to_sku=A3, along={ADDON: OTHER}),)}, id="another add-on than was seen"
        ),
        pytest.param({"losses": frozenset()}, id="a loss that nobody saw"),
    ],
)
def test_what_goes_further_is_asked_for_by_itself(world: World, changes: dict[str, Any]) -> None:
    assert not approved(world, **changes)


def test_more_of_the_same_loss_is_no_new_kind(world: World) -> None:
    assert approved(world, Losses(families={"yammer": 300}))


def test_one_new_kind_of_loss_is_enough_to_ask(world: World) -> None:
    assert not approved(world, Losses(families={"yammer": 3, "exchange": 1}))


def test_an_add_on_by_the_very_tables_that_were_approved_is_within(world: World) -> None:
    remapped(world, along={ADDON: NEW_ADDON, OTHER: OTHER})
    assert approved(world)


def test_without_a_plan_there_is_nothing_to_approve(world: World) -> None:
    world.plans = []
    assert not approved(world)


def test_a_ticket_is_never_approved_by_a_campaign(world: World) -> None:
    remapped(world, campaign_id=None, ticket_id=TicketId("ticket"))
    assert not approved(world)


def test_a_campaign_s_plan_waits_longer_for_its_wave_than_a_ticket_s(world: World) -> None:
    limits = default_limits()
    assert validity_of(remapped(world), limits) == limits.migration_approval_validity
    assert validity_of(remapped(world, campaign_id=None), limits) == limits.approval_validity
