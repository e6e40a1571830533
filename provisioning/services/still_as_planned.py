"""Before each chunk: is everybody, and the group that licences go through, still as the plan saw them?"""

from collections.abc import Sequence

import msgspec

from provisioning.domain.errors import RetryableError
from provisioning.domain.groups import ObservedGroup
from provisioning.domain.ids import SubjectId
from provisioning.domain.limits import Limits
from provisioning.domain.observation import Person
from provisioning.domain.operation import GROUP_STEPS, Operation, StepKind, StepRecord
from provisioning.domain.reasons import Reason
from provisioning.execution.verification import goal_met, is_unchanged, with_receipts
from provisioning.planning.groups import rests_on_group
from provisioning.planning.plan import Envelope
from provisioning.planning.verdict import TAKES_AWAY
from provisioning.ports import Clock, LicenceGateway, OpenUnitOfWork, PlanRecord

Receipts = dict[SubjectId, list[StepRecord]]


class StillAsPlanned:
    """Reads Graph; raises GraphError when it cannot."""

    def __init__(self, open_uow: OpenUnitOfWork, gateway: LicenceGateway, clock: Clock, limits: Limits) -> None:
        self._open_uow = open_uow
        self._gateway = gateway
        self._clock = clock
        self._limits = limits

    # ── the group ────────────────────────────────────────────────────────────────────────────────────────

    def trouble_with_group(
        self, operation: Operation, plan: PlanRecord, records: Sequence[StepRecord]
    ) -> Reason | None:
        """Why nothing may go through the plan's group any more, or None. Its kind, rule, sync and licences count."""
        expected = msgspec.json.decode(plan.envelope, type=Envelope).group
        if not expected or not any(rests_on_group(record.step) for record in records):
            return None
        group_id = expected[0].group_id
        licence = next((one.step.change for one in records if one.step.kind is StepKind.LICENSE_GROUP), None)
        seen = self._gateway.observe_groups(operation.tenant_id, [group_id], with_members=licence is not None)
        if group_id not in seen:
            raise RetryableError(f"Group {group_id} could not be read.", Reason.NO_ANSWER)
        group = seen[group_id]
        if group is not None and group.image in expected:
            return self._trouble_with_members(operation, group) if licence else None
        if self.may_lag(operation):
            raise RetryableError(f"Group {group_id} does not show yet what we wrote.", Reason.TRANSIENT)
        return Reason.GROUP_CHANGED if group else Reason.GROUP_GONE

    def _trouble_with_members(self, operation: Operation, group: ObservedGroup) -> Reason | None:
        """A group's licence is written for everybody in it: for whom the plan spoke of, and nobody else."""
        if not group.is_complete:
            raise RetryableError(f"The members of group {group.group_id} could not all be read.", Reason.NO_ANSWER)
        with self._open_uow() as uow:
            planned = {one.subject_id for one in uow.journal.subjects(operation.operation_id)}
        return None if group.members <= planned else Reason.GROUP_CHANGED

    def may_lag(self, operation: Operation) -> bool:
        """Whether we wrote to groups of the tenant so lately that a replica may not know it."""
        with self._open_uow() as uow:
            horizon = self._clock.now() - self._limits.lag_horizon
            return bool(uow.journal.groups_written_since(operation.tenant_id, horizon))

    # ── the people ───────────────────────────────────────────────────────────────────────────────────────

    def changed(self, operation: Operation, plan: PlanRecord, records: Sequence[StepRecord]) -> list[StepRecord]:
        """People who look different from the plan's picture.

        They are looked at again when the picture is old, and whenever something is taken from them.
        """
        doubtful = [record for record in records if self._needs_look(plan, record)]
        if not doubtful:
            return []
        subjects = [record.step.subject_id for record in doubtful]
        recent, earlier = self._own_work(operation, plan, subjects)
        seen = self._gateway.observe_people(operation.tenant_id, subjects)
        return [record for record in doubtful if not _is_as_planned(record, seen, recent, earlier)]

    def _needs_look(self, plan: PlanRecord, record: StepRecord) -> bool:
        if record.step.kind in GROUP_STEPS:
            return False
        is_old = self._clock.now() - plan.observed_at > self._limits.observation_max_age
        return is_old or record.step.kind in TAKES_AWAY

    def _own_work(
        self, operation: Operation, plan: PlanRecord, subjects: Sequence[SubjectId]
    ) -> tuple[Receipts, Receipts]:
        """What we did to them so lately that a replica may not show it, and what this plan did to them so far."""
        horizon = self._clock.now() - self._limits.lag_horizon
        with self._open_uow() as uow:
            since = min(horizon, plan.drawn_at)
            receipts = uow.journal.applied_since(operation.tenant_id, since, subjects)
        recent: Receipts = {}
        earlier: Receipts = {}
        for receipt in receipts:
            if receipt.applied_at and receipt.applied_at >= horizon:
                recent.setdefault(receipt.step.subject_id, []).append(receipt)
            if receipt.plan_id == plan.plan_id:
                earlier.setdefault(receipt.step.subject_id, []).append(receipt)
        return recent, earlier


def _is_as_planned(
    record: StepRecord, seen: dict[SubjectId, Person | None], recent: Receipts, earlier: Receipts
) -> bool:
    subject = record.step.subject_id
    person = seen.get(subject)
    if person is None:
        return False
    if record.last_attempt and goal_met(person, record.step.change):
        return True  # what a lagging replica hid was our own write: sent again under its id, it gets its line
    current = with_receipts(person, recent.get(subject, ()))
    own = [receipt.step.change for receipt in earlier.get(subject, ())]
    return is_unchanged(record.before, current, own)
