from datetime import timedelta
from typing import Any

import msgspec
import pytest

from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.campaign import CampaignState, MemberState
from provisioning.domain.lifecycle import LineState, OperationState, SubjectState
from provisioning.domain.migration import Migration, Situation, Treatment
from provisioning.domain.migration_lifecycle import MigrationState, PersonState
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import Organisation, Tenant
from provisioning.domain.worklist import Owner
from provisioning.planning.campaign_readiness import Readiness
from tests.factories import NOW, campaigns, migrations, orders, tenancy
from tests.factories import operations as make
from tests.integration.database.conftest import store

A_DAY = timedelta(days=1)


def subjects(uow: SqlUnitOfWork) -> list[str]:
    return [item.subject for item in uow.worklist.items(NOW)]


def migrating(uow: SqlUnitOfWork, source: Tenant, **fields: Any) -> Migration:
    """Out of this tenant."""
    target = tenancy.tenant()
    uow.tenants.save(target)
    made = migrations.migration(source.tenant_id, target.tenant_id, **fields)
    uow.migrations.add(made, migrations.waves(made))
    return made


class TestItems:
    def test_nothing_waits_for_anybody(self, uow: SqlUnitOfWork, operation: Operation) -> None:
        assert uow.worklist.items(NOW) == []

    def test_a_held_line_with_its_age_owner_and_customer(self, uow: SqlUnitOfWork, board: Organisation) -> None:
        shop = orders.shop_line()
        uow.orders.receive(shop, NOW)
        uow.orders.set_state(shop.key, LineState.HELD, Reason.ARTICLE_UNKNOWN, NOW - A_DAY)
        [item] = uow.worklist.items(NOW)
        assert (item.subject, item.reason) == (f"order {shop.key}", Reason.ARTICLE_UNKNOWN)
        assert (item.since, item.organisation_id) == (NOW - A_DAY, board.organisation_id)

    def test_a_line_of_an_unknown_customer_has_none(self, uow: SqlUnitOfWork) -> None:
        shop = orders.shop_line()
        uow.orders.receive(shop, NOW)
        uow.orders.set_state(shop.key, LineState.HELD, Reason.ORGANISATION_UNKNOWN, NOW)
        [item] = uow.worklist.items(NOW)
        assert item.organisation_id is None

    def test_a_held_operation(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        held = make.operation(tenant.tenant_id, state=OperationState.HELD, reason=Reason.POISON)
        uow.operations.add(held)
        [item] = uow.worklist.items(NOW)
        assert (item.subject, item.operation_id) == (f"operation {held.operation_id}", held.operation_id)
        assert (item.tenant_id, item.organisation_id, item.reason) == (tenant.tenant_id, "41000", Reason.POISON)

    def test_a_tenant_that_cannot_be_read_for_long_while_its_operation_goes_on(
        self, uow: SqlUnitOfWork, tenant: Tenant
    ) -> None:
        fields = {"state": OperationState.VERIFYING, "due_at": NOW, "unreadable_since": NOW - A_DAY}
        cut_off = make.operation(tenant.tenant_id, reason=Reason.TENANT_UNREADABLE, **fields)
        uow.operations.add(cut_off)
        uow.operations.add(make.operation(tenant.tenant_id, reason=Reason.TRANSIENT, **fields))
        [item] = uow.worklist.items(NOW)
        assert (item.subject, item.reason) == (f"operation {cut_off.operation_id}", Reason.TENANT_UNREADABLE)
        assert (item.owner, item.since) == (Owner.OPERATOR, NOW - A_DAY)
        uow.operations.save(msgspec.structs.replace(cut_off, reason=None, unreadable_since=None))
        assert uow.worklist.items(NOW) == []

    @pytest.mark.parametrize("state", [OperationState.PLANNING, OperationState.APPLYING])
    def test_a_wave_whose_check_is_too_old_until_it_goes_on(
        self, uow: SqlUnitOfWork, tenant: Tenant, state: OperationState
    ) -> None:
        waiting = make.operation(tenant.tenant_id, state=state, due_at=NOW, reason=Reason.PREFLIGHT_EXPIRED)
        uow.operations.add(waiting)
        [item] = uow.worklist.items(NOW)
        assert (item.subject, item.reason) == (f"operation {waiting.operation_id}", Reason.PREFLIGHT_EXPIRED)
        assert item.owner is Owner.OPERATOR
        uow.operations.save(msgspec.structs.replace(waiting, reason=None))
        assert uow.worklist.items(NOW) == []

    def test_a_plan_that_waits_for_an_approver(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        waiting = make.operation(tenant.tenant_id, state=OperationState.AWAITING_APPROVAL)
        uow.operations.add(waiting)
        plan = store(uow, make.plan(waiting, make.people(1), guard_breaches=("too many",)))
        [item] = uow.worklist.items(NOW)
        assert (item.subject, item.owner) == (f"plan of operation {waiting.operation_id}", Owner.APPROVER)
        uow.plans.approve(plan.plan_id, "person:approver", plan.envelope.digest, NOW)
        assert uow.worklist.items(NOW) == []

    def test_an_unconfirmed_binding_and_a_proposed_policy(
        self, uow: SqlUnitOfWork, board: Organisation, tenant: Tenant
    ) -> None:
        binding = tenancy.binding(board.organisation_id, tenant.tenant_id, confirmed=False)
        uow.tenants.add_binding(binding)
        uow.tenants.add_policy(tenancy.policy(tenant.tenant_id, approved_by=None, digest="abcdef0123"))
        policy = f"policy abcdef01 of {tenant.tenant_id}"
        assert subjects(uow) == [f"binding of {board.organisation_id} to {tenant.tenant_id}", policy]
        uow.tenants.confirm_binding(binding.binding_id, tenancy.SECOND, NOW, tenancy.TWO_FACTS)
        assert subjects(uow) == [policy]

    def test_people_left_waiting_are_one_item_with_their_number(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        ended = make.operation(tenant.tenant_id, state=OperationState.PARTIALLY_COMPLETED)
        uow.operations.add(ended)
        waiting = tuple(make.subject(each, state=SubjectState.WAITING) for each in make.people(3))
        store(uow, make.plan(ended, subjects=waiting, steps=()))
        [item] = uow.worklist.items(NOW)
        assert (item.count, item.reason, item.operation_id) == (3, Reason.SEATS_INSUFFICIENT, ended.operation_id)

    def test_people_left_out_are_one_item_for_each_reason_until_somebody_looks_at_them_anew(
        self, uow: SqlUnitOfWork, tenant: Tenant
    ) -> None:
        ended = make.operation(tenant.tenant_id, state=OperationState.PARTIALLY_COMPLETED)
        uow.operations.add(ended)
        first, second, third = make.people(3)
        left_out = (
            make.subject(first, state=SubjectState.REFUSED, reason=Reason.USAGE_LOCATION),
            make.subject(second, state=SubjectState.REFUSED, reason=Reason.USAGE_LOCATION),
            make.subject(third, state=SubjectState.FAILED, reason=Reason.NOT_VERIFIED_IN_TIME),
        )
        store(uow, make.plan(ended, subjects=left_out, steps=()))
        items = {item.reason: item for item in uow.worklist.items(NOW)}
        assert {reason: item.count for reason, item in items.items()} == {
            Reason.USAGE_LOCATION: 2,
            Reason.NOT_VERIFIED_IN_TIME: 1,
        }
        assert items[Reason.USAGE_LOCATION].owner is Owner.SCHOOL
        uow.operations.add(make.operation(tenant.tenant_id, created_at=NOW + A_DAY))
        assert uow.worklist.items(NOW) == []

    def test_a_paused_migration_with_its_reason(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        fields = {"reason": Reason.THRESHOLD_REACHED, "entered_at": NOW - A_DAY}
        paused = migrating(uow, tenant, state=MigrationState.PAUSED, **fields)
        migrating(uow, tenant, state=MigrationState.RUNNING)
        [item] = uow.worklist.items(NOW)
        assert (item.subject, item.reason) == (f"migration {paused.migration_id}", Reason.THRESHOLD_REACHED)
        assert (item.since, item.organisation_id, item.tenant_id) == (NOW - A_DAY, "41000", tenant.tenant_id)
        assert item.owner is Owner.OPERATOR

    def test_a_campaign_that_stopped_by_itself(self, uow: SqlUnitOfWork) -> None:
        made = campaigns.campaign(CampaignState.STOPPED, told="too much", reason=Reason.CAMPAIGN_STOPPED)
        uow.campaigns.add(msgspec.structs.replace(made, approval=campaigns.approval(made)), [])
        [item] = uow.worklist.items(NOW)
        assert (item.subject, item.reason) == (f"campaign {made.campaign_id}", Reason.CAMPAIGN_STOPPED)
        assert item.owner is Owner.OPERATOR

    @pytest.mark.parametrize(
        ("state", "fields", "reason", "owner"),
        [
            (CampaignState.NEW, {}, Reason.APPROVAL_NEEDED, Owner.APPROVER),
            (CampaignState.APPROVED, {}, Reason.CAMPAIGN_TO_START, Owner.OPERATOR),
            (
                CampaignState.PAUSED,
                {"told": "too busy", "reason": Reason.CAMPAIGN_PAUSED},
                Reason.CAMPAIGN_PAUSED,
                Owner.OPERATOR,
            ),
        ],
    )
    def test_a_campaign_that_waits_for_a_person(
        self, uow: SqlUnitOfWork, state: CampaignState, fields: dict[str, Any], reason: Reason, owner: Owner
    ) -> None:
        made = campaigns.campaign(state, **fields)
        if state is not CampaignState.NEW:
            made = msgspec.structs.replace(made, approval=campaigns.approval(made))
        uow.campaigns.add(made, [])
        [item] = uow.worklist.items(NOW)
        assert (item.subject, item.reason, item.owner) == (f"campaign {made.campaign_id}", reason, owner)

    @pytest.mark.parametrize(
        ("member", "campaign", "warned", "is_work"),
        [
            (MemberState.WAITING, CampaignState.RUNNING, A_DAY, True),
            (MemberState.WAITING, CampaignState.PAUSED, A_DAY, True),
            (MemberState.WAITING, CampaignState.RUNNING, -A_DAY, False),
            (MemberState.EXCLUDED, CampaignState.RUNNING, A_DAY, False),
            (MemberState.WAITING, CampaignState.CALLED_OFF, A_DAY, False),
        ],
    )
    def test_people_whose_old_product_ends_soon(
        self,
        uow: SqlUnitOfWork,
        tenant: Tenant,
        member: MemberState,
        campaign: CampaignState,
        warned: timedelta,
        is_work: bool,
    ) -> None:
        made = campaigns.campaign(campaign, reason=Reason.CAMPAIGN_PAUSED, told="later")
        made = msgspec.structs.replace(made, approval=campaigns.approval(made))
        one = campaigns.member(made, tenant.tenant_id, state=MemberState.WAITING)
        uow.campaigns.add(made, [one])
        look = Readiness(checked_at=NOW, people=9, warn_at=NOW - warned, ends_at=NOW + 13 * A_DAY)
        uow.campaigns.note_readiness(made.campaign_id, {one.key: look})
        why = Reason.EXCLUDED_FROM_CAMPAIGN if member is MemberState.EXCLUDED else None
        now = msgspec.structs.replace(one, state=member, people=9, right=2, reason=why, told="merges")
        uow.campaigns.save_members(made.campaign_id, [now])
        items = [one for one in uow.worklist.items(NOW) if one.reason is Reason.OLD_PRODUCT_ENDS]
        assert [(one.tenant_id, one.count, one.since) for one in items] == (
            [(tenant.tenant_id, 7, NOW - warned)] if is_work else []
        )

    def test_people_of_a_migration_whose_situation_nobody_explained(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        explained = {"treatments": {Situation.DISABLED: Treatment.TAKE_ALONG, Situation.GUEST: Treatment.LEAVE_OUT}}
        fields = {"matched_at": NOW - A_DAY, "asked": explained}
        matched = migrating(uow, tenant, state=MigrationState.MATCHED, **fields)
        people = [
            migrations.traveller(matched),
            migrations.traveller(matched, situation=Situation.DISABLED),
            migrations.traveller(matched, situation=Situation.GUEST, state=PersonState.LEFT_OUT),
        ]
        uow.migrations.replace_travellers(matched.migration_id, people)
        assert uow.worklist.items(NOW) == []
        unexplained = migrations.travellers(matched, 2, situation=Situation.MISSING_IN_TARGET, target_id=None)
        uow.migrations.replace_travellers(matched.migration_id, [*people, *unexplained])
        [item] = uow.worklist.items(NOW)
        assert (item.subject, item.count) == (f"people of migration {matched.migration_id}", 2)
        assert (item.reason, item.since) == (Reason.SITUATION_UNEXPLAINED, NOW - A_DAY)
        uow.migrations.save(msgspec.structs.replace(matched, state=MigrationState.ABORTED))
        assert uow.worklist.items(NOW) == []

    def test_the_oldest_comes_first(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        for days in (1, 3, 2):
            held = make.operation(
                tenant.tenant_id, state=OperationState.HELD, reason=Reason.POISON, entered_at=NOW - days * A_DAY
            )
            uow.operations.add(held)
        assert [(NOW - item.since).days for item in uow.worklist.items(NOW)] == [3, 2, 1]
