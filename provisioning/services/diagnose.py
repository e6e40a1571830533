"""Is everything there and well? One line for each part, with what to do; a part that is away is a line, no failure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from operator import attrgetter
from typing import TypeVar

import msgspec

from provisioning.audit.events import decode_event
from provisioning.domain.errors import ProvisioningError
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState
from provisioning.domain.limits import Limits
from provisioning.ports import Clock, OpenUnitOfWork
from provisioning.services.check_configuration import awaiting_approval
from provisioning.services.measure_quota import QuotaMeasure
from provisioning.services.quota_words import is_crowded_out, quota_in_words, tenant_in_words
from provisioning.services.watch_clock import clocks_off

CERTIFICATE_WARNING = timedelta(days=30)  # time enough for a second certificate beside the first
CERTIFICATE_URGENT = timedelta(days=7)
QUEUE_LATE = timedelta(minutes=1)  # the sweep looks every second
QUEUE_STUCK = timedelta(minutes=15)
COLLECTION_LATE = timedelta(minutes=15)


_TENANTS = 8  # that are busy: their lines; `--json` has all
_CROWDED_OUT = "Another application writes in this tenant, or Microsoft is busy there: ask the school what it runs."
_MANY = 10_000  # more need not be counted to know that something is wrong
_GOING_ON = frozenset(OperationState) - OPERATION_ENDS - {OperationState.HELD}
_Value = TypeVar("_Value")


class Health(StrEnum):
    OK = "ok"
    WARN = "warn"
    BAD = "bad"


class Finding(msgspec.Struct, frozen=True):
    """What was found about one part; `advice` is empty when nothing needs doing. `figures`: for programs."""

    part: str
    health: Health
    sentence: str
    advice: str = ""
    figures: QuotaMeasure | None = None


class Credential(msgspec.Struct, frozen=True):
    """One credential of one app registration; never the secret itself."""

    name: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Instruments:
    """How each part is measured, raising ProvisioningError when it is away. None: there is no such part here."""

    database_time: Callable[[], datetime] | None = None
    pending_migrations: Callable[[], Sequence[str]] | None = None
    realm: Callable[[], str] | None = None
    broker: Callable[[], object] | None = None
    order_source: Callable[[], object] | None = None
    graph: Callable[[], object] | None = None
    credentials: Callable[[], Sequence[Credential]] | None = None
    measure_quota: Callable[[], QuotaMeasure] | None = None
    sealer: Callable[[], None] | None = None  # raises when nothing can be sealed; None: no signing key here
    uncollected_since: Callable[[], datetime | None] | None = None  # the oldest line in the shop that we have not read


@dataclass(frozen=True)
class _Part:
    """`needs`: parts without which it cannot be looked at."""

    name: str
    tool: object | None
    look: Callable[[], Iterator[Finding]]
    needs: frozenset[str] = frozenset()

    @property
    def is_here(self) -> bool:
        return self.tool is not None


@dataclass(frozen=True, kw_only=True)
class Diagnose:
    instruments: Instruments
    open_uow: OpenUnitOfWork
    clock: Clock
    limits: Limits

    def __call__(self) -> list[Finding]:
        """Every part in the order in which a person would look; never raises for a part that is away."""
        found: list[Finding] = []
        for part in filter(attrgetter("is_here"), self._parts()):
            away = next((each.part for each in found if each.part in part.needs and each.health is Health.BAD), None)
            if away:  # it would wait as long as that part did, to say the same
                found.append(Finding(part.name, Health.BAD, f"It cannot be looked at without the {away}."))
            else:
                found += _looked(part)
        return found

    def _parts(self) -> tuple[_Part, ...]:
        """Each after those it needs."""
        tools, ours = self.instruments, frozenset({"database", "schema"})
        return (
            _Part("database", tools.database_time, self._database),
            _Part("schema", tools.pending_migrations, self._schema, frozenset({"database"})),
            _Part("realm", tools.realm, self._realm, ours),
            _Part("broker", tools.broker, self._broker),
            _Part("order database", tools.order_source, self._order_source),
            _Part("Microsoft Graph", tools.graph, self._graph),
            _Part("credentials", tools.credentials, self._credentials),
            _Part("quota", tools.measure_quota, self._quota, ours | {"broker"}),
            _Part("clocks", self.open_uow, self._clocks, ours),
            _Part("configuration", self.open_uow, self._configuration, ours),
            _Part("stops", self.open_uow, self._stops, ours),
            _Part("queue", self.open_uow, self._queue, ours),
            _Part("collection", tools.uncollected_since, self._collection, ours | {"order database"}),
            _Part("audit", self.open_uow, self._unsealed, ours),
            _Part("sealer", tools.sealer, self._sealer, ours),
        )

    def _database(self) -> Iterator[Finding]:
        skew = abs(_read(self.instruments.database_time) - self.clock.wall())
        told = f"It answers; its clock and ours differ by {skew.total_seconds():.1f} s."
        if skew > self.limits.max_clock_skew:
            yield Finding("database", Health.BAD, told, "Nothing is written until both clocks are right: check NTP.")
        else:
            yield Finding("database", Health.OK, told)

    def _schema(self) -> Iterator[Finding]:
        pending = _read(self.instruments.pending_migrations)
        if pending:
            told = f"It lacks {len(pending)} migrations: {', '.join(pending)}."
            yield Finding("schema", Health.BAD, told, "Run `provisioning db upgrade`.")
        else:
            yield Finding("schema", Health.OK, "It is the one of this release.")

    def _realm(self) -> Iterator[Finding]:
        yield Finding("realm", Health.OK, f"This database is of the realm {_read(self.instruments.realm)}.")

    def _broker(self) -> Iterator[Finding]:
        _read(self.instruments.broker)
        yield Finding("broker", Health.OK, "It answers.")

    def _order_source(self) -> Iterator[Finding]:
        _read(self.instruments.order_source)
        yield Finding("order database", Health.OK, "Its view licence_order_lines can be read.")

    def _graph(self) -> Iterator[Finding]:
        _read(self.instruments.graph)
        yield Finding("Microsoft Graph", Health.OK, "It answers.")

    def _credentials(self) -> Iterator[Finding]:
        for credential in _read(self.instruments.credentials):
            yield _judge(credential, credential.expires_at - self.clock.wall())

    def _quota(self) -> Iterator[Finding]:
        measure = _read(self.instruments.measure_quota)
        yield Finding("quota", Health.OK, quota_in_words(measure), figures=measure)
        for tenant in measure.tenants[:_TENANTS]:
            health = Health.WARN if is_crowded_out(tenant) else Health.OK
            advice = _CROWDED_OUT if health is Health.WARN else ""
            yield Finding("quota", health, tenant_in_words(tenant), advice)

    def _clocks(self) -> Iterator[Finding]:
        with self.open_uow() as uow:
            machines = clocks_off(uow)
        for machine in machines:
            told = f"The clock of {machine} and the database's differ: no worker there does anything."
            yield Finding("clocks", Health.BAD, told, "Repair its time synchronisation; it goes on by itself.")
        if not machines:
            yield Finding("clocks", Health.OK, "No worker says that its clock is off.")

    def _configuration(self) -> Iterator[Finding]:
        with self.open_uow() as uow:
            waiting = awaiting_approval(uow)
        for one in waiting:
            named = one.digest[:8]
            told = (
                f"The {one.kind} {named} wait for approval."
                if one.since
                else f"A process loaded the {one.kind} {named}, which are not in force: it draws and judges nothing."
            )
            advice = "See `provisioning configuration show`; approve them, or give processes those that are in force."
            yield Finding("configuration", Health.WARN if one.since else Health.BAD, told, advice)
        if not waiting:
            yield Finding("configuration", Health.OK, "No other mappings or limits wait for approval.")

    def _stops(self) -> Iterator[Finding]:
        with self.open_uow() as uow:
            stops = uow.stops.list_all()
        for stop in stops:
            told = f"Writes are stopped for {stop.scope} since {stop.stopped_at:%Y-%m-%d %H:%M} by {stop.stopped_by}."
            yield Finding("stops", Health.WARN, told, "Once the cause is gone: `provisioning resume`.")
        if not stops:
            yield Finding("stops", Health.OK, "Nothing is stopped.")

    def _queue(self) -> Iterator[Finding]:
        with self.open_uow() as uow:
            waiting = [operation.due_at for operation in uow.operations.list_by(_GOING_ON, limit=_MANY)]
        now = self.clock.now()
        late = max((now - due for due in waiting if due is not None), default=timedelta(0))
        if late <= QUEUE_LATE:
            yield Finding("queue", Health.OK, "Every operation is looked at in time.")
            return
        health = Health.BAD if late > QUEUE_STUCK else Health.WARN
        told = f"An operation has been due for {in_words(late)}."
        yield Finding("queue", health, told, "See whether workers and the beat run: `celery -A tasks.app status`.")

    def _collection(self) -> Iterator[Finding]:
        since = _read(self.instruments.uncollected_since)
        late = self.clock.now() - since if since else timedelta(0)
        if late <= COLLECTION_LATE:
            yield Finding("collection", Health.OK, "What the shop wrote is collected.")
        else:
            told = f"A line that the shop wrote is not collected for {in_words(late)}."
            yield Finding("collection", Health.WARN, told, "See whether the beat runs: `celery -A tasks.app status`.")

    def _unsealed(self) -> Iterator[Finding]:
        with self.open_uow() as uow:
            waiting = uow.seals.unsealed(_MANY)
        told = f"{len(waiting):,} events are not sealed yet."
        age = self.clock.now() - decode_event(waiting[0][1]).at if waiting else timedelta(0)
        if age > self.limits.checkpoint_interval:
            advice = f"The oldest waits for {in_words(age)}: see whether the sealer runs and has its signing key."
            yield Finding("audit", Health.BAD, told, advice)
        else:
            yield Finding("audit", Health.OK, told)

    def _sealer(self) -> Iterator[Finding]:
        _read(self.instruments.sealer)
        yield Finding("sealer", Health.OK, "Its key and the folder of checkpoints fit the log.")


def in_words(length: timedelta) -> str:
    """A duration as people say it: in its largest whole unit."""
    seconds = int(length.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{max(seconds, 0)} s"


def _judge(credential: Credential, left: timedelta) -> Finding:
    told = f"{credential.name} is valid until {credential.expires_at:%Y-%m-%d} ({max(left.days, 0)} days)."
    advice = "Add a second certificate to the app registration and to the settings, then remove this one."
    if left <= timedelta(0):
        return Finding(
            "credentials", Health.BAD, f"{credential.name} expired on {credential.expires_at:%Y-%m-%d}.", advice
        )
    if left <= CERTIFICATE_WARNING:
        return Finding("credentials", Health.BAD if left < CERTIFICATE_URGENT else Health.WARN, told, advice)
    return Finding("credentials", Health.OK, told)


def _looked(part: _Part) -> list[Finding]:
    try:
        return list(part.look())
    except ProvisioningError as error:
        return [Finding(part.name, Health.BAD, str(error))]


def _read(tool: Callable[[], _Value] | None) -> _Value:
    if tool is None:
        raise AssertionError("parts without an instrument are not looked at")
    return tool()
