"""Campaigns and their members on PostgreSQL: what comes back, what is refused, and two who come at once."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import msgspec
import pytest

from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.campaign import (
    Campaign,
    CampaignMember,
    CampaignPair,
    CampaignSelection,
    CampaignState,
    ErrorBudget,
    MemberState,
    SelectedBy,
)
from provisioning.domain.errors import ConflictError, InputError, NotAllowedError, TransitionError
from provisioning.domain.ids import Actor, CampaignId, OrganisationId, SkuId, TenantId
from provisioning.domain.lifecycle import OperationState, SubjectState
from provisioning.domain.migration import Window
from provisioning.domain.operation import Operation
from provisioning.domain.order import LedgerCause, LedgerEntry
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode, Organisation, Tenant
from provisioning.planning.campaign_forecast import Writes
from provisioning.planning.campaign_readiness import Readiness, ReadinessFinding
from tests.factories import NOW, TODAY, campaigns, guid, tenancy
from tests.factories import operations as make
from tests.factories.campaigns import APPROVER, FROM, REQUESTER, TO, approval
from tests.integration.database.conftest import Open, store

LATER = NOW + timedelta(minutes=1)
change = msgspec.structs.replace
C, M = CampaignState, MemberState


@pytest.fixture
def campaign(open_uow: Open, tenant: Tenant) -> Campaign:
    """With one canary, and nobody else."""
    made = campaigns.campaign(due_at=NOW)
    with open_uow() as uow:
        uow.campaigns.add(made, [campaigns.member(made, tenant.tenant_id, mode=AssignmentMode.GROUP)])
        uow.commit()
    return made


def only(uow: SqlUnitOfWork, campaign: Campaign) -> CampaignMember:
    (member,) = uow.campaigns.members(campaign.campaign_id)
    return member


def at_work(uow: SqlUnitOfWork, campaign: Campaign, operation: Operation) -> CampaignMember:
    running = change(only(uow, campaign), state=M.RUNNING, operation_id=operation.operation_id)
    uow.campaigns.save_members(campaign.campaign_id, [running])
    return running


class TestACampaign:
    def test_comes_back_as_it_was_asked_for(self, uow: SqlUnitOfWork) -> None:
        full = campaigns.definition(
            pairs=(CampaignPair(from_sku=FROM, to_sku=TO, along={SkuId("a"): SkuId("b")}, from_table=True),),
            selection=CampaignSelection(
                by=SelectedBy.LIST,
                agreements=("x",),
                tenants=(TenantId("t"),),
                organisations=(OrganisationId("41234"),),
                excluded={"t": "merges"},
            ),
            window=Window(region="noord", from_hour=18, until_hour=6),
            budget=ErrorBudget(tenants=0.5, people=0.25, always=frozenset({Reason.GROUP_GONE})),
        )
        made = campaigns.campaign(definition=full, told="so", reason=Reason.CAMPAIGN_PAUSED, due_at=LATER)
        uow.campaigns.add(made, [])
        assert uow.campaigns.get(made.campaign_id) == made

    def test_that_is_missing_is_none_or_an_error(self, uow: SqlUnitOfWork) -> None:
        assert uow.campaigns.find(CampaignId("none")) is None
        with pytest.raises(InputError, match="There is no campaign none"):
            uow.campaigns.get(CampaignId("none"))

    def test_is_added_once(self, uow: SqlUnitOfWork, campaign: Campaign) -> None:
        with pytest.raises(ConflictError, match="exists already"):
            uow.campaigns.add(campaign, [])

    def test_is_found_by_the_beginning_of_its_id_and_by_state(self, uow: SqlUnitOfWork, campaign: Campaign) -> None:
        assert campaign.campaign_id in uow.campaigns.starting_with(campaign.campaign_id[:30])
        assert campaign in uow.campaigns.list_by([C.NEW])
        assert campaign not in uow.campaigns.list_by([C.RUNNING])

    def test_is_saved_by_the_first_of_two(self, open_uow: Open, campaign: Campaign) -> None:
        with open_uow() as first, open_uow() as second:
            mine, theirs = (uow.campaigns.get(campaign.campaign_id) for uow in (first, second))
            first.campaigns.save(change(mine, told="first"))
            first.commit()
            with pytest.raises(ConflictError, match="changed since"):
                second.campaigns.save(change(theirs, told="second"))

    def test_moves_along_its_table_only(self, uow: SqlUnitOfWork, campaign: Campaign) -> None:
        with pytest.raises(TransitionError):
            uow.campaigns.save(change(campaign, state=C.RUNNING, approval=approval(campaign)))

    def test_is_claimed_by_one_of_two_sweeps(self, open_uow: Open, campaign: Campaign) -> None:
        with open_uow() as first, open_uow() as second:
            assert first.campaigns.claim_due(NOW, LATER, 10) == [campaign.campaign_id]
            assert second.campaigns.claim_due(NOW, LATER, 10) == []
            first.commit()
            assert second.campaigns.claim_due(NOW, LATER, 10) == []
            assert second.campaigns.claim_due(LATER, LATER, 10) == [campaign.campaign_id]


class TestAnApproval:
    def test_is_kept(self, uow: SqlUnitOfWork, campaign: Campaign) -> None:
        given = approval(campaign, authors=(Actor("person:linus"),))
        uow.campaigns.save(change(campaign, state=C.APPROVED, approval=given))
        assert uow.campaigns.get(campaign.campaign_id).approval == given

    @pytest.mark.parametrize(
        ("known", "complaint"),
        [
            pytest.param({"approved_by": REQUESTER}, "Who asked for the campaign", id="not by who asked"),
            pytest.param({"authors": (APPROVER,)}, "wrote its mappings", id="not by who wrote the mappings"),
            pytest.param({"approved_by": Actor("client:shop")}, "Only a person", id="not by a program"),
            pytest.param({"approved_by": Actor("system")}, "Only a person", id="not by ourselves"),
        ],
    )
    def test_takes_another_person(
        self, uow: SqlUnitOfWork, campaign: Campaign, known: dict[str, object], complaint: str
    ) -> None:
        with pytest.raises(NotAllowedError, match=complaint):
            uow.campaigns.save(change(campaign, state=C.APPROVED, approval=approval(campaign, **known)))

    def test_is_of_this_very_list(self, uow: SqlUnitOfWork, campaign: Campaign) -> None:
        with pytest.raises(ConflictError, match="not the one that was approved"):
            uow.campaigns.save(change(campaign, state=C.APPROVED, approval=approval(campaign, digest="another")))

    def test_is_what_it_takes_to_run(self, uow: SqlUnitOfWork, campaign: Campaign) -> None:
        with pytest.raises(NotAllowedError, match="runs once a second person"):
            uow.campaigns.save(change(campaign, state=C.APPROVED))


class TestMembers:
    def test_come_back_by_wave_and_key(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        made = campaigns.campaign()
        later, first = (
            campaigns.member(made, tenant.tenant_id, holder_id=OrganisationId(holder), wave=wave, told="x")
            for holder, wave in (("1", 1), ("2", 0))
        )
        uow.campaigns.add(made, [later, first])
        assert uow.campaigns.members(made.campaign_id) == [first, later]
        assert uow.campaigns.members(made.campaign_id, [M.RUNNING]) == []
        assert uow.campaigns.counts(made.campaign_id) == {0: Counter({M.WAITING: 1}), 1: Counter({M.WAITING: 1})}

    def test_are_of_known_tenants(self, uow: SqlUnitOfWork) -> None:
        made = campaigns.campaign()
        with pytest.raises(InputError, match="tenant of the campaign is not known"):
            uow.campaigns.add(made, [campaigns.member(made, guid())])

    def test_move_along_their_table_only(self, uow: SqlUnitOfWork, campaign: Campaign) -> None:
        with pytest.raises(TransitionError):
            uow.campaigns.save_members(campaign.campaign_id, [change(only(uow, campaign), state=M.COMPLETED)])

    def test_that_are_not_in_it_are_refused(self, uow: SqlUnitOfWork, campaign: Campaign) -> None:
        stranger = change(only(uow, campaign), holder_id=OrganisationId("9"))
        with pytest.raises(InputError, match="is not in campaign"):
            uow.campaigns.save_members(campaign.campaign_id, [stranger])

    def test_are_found_by_their_operation(self, uow: SqlUnitOfWork, campaign: Campaign, operation: Operation) -> None:
        assert uow.campaigns.member_of(operation.operation_id) is None
        running = at_work(uow, campaign, operation)
        assert uow.campaigns.member_of(operation.operation_id) == running == only(uow, campaign)

    def test_share_no_operation(self, uow: SqlUnitOfWork, tenant: Tenant, operation: Operation) -> None:
        made = campaigns.campaign()
        two = [campaigns.member(made, tenant.tenant_id, holder_id=OrganisationId(one)) for one in "12"]
        uow.campaigns.add(made, two)
        both = [change(one, state=M.RUNNING, operation_id=operation.operation_id) for one in two]
        with pytest.raises(ConflictError, match="Another look began"):
            uow.campaigns.save_members(made.campaign_id, both)

    def test_of_a_sector_are_written_and_read_at_once(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        made = campaigns.campaign()
        many = [campaigns.member(made, tenant.tenant_id, holder_id=OrganisationId(f"{n:05}")) for n in range(6_000)]
        uow.campaigns.add(made, many)
        excluded = [change(one, state=M.EXCLUDED, told="no") for one in many]
        uow.campaigns.save_members(made.campaign_id, excluded)
        assert uow.campaigns.counts(made.campaign_id) == {0: Counter({M.EXCLUDED: 6_000})}


class TestProgress:
    def test_is_told_of_members_at_work(self, uow: SqlUnitOfWork, campaign: Campaign, operation: Operation) -> None:
        assert uow.campaigns.progress(campaign.campaign_id) == {}
        running = at_work(uow, campaign, operation)
        found = uow.campaigns.progress(campaign.campaign_id)[running.key]
        assert (found.state, found.reason, dict(found.people)) == (OperationState.NEW, None, {})

    def test_counts_people_by_state_and_names_what_went_wrong(
        self, uow: SqlUnitOfWork, campaign: Campaign, operation: Operation
    ) -> None:
        who = make.people(4)
        subjects: Sequence[object] = [
            make.subject(who[0]),
            make.subject(who[1], state=SubjectState.REFUSED, reason=Reason.DEPENDENCY),
            make.subject(who[2], state=SubjectState.WAITING, reason=Reason.SEATS_INSUFFICIENT),
            make.subject(who[3], state=SubjectState.REFUSED, reason=Reason.USAGE_LOCATION),
        ]
        plan = make.plan(operation, who[:1])
        store(uow, change(plan, subjects=tuple(subjects)))
        running = at_work(uow, campaign, operation)
        found = uow.campaigns.progress(campaign.campaign_id)[running.key]
        assert found.people == {SubjectState.PENDING: 1, SubjectState.REFUSED: 2, SubjectState.WAITING: 1}
        assert found.wrong == {Reason.DEPENDENCY, Reason.USAGE_LOCATION}
        assert uow.campaigns.reasons(campaign.campaign_id)[running.key] == {
            Reason.DEPENDENCY: 1,
            Reason.USAGE_LOCATION: 1,
            Reason.SEATS_INSUFFICIENT: 1,
        }


class TestReadiness:
    FOUND = Readiness(
        checked_at=NOW,
        findings=(ReadinessFinding(reason=Reason.SEATS_INSUFFICIENT, people=3, details=("x",)),),
        people=40,
        short=3,
        writes=Writes(clashing=37),
    )

    def test_is_kept_with_how_many_people_there_are(self, uow: SqlUnitOfWork, campaign: Campaign) -> None:
        key = only(uow, campaign).key
        assert uow.campaigns.readiness(campaign.campaign_id) == {}
        uow.campaigns.note_readiness(campaign.campaign_id, {key: self.FOUND})
        assert uow.campaigns.readiness(campaign.campaign_id) == {key: self.FOUND}
        assert only(uow, campaign).people == 40

    def test_that_is_old_is_looked_at_again(self, uow: SqlUnitOfWork, campaign: Campaign) -> None:
        member = only(uow, campaign)
        assert look(uow, campaign, NOW) == [member]
        uow.campaigns.note_readiness(campaign.campaign_id, {member.key: self.FOUND})
        assert look(uow, campaign, NOW) == []
        assert uow.campaigns.count_to_look(campaign.campaign_id, NOW) == 0
        assert uow.campaigns.count_to_look(campaign.campaign_id, LATER) == 1
        assert [one.key for one in look(uow, campaign, LATER)] == [member.key]

    def test_is_of_no_interest_once_a_tenant_has_begun(
        self, uow: SqlUnitOfWork, campaign: Campaign, operation: Operation
    ) -> None:
        at_work(uow, campaign, operation)
        assert look(uow, campaign, LATER) == []
        assert uow.campaigns.count_to_look(campaign.campaign_id, LATER) == 0


def look(uow: SqlUnitOfWork, campaign: Campaign, before: datetime, wall: datetime = NOW) -> list[CampaignMember]:
    return uow.campaigns.claim_look(campaign.campaign_id, before, wall, wall + timedelta(minutes=5))


class TestWhoLooks:
    """Several workers share the list: a tenant is looked at by one of them, with all that it has in the campaign."""

    @pytest.fixture
    def crowd(self, open_uow: Open) -> Campaign:
        """Twenty tenants, each with two products."""
        made = campaigns.campaign()
        with open_uow() as uow:
            tenants = [tenancy.tenant() for _ in range(20)]
            for one in tenants:
                uow.tenants.save(one)
            uow.campaigns.add(
                made,
                [campaigns.member(made, one.tenant_id, from_sku=sku) for one in tenants for sku in (FROM, TO)],
            )
            uow.commit()
        return made

    def test_claims_a_tenant_with_all_its_members(self, uow: SqlUnitOfWork, crowd: Campaign) -> None:
        first, second = look(uow, crowd, NOW), look(uow, crowd, NOW)
        assert [len({one.tenant_id for one in some}) for some in (first, second)] == [1, 1]
        assert [len(some) for some in (first, second)] == [2, 2]
        assert first[0].tenant_id != second[0].tenant_id

    def test_who_was_killed_loses_the_claim(self, uow: SqlUnitOfWork, campaign: Campaign) -> None:
        assert look(uow, campaign, NOW)
        assert look(uow, campaign, NOW) == []
        assert look(uow, campaign, NOW, NOW + timedelta(minutes=5))

    def test_ten_at_once_take_each_tenant_once(self, open_uow: Open, crowd: Campaign) -> None:
        def worker(_number: int) -> list[str]:
            taken: list[str] = []
            while True:
                with open_uow() as uow:
                    members = look(uow, crowd, NOW)
                    uow.commit()
                if not members:
                    return taken
                taken.append(members[0].tenant_id)

        with ThreadPoolExecutor(10) as pool:
            taken = [tenant for some in pool.map(worker, range(10)) for tenant in some]
        assert (len(taken), len(set(taken))) == (20, 20)


class TestHoldings:
    def test_are_what_each_holder_may_use_on_the_day(
        self, uow: SqlUnitOfWork, tenant: Tenant, board: Organisation
    ) -> None:
        def entry(delta: int, sku: SkuId = FROM, **known: object) -> LedgerEntry:
            fields: dict[str, object] = {"effective_on": TODAY, "ends_on": None}
            return LedgerEntry(
                holder_id=board.organisation_id,
                tenant_id=tenant.tenant_id,
                article_code=make.wish().article_code,
                sku_id=sku,
                delta=delta,
                cause=next(iter(LedgerCause)),
                cause_ref=guid(),
                **(fields | known),  # type: ignore[arg-type]
            )

        ended = entry(9, ends_on=TODAY - timedelta(days=1), effective_on=TODAY - timedelta(days=9))
        back = [entry(4, TO), entry(-4, TO)]
        uow.ledger.append([entry(10), entry(-3), entry(5, SkuId("other")), ended, *back])
        assert uow.ledger.holdings([FROM, TO], TODAY) == {(board.organisation_id, tenant.tenant_id, FROM): 7}
