"""Work that somebody had tried again, up to the plan that came of it: through the services, as by command and API."""

from typing import Any

import msgspec

from provisioning.domain.campaign import CampaignState, MemberState
from provisioning.domain.ids import Actor, OrganisationId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.planning.mapping_digest import campaign_digest
from tests.factories import NOW
from tests.factories import campaigns as make_campaigns
from tests.factories import operations as make
from tests.factories.tickets import BOARD, SCHOOL
from tests.integration.web.four_eyes_scene import EVERYTHING, OTHER, Scene, keep_plan

WHY = "it is right as it is now"


def retried(scene: Scene, **stood: Any) -> Operation:
    """`operations retry`, and the plan of what goes on or follows."""
    asked = kept(scene, **stood)
    return drawn(scene, scene.services.retry_operation(EVERYTHING, asked.operation_id, WHY))


def served_since(scene: Scene) -> Operation:
    """They asked for the first, which left people out; the next began by itself, as when seats arrive."""
    stood = {"state": OperationState.PARTIALLY_COMPLETED, "requested_by": EVERYTHING.actor}
    first = kept(scene, **stood)
    another = msgspec.structs.replace(EVERYTHING, actor=OTHER)
    return drawn(scene, scene.services.retry_operation(another, first.operation_id, WHY))


def retried_in_campaign(scene: Scene, state: OperationState | None) -> Operation:
    """`campaigns retry`, and the plan of whoever was left. `state`: of their operation, None: it could not begin."""
    services = scene.services
    made = make_campaigns.campaign(CampaignState.RUNNING, requested_by=OTHER)
    mappings = campaign_digest(made.definition.pairs, services.mappings)
    made = msgspec.structs.replace(
        made, approval=make_campaigns.approval(made, mapping=mappings, approved_by=Actor("person:third"))
    )
    scene.bind()
    before = None if state is None else kept(scene, state=state, reason=Reason.SELECTOR_SHRANK)
    stands = MemberState.HELD if state is OperationState.HELD else MemberState.FAILED
    member = make_campaigns.member(
        made,
        scene.tenant.tenant_id,
        holder_id=SCHOOL,
        board_id=OrganisationId(BOARD),
        state=stands,
        operation_id=before.operation_id if before else None,
    )
    with services.open_uow() as uow:
        uow.campaigns.add(made, [member])
        uow.commit()
    services.retry_leftovers(EVERYTHING, made.campaign_id, WHY)
    with services.open_uow() as uow:
        [left] = uow.campaigns.members(made.campaign_id)
        following = services.begin_member(uow, made, left, NOW)
        uow.commit()
    return drawn(scene, following)


def kept(scene: Scene, **stood: Any) -> Operation:
    made = make.operation(scene.tenant.tenant_id, wish=scene.wish(), due_at=None, **stood)
    with scene.services.open_uow() as uow:
        uow.operations.add(made)
        uow.commit()
    return made


def drawn(scene: Scene, operation: Operation) -> Operation:
    """Its plan waits for an approver."""
    with scene.services.open_uow() as uow:
        present = uow.operations.get(operation.operation_id)
        keep_plan(uow, present)
        waiting = uow.operations.save(msgspec.structs.replace(present, state=OperationState.AWAITING_APPROVAL))
        uow.commit()
    return waiting
