"""Lost seats are looked for in a part of the tenants at a time, and found only where nobody explains them."""

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
import pytest

from config.limits import default_limits
from provisioning.domain.agreement_move import AgreementMove, Inventory, Look
from provisioning.domain.errors import RetryableError
from provisioning.domain.ids import SkuId, TenantId
from provisioning.domain.observation import Seats, Subscription
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import ConsentState, Tenant
from provisioning.services.agreement.search import SearchElsewhere
from tests.fakes import FakeClock

A3 = SkuId("a3")
NOW = datetime(2026, 9, 1, tzinfo=UTC)
X, Y = TenantId("x"), TenantId("y")
LOST = Subscription(subscription_id="s", sku_id=A3, status="Enabled", total=40, next_lifecycle_at=NOW)
MOVE = AgreementMove(
    source=X,
    target=Y,
    inventory=Inventory(moving={A3: 40}),
    before=Look(at=NOW, source=(LOST,)),
    latest=Look(at=NOW),
    next_look_at=NOW,
)


class Elsewhere:
    """Many tenants of ours; `found`: what each shows; `bought`: what the ledger explains there."""

    def __init__(self, tenants: int) -> None:
        self.names = [TenantId(f"t{n:02}") for n in range(tenants)]
        self.found: dict[TenantId, Subscription] = {}
        self.bought: dict[TenantId, int] = {}
        self.unexplained: dict[TenantId, int] = {}
        self.consents: dict[TenantId, ConsentState] = {}
        self.away: set[TenantId] = set()
        self.asked: list[TenantId] = []
        limits = msgspec.structs.replace(default_limits(), agreement_search=4)
        self.search = SearchElsewhere(
            open_uow=cast("Any", self._open), gateway=cast("Any", self), clock=FakeClock(NOW), limits=limits
        )

    @contextmanager
    def _open(self) -> Any:
        yield self

    @property
    def tenants(self) -> Any:
        return self

    @property
    def ledger(self) -> Any:
        return self

    @property
    def seats(self) -> Any:
        return self

    def list_all(self) -> list[Tenant]:
        granted = ConsentState.GRANTED
        return [
            Tenant(tenant_id=one, initial_domain=one, consent=self.consents.get(one, granted))
            for one in reversed([X, Y, *self.names])
        ]

    def tenant_total(self, tenant: TenantId, sku: SkuId, on: object) -> int:
        return self.bought.get(tenant, 0)

    def unexplained_before(self, tenant: TenantId, sku: SkuId, moment: object) -> int | None:
        return self.unexplained.get(tenant)

    def observe_seats(self, tenant: TenantId) -> Seats:
        self.asked.append(tenant)
        if tenant in self.away:
            raise RetryableError("Away.", Reason.NO_ANSWER)
        shown = (self.found[tenant],) if tenant in self.found else ()
        return Seats(tenant_id=tenant, observed_at=NOW, counts={}, subscriptions=shown)


class TestSearchElsewhere:
    def test_looks_at_a_part_and_goes_on_from_there_round_and_round(self) -> None:
        world = Elsewhere(6)
        move = MOVE
        for _ in range(3):
            move = world.search(move)
        assert world.asked == [*world.names[:4], *world.names[4:], *world.names[:4]]
        assert move.seen_in is None

    def test_never_at_the_two_that_are_known(self) -> None:
        world = Elsewhere(2)
        world.search(MOVE)
        assert not {X, Y} & set(world.asked)

    def test_finds_them_where_nobody_explains_them(self) -> None:
        world = Elsewhere(6)
        world.found[world.names[2]] = msgspec.structs.replace(LOST, subscription_id="z")
        assert world.search(MOVE).seen_in == world.names[2]

    @pytest.mark.parametrize("explained", ["bought", "unexplained"])
    def test_what_was_bought_there_or_was_there_before_is_theirs(self, explained: str) -> None:
        world = Elsewhere(1)
        world.found[world.names[0]] = LOST
        getattr(world, explained)[world.names[0]] = 40
        assert world.search(MOVE).seen_in is None

    def test_another_number_or_end_is_another_purchase(self) -> None:
        world = Elsewhere(1)
        world.found[world.names[0]] = msgspec.structs.replace(LOST, total=80)
        assert world.search(MOVE).seen_in is None

    def test_who_is_away_is_passed_by(self) -> None:
        world = Elsewhere(2)
        world.away = {world.names[0]}
        world.found[world.names[1]] = LOST
        assert world.search(MOVE).seen_in == world.names[1]

    def test_who_lets_us_not_look_is_not_asked(self) -> None:
        world = Elsewhere(2)
        world.consents = {world.names[0]: ConsentState.REVOKED}
        world.search(MOVE)
        assert world.asked == world.names[1:]

    def test_without_any_other_tenant_there_is_nothing_to_find(self) -> None:
        assert Elsewhere(0).search(MOVE) == MOVE
