"""The two schools that become one: who is there, what was agreed for each tenant, and what they asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from provisioning.domain.catalogue import Audience
from provisioning.domain.groups import GroupLicence, LicensingGroup, ObservedGroup
from provisioning.domain.ids import Actor, BindingId, GroupId, MigrationId, OrganisationId, SkuId, SubjectId, TenantId
from provisioning.domain.migration import Migration, MigrationDefinition, ProductPair, Wave, WaveDefinition, Window
from provisioning.domain.migration_lifecycle import MigrationState
from provisioning.domain.observation import HeldLicence, Person
from provisioning.domain.tenancy import AssignmentMode, Binding, Policy, Tenant
from tests.simulation.graph import FakeGraph, licence
from tests.simulation.store import MemoryUnitOfWork
from tests.simulation.two_tenants import SOURCE, TARGET
from tests.simulation.world import A3, BEGINNING, YAMMER

MIGRATION = MigrationId("migration-1")
OLD_SCHOOL, NEW_SCHOOL = OrganisationId("41OLD0"), OrganisationId("42NEW0")
OURS = GroupId("our-group")
THEIRS = GroupId("their-group")
EXCHANGE = "efb87545-963c-4e0d-99df-69c6916d9eb0"
ALWAYS = Window()
EVERYONE = '{"everyone":true}'


def there(source: SubjectId) -> SubjectId:
    """The same human being in the target."""
    return SubjectId(f"{source}-there")


@dataclass(frozen=True, kw_only=True)
class Schools:
    """Five people by default: two with Yammer off, one whose Exchange is off, one through a group where asked for.

    `seats`: in the target, of each product; as many as people unless said otherwise. `mode`: of the target.
    `through`: the source's group that gives every fourth their licence. `also`: a second product, which the last of
    them have as well, and the one before the last have alone.
    """

    people: int = 5
    pilot: int = 2
    seats: int | None = None
    mode: AssignmentMode = AssignmentMode.DIRECT
    through: GroupId | None = None
    also: SkuId | None = None
    window: Window = ALWAYS
    begins_at: datetime = BEGINNING
    hold_period: timedelta = timedelta(days=30)

    @property
    def products(self) -> tuple[SkuId, ...]:
        return (A3,) if self.also is None else (A3, self.also)

    @property
    def seats_there(self) -> dict[SkuId, int]:
        return dict.fromkeys(self.products, self.people if self.seats is None else self.seats)

    def people_here(self) -> dict[SubjectId, Person]:
        return {
            subject: Person(
                subject_id=subject, domain="old.example", usage_location="NL", licences=self._licences(place)
            )
            for place, subject in enumerate(SubjectId(f"person-{number:03}") for number in range(self.people))
        }

    def _licences(self, place: int) -> tuple[HeldLicence, ...]:
        kinds = (licence(A3), licence(A3, YAMMER), licence(A3, EXCHANGE), licence(A3))
        held = HeldLicence(A3, group_id=self.through) if self.through and place % 4 == 3 else kinds[place % 4]
        if self.also is None or place < self.people - 2:
            return (held,)
        return (licence(self.also),) if place == self.people - 2 else (held, licence(self.also))

    def accounts_there(self) -> dict[SubjectId, Person]:
        return {
            there(one): Person(subject_id=there(one), domain="new.example", usage_location="NL", licences=())
            for one in self.people_here()
        }

    # ── what is agreed ───────────────────────────────────────────────────────────────────────────────────

    def settle_in(self, uow: MemoryUnitOfWork) -> None:
        here = AssignmentMode.DIRECT if self.through is None else AssignmentMode.GROUP
        for tenant, holder, way in ((SOURCE, OLD_SCHOOL, here), (TARGET, NEW_SCHOOL, self.mode)):
            uow.rows.tenants[tenant] = Tenant(tenant_id=tenant, initial_domain=f"{holder}.example")
            uow.rows.policies[tenant] = _policy(tenant, way)
            uow.rows.bindings.append(_binding(tenant, holder))
            for sku in self.products:
                uow.rows.entitlements[tenant, sku] = self.people

    def make_group(self, uow: MemoryUnitOfWork, source: FakeGraph) -> None:
        """Whose group it is: ours, that we know of, or the school's own."""
        if self.through is None:
            return
        inside = {one for one, person in source.people.items() if any(held.group_id for held in person.licences)}
        source.groups.add(
            ObservedGroup(
                group_id=self.through,
                nickname="a3",
                members=frozenset(inside),
                licences=(GroupLicence(A3),),
                is_complete=True,
            )
        )
        if self.through == OURS:
            group = LicensingGroup(
                tenant_id=SOURCE, sku_id=A3, holder_id=OLD_SCHOOL, nickname="a3", group_id=OURS, is_licensed=True
            )
            uow.groups.save(group)

    # ── what is asked for ────────────────────────────────────────────────────────────────────────────────

    def ask_for_migration(self, uow: MemoryUnitOfWork, people: Mapping[SubjectId, Person], threshold: float) -> None:
        migration = Migration(
            migration_id=MIGRATION,
            definition=self._definition(people, threshold),
            digest="digest-of-the-definition",
            state=MigrationState.NEW,
            requested_by=Actor("person:mover"),
            created_at=self.begins_at,
            entered_at=self.begins_at,
        )
        waves = [Wave(migration_id=MIGRATION, number=number, entered_at=self.begins_at) for number in (1, 2)]
        uow.migrations.add(migration, waves)

    def _definition(self, people: Mapping[SubjectId, Person], threshold: float) -> MigrationDefinition:
        return MigrationDefinition(
            name="merger",
            source_tenant=SOURCE,
            target_tenant=TARGET,
            source_holder=OLD_SCHOOL,
            target_holder=NEW_SCHOOL,
            asked_by="letter 1",
            people=EVERYONE,
            products=tuple(ProductPair(source_sku=sku, target_sku=sku) for sku in self.products),
            waves=(
                WaveDefinition(number=1, name="pilot", selector=EVERYONE, limit=self.pilot),
                WaveDefinition(number=2, name="the rest", selector=EVERYONE),
            ),
            identity=tuple((one, there(one)) for one in sorted(people)),
            failure_threshold=threshold,
            hold_period=self.hold_period,
            window=self.window,
            moves_mailboxes=False,  # by a tool of the school's own: no seats of Microsoft's add-on are counted
        )


def _policy(tenant: TenantId, mode: AssignmentMode) -> Policy:
    return Policy(
        tenant_id=tenant,
        valid_from=date(2026, 1, 1),
        assignment_mode=mode,
        usage_location="NL",
        created_by=Actor("person:author"),
        approved_by=Actor("person:other"),
    )


def _binding(tenant: TenantId, holder: OrganisationId) -> Binding:
    return Binding(
        binding_id=BindingId(f"b-{holder}"),
        organisation_id=holder,
        tenant_id=tenant,
        valid_from=date(2026, 1, 1),
        selectors={Audience.FACULTY: EVERYONE},
        created_by=Actor("person:author"),
        confirmed_by=Actor("person:other"),
        confirmed_at=BEGINNING,
    )
