"""Before each chunk: is everybody, and the group that licences go through, still as the plan saw them?"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property

import msgspec

from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import RetryableError
from provisioning.domain.groups import ObservedGroup
from provisioning.domain.ids import GroupId, SubjectId
from provisioning.domain.limits import Limits
from provisioning.domain.observation import Person
from provisioning.domain.operation import GROUP_STEPS, Operation, StepKind, StepRecord
from provisioning.domain.reasons import Reason
from provisioning.execution.verification import goal_met, is_unchanged, with_receipts
from provisioning.planning.groups import rests_on_group
from provisioning.planning.plan import Envelope
from provisioning.planning.verdict import TAKES_AWAY
from provisioning.ports import Clock, LicenceGateway, OpenUnitOfWork, PlanRecord
from provisioning.services.agreement.still_left_behind import StillLeftBehind
from provisioning.services.served_elsewhere import ServedElsewhere

Receipts = dict[SubjectId, list[StepRecord]]


class LookAtPeople(msgspec.Struct, frozen=True, kw_only=True):
    """Who of a chunk is not as the plan saw them.

    `unsure`: the group that takes the place of their own licence does not show them, and we put them there so lately
    that only a replica may be behind.
    """

    changed: tuple[StepRecord, ...] = ()
    unsure: tuple[StepRecord, ...] = ()


@dataclass(frozen=True)
class StillAsPlanned:
    """Reads Graph; raises GraphError when it cannot."""

    open_uow: OpenUnitOfWork
    gateway: LicenceGateway
    clock: Clock
    limits: Limits
    mappings: Mappings

    @cached_property
    def _elsewhere(self) -> ServedElsewhere:
        return ServedElsewhere(
            open_uow=self.open_uow,
            gateway=self.gateway,
            clock=self.clock,
            limits=self.limits,
            mappings=self.mappings,
        )

    @cached_property
    def _left_behind(self) -> StillLeftBehind:
        return StillLeftBehind(open_uow=self.open_uow, gateway=self.gateway, clock=self.clock)

    # ── the group ────────────────────────────────────────────────────────────────────────────────────────

    def trouble_with_group(
        self, operation: Operation, plan: PlanRecord, records: Sequence[StepRecord]
    ) -> Reason | None:
        """Why nothing may go through the plan's group any more, or None. Its kind, rule, sync and licences count.

        CHANGED_MEANWHILE: another operation of ours has written to it since, so a new plan is drawn.
        """
        expected = msgspec.json.decode(plan.envelope, type=Envelope).group
        resting = [record for record in records if rests_on_group(record.step)]
        names = {record.step.subject_id for record in records if record.step.kind in GROUP_STEPS}
        names |= {SubjectId(image.group_id) for image in expected if resting}
        if names and self._is_overtaken(operation, plan, names):
            return Reason.CHANGED_MEANWHILE
        if not expected or not resting:
            return None
        is_licensed_now = any(one.step.kind is StepKind.LICENSE_GROUP for one in records)
        group = self._group(operation, expected[0].group_id, with_members=is_licensed_now)
        if group is not None and group.image in expected:
            return self._trouble_with_members(operation, group) if is_licensed_now else None
        if self.may_lag(operation):
            raise RetryableError(f"Group {expected[0].group_id} does not show yet what we wrote.", Reason.TRANSIENT)
        return Reason.GROUP_CHANGED if group else Reason.GROUP_GONE

    def _group(self, operation: Operation, group_id: GroupId, *, with_members: bool) -> ObservedGroup | None:
        """As Graph has it now; None: it is no more. Raises RetryableError when nobody can say."""
        seen = self.gateway.observe_groups(operation.tenant_id, [group_id], with_members=with_members)
        if group_id not in seen:
            raise RetryableError(f"Group {group_id} could not be read.", Reason.NO_ANSWER)
        return seen[group_id]

    def _is_overtaken(self, operation: Operation, plan: PlanRecord, names: AbstractSet[SubjectId]) -> bool:
        with self.open_uow() as uow:
            sent = uow.journal.groups_sent_since(operation.tenant_id, plan.drawn_at)
        return any(one.operation_id != operation.operation_id and one.step.subject_id in names for one in sent)

    def _trouble_with_members(self, operation: Operation, group: ObservedGroup) -> Reason | None:
        """A group's licence is written for everybody in it: for whom the plan spoke of, and nobody else.

        But for whom another operation of ours is giving the same product: it may have put them there.
        """
        members = _all_members(group)
        with self.open_uow() as uow:
            planned = {one.subject_id for one in uow.journal.subjects(operation.operation_id)}
            theirs = uow.seats.reserved(operation.tenant_id, operation.wish.sku_id, apart_from=operation.operation_id)
        return None if members <= planned | theirs else Reason.GROUP_CHANGED

    def may_lag(self, operation: Operation) -> bool:
        """Whether we wrote to groups of the tenant so lately that a replica may not know it."""
        with self.open_uow() as uow:
            horizon = self.clock.now() - self.limits.lag_horizon
            return bool(uow.journal.groups_written_since(operation.tenant_id, horizon))

    # ── the people ───────────────────────────────────────────────────────────────────────────────────────

    def look_at_people(self, operation: Operation, plan: PlanRecord, records: Sequence[StepRecord]) -> LookAtPeople:
        """They are looked at again when the plan's picture is old, and whenever something is taken from them.

        Where a migration takes a licence, whoever the other tenant does not serve now is not as planned either; nor is
        anybody whose seats a moved agreement left behind, and which are back.
        """
        gone_along = self._gone_along(operation, records)
        doubtful = [one for one in records if one not in gone_along and self._needs_look(plan, one)]
        if not doubtful:
            return LookAtPeople(changed=tuple(gone_along))
        if not self._left_behind(operation):
            return LookAtPeople(changed=(*gone_along, *doubtful))
        subjects = [record.step.subject_id for record in doubtful]
        recent, earlier = self._own_work(operation, plan, subjects)
        seen = self.gateway.observe_people(operation.tenant_id, subjects)
        changed = [record for record in doubtful if not _is_as_planned(record, seen, recent, earlier)]
        same = [record for record in doubtful if record not in changed and not _is_done(record, seen)]
        outside = self._outside(operation, plan, same)
        unsure = [record for record in outside if _joined_lately(recent.get(record.step.subject_id, ()))]
        gone = [record for record in outside if record not in unsure]
        people = {subject: person for subject, person in seen.items() if person}
        unserved = self._elsewhere.not_served(operation, [one for one in same if one not in outside], people)
        return LookAtPeople(changed=(*gone_along, *changed, *gone, *unserved), unsure=tuple(unsure))

    def _gone_along(self, operation: Operation, records: Iterable[StepRecord]) -> list[StepRecord]:
        """Of ordinary work: those whom a migration has taken up since the plan, and brings a mailbox by itself."""
        if operation.wish.part is not None:
            return []
        with self.open_uow() as uow:
            awaited = uow.migrations.awaiting_exchange(operation.tenant_id)
        return [record for record in records if record.step.subject_id in awaited]

    def _outside(self, operation: Operation, plan: PlanRecord, records: Iterable[StepRecord]) -> list[StepRecord]:
        """Whose own licence would go for that of a group which does not have them as a member.

        What it brought goes on showing on a person for minutes after they left it, so the person alone tells nothing.
        """
        giving_way = [record for record in records if record.step.kind is StepKind.REMOVE]
        images = msgspec.json.decode(plan.envelope, type=Envelope).group
        if not giving_way or not images:
            return []
        members = self._members(operation, images[0].group_id)
        return [record for record in giving_way if record.step.subject_id not in members]

    def _members(self, operation: Operation, group_id: GroupId) -> frozenset[SubjectId]:
        group = self.gateway.observe_groups(operation.tenant_id, [group_id]).get(group_id)
        if group is None:
            raise RetryableError(f"Group {group_id} could not be read.", Reason.NO_ANSWER)
        return _all_members(group)

    def _needs_look(self, plan: PlanRecord, record: StepRecord) -> bool:
        if record.step.kind in GROUP_STEPS:
            return False
        is_old = self.clock.now() - plan.observed_at > self.limits.observation_max_age
        return is_old or record.step.kind in TAKES_AWAY

    def _own_work(
        self, operation: Operation, plan: PlanRecord, subjects: Sequence[SubjectId]
    ) -> tuple[Receipts, Receipts]:
        """What we did to them so lately that a replica may not show it, and what this plan did to them so far."""
        horizon = self.clock.now() - self.limits.lag_horizon
        with self.open_uow() as uow:
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
    if _is_done(record, seen):
        return True  # what a lagging replica hid was our own write: sent again under its id, it gets its line
    current = with_receipts(person, recent.get(subject, ()))
    own = [receipt.step.change for receipt in earlier.get(subject, ())]
    return is_unchanged(record.before, current, own)


def _is_done(record: StepRecord, seen: dict[SubjectId, Person | None]) -> bool:
    person = seen.get(record.step.subject_id)
    return bool(record.last_attempt and person and goal_met(person, record.step.change))


def _joined_lately(receipts: Iterable[StepRecord]) -> bool:
    """Whether the last thing we did about the person's membership was to put them into the group."""
    moves = [one.step.kind for one in receipts if one.step.kind in (StepKind.ADD_MEMBERS, StepKind.REMOVE_MEMBER)]
    return bool(moves) and moves[-1] is StepKind.ADD_MEMBERS


def _all_members(group: ObservedGroup) -> frozenset[SubjectId]:
    if not group.is_complete:
        raise RetryableError(f"The members of group {group.group_id} could not all be read.", Reason.NO_ANSWER)
    return group.members
