"""Two boards, each with a tenant of its own, and whoever goes from one to the other, on a real database."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from config.limits import default_limits
from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.actors import Identity, Role
from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import Actor, MigrationId, SubjectId
from provisioning.domain.migration import MatchRule, Migration, ProductPair, Situation, Traveller, WaveDefinition
from provisioning.domain.migration_file import IdentityPair, MigrationFile, Side
from provisioning.domain.observation import Person
from provisioning.planning.preflight import Preflight
from provisioning.services.check_wave import CheckWave
from provisioning.services.create_migration import CreatedMigration, CreateMigration
from provisioning.services.match_again import MatchAgain
from provisioning.services.match_migration import MatchMigration
from provisioning.services.show_migrations import ShowMigrations
from provisioning.services.start_wave import StartWave
from tests.factories import NOW, orders, tenancy
from tests.factories.migrations import EVERYONE
from tests.fakes import FakeClock
from tests.integration.services.fake_tenants import FakeTenants
from tests.unit.planning.scene import A3, MAPPINGS, held, person

Open = Callable[[], SqlUnitOfWork]
OPERATOR = Identity(actor=Actor("person:duty"), roles=frozenset({Role.OPERATOR}))
LEAVING, TAKING, ELSE = "41000", "42000", "43000"  # boards
HERE, THERE = "oost.example", "samen.example"


@dataclass
class Boards:
    """`ann` goes from Oost to Samen, and whoever a test adds."""

    open_uow: Open
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))

    def __post_init__(self) -> None:
        self.source, self.target = tenancy.tenant(initial_domain=HERE), tenancy.tenant(initial_domain=THERE)
        self.gateway = FakeTenants(self.clock, plans={A3: MAPPINGS.skus[A3].plan_ids})
        with self.open_uow() as uow:
            uow.organisations.save([tenancy.organisation(organisation_id=one) for one in (LEAVING, TAKING, ELSE)])
            ours = ((self.source, LEAVING, EVERYONE), (self.target, TAKING, f'{{"domain":"{THERE}"}}'))
            for tenant, board, selector in ours:
                uow.tenants.save(tenant)
                uow.tenants.add_binding(tenancy.binding(board, tenant.tenant_id, selectors={Audience.ANY: selector}))
            uow.commit()
        self.come("ann")
        self.match = MatchMigration(
            open_uow=self.open_uow,
            gateway=self.gateway,  # type: ignore[arg-type]
            clock=self.clock,
            mappings=MAPPINGS,
        )

    def come(self, name: str, *, key: str = "", far: str | None = None) -> None:
        """Somebody of the source with an account in the target: `ann` and `ann2`, with a sign-in name in each."""
        self.be_at(self.source.tenant_id, HERE, person(name, held(A3)), key)
        self.be_at(self.target.tenant_id, THERE, person(far or f"{name}2"), key)

    def be_at(self, tenant: str, domain: str, one: Person, key: str = "") -> None:
        self.gateway.settle(tenant, one)
        self.gateway.names.setdefault(tenant, {})[f"{one.subject_id}@{domain}"] = one.subject_id
        self.gateway.keys.setdefault(tenant, {})[one.subject_id] = key

    def create(self, *rows: tuple[str, str], **asked: Any) -> CreatedMigration:
        """`rows`: of the identity map, from its second line on, as a file has them."""
        fields = {
            "name": "Oost to Samen",
            "source": Side(tenant=HERE, holder=LEAVING),
            "target": Side(tenant=THERE, holder=TAKING),
            "asked_by": "letter 7",
            "people": EVERYONE,
            "products": (ProductPair(source_sku=A3, target_sku=A3),),
            "waves": (WaveDefinition(number=1, name="all", selector=EVERYONE),),
            "identity": tuple(IdentityPair(*row, line) for line, row in enumerate(rows, 2)),
            "rules": (MatchRule.EMPLOYEE_ID,),
        }
        create = CreateMigration(
            open_uow=self.open_uow,
            gateway=self.gateway,  # type: ignore[arg-type]
            clock=self.clock,
            match=self.match,
        )
        return create(OPERATOR, MigrationFile(**fields | asked))

    def match_again(self, migration: Migration) -> None:
        MatchAgain(open_uow=self.open_uow, match=self.match)(OPERATOR, migration.migration_id)

    def neighbour(self, board: str, selector: str) -> None:
        """Another board that uses the target too."""
        with self.open_uow() as uow:
            uow.tenants.add_binding(
                tenancy.binding(board, self.target.tenant_id, selectors={Audience.ANY: selector}, is_transition=True)
            )
            uow.commit()

    def buy(self, seats: int, entitled: int) -> None:
        """In the target: so many seats, and so many of them for the board that takes people."""
        self.gateway.sell(self.target.tenant_id, A3, seats)
        entry = orders.ledger_entry(TAKING, self.target.tenant_id, sku_id=A3, delta=entitled)
        with self.open_uow() as uow:
            uow.ledger.append([entry])
            uow.tenants.add_policy(tenancy.policy(self.target.tenant_id))
            uow.commit()

    def check(self, migration: Migration) -> Preflight:
        check = CheckWave(
            open_uow=self.open_uow,
            gateway=self.gateway,  # type: ignore[arg-type]
            clock=self.clock,
            mappings=MAPPINGS,
            limits=default_limits(),
        )
        return check(migration.migration_id, 1)

    def start(self, migration: Migration) -> None:
        start = StartWave(open_uow=self.open_uow, clock=self.clock, check=self._checked)
        start(OPERATOR, migration.migration_id, 1)

    def _checked(self, migration: MigrationId, number: int) -> Any:
        return self.clock.now()

    def travellers(self, migration: Migration) -> dict[str, Traveller]:
        with self.open_uow() as uow:
            return {one.source_id: one for one in uow.migrations.travellers(migration.migration_id)}

    def found(self, migration: Migration) -> dict[str, tuple[Situation, SubjectId | None]]:
        return {name: (one.situation, one.target_id) for name, one in self.travellers(migration).items()}

    def nameless(self, migration: Migration) -> list[tuple[int, str]]:
        show = ShowMigrations(
            open_uow=self.open_uow,
            clock=self.clock,
            foretell=dict,
            skus=lambda: MAPPINGS.skus,
            prospects=lambda _migration, _people: [],
        )
        return [(cell.line, cell.column.value) for cell in show.one(migration.migration_id).nameless]
