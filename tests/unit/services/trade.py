"""The services of the trade over a world in memory, wired as the service wires them."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from config.limits import default_limits
from provisioning.domain.actors import Identity, Role
from provisioning.domain.configuration import ConfigurationKind
from provisioning.domain.ids import Actor, LineKey
from provisioning.domain.lifecycle import LineState
from provisioning.domain.order import ShopLine
from provisioning.domain.reasons import Reason
from provisioning.services.collect_orders import CollectOrders
from provisioning.services.compare_orders import CompareOrders
from provisioning.services.gather_order import GatherOrder
from provisioning.services.import_organisations import ImportOrganisations
from provisioning.services.import_records import ImportRecords
from provisioning.services.judge_lines import JudgeLines
from provisioning.services.serve_parts import ServeParts
from tests.factories.trade import MAPPINGS, SCHOOL, TENANT, binding, organisation, shop_line, tenant
from tests.fakes import FakeClock, FakeDispatcher, FakeShop, World, opener

LIMITS = default_limits()
OPERATOR = Identity(actor=Actor("person:duty"), roles=frozenset({Role.OPERATOR}))
AUDITOR = Identity(actor=Actor("person:clerk"), roles=frozenset({Role.AUDITOR}))


@dataclass
class Trade:
    """A shop, our world, and every service between them; one member school with a confirmed tenant to begin with."""

    world: World = field(default_factory=World)
    shop: FakeShop = field(default_factory=FakeShop)
    clock: FakeClock = field(default_factory=FakeClock)
    dispatcher: FakeDispatcher = field(default_factory=FakeDispatcher)

    def __post_init__(self) -> None:
        self.world.organisations = {SCHOOL: organisation()}
        self.world.tenants = {TENANT: tenant()}
        self.world.bindings = [binding()]
        open_uow = opener(self.world)
        common: dict[str, Any] = {"open_uow": open_uow, "clock": self.clock}
        self.unapproved: set[ConfigurationKind] = set()
        self.judge = JudgeLines(
            gather=GatherOrder(MAPPINGS, LIMITS),
            dispatcher=self.dispatcher,
            unapproved=lambda: self.unapproved,
            **common,
        )
        self.collect = CollectOrders(source=self.shop, judge=self.judge, limits=LIMITS, **common)
        self.compare = CompareOrders(source=self.shop, collect=self.collect, judge=self.judge, **common)
        self.serve = ServeParts(dispatcher=self.dispatcher, **common)
        self.import_records = ImportRecords(judge=self.judge, serve=self.serve, judge_tickets=lambda: 0, **common)
        self.import_organisations = ImportOrganisations(judge=self.judge, **common)
        self.open_uow = open_uow

    def place(self, number: int = 1, **columns: Any) -> LineKey:
        """The shop writes a row (again), now."""
        row = self.row(number, **columns)
        self.shop.put(row)
        return row.key

    def row(self, number: int = 1, **columns: Any) -> ShopLine:
        now = self.clock.now()
        return shop_line(number, **{"placed_at": now, "changed_at": now, **columns})

    def order(self, number: int = 1, **columns: Any) -> LineKey:
        """The shop writes a row and we collect it."""
        key = self.place(number, **columns)
        self.collect()
        return key

    def state_of(self, key: LineKey) -> tuple[LineState, Reason | None]:
        return self.world.state_of(key)

    def later(self, **by: float) -> None:
        self.clock.forward(timedelta(**by))
