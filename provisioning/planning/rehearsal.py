"""What a rehearsal found, and how a plan of the real run differs from what it promised. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from provisioning.domain.ids import OperationId, SkuId, SubjectId, TenantId
from provisioning.domain.lifecycle import OperationState, SubjectState
from provisioning.domain.migration import MigrationPart, Phase
from provisioning.domain.migration_lifecycle import PersonState, WaveState
from provisioning.domain.operation import Step, SubjectRecord
from provisioning.domain.reasons import Reason
from provisioning.planning.plan import Losses
from provisioning.planning.render import PlanSheet

OTHERS = "other people"  # of a difference: how many were meant only then, and how many are only now
_NOT_WRITTEN = frozenset({SubjectState.REFUSED, SubjectState.WAITING})
SEATS = frozenset({Reason.SEATS_INSUFFICIENT, Reason.SEATS_NOT_VISIBLE})


class PlanFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What two plans of the same phase can be compared by: numbers, and who they are about.

    `persons`: what is meant for each, by the ids of the real tenants in a report: `steps assign`, `refused NOT_FOUND`.
    """

    people: int
    steps: dict[str, int] = {}  # kind → number
    refused: dict[str, int] = {}  # reason → people
    waiting: dict[str, int] = {}
    losses: dict[str, int] = {}
    not_carried: dict[str, int] = {}  # what a note on people says → people
    persons: dict[SubjectId, str] = {}

    def named(self, names: Mapping[SubjectId, SubjectId]) -> "PlanFacts":
        """The same about whom these names stand for; who has none keeps the pseudonym."""
        persons = {names.get(one, one): meant for one, meant in self.persons.items()}
        return msgspec.structs.replace(self, persons=persons)


class RehearsedPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One plan of the rehearsal. Durations are seconds of the service's clock, from approval on.

    `forecast`: until the last write, as foretold at its approval; `taken`: until everybody was read back.
    """

    phase: Phase
    tenant_id: TenantId
    sku_id: SkuId
    operation_id: OperationId  # in the rehearsal; nobody knows it elsewhere
    facts: PlanFacts
    was_shown: bool  # a person had to approve it; else an approval of before covered it
    state: OperationState
    reason: Reason | None = None
    outcome: dict[SubjectState, int] = {}
    forecast: float | None = None
    taken: float | None = None


class Straggler(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who did not arrive, by the ids of the real tenants."""

    source_id: SubjectId
    target_id: SubjectId | None
    state: PersonState
    reason: Reason | None = None
    phase: Phase | None = None


class RehearsedWave(msgspec.Struct, frozen=True, kw_only=True):
    """`minutes`: of the service's clock in each state that the wave left; idle time of this machine is in them."""

    number: int
    name: str
    state: WaveState
    people: dict[PersonState, int]
    plans: tuple[RehearsedPlan, ...] = ()
    stragglers: tuple[Straggler, ...] = ()
    minutes: dict[WaveState, float] = {}
    overcome: tuple[str, ...] = ()  # what kept it from beginning until it was helped
    obstacles: tuple[str, ...] = ()

    @property
    def taken(self) -> float:
        """Seconds of work, plan by plan."""
        return sum(plan.taken or 0.0 for plan in self.plans)

    @property
    def forecast(self) -> float:
        """Seconds of writing, as foretold."""
        return sum(plan.forecast or 0.0 for plan in self.plans)

    @property
    def seats_missing(self) -> int:
        return sum(one.reason in SEATS for one in self.stragglers)

    @property
    def reasons(self) -> dict[Reason, int]:
        return dict(sorted(Counter(one.reason for one in self.stragglers if one.reason).items()))


