"""The twin is compared with a real test tenant: the same questions to both, one person who is put back, one report."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.calendar import dutch_day
from provisioning.domain.errors import ConflictError, InputError
from provisioning.domain.events import Event
from provisioning.domain.ids import GroupId, Pseudonym, SkuId, SubjectId, TenantId
from provisioning.domain.limits import Limits
from provisioning.domain.rights import Action, require
from provisioning.domain.tenancy import Tenant
from provisioning.domain.worklist import Lease
from provisioning.execution.leases import kept_alive
from provisioning.planning.calibration import MOST_PEOPLE, Found, Report, Row, to_row, to_untried
from provisioning.planning.masks import KEY_ROW, Masks
from provisioning.planning.probe import Probe
from provisioning.planning.probe_answers import Plain
from provisioning.planning.probe_people import Cast, Interrupted, standing_of
from provisioning.planning.probe_stage import obstacle, set_stage
from provisioning.planning.probes import OUT_OF_REACH, PROBES
from provisioning.ports import Clock, OpenUnitOfWork, ProbeJournal, Prober, Quota, TenantReader, UnitOfWork
from provisioning.services.calibration_checks import check_typed, require_test_group, require_test_person
from provisioning.services.lookup import get_tenant
from provisioning.services.probe_run import ProbeRun, Side, Waits
from provisioning.services.probe_watch import KIND, Unwatched, Watched
from provisioning.services.take_snapshot import TakeSnapshot

_SOON = timedelta(days=365)  # who is bound from then on is prepared now

OpenTwin = Callable[[bytes], AbstractContextManager[Prober]]
"""A twin that was planted with a seed, for as long as the block lasts."""

Heard = Callable[[Probe, Found], None]
"""Told each answer of the tenant as it comes."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed: a test tenant, by name and once more in full; who is written to; the product to give and take."""

    tenant: str
    test_domain: str | None
    user: str
    group: str | None = None
    sku: str | None = None

    @property
    def cast(self) -> Cast:
        group = GroupId(self.group.strip().lower()) if self.group else None
        return Cast(user=SubjectId(self.user.strip().lower()), group=group)


class Prospect(msgspec.Struct, frozen=True, kw_only=True):
    """One probe before it is asked: what it may cost, and why it would not be tried."""

    name: str
    row: str
    question: str
    writes: int
    obstacle: str | None


