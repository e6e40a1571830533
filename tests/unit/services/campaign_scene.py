"""A campaign over a few tenants in the fake database, and what makes its members move."""

from datetime import date, timedelta
from typing import Any

import msgspec

from mappings.loader import load_mappings
from provisioning.domain.campaign import Campaign, CampaignApproval, CampaignMember, CampaignState, MemberState
from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import BindingId, OperationId, OrganisationId, Pseudonym, SkuId, SubjectId, TenantId
from provisioning.domain.lifecycle import OperationState, SubjectState
from provisioning.domain.operation import SubjectRecord
from provisioning.domain.order import LedgerCause, LedgerEntry
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode, Binding, Organisation, OrganisationKind, Policy, Tenant
from provisioning.planning.mapping_digest import campaign_digest
from tests.factories import campaigns as make
from tests.factories.campaigns import FROM
from tests.factories.operations import wish
from tests.unit.services.fakes_access import APPROVER, NOW, OPERATOR, SECOND, World, an_operation

MAPPINGS = load_mappings()
CAMPAIGN = "5f0c9a4e-0000-4000-8000-000000000001"
WEEK = timedelta(days=7)


def tenant_of(number: int) -> TenantId:
    return TenantId(f"{number:08x}-1111-4111-8111-111111111111")


def board_of(number: int) -> OrganisationId:
    return OrganisationId(f"{41000 + number}")


def a_customer(world: World, number: int, seats: int = 40, sku: SkuId = FROM, **policy: Any) -> TenantId:
    """A board with a tenant of its own, bound, with seats of a product in the ledger."""
    tenant, board = tenant_of(number), board_of(number)
    world.tenants[tenant] = Tenant(tenant_id=tenant, initial_domain=f"school{number}.example")
    world.organisations[board] = Organisation(
        organisation_id=board, kind=OrganisationKind.BOARD, name=f"Board {number}"
    )
    world.bindings.append(
        Binding(
            binding_id=BindingId(f"b{number}"),
            organisation_id=board,
            tenant_id=tenant,
            valid_from=date(2026, 1, 1),
            selectors={Audience.FACULTY: '{"everyone": true}'},
            created_by=SECOND.actor,
            confirmed_by=APPROVER.actor,
            confirmed_at=NOW,
        )
    )
    world.policies.append(
        Policy(
            tenant_id=tenant,
            valid_from=date(2026, 1, 1),
            approved_by=APPROVER.actor,
            **({"assignment_mode": AssignmentMode.DIRECT, "usage_location": "NL"} | policy),
        )
    )
    if seats:
        entitle(world, number, seats, sku)
    return tenant


def entitle(world: World, number: int, seats: int, sku: SkuId) -> None:
    world.ledger.append(
        LedgerEntry(
            holder_id=board_of(number),
            tenant_id=tenant_of(number),
            article_code=wish().article_code,
            sku_id=sku,
            delta=seats,
            effective_on=date(2026, 1, 1),
            ends_on=None,
            cause=next(iter(LedgerCause)),
            cause_ref=str(number),
        )
    )


def approved(campaign: Campaign) -> CampaignApproval:
    return CampaignApproval(
        campaign_id=campaign.campaign_id,
        approved_by=APPROVER.actor,
        approved_at=NOW,
        digest=campaign.digest,
        mapping=campaign_digest(campaign.definition.pairs, MAPPINGS),
        pairs=campaign.definition.pairs,
        valid_until=NOW + WEEK,
    )


def a_campaign(world: World, state: CampaignState = CampaignState.RUNNING, **known: Any) -> Campaign:
    made = make.campaign(state, campaign_id=CAMPAIGN, requested_by=OPERATOR.actor, told="because", **known)
    if state is not CampaignState.NEW and "approval" not in known:
        made = msgspec.structs.replace(made, approval=approved(made))
    world.campaigns[made.campaign_id] = made
    return made


def a_member(
    world: World,
    campaign: Campaign,
    number: int,
    state: MemberState = MemberState.WAITING,
    operation: OperationState | None = None,
    **known: Any,
) -> CampaignMember:
    """With its customer, and with an operation in this state where it has one."""
    if tenant_of(number) not in world.tenants:
        a_customer(world, number)
    fields: dict[str, Any] = {"holder_id": board_of(number), "board_id": board_of(number), "entered_at": NOW}
    if operation is not None:
        name = OperationId(f"{number:08x}-0000-4000-8000-00000000000a")
        an_operation(
            world,
            operation,
            operation_id=name,
            tenant_id=tenant_of(number),
            reason=known.get("reason"),
            wish=wish(holder_id=board_of(number)),
            requested_by=campaign.requested_by,
        )
        fields["operation_id"] = name
    made = make.member(campaign, tenant_of(number), state=state, **(fields | known))
    world.members[campaign.campaign_id, made.key] = made
    return made


def people(
    world: World, member: CampaignMember, state: SubjectState, number: int, reason: Reason | None = None
) -> None:
    assert member.operation_id is not None
    for place in range(number):
        name = SubjectId(f"{state}-{place}")
        world.subjects.append(
            SubjectRecord(
                operation_id=member.operation_id,
                subject_id=name,
                pseudonym=Pseudonym(f"p_{name}"),
                state=state,
                reason=reason,
            )
        )


def standing(world: World, member: CampaignMember) -> CampaignMember:
    """Where it stands now."""
    return world.members[member.campaign_id, member.key]
