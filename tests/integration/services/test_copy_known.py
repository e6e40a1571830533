"""What is known of customers is carried from one database into another: nothing is lost, and nobody is named."""

from collections.abc import Callable

import msgspec

from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.groups import LicensingGroup
from provisioning.domain.ids import Actor, GroupId, OrganisationId, SkuId
from provisioning.domain.records import Declaration, Membership
from provisioning.domain.tenancy import Binding
from provisioning.services.boards import of_board_in
from provisioning.services.copy_known import Known, read_known, write_known
from tests.factories import NOW, TODAY, guid, orders, tenancy

OpenUow = Callable[[], SqlUnitOfWork]
BOARD, SCHOOL, SISTER, STRANGER = (OrganisationId(code) for code in ("41000", "10AB00", "10AC00", "49999"))
THIRD = Actor("person:third")
HOME, ELSEWHERE = tenancy.tenant(), tenancy.tenant()


def furnish(uow: SqlUnitOfWork) -> None:
    """A board with two schools, one of which uses the tenant; and a stranger elsewhere."""
    uow.organisations.save([tenancy.organisation(organisation_id=code) for code in (BOARD, SCHOOL, SISTER, STRANGER)])
    uow.organisations.add_relations([tenancy.relation(BOARD, SCHOOL), tenancy.relation(BOARD, SISTER)])
    member = Membership(record_id="m", organisation_id=BOARD, status="active")
    uow.records.save([member, Declaration(record_id="d", organisation_id=BOARD, signed_on=TODAY)], NOW)
    for tenant in (HOME, ELSEWHERE):
        uow.tenants.save(tenant)
    for each in (
        tenancy.binding(SCHOOL, HOME.tenant_id, authors=(THIRD,)),
        tenancy.binding(STRANGER, ELSEWHERE.tenant_id),
    ):
        uow.tenants.add_binding(
            msgspec.structs.replace(each, confirmed_by=None, confirmed_at=None, evidence=frozenset())
        )
        uow.tenants.confirm_binding(each.binding_id, tenancy.SECOND, NOW, each.evidence)
    uow.tenants.add_policy(tenancy.policy(HOME.tenant_id, authors=(THIRD,)))
    uow.tenants.add_policy(tenancy.policy(HOME.tenant_id, approved_by=None, asked_by="a proposal"))
    uow.ledger.append([orders.ledger_entry(holder, tenant.tenant_id) for holder, tenant in _HELD])
    ours = LicensingGroup(
        tenant_id=HOME.tenant_id, sku_id=SkuId(guid()), holder_id=BOARD, nickname="licences", group_id=GroupId(guid())
    )
    uow.groups.save(ours)


_HELD = ((BOARD, HOME), (BOARD, ELSEWHERE), (STRANGER, ELSEWHERE))


def read(uow: SqlUnitOfWork, told: Callable[[Binding], Binding] = lambda binding: binding) -> Known:
    return read_known(uow, [HOME.tenant_id], [BOARD], TODAY, told)


def original(open_uow: OpenUow) -> Known:
    """Read where it is, and gone from there with the transaction."""
    with open_uow() as uow:
        furnish(uow)
        return read(uow)


def test_the_copy_says_what_the_original_says(open_uow: OpenUow) -> None:
    known = original(open_uow)
    with open_uow() as uow:
        write_known(uow, known, NOW)
        assert read(uow) == known


def test_it_is_enough_to_know_whose_schools_use_the_tenant(open_uow: OpenUow) -> None:
    known = original(open_uow)
    with open_uow() as uow:
        write_known(uow, known, NOW)
        assert of_board_in(uow, HOME.tenant_id, BOARD, TODAY) == (SCHOOL,)
        [binding] = uow.tenants.bindings_in(HOME.tenant_id, TODAY)
        assert binding.is_confirmed
        assert binding.evidence == tenancy.TWO_FACTS
        assert uow.tenants.policy_on(HOME.tenant_id, TODAY).usage_location == "NL"


def test_strangers_and_other_tenants_stay_behind(open_uow: OpenUow) -> None:
    known = original(open_uow)
    assert {one.organisation_id for one in known.organisations} == {BOARD, SCHOOL, SISTER}
    assert [one.tenant_id for one in known.tenants] == [HOME.tenant_id]
    assert {(one.holder_id, one.tenant_id) for one in known.ledger} == {(BOARD, HOME.tenant_id)}


def test_who_decided_stays_behind_and_so_do_proposals(open_uow: OpenUow) -> None:
    known = original(open_uow)
    told = msgspec.json.encode(known).decode()
    assert f'"{tenancy.AUTHOR}"' not in told
    assert f'"{tenancy.SECOND}"' not in told
    assert f'"{THIRD}"' not in told
    assert [policy.asked_by for policy in known.policies] == ["ticket 1"]


def test_bindings_are_told_as_they_may_be(open_uow: OpenUow) -> None:
    with open_uow() as uow:
        furnish(uow)
        known = read(uow, lambda binding: msgspec.structs.replace(binding, selectors={}))
    assert [binding.selectors for binding in known.bindings] == [{}]