@dataclass(frozen=True, kw_only=True)
class Calibrate:
    open_uow: OpenUnitOfWork
    reader: TenantReader
    prober: Prober
    take_snapshot: TakeSnapshot
    quota: Quota
    clock: Clock
    limits: Limits
    waits: Waits
    holder: str

    def prospects(self, identity: Identity, wanted: Wanted) -> list[Prospect]:
        """What would be asked. Only reads."""
        require(identity, Action.CALIBRATE)
        with self.open_uow() as uow:
            tenant = self._test_tenant(uow, wanted)
        side = self._side(tenant.tenant_id, wanted)
        return [
            Prospect(
                name=probe.name,
                row=probe.row,
                question=probe.question,
                writes=probe.writes,
                obstacle=obstacle(probe, side.stage, side.permissions),
            )
            for probe in PROBES
        ]

    def __call__(
        self, identity: Identity, wanted: Wanted, open_twin: OpenTwin, journal: ProbeJournal, heard: Heard
    ) -> Report:
        """Raises InputError for a tenant or person that is no test's, ConflictError when it had to stop half way.

        Whatever ends it, the next run puts the person back first: the journal remembers.
        """
        require(identity, Action.CALIBRATE)
        began = self.clock.now()
        with self.open_uow() as uow:
            named = get_tenant(uow, wanted.tenant)
        check_typed(named, wanted.test_domain)
        if left := journal.unfinished():
            self._recover(identity, named, left, journal)
        with self.open_uow() as uow:
            tenant = self._test_tenant(uow, wanted)
        side = self._side(tenant.tenant_id, wanted)
        expected = self._ask_twin(identity, side, open_twin)
        with self._watched(identity, side.left, journal) as watch:
            run = ProbeRun(side, watch, self.waits, self.clock)
            seen = dict(_asked(run, heard))
            is_restored = self._end(run, journal)
        report = Report(
            tenant=tenant.tenant_id,
            domain=tenant.initial_domain,
            actor=identity.actor,
            began=began,
            ended=self.clock.now(),
            writes=watch.writes,
            is_restored=is_restored,
            rows=tuple(_rows(expected, seen)),
        )
        self._record(report)
        return report

    # ── whether it is a test's ───────────────────────────────────────────────────────────────────────────

    def _test_tenant(self, uow: UnitOfWork, wanted: Wanted) -> Tenant:
        """The tenant, if nobody is served there."""
        tenant = get_tenant(uow, wanted.tenant)
        today = dutch_day(self.clock.now())
        is_bound = any(uow.tenants.bindings_in(tenant.tenant_id, day) for day in (today, today + _SOON))
        was_served = tenant.first_write_at or uow.operations.list_by(tenant=tenant.tenant_id, limit=1)
        if is_bound or was_served:
            raise InputError(f"{tenant.initial_domain} serves an organisation, or did: it is no test tenant.")
        if stop := uow.stops.blocking(tenant.tenant_id, KIND):
            raise ConflictError(f"Writes are stopped for {stop.scope}; `provisioning resume` lifts that.")
        return tenant

    def _side(self, tenant: TenantId, wanted: Wanted) -> Side:
        cast = wanted.cast
        person = require_test_person(cast.user, self.prober.observe_person(tenant, cast.user))
        group = require_test_group(cast.group, self.prober.observe_group(tenant, cast.group)) if cast.group else None
        profile, seats = self.reader.observe_readiness(tenant)
        products = self.reader.observe_products(tenant)
        chosen = SkuId(wanted.sku.strip().lower()) if wanted.sku else None
        stage = set_stage(cast, self.prober.root, seats.counts, products, chosen)
        if "sku" not in stage.words:
            raise InputError(f"Nothing can be given in this tenant: {stage.absent['sku']}.")
        return Side(
            prober=self.prober,
            tenant=tenant,
            stage=stage,
            permissions=profile.permissions,
            plain=Plain(stage.words),
            cast=cast,
            before=standing_of(person, group),
        )

    # ── the two sides ────────────────────────────────────────────────────────────────────────────────────

    def _ask_twin(self, identity: Identity, side: Side, open_twin: OpenTwin) -> Mapping[str, Found]:
        """What the twin answers in a copy of the tenant, people under other ids."""
        snapshot = self.take_snapshot(identity, side.tenant, [side.cast.group] if side.cast.group else [])
        seed = b"".join(snapshot)
        summary = snapshot.summary
        if summary.people > MOST_PEOPLE:
            raise InputError(f"{summary.people} people are in this tenant; a test tenant has {MOST_PEOPLE} at most.")
        if not summary.is_complete:
            raise ConflictError(f"The tenant could not be read whole: {' '.join(summary.remarks)}")
        with self.open_uow() as uow:
            masks = Masks(uow.audit.pseudonyms(side.tenant, [KEY_ROW])[KEY_ROW])
            uow.commit()
        cast = msgspec.structs.replace(side.cast, user=masks.of(side.cast.user))
        with open_twin(seed) as prober:
            stage = side.stage.copied(cast.user, prober.root)
            copy = msgspec.structs.replace(side, prober=prober, stage=stage, plain=Plain(stage.words), cast=cast)
            run = ProbeRun(copy, Unwatched(), self.waits, self.clock)
            return {probe.name: run.ask(probe) for probe in PROBES}

    @contextmanager
    def _watched(self, identity: Identity, left: Interrupted, journal: ProbeJournal) -> Iterator[Watched]:
        """Alone in the tenant, with everything that must happen beside a write."""
        lease, subject = self._begin(identity, left)
        journal.begin(left)
        watch = Watched(
            open_uow=self.open_uow,
            quota=self.quota,
            clock=self.clock,
            journal=journal,
            waits=self.waits,
            lease=lease,
            actor=identity.actor,
            subject=subject,
            left=left,
        )
        try:
            with kept_alive(self.open_uow, lease, self.clock, self.limits.lease_duration):
                yield watch
        finally:
            with self.open_uow() as uow:
                uow.leases.release(lease)
                uow.commit()

    def _begin(self, identity: Identity, left: Interrupted) -> tuple[Lease, Pseudonym]:
        with self.open_uow() as uow:
            lease = uow.leases.take(f"tenant:{left.tenant}", self.holder, self.clock.wall(), self.limits.lease_duration)
            if lease is None:
                raise ConflictError("Somebody is at work in this tenant, or was just now; try again in a minute.")
            subject = uow.audit.pseudonyms(left.tenant, [left.cast.user])[left.cast.user]
            event = Event(
                at=self.clock.now(),
                actor=identity.actor,
                kind="tenant.calibration_begun",
                tenant=left.tenant,
                subject=subject,
            )
            uow.audit.record([event])
            uow.commit()
        return lease, subject

    def _recover(self, identity: Identity, tenant: Tenant, left: Interrupted, journal: ProbeJournal) -> None:
        if left.tenant != tenant.tenant_id:
            raise InputError(f"The journal is of a calibration of tenant {left.tenant}; run that again first.")
        stage = set_stage(left.cast, self.prober.root, {}, ())
        side = Side(
            prober=self.prober,
            tenant=left.tenant,
            stage=stage,
            permissions=frozenset(),
            plain=Plain(stage.words),
            cast=left.cast,
            before=left.before,
        )
        with self._watched(identity, left, journal) as watch:
            run = ProbeRun(side, watch, self.waits, self.clock)
            run.recover(left.at_most)
            if not self._end(run, journal):
                raise ConflictError("The test person of an interrupted run is not as before yet; run it again later.")

    def _end(self, run: ProbeRun, journal: ProbeJournal) -> bool:
        is_restored = run.confirm()
        if is_restored:
            journal.finish()
        return is_restored

    def _record(self, report: Report) -> None:
        counts = {verdict.replace(" ", "_"): str(number) for verdict, number in report.counts.items()}
        event = Event(
            at=report.ended,
            actor=report.actor,
            kind="tenant.calibrated",
            tenant=report.tenant,
            details={**counts, "writes": str(report.writes)},
        )
        with self.open_uow() as uow:
            uow.audit.record([event])
            uow.commit()


def _asked(run: ProbeRun, heard: Heard) -> Iterator[tuple[str, Found]]:
    for probe in PROBES:
        found = run.ask(probe)
        heard(probe, found)
        yield probe.name, found


def _rows(expected: Mapping[str, Found], seen: Mapping[str, Found]) -> Iterator[Row]:
    yield from (to_row(probe, expected[probe.name], seen[probe.name]) for probe in PROBES)
    yield from map(to_untried, OUT_OF_REACH)
