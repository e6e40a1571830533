"""Two tenants behind one gateway, and what each of them and its school agreed with us."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from provisioning.domain.catalogue import Audience
from provisioning.domain.groups import ObservedGroup
from provisioning.domain.ids import Actor, BindingId, GroupId, OrganisationId, SubjectId, TenantId
from provisioning.domain.observation import Census, HeldLicence, Membership, Person, Seats, TenantProfile
from provisioning.domain.operation import Attempt, Receipt
from provisioning.domain.tenancy import AssignmentMode, Binding, Policy
from provisioning.domain.worklist import Lease
from tests.simulation.graph import FakeGraph, Write, licence
from tests.simulation.world import A3, BEGINNING, YAMMER

SOURCE = TenantId("22222222-2222-2222-2222-222222222222")
TARGET = TenantId("33333333-3333-3333-3333-333333333333")
OLD_SCHOOL, NEW_SCHOOL = OrganisationId("41OLD0"), OrganisationId("42NEW0")

EXCHANGE = "efb87545-963c-4e0d-99df-69c6916d9eb0"


def there(source: SubjectId) -> SubjectId:
    """The same human being in the target."""
    return SubjectId(f"{source}-there")


def people_of(number: int, through: GroupId | None) -> dict[SubjectId, Person]:
    kinds = (licence(A3), licence(A3, YAMMER), licence(A3, EXCHANGE), licence(A3))
    people = {}
    for place in range(number):
        held = kinds[place % 4]
        if through and place % 4 == 3:
            held = HeldLicence(A3, group_id=through)
        subject = SubjectId(f"person-{place:03}")
        people[subject] = Person(subject_id=subject, domain="old.example", usage_location="NL", licences=(held,))
    return people


def accounts_for(here: Mapping[SubjectId, Person]) -> dict[SubjectId, Person]:
    return {
        there(one): Person(subject_id=there(one), domain="new.example", usage_location="NL", licences=())
        for one in here
    }


@dataclass
class TwoTenants:
    """The gateway: each tenant's own Graph."""

    source: FakeGraph
    target: FakeGraph

    def of(self, tenant: TenantId) -> FakeGraph:
        return {SOURCE: self.source, TARGET: self.target}[tenant]

    @property
    def writes(self) -> list[Write]:
        return sorted((*self.source.writes, *self.target.writes), key=lambda write: write.at)

    def observe_tenant(self, tenant: TenantId) -> TenantProfile:
        return self.of(tenant).observe_tenant(tenant)

    def observe_seats(self, tenant: TenantId) -> Seats:
        return self.of(tenant).observe_seats(tenant)

    def observe_readiness(self, tenant: TenantId) -> tuple[TenantProfile, Seats]:
        return self.of(tenant).observe_readiness(tenant)

    def resolve_subjects(self, tenant: TenantId, references: Sequence[str]) -> dict[str, SubjectId | None]:
        return self.of(tenant).resolve_subjects(tenant, references)

    def observe_census(self, tenant: TenantId) -> Census:
        return self.of(tenant).observe_census(tenant)

    def observe_people(self, tenant: TenantId, subjects: Sequence[SubjectId]) -> dict[SubjectId, Person | None]:
        return self.of(tenant).observe_people(tenant, subjects)

    def observe_memberships(self, tenant: TenantId, keys: Collection[str]) -> Mapping[str, Membership]:
        return self.of(tenant).observe_memberships(tenant, keys)

    def observe_groups(
        self, tenant: TenantId, groups: Collection[GroupId], *, with_members: bool = True
    ) -> dict[GroupId, ObservedGroup | None]:
        return self.of(tenant).observe_groups(tenant, groups, with_members=with_members)

    def find_group(self, tenant: TenantId, nickname: str) -> ObservedGroup | None:
        return self.of(tenant).find_group(tenant, nickname)

    def apply(self, tenant: TenantId, attempts: Sequence[Attempt], lease: Lease) -> list[Receipt]:
        return self.of(tenant).apply(tenant, attempts, lease)


def policy(tenant: TenantId, mode: AssignmentMode) -> Policy:
    return Policy(
        tenant_id=tenant,
        valid_from=date(2026, 1, 1),
        assignment_mode=mode,
        usage_location="NL",
        created_by=Actor("person:author"),
        approved_by=Actor("person:other"),
    )


def binding(tenant: TenantId, holder: OrganisationId) -> Binding:
    return Binding(
        binding_id=BindingId(f"b-{holder}"),
        organisation_id=holder,
        tenant_id=tenant,
        valid_from=date(2026, 1, 1),
        selectors={Audience.FACULTY: '{"everyone":true}'},
        created_by=Actor("person:author"),
        confirmed_by=Actor("person:other"),
        confirmed_at=BEGINNING,
    )
