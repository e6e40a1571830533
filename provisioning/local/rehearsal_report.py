"""What a rehearsal comes to, with the people's true ids again."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from provisioning.domain.ids import SubjectId
from provisioning.domain.migration import Phase, Traveller, Wave, WaveDefinition
from provisioning.domain.migration_lifecycle import PersonState, WaveState
from provisioning.domain.operation import Operation
from provisioning.local.rehearsal_director import Director
from provisioning.local.rehearsal_watch import Scene, look, part_of, rehearsed_plan, travellers
from provisioning.planning.rehearsal import Rehearsal, RehearsedPlan, RehearsedWave, Straggler

_MINUTE = 60.0
_GOALS = {  # who got so far is no straggler
    Phase.PREPARE: frozenset({PersonState.PREPARED, PersonState.ENABLED, PersonState.RELEASED}),
    Phase.ENABLE: frozenset({PersonState.ENABLED, PersonState.RELEASED}),
    Phase.RELEASE: frozenset({PersonState.RELEASED}),
}
_NOT_ON_THEIR_WAY = frozenset({PersonState.LEFT_OUT, PersonState.WAITING})
Names = Mapping[SubjectId, SubjectId]


def report(director: Director, seconds: float) -> Rehearsal:
    """`seconds`: of real time that it took."""
    script, circumstances = director.script, director.circumstances
    scene = look(director.services, director.migration_id)
    people = travellers(director.services, director.migration_id)
    return Rehearsal(
        name=script.asked.name,
        digest=script.digest,
        source_tenant=script.source.tenant_id,
        target_tenant=script.target.tenant_id,
        taken_at=script.taken_at,
        circumstances=circumstances,
        situations=dict(sorted(Counter(str(one.situation) for one in people).items())),
        waves=tuple(_wave(director, defined, scene, people) for defined in script.asked.waves),
        deeds=tuple(director.deeds),
        obstacles=tuple(director.obstacles.get(0, ())),
        remarks=script.remarks,
        seconds=round(seconds, 1),
    )


def _wave(director: Director, defined: WaveDefinition, scene: Scene, people: Iterable[Traveller]) -> RehearsedWave:
    own = [one for one in people if one.wave == defined.number]
    wave = scene.wave(defined.number)
    goal = _GOALS[director.circumstances.until]
    return RehearsedWave(
        number=defined.number,
        name=defined.name,
        state=wave.state,
        people=dict(Counter(one.state for one in own)),
        plans=tuple(
            _plan(director, operation)
            for operation in scene.operations
            if part_of(operation).wave == defined.number and operation.operation_id in director.shown
        ),
        stragglers=tuple(
            straggler_of(one, director.script.names) for one in own if one.state not in goal | _NOT_ON_THEIR_WAY
        ),
        minutes=minutes_in(director.entered.get(defined.number, {}), wave),
        overcome=tuple(director.overcome.get(defined.number, ())),
        obstacles=tuple(director.obstacles.get(defined.number, ())),
    )


def _plan(director: Director, operation: Operation) -> RehearsedPlan:
    plan = rehearsed_plan(director.services, operation, director.shown[operation.operation_id])
    return msgspec.structs.replace(plan, facts=plan.facts.named(director.script.names))


def straggler_of(one: Traveller, names: Names) -> Straggler:
    """The person by the ids of the real tenants; who is in neither of them keeps the pseudonym."""
    target = names.get(one.target_id) if one.target_id else None
    return Straggler(
        source_id=names.get(one.source_id, one.source_id),
        target_id=target,
        state=one.state,
        reason=one.reason,
        phase=one.failed_in,
    )


def minutes_in(entered: Mapping[WaveState, datetime], wave: Wave) -> dict[WaveState, float]:
    """How long the wave was in each state that it left; in the last one it still is."""
    in_turn = sorted(entered.items(), key=lambda entry: entry[1])
    moments = [at for _, at in in_turn[1:]]
    spans = zip(in_turn, moments, strict=False)
    return {
        state: round((until - since).total_seconds() / _MINUTE, 1)
        for (state, since), until in spans
        if state not in {WaveState.WAITING, wave.state}
    }
