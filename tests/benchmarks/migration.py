"""How fast a wave of a migration goes against what the quota allows: prepared, enabled, a month later released."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import msgspec

from provisioning.domain.actors import Identity, Role
from provisioning.domain.ids import Actor, MigrationId, SkuId, SubjectId
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState
from provisioning.domain.migration import EvidenceSource, Phase, ProductPair, WaveDefinition
from provisioning.domain.migration_file import IdentityPair, MigrationFile, Side
from provisioning.domain.operation import Operation
from provisioning.domain.order import LedgerCause, LedgerEntry
from provisioning.local.world import APP, LocalWorld
from tests.benchmarks.pace import busy
from tests.benchmarks.rows import SEED, Row, Rows, at_most
from tests.benchmarks.school import A3, STAFF_ARTICLE, School, register
from tests.benchmarks.worker import Worker, later_in, options, world_with

_TENANT_RATE = 20.0  # writes a second, by Microsoft's own number
_A_MONTH = timedelta(days=30, minutes=5)  # the hold period
_OPERATOR = Identity(actor=Actor("person:mover"), roles=frozenset({Role.OPERATOR}))
_APPROVER = Identity(actor=Actor("person:third"), roles=frozenset({Role.APPROVER}))
_EVERYONE = '{"everyone":true}'
_ROLES = ["LicenseAssignment.ReadWrite.All", "User.ReadWrite.All", "GroupMember.Read.All", "Organization.Read.All"]


class _Leg(msgspec.Struct, frozen=True):
    """One phase from drained buckets to its last write: seconds of the service's clock, and what `show` foretold."""

    taken: float
    foretold: float


def migration(people: int = 5_000, factor: float = 10.0) -> Rows:
    """A wave of people of one tenant who get the product in another, then Exchange, and a month later lose the old."""
    source, target = School(number=1, people=people), School(number=2, people=people)
    with world_with([], options(factor=factor, guard_assignments=people)) as (world, worker):
        tenants = [_seed(source, holds=A3), _seed(target)]
        world.sandbox.control.seed({"randomSeed": SEED, "tenants": tenants}, reset=False)
        register(worker, [source, target])
        _entitle(worker, target)
        named = _create(worker, source, target)
        with busy() as share:
            worker.start_wave(_OPERATOR, named, 1)
            prepared = _leg(world, worker, named, Phase.PREPARE)
            worker.open_gate(_OPERATOR, named, _ids(source), EvidenceSource.LIST, "list")
            enabled = _leg(world, worker, named, Phase.ENABLE)
            with later_in(world, worker, _A_MONTH) as later:
                later.release_wave(_OPERATOR, named, 1, "nobody misses mail")
                released = _leg(world, later, named, Phase.RELEASE)
                told = _told(later, named)
        counters = world.sandbox.control.counters()["tenants"]
    run = {"clock_factor": factor, "cpu": share[0]}
    there, here = counters[target.tenant_id], counters[source.tenant_id]
    yield _pace(f"a wave of {people:,} against the quota bound", (prepared, enabled), there["writes"], told, run)
    yield _pace(f"the release of {people:,} against the quota bound", (released,), here["writes"], told, run)
    yield from _rows(people, (prepared, enabled, released), (there, here), run)


def _told(worker: Worker, named: MigrationId) -> str:
    wave = worker.show_migrations.one(named).waves[0]
    return ", ".join(f"{number:,} {state}" for state, number in wave.people.items())


def _pace(name: str, legs: Sequence[_Leg], written: int, told: str, run: Mapping[str, Any]) -> Row:
    taken, bound = sum(leg.taken for leg in legs), written / _TENANT_RATE
    parts = " + ".join(f"{leg.taken:.1f}" for leg in legs)
    note = f"{told}; {parts} s for {written:,} writes, Microsoft allows {bound:.0f} s"
    return Row(name=name, value=taken / bound, unit="×", bound=at_most(1.05), note=note, paced=True, **run)


