"""Schools as large as a measurement needs: the same people in the twin and the same facts in the database."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import msgspec
from sqlalchemy import Table, insert

from provisioning.bootstrap import Services
from provisioning.database.store import row_of
from provisioning.database.tables.operations import operations
from provisioning.database.tables.tenants import bindings, policies, tenants
from provisioning.domain.catalogue import Article, Audience
from provisioning.domain.groups import LicensingGroup, nickname_for
from provisioning.domain.ids import ArticleCode, BindingId, GroupId, OperationId, OrganisationId, SkuId, TenantId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Lane, Operation, OperationKind, Wish
from provisioning.domain.order import LedgerCause, LedgerEntry
from provisioning.domain.tenancy import AssignmentMode, Binding, OrganisationKind, Policy, Tenant
from provisioning.local.world import APP
from tests.benchmarks.rows import SEED
from tests.factories import tenancy as make

A1, A3 = SkuId("94763226-9b3c-4e75-a931-5c89701abe66"), SkuId("4b590615-0888-425a-a965-b3bf7789848d")
STAFF_ARTICLE = ArticleCode("MS-BP-A3-MED")
ROLES = ["LicenseAssignment.ReadWrite.All", "User.ReadWrite.All", "GroupMember.Read.All", "Organization.Read.All"]
GROUP_ROLES = ["Group.Create", "GroupMember.ReadWrite.All"]
_LONG_AGO = date(2020, 1, 1)


class School(msgspec.Struct, frozen=True, dict=True):
    """One school with a tenant of its own, whose `people` all hold Office 365 A1 and own as many seats of A3.

    One that gives licences through a group has it already, licensed and empty, and its people hold nothing.
    """

    number: int
    people: int
    has_group: bool = False

    @cached_property
    def code(self) -> OrganisationId:
        return OrganisationId(f"{self.number:02d}ZZ00")

    @cached_property
    def tenant_id(self) -> TenantId:
        return TenantId(str(uuid5(NAMESPACE_OID, self.code)))

    @property
    def mode(self) -> AssignmentMode:
        return AssignmentMode.GROUP if self.has_group else AssignmentMode.DIRECT

    @property
    def group_id(self) -> GroupId:
        return GroupId(str(uuid5(NAMESPACE_OID, f"{self.code} group")))

    @property
    def group_nickname(self) -> str:
        return nickname_for("M365EDU_A3_FACULTY", self.code)

    @property
    def domain(self) -> str:
        return f"school{self.number}.onmicrosoft.com"


def seed_of(schools: Sequence[School]) -> dict[str, Any]:
    """The twin's seed; the app is registered already."""
    return {"randomSeed": SEED, "tenants": list(map(_tenant_seed, schools))}


def _tenant_seed(school: School) -> dict[str, Any]:
    staff = {"usageLocation": "NL", "department": school.code, "employeeType": "Personeel"}
    held = [] if school.has_group else [{"skuId": A1}]
    return {
        "id": school.tenant_id,
        "domains": [school.domain],
        "consents": [{"app": APP, "roles": ROLES + (GROUP_ROLES if school.has_group else [])}],
        "subscriptions": [{"skuId": sku, "totalLicenses": school.people} for sku in (A1, A3)],
        "population": [{"count": school.people, "prefix": "medewerker", "user": staff | {"assignments": held}}],
        "groups": [_group_seed(school)] if school.has_group else [],
    }


def _group_seed(school: School) -> dict[str, Any]:
    name = school.group_nickname
    licences = [{"skuId": A3}]
    return {"id": school.group_id, "displayName": name, "mailNickname": name, "assignedLicenses": licences}


def register(
    services: Services,
    schools: Sequence[School],
    make_group: Callable[[School], LicensingGroup] | None = None,
) -> None:
    """All that people have to decide before a licence may be written; the tenants have proven themselves.

    Row by row a sector would take a minute.
    """
    now = services.clock.now()
    with services.open_uow() as uow:
        uow.organisations.save(
            make.organisation(organisation_id=each.code, kind=OrganisationKind.SCHOOL, membership="active")
            for each in schools
        )
        uow.commit()
    _insert(services, tenants, (_tenant(each, now) for each in schools))
    _insert(services, bindings, map(_binding, schools))
    _insert(services, policies, map(_policy, schools), is_superseded=False)
    with services.open_uow() as uow:
        for each in schools:
            if each.has_group:
                uow.groups.save((make_group or _group_of)(each))
        uow.commit()


