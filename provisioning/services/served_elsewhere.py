"""Before each chunk that takes a migration's licences away in one tenant: does the other one serve these people now?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import RetryableError
from provisioning.domain.ids import SubjectId, TenantId
from provisioning.domain.limits import Limits
from provisioning.domain.migration import MigrationDefinition, MigrationPart, Phase, Traveller
from provisioning.domain.observation import Person
from provisioning.domain.operation import Operation, StepRecord
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import Policy
from provisioning.execution.verification import with_receipts
from provisioning.planning.carry import KnownPlans
from provisioning.planning.groups import GroupScene
from provisioning.planning.judging import products
from provisioning.planning.leaving import Ground, SourceJudge
from provisioning.planning.mailbox import Origin, unserved_in_source
from provisioning.planning.migration_turn import id_in
from provisioning.ports import Clock, LicenceGateway, OpenUnitOfWork

_TAKING = frozenset({Phase.RELEASE, Phase.UNDO_TARGET})

Counterparts = Mapping[SubjectId, Person | None]


class _Basis(msgspec.Struct, frozen=True, kw_only=True):
    """`travellers`: who the operation works on, by the id they have where it works."""

    definition: MigrationDefinition
    travellers: Mapping[SubjectId, Traveller]
    target_policy: Policy


@dataclass(frozen=True, kw_only=True)
class ServedElsewhere:
    """A plan may be a week old when it is applied, and nobody may lose both licences by it (L3)."""

    open_uow: OpenUnitOfWork
    gateway: LicenceGateway
    clock: Clock
    limits: Limits
    mappings: Mappings

    def not_served(
        self, operation: Operation, records: Sequence[StepRecord], people: Mapping[SubjectId, Person]
    ) -> list[StepRecord]:
        """Whose steps must not be taken; nobody's, where no licence is taken for a migration.

        `people`: how they look in the operation's own tenant. Raises GraphError when the other one cannot be read.
        """
        part = operation.wish.part
        if part is None or part.phase not in _TAKING or not records:
            return []
        basis = self._basis(part)
        counterparts = self._counterparts(part, basis, [record.step.subject_id for record in records])
        lacks = self._unserved_by(operation, part, basis)
        return [
            record
            for record in records
            if lacks(record, people[record.step.subject_id], counterparts.get(record.step.subject_id))
        ]

    def _basis(self, part: MigrationPart) -> _Basis:
        with self.open_uow() as uow:
            definition = uow.migrations.get(part.migration_id).definition
            wave = uow.migrations.travellers(part.migration_id, wave=part.wave)
            today = dutch_day(self.clock.now())
            return _Basis(
                definition=definition,
                travellers={id_in(part.phase, one): one for one in wave if one.target_id is not None},
                target_policy=uow.tenants.policy_on(definition.target_tenant, today),
            )

    # ── the other tenant ─────────────────────────────────────────────────────────────────────────────────

    def _counterparts(self, part: MigrationPart, basis: _Basis, subjects: Sequence[SubjectId]) -> Counterparts:
        """The same human beings there, with what we did to them a moment ago, which a replica may not show."""
        is_release = part.phase is Phase.RELEASE
        tenant = basis.definition.target_tenant if is_release else basis.definition.source_tenant
        travellers = {subject: basis.travellers[subject] for subject in subjects if subject in basis.travellers}
        ids = {here: one.target_id if is_release else one.source_id for here, one in travellers.items()}
        seen = self._seen(tenant, [there for there in ids.values() if there is not None])
        return {here: seen.get(there) if there else None for here, there in ids.items()}

    def _seen(self, tenant: TenantId, subjects: Sequence[SubjectId]) -> Counterparts:
        seen = self.gateway.observe_people(tenant, subjects)
        if unread := frozenset(subjects) - frozenset(seen):
            raise RetryableError(f"{len(unread)} people of tenant {tenant} could not be read.", Reason.NO_ANSWER)
        with self.open_uow() as uow:
            horizon = self.clock.now() - self.limits.lag_horizon
            receipts = uow.journal.applied_since(tenant, horizon, subjects)
        return {
            subject: person and with_receipts(person, [one for one in receipts if one.step.subject_id == subject])
            for subject, person in seen.items()
        }

    # ── the judgement, as when the plan was drawn ────────────────────────────────────────────────────────

    def _unserved_by(
        self, operation: Operation, part: MigrationPart, basis: _Basis
    ) -> Callable[[StepRecord, Person, Person | None], bool]:
        judge = SourceJudge(self._ground(operation, basis))
        skus = self.mappings.skus
        known = KnownPlans.named_in(skus)

        def in_target(record: StepRecord, person: Person, counterpart: Person | None) -> bool:
            traveller = basis.travellers.get(record.step.subject_id)
            return traveller is None or judge.unserved(person, traveller, counterpart) is not None

        def in_source(record: StepRecord, person: Person, counterpart: Person | None) -> bool:
            traveller = basis.travellers.get(record.step.subject_id)
            origin = Origin(counterpart.licences, traveller.source_sku) if traveller and counterpart else Origin()
            return bool(unserved_in_source(person.licences, [record.step.change], origin, skus, known))

        return in_target if part.phase is Phase.RELEASE else in_source

    def _ground(self, operation: Operation, basis: _Basis) -> Ground:
        return Ground(
            now=self.clock.now(),
            mappings=self.mappings,
            leaving=products(operation.wish),
            hold_period=basis.definition.hold_period,
            groups=GroupScene(),
            target_policy=basis.target_policy,
        )