class Chore(StrEnum):
    """What a person has to do in the real run."""

    EXPLAIN = "explain"  # situations that nobody explained
    START = "start"
    CHECK = "check"  # a wave again, because what was found of it had grown old
    APPROVE = "approve"
    GIVE_EVIDENCE = "give_evidence"
    RESUME = "resume"  # after a pause at the threshold
    RELEASE = "release"
    LOOK_INTO = "look_into"  # an operation was held, or something stood still


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a person did, or should have done, at a moment of the service's clock.

    `typed`: the command, with the ids that things had in the rehearsal.
    """

    chore: Chore
    at: datetime
    told: str
    wave: int = 0
    typed: str = ""


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """What was made hard. Shares of 1; `lag_seconds` and the clock as the twin knows them."""

    until: Phase = Phase.RELEASE
    late: float = 0.0  # of the people, whose mailboxes come last
    refusals: float = 0.0  # of all calls
    seats_short: int = 0  # of each target product
    lag_seconds: float = 0.0
    clock_factor: float = 60.0


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True):
    """The report. It names people by the ids of the real tenants, so its file is for its owner alone."""

    name: str
    digest: str  # of the definition that was rehearsed
    source_tenant: TenantId
    target_tenant: TenantId
    taken_at: datetime  # when the tenants were read
    circumstances: Circumstances
    situations: dict[str, int] = {}
    waves: tuple[RehearsedWave, ...] = ()
    deeds: tuple[Deed, ...] = ()
    obstacles: tuple[str, ...] = ()  # of the migration as a whole
    remarks: tuple[str, ...] = ()
    seconds: float = 0.0  # that it took, of real time

    @property
    def went_through(self) -> bool:
        """Whether nothing stood in the way; people may have been left behind one by one."""
        return not self.obstacles and not any(wave.obstacles for wave in self.waves)

    @property
    def approvals(self) -> int:
        return sum(deed.chore is Chore.APPROVE for deed in self.deeds)


# ── comparing ────────────────────────────────────────────────────────────────────────────────────────────


class Difference(msgspec.Struct, frozen=True, order=True):
    """One number that is not as it was rehearsed: `what` is steps, refused, and so on; `name` its kind or reason."""

    what: str
    name: str
    rehearsed: int
    live: int


def facts_of(sheet: PlanSheet, subjects: Iterable[SubjectRecord] = (), steps: Iterable[Step] = ()) -> PlanFacts:
    """`subjects` and `steps`: those of the plan, for what is meant for whom.

    Of a plan as it was drawn, or as it stands by now: who was served since counts as before.
    """
    return PlanFacts(
        people=sum(sheet.people.states.values()),
        steps=dict(sheet.envelope.counts),
        refused=_by_reason(sheet, SubjectState.REFUSED),
        waiting=_by_reason(sheet, SubjectState.WAITING),
        losses=dict(_losses(sheet.envelope.losses)),
        not_carried=dict(sheet.people.notes),
        persons=_meant(subjects, steps),
    )


def compare(rehearsed: PlanFacts, live: PlanFacts) -> tuple[Difference, ...]:
    """Every number that differs, and how many other people it is about; empty when the plan is as it was rehearsed."""
    found = [] if rehearsed.people == live.people else [Difference("people", "", rehearsed.people, live.people)]
    for what in ("steps", "refused", "waiting", "losses", "not_carried"):
        found += _differences(what, getattr(rehearsed, what), getattr(live, what))
    return (*found, *_others(rehearsed.persons, live.persons))


def promised(rehearsal: Rehearsal, part: MigrationPart, sku: SkuId) -> PlanFacts | None:
    """What was rehearsed for this product in this phase of the wave, all its plans together; None when nothing was."""
    plans = [
        plan.facts
        for wave in rehearsal.waves
        if wave.number == part.wave
        for plan in wave.plans
        if plan.phase is part.phase and plan.sku_id == sku
    ]
    return _together(plans) if plans else None


def _together(facts: Iterable[PlanFacts]) -> PlanFacts:
    some = list(facts)

    def added(name: str) -> dict[str, int]:
        total: Counter[str] = Counter()
        for one in some:
            total.update(getattr(one, name))
        return dict(sorted(total.items()))

    persons = {person: meant for one in some for person, meant in one.persons.items()}
    return PlanFacts(
        people=sum(one.people for one in some),
        persons=persons,
        **{name: added(name) for name in ("steps", "refused", "waiting", "losses", "not_carried")},
    )


def _differences(what: str, rehearsed: Mapping[str, int], live: Mapping[str, int]) -> Iterator[Difference]:
    for name in sorted({*rehearsed, *live}):
        before, now = rehearsed.get(name, 0), live.get(name, 0)
        if before != now:
            yield Difference(what, name, before, now)


def _others(rehearsed: Mapping[SubjectId, str], live: Mapping[SubjectId, str]) -> Iterator[Difference]:
    """Of whom something else is meant now: as many people can be other people."""
    gone = Counter(meant for person, meant in rehearsed.items() if live.get(person) != meant)
    come = Counter(meant for person, meant in live.items() if rehearsed.get(person) != meant)
    for meant in sorted({*gone, *come}):
        yield Difference(OTHERS, meant, gone[meant], come[meant])


def _meant(subjects: Iterable[SubjectRecord], steps: Iterable[Step]) -> dict[SubjectId, str]:
    """Whoever is not written to for a reason has that one; of the others, the kinds of their steps in turn."""
    kinds: defaultdict[SubjectId, list[str]] = defaultdict(list)
    for step in sorted(steps, key=lambda one: one.sequence):
        kinds[step.subject_id].append(step.kind)
    return {
        one.subject_id: f"{one.state} {one.reason}"
        if one.state in _NOT_WRITTEN and one.reason
        else f"steps {', '.join(kinds[one.subject_id]) or 'none'}"
        for one in subjects
    }


def _by_reason(sheet: PlanSheet, state: SubjectState) -> dict[str, int]:
    return {str(reason): number for reason, number in sorted(sheet.people.reasons.get(state, {}).items())}


def _losses(losses: Losses) -> Iterator[tuple[str, int]]:
    """Each kind of loss under a name of its own, and only those that there are."""
    numbers = {
        "licence without replacement": losses.removals_without_replacement,
        "swap that nobody asked for": losses.unreplaced_swaps,
        **{f"service {family}": number for family, number in losses.families.items()},
        **{f"{plan} on against policy": number for plan, number in losses.switched_on.items()},
        **{f"{plan} not carried": number for plan, number in losses.not_carried.items()},
    }
    return ((name, number) for name, number in numbers.items() if number)