def _insert(services: Services, table: Table, values: Iterable[msgspec.Struct], **others: Any) -> None:
    rows = [row_of(each) | others for each in values]
    if rows:  # without any a row of nothing but defaults would be meant
        with services.engine.begin() as connection:
            connection.execute(insert(table), rows)


def _tenant(school: School, now: datetime) -> Tenant:
    return make.tenant(tenant_id=school.tenant_id, initial_domain=school.domain, proven_at=now)


def _binding(school: School) -> Binding:
    confirmed = {"binding_id": BindingId(str(uuid5(NAMESPACE_OID, school.domain))), "valid_from": _LONG_AGO}
    return make.binding(school.code, school.tenant_id, **confirmed)


def _policy(school: School) -> Policy:
    return make.policy(school.tenant_id, valid_from=_LONG_AGO, assignment_mode=school.mode)


def _group_of(school: School) -> LicensingGroup:
    return LicensingGroup(
        tenant_id=school.tenant_id,
        sku_id=A3,
        holder_id=school.code,
        nickname=school.group_nickname,
        group_id=school.group_id,
        is_licensed=True,
    )


def order(services: Services, school: School, lane: Lane = Lane.BULK) -> OperationId:
    """A3 for everybody, in the ledger and as an operation that is due: what an accepted line leaves behind."""
    return order_all(services, [school], lane)[0]


def order_all(services: Services, schools: Sequence[School], lane: Lane = Lane.BULK) -> list[OperationId]:
    """The same for many schools at once."""
    now, article = services.clock.now(), _article(services)
    ordered = [_operation(school, article, lane, now) for school in schools]
    with services.open_uow() as uow:
        uow.ledger.append(_entry(school, now.date() - timedelta(days=1)) for school in schools)
        uow.commit()
    _insert(services, operations, ordered)
    return [operation.operation_id for operation in ordered]


def _operation(school: School, article: Article, lane: Lane, now: datetime) -> Operation:
    return Operation(
        operation_id=OperationId(str(uuid5(NAMESPACE_OID, f"{school.code} at {now}"))),
        kind=OperationKind.DELIVER,
        tenant_id=school.tenant_id,
        lane=lane,
        state=OperationState.NEW,
        wish=Wish(
            sku_id=A3,
            audience=Audience.FACULTY,
            article_code=STAFF_ARTICLE,
            replaces=article.replaces,
            holder_id=school.code,
            organisations=(school.code,),
            seats_wanted=school.people,
        ),
        requested_by=make.AUTHOR,
        created_at=now,
        entered_at=now,
        due_at=now,
    )


def _article(services: Services) -> Article:
    return next(article for article in services.mappings.articles if article.code == STAFF_ARTICLE)


def _entry(school: School, since: date) -> LedgerEntry:
    return LedgerEntry(
        holder_id=school.code,
        tenant_id=school.tenant_id,
        article_code=STAFF_ARTICLE,
        sku_id=A3,
        delta=school.people,
        effective_on=since,
        ends_on=None,
        cause=LedgerCause.ORDER_LINE,
        cause_ref=f"bench/{school.number}/1",
    )


def unbounded(people: int) -> Mapping[str, Any]:
    """Settings under which neither guard nor quota holds up so many people: they are not what is measured."""
    return {"guard_swaps": people, "guard_assignments": people, "tenant_writes": 10_000_000, "app_writes": 10_000_000}


def open_quotas() -> dict[str, dict[str, float]]:
    """The same on the twin's side."""
    names = ["app_tenant_writes", "app_writes", "tenant_writes"]
    names += [f"app_tenant_units_{size}" for size in ("small", "medium", "large")]
    return {name: {"capacity": 10_000_000.0} for name in names}