def _rows(people: int, legs: Sequence[_Leg], counted: Sequence[Mapping[str, int]], run: Mapping[str, Any]) -> Rows:
    written, refused = (sum(each.get(name, 0) for each in counted) for name in ("writes", "refused"))
    name = "writes of the wave beyond three a person"
    yield Row(name=name, value=written - 3 * people, unit="writes", bound=at_most(0), **run)
    name, note = "refused writes of the wave", f"{refused} of {written + refused:,}"
    yield Row(name=name, value=100 * refused / written, unit="%", bound=at_most(0.1), note=note, **run)
    off = 100 * max(abs(leg.foretold / leg.taken - 1) for leg in legs)
    note = f"{', '.join(f'{leg.foretold:.0f} for {leg.taken:.0f}' for leg in legs)} s"
    yield Row(name="the wave's forecast off by", value=off, unit="%", bound=at_most(10), note=note, paced=True, **run)


def _leg(world: LocalWorld, worker: Worker, named: MigrationId, phase: Phase) -> _Leg:
    worker.advance_migration(named)
    operation = _operation(worker, named, phase).operation_id
    if worker.work_until_state(operation, OperationState.APPLYING).state is OperationState.AWAITING_APPROVAL:
        worker.approve_plan(_APPROVER, operation, worker.show_plan(operation).envelope.digest)
    world.sandbox.control.drain_quotas()
    worker.redis.flushall()
    started, ends = worker.clock.now(), worker.show_migrations.one(named).writes_done_at
    worker.work_until_state(operation, OperationState.VERIFYING)
    taken = (worker.clock.now() - started).total_seconds()
    worker.work_until_state(operation)
    worker.advance_migration(named)
    return _Leg(taken, (ends - started).total_seconds() if ends else 0.0)


def _operation(worker: Worker, named: MigrationId, phase: Phase) -> Operation:
    with worker.open_uow() as uow:
        found = uow.migrations.operations_of(named)
    return next(
        one for one in found if one.wish.part and one.wish.part.phase is phase and one.state not in OPERATION_ENDS
    )


def _create(worker: Worker, source: School, target: School) -> MigrationId:
    pairs = zip(_ids(source), _ids(target), strict=True)
    asked = MigrationFile(
        name="a merger",
        source=Side(tenant=source.tenant_id, holder=source.code),
        target=Side(tenant=target.tenant_id, holder=target.code),
        asked_by="a letter",
        people=_EVERYONE,
        products=(ProductPair(source_sku=SkuId(A3), target_sku=SkuId(A3)),),
        waves=(WaveDefinition(number=1, name="all", selector=_EVERYONE),),
        moves_mailboxes=False,
        identity=tuple(IdentityPair(here, there) for here, there in pairs),
    )
    return worker.create_migration(_OPERATOR, asked).migration.migration_id


def _ids(school: School) -> list[SubjectId]:
    return [SubjectId(str(uuid5(NAMESPACE_OID, f"{school.code} {number}"))) for number in range(school.people)]


def _seed(school: School, holds: SkuId | None = None) -> dict[str, Any]:
    return {
        "id": school.tenant_id,
        "domains": [school.domain],
        "consents": [{"app": APP, "roles": _ROLES}],
        "subscriptions": [{"skuId": A3, "totalLicenses": school.people}],
        "users": list(_users(school, [{"skuId": holds}] if holds else [])),
    }


def _users(school: School, held: list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    staff = {"usageLocation": "NL", "department": school.code, "employeeType": "Personeel", "assignments": held}
    for number, person in enumerate(_ids(school)):
        yield {"id": person, "userPrincipalName": f"p{number}@{school.domain}", **staff}


def _entitle(worker: Worker, school: School) -> None:
    entry = LedgerEntry(
        holder_id=school.code,
        tenant_id=school.tenant_id,
        article_code=STAFF_ARTICLE,
        sku_id=A3,
        delta=school.people,
        effective_on=worker.clock.now().date(),
        ends_on=None,
        cause=LedgerCause.CORRECTION,
        cause_ref="bench",
    )
    with worker.open_uow() as uow:
        uow.ledger.append([entry])
        uow.commit()
