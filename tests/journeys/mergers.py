"""Two schools of two boards that become one: accounts on both sides, seats in the target, and what operators type."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from provisioning.domain.actors import Identity, Role
from provisioning.domain.ids import Actor, MigrationId, SkuId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.migration import (
    EvidenceSource,
    Migration,
    MigrationPart,
    Phase,
    ProductPair,
    Traveller,
    WaveDefinition,
)
from provisioning.domain.migration_file import IdentityPair, MigrationFile, Side
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from provisioning.domain.operation import Operation
from provisioning.domain.order import LedgerCause, LedgerEntry
from tests.journeys.customers import A3, A3_STAFF, Customer
from tests.journeys.furniture import Town
from tests.journeys.patience import until

OPERATOR = Identity(actor=Actor("person:mover"), roles=frozenset({Role.OPERATOR}))
APPROVER = Identity(actor=Actor("person:third"), roles=frozenset({Role.APPROVER}))
EVERYONE = '{"everyone":true}'
_A_MOMENT = timedelta(minutes=1)  # so that nobody is a second short of it


@dataclass
class Merger:
    """One migration from `source` to `target`, the same people in both."""

    town: Town
    source: Customer
    target: Customer
    migration_id: MigrationId

    @classmethod
    def prepare(
        cls,
        town: Town,
        people: int,
        *,
        pilot: int = 5,
        seats: int | None = None,
        source: Mapping[str, Any] | None = None,
        target: Mapping[str, Any] | None = None,
        is_ordered: bool = False,
        **wishes: Any,
    ) -> "Merger":
        """Everybody of the source has an account without a licence in the target, and a seat waits there for them.

        `is_ordered`: what people of the source have was delivered to them by an order.
        """
        here = town.school(people, **{"holds": A3, **(source or {})})
        if is_ordered:
            town.await_end(town.order(here, people), within=90.0)
        there = town.school(people, holds=None, seats=people if seats is None else seats, **(target or {}))
        waves = (
            WaveDefinition(number=1, name="proef", selector=EVERYONE, limit=pilot),
            WaveDefinition(number=2, name="de rest", selector=EVERYONE),
        )
        identity = tuple(IdentityPair(*pair) for pair in zip(here.people, there.people, strict=True))
        return cls.between(town, here, there, people, **{"waves": waves, "identity": identity, **wishes})

    @classmethod
    def between(
        cls, town: Town, here: Customer, there: Customer, seats: int, *, holder: str | None = None, **wishes: Any
    ) -> "Merger":
        """Of two customers that are there. `seats`: how many more the target has bought; `holder`: who leaves."""
        entitle(town, there, seats)
        asked = MigrationFile(
            **{
                "name": f"{here.code} naar {there.code}",
                "source": Side(tenant=here.tenant, holder=holder or here.code),
                "target": Side(tenant=there.tenant, holder=there.code),
                "asked_by": "brief 2027-14",
                "people": EVERYONE,
                "products": (ProductPair(source_sku=SkuId(A3), target_sku=SkuId(A3)),),
                "waves": (WaveDefinition(number=1, name="allen", selector=EVERYONE),),
                "moves_mailboxes": False,
                **wishes,
            }
        )
        created = town.services.create_migration(OPERATOR, asked)
        return cls(town, here, there, created.migration.migration_id)

    # ── what operators do ────────────────────────────────────────────────────────────────────────────────

    def start(self, wave: int) -> None:
        self.town.services.start_wave(OPERATOR, self.migration_id, wave, "the boards say go")

    def approve(self, phase: Phase, wave: int) -> None:
        """The plan of this phase, once it was drawn."""
        operation = self.await_operation(phase, wave, OperationState.AWAITING_APPROVAL)
        sheet = self.town.services.show_plan(operation.operation_id)
        self.town.services.approve_plan(APPROVER, operation.operation_id, sheet.envelope.digest)

    def open_gate(self, people: Iterable[str]) -> None:
        self.town.services.open_gate(OPERATOR, self.migration_id, list(people), EvidenceSource.LIST, "lijst 1")

    def release(self, wave: int) -> None:
        self.town.services.release_wave(OPERATOR, self.migration_id, wave, "a month has passed")

    def bring(self, wave: int) -> None:
        """A whole wave, from its start to where everybody has arrived."""
        self.start(wave)
        self.approve(Phase.PREPARE, wave)
        self.await_wave(wave, WaveState.GATED)
        self.open_gate(names_in(self.travellers(wave)))
        self.await_wave(wave, WaveState.HOLDING)

    def roll_back(self, wave: int) -> None:
        self.town.services.roll_back_wave(OPERATOR, self.migration_id, wave, "the boards think again")

    def roll_back_failed(self, wave: int) -> None:
        self.town.services.roll_back_failed(OPERATOR, self.migration_id, wave, "they stay where they are")

    def retry(self, wave: int) -> None:
        self.town.services.retry_wave(OPERATOR, self.migration_id, wave, "the cause is gone")

    def steer(self, goal: MigrationState) -> None:
        self.town.services.steer_migration(OPERATOR, self.migration_id, goal, "the boards ask")

    # ── looking ──────────────────────────────────────────────────────────────────────────────────────────

    @property
    def migration(self) -> Migration:
        with self.town.services.open_uow() as uow:
            return uow.migrations.get(self.migration_id)

    def travellers(self, wave: int | None = None) -> list[Traveller]:
        with self.town.services.open_uow() as uow:
            return uow.migrations.travellers(self.migration_id, wave=wave)

    def states(self, wave: int | None = None) -> set[PersonState]:
        return {one.state for one in self.travellers(wave)}

    def operations(self, phase: Phase, wave: int) -> list[Operation]:
        part = MigrationPart(migration_id=self.migration_id, wave=wave, phase=phase)
        with self.town.services.open_uow() as uow:
            return [one for one in uow.migrations.operations_of(self.migration_id) if one.wish.part == part]

    def await_operation(self, phase: Phase, wave: int, state: OperationState, within: float = 60.0) -> Operation:
        def look() -> Operation | None:
            return next((one for one in self.operations(phase, wave) if one.state is state), None)

        return until(look, lambda: f"{phase} of wave {wave} {state}: {self._story()}", within=within)

    def await_wave(self, wave: int, state: WaveState, within: float = 60.0) -> None:
        def look() -> bool:
            with self.town.services.open_uow() as uow:
                return any(one.number == wave and one.state is state for one in uow.migrations.waves(self.migration_id))

        until(look, lambda: f"wave {wave} {state}: {self._story()}", within=within)

    def await_state(self, state: MigrationState, within: float = 60.0) -> None:
        until(lambda: self.migration.state is state, self._story, within=within)

    @property
    def held_until(self) -> datetime:
        """From when on the sources of all who have arrived may be released."""
        period = self.migration.definition.hold_period
        return max(end for one in self.travellers() if (end := one.held_until(period)))

    def _story(self) -> str:
        with self.town.services.open_uow() as uow:
            waves = [(one.number, str(one.state)) for one in uow.migrations.waves(self.migration_id)]
            counts = uow.migrations.counts(self.migration_id)
            operations = [
                (str(one.wish.part and one.wish.part.phase), str(one.state), one.reason, one.waits)
                for one in uow.migrations.operations_of(self.migration_id)
            ]
        migration = self.migration
        return f"{migration.state} {migration.reason} {waves} {counts} {operations}"


def pass_hold_period(*mergers: Merger) -> None:
    """The same month for all of them, which are in one world of their own."""
    town = mergers[0].town
    town.pass_time(max(one.held_until for one in mergers) + _A_MOMENT - town.services.clock.now())


def names_in(people: Sequence[Traveller]) -> list[str]:
    return [str(one.source_id) for one in people]


def entitle(town: Town, customer: Customer, seats: int) -> None:
    """What the target's board has bought for those who come."""
    now = town.services.clock.now()
    entry = LedgerEntry(
        holder_id=customer.code,
        tenant_id=customer.tenant,
        article_code=A3_STAFF,
        sku_id=SkuId(A3),
        delta=seats,
        effective_on=now.date() - timedelta(days=1),
        ends_on=None,
        cause=LedgerCause.CORRECTION,
        cause_ref="merger",
    )
    with town.services.open_uow() as uow:
        uow.ledger.append([entry])
        uow.commit()
