"""How a story ended, asked of the services and the twin: orders, work, seats, and the proof of it all."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec

from provisioning.audit.events import AuditEvent, decode_event
from provisioning.audit.export import EventLine, decode_line
from provisioning.audit.sealing import CheckpointRule
from provisioning.bootstrap import Services
from provisioning.domain.calendar import dutch_day
from provisioning.domain.ids import SkuId
from provisioning.domain.order import OrderLine
from provisioning.domain.tenancy import Tenant
from provisioning.local.stage import WORDS, Stage
from provisioning.local.witness import Testimony, compare
from provisioning.local.world import APP
from provisioning.ports import UnitOfWork
from provisioning.services.verify_audit import verify_audit

EXPORT, PUBLIC_KEY = "audit-export.jsonl", "audit.pub"


class OrderEnding(msgspec.Struct, frozen=True, kw_only=True):
    """One order line and the people of its operations, counted by state."""

    order: str
    organisation: str
    article: str
    seats: str
    state: str
    reason: str | None
    people: dict[str, int]


class WorkEnding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that waits for a person, and what to do about it."""

    subject: str
    owner: str
    count: int
    reason: str
    why: str
    todo: str


class SeatsEnding(msgspec.Struct, frozen=True, kw_only=True):
    """Seats of one product in one tenant: `bought` by the ledger, `enabled` and `used` by Graph, people `waiting`."""

    domain: str
    product: str
    bought: int
    enabled: int
    used: int
    waiting: int


class AuditEnding(msgspec.Struct, frozen=True, kw_only=True):
    """What the exported log proves with the public key alone."""

    events: int
    proven: int
    is_sound: bool
    findings: tuple[str, ...]


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    orders: tuple[OrderEnding, ...]
    work: tuple[WorkEnding, ...]
    seats: tuple[SeatsEnding, ...]
    audit: AuditEnding
    witness: Testimony
    equal: bool

    @property
    def is_sound(self) -> bool:
        return self.audit.is_sound and self.equal


def gather(stage: Stage, folder: Path) -> Ending:
    """Look at everything. The export and the public key stay in `folder`."""
    services = stage.services
    audit, events = _audit(stage, folder)
    testimony = compare(stage.twin.ledger(), events, app=APP)
    return Ending(
        orders=tuple(_orders(services)),
        work=tuple(_work(services)),
        seats=tuple(_seats(services)),
        audit=audit,
        witness=testimony,
        equal=testimony.is_equal,
    )


def _orders(services: Services) -> Iterator[OrderEnding]:
    lines = sorted(services.show_orders(), key=lambda line: line.shop.key)
    with services.open_uow() as uow:
        for line in lines:
            yield OrderEnding(
                order=line.shop.key.order_number,
                organisation=line.shop.organisation_code,
                article=line.shop.article_code,
                seats=str(line.shop.quantity),
                state=WORDS.detail(line.state),
                reason=line.reason,
                people=_people(uow, line),
            )


def _people(uow: UnitOfWork, line: OrderLine) -> dict[str, int]:
    """Of the latest operation: earlier ones listed the same people."""
    operations = uow.operations.list_by(line=line.shop.key)
    if not operations:
        return {}
    latest = max(operations, key=lambda operation: operation.created_at)
    counts = uow.journal.subject_counts(latest.operation_id)
    return {WORDS.detail(state): number for state, number in counts.items() if number}


def _work(services: Services) -> Iterator[WorkEnding]:
    for item in services.show_worklist():
        sentence = WORDS.reason(item.reason)
        yield WorkEnding(
            subject=item.subject,
            owner=WORDS.owner(item.owner),
            count=item.count,
            reason=item.reason,
            why=sentence.what,
            todo=sentence.todo,
        )


def _seats(services: Services) -> Iterator[SeatsEnding]:
    """Products that were bought; what a tenant has beside them is not ours."""
    for tenant in services.show_tenants():
        counts = services.gateway.observe_seats(tenant.tenant_id).counts
        for sku_id, count in counts.items():
            bought, waiting = _book(services, tenant, sku_id)
            if bought:
                yield SeatsEnding(
                    domain=next(iter(tenant.verified_domains), tenant.initial_domain),
                    product=count.part_number,
                    bought=bought,
                    enabled=count.enabled,
                    used=count.consumed,
                    waiting=waiting,
                )


def _book(services: Services, tenant: Tenant, sku_id: SkuId) -> tuple[int, int]:
    with services.open_uow() as uow:
        bought = uow.ledger.tenant_total(tenant.tenant_id, sku_id, dutch_day(services.clock.now()))
        return bought, len(uow.seats.waiting(tenant.tenant_id, sku_id))


def _audit(stage: Stage, folder: Path) -> tuple[AuditEnding, list[AuditEvent]]:
    """Seal, export to a file, and verify that file with nothing but the public key."""
    services, export = stage.services, folder / EXPORT
    # A checkpoint is due within the hour; whoever reads the ending wants all of it covered now.
    replace(services.seal_audit, rule=CheckpointRule(services.limits.checkpoint_events, timedelta(0)))()
    export.write_bytes(b"".join(services.export_audit(stage.cast.auditor)))
    (folder / PUBLIC_KEY).write_text(f"{services.signer.verifier}\n")
    lines = export.read_bytes().splitlines(keepends=True)
    verdict = verify_audit(lines, (folder / PUBLIC_KEY).read_text())
    ending = AuditEnding(
        events=verdict.events,
        proven=verdict.proven,
        is_sound=verdict.is_sound,
        findings=tuple(finding.sentence for finding in verdict.findings),
    )
    return ending, list(_events(lines))


def _events(lines: list[bytes]) -> Iterator[AuditEvent]:
    for number, text in enumerate(lines, 1):
        line = decode_line(text, number)
        if isinstance(line, EventLine):
            yield decode_event(line.event)
