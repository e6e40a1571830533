"""A rehearsal as text for whoever has to decide: what happened to whom, how long, and what people have to do."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from textwrap import wrap

from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.migration_lifecycle import PersonState
from provisioning.domain.operation import StepKind
from provisioning.domain.reasons import Reason
from provisioning.planning.rehearsal import (
    OTHERS,
    Chore,
    Circumstances,
    Difference,
    Rehearsal,
    RehearsedPlan,
    RehearsedWave,
    Straggler,
)

_WIDTH = 79
_NAMED = 10  # people on a page; the JSON beside it has all
_TOLD = 6  # losses in one breath
_MINUTE = 60.0
_AT_LEAST = 2
_WHO = "Other people: how many were meant only in the rehearsal, and how many only now. Its JSON has them by id."
_CHORES = {
    Chore.EXPLAIN: "explain or correct something before a wave begins",
    Chore.START: "start a wave",
    Chore.CHECK: "check a wave that waited for too long once more",
    Chore.APPROVE: "approve a plan",
    Chore.GIVE_EVIDENCE: "hand in evidence of moved mailboxes",
    Chore.RESUME: "let it go on after it paused itself",
    Chore.RELEASE: "release the source of a wave",
    Chore.LOOK_INTO: "look into something that stood still",
}
Name = Callable[[SubjectState | StepKind], str]


def render_rehearsal(rehearsal: Rehearsal, sentence: Callable[[Reason], str], name: Name) -> str:
    """Lines of at most 79 characters; `sentence` and `name` speak the reader's language."""
    blocks = (
        _head(rehearsal),
        _list("In the way", rehearsal.obstacles),
        *(_wave(wave, sentence, name) for wave in rehearsal.waves),
        _chores(rehearsal),
        _list("Not as in the real run", rehearsal.remarks),
    )
    return "\n\n".join("\n".join(lines) for block in blocks if (lines := list(block)))


def render_differences(differences: Sequence[Difference], tried: str) -> str:
    """`tried`: which plan was held against which rehearsal."""
    if not differences:
        return "\n".join(_wrapped(f"{tried}: as it was rehearsed."))
    lines = [f"{'':<44} {'Rehearsed':>12} {'Now':>12}"]
    for each in differences:
        *above, last = wrap(f"{each.what.replace('_', ' ')} {each.name}".strip(), 42)
        lines += [f"  {line}" for line in above]
        lines.append(f"  {last:<42} {each.rehearsed:>12,} {each.live:>12,}")
    if any(each.what == OTHERS for each in differences):
        lines += _wrapped(_WHO)
    return "\n".join([*_wrapped(f"{tried}: not as it was rehearsed."), *lines])


def _head(rehearsal: Rehearsal) -> Iterator[str]:
    yield from _wrapped(f"Rehearsal of {rehearsal.name}")
    yield f"  Source    {rehearsal.source_tenant}"
    yield f"  Target    {rehearsal.target_tenant}"
    yield f"  Read      {rehearsal.taken_at:%Y-%m-%d %H:%M} UTC; nothing was written there"
    yield from _wrapped(f"  Tried     {_tried(rehearsal.circumstances)}", 12)
    matched = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in rehearsal.situations.items())
    yield from _wrapped(f"  People    {matched or 'nobody'}", 12)
    yield from _wrapped(f"  Outcome   {_outcome(rehearsal)}", 12)


def _tried(circumstances: Circumstances) -> str:
    told = [
        f"up to {circumstances.until}",
        f"{circumstances.late:.0%} of mailboxes late" if circumstances.late else "",
        f"{circumstances.refusals:.0%} of calls refused" if circumstances.refusals else "",
        f"{circumstances.seats_short:,} seats short" if circumstances.seats_short else "",
        f"replicas {circumstances.lag_seconds:g} s behind" if circumstances.lag_seconds else "",
        f"a clock {circumstances.clock_factor:g} times as fast",
    ]
    return ", ".join(filter(None, told))


def _outcome(rehearsal: Rehearsal) -> str:
    left = sum(len(wave.stragglers) for wave in rehearsal.waves)
    seats = sum(wave.seats_missing for wave in rehearsal.waves)
    told = "It went through" if rehearsal.went_through else "It did NOT go through"
    behind = f"{left:,} people did not arrive" if left else "everybody arrived whose wave was played"
    short = f", {seats:,} of them for want of a seat" if seats else ""
    return f"{told}; {behind}{short}. It took {rehearsal.seconds:.0f} seconds here."


def _wave(wave: RehearsedWave, sentence: Callable[[Reason], str], name: Name) -> Iterator[str]:
    yield from _wrapped(f"Wave {wave.number}, {wave.name}: {wave.state.replace('_', ' ')}")
    yield from _wrapped(f"  {_counted(wave.people) or 'nobody'}", 2)
    if wave.plans:
        yield from _wrapped(
            f"  Work: {_long(wave.taken / _MINUTE)} from approvals until read back, foretold "
            f"{_long(wave.forecast / _MINUTE)} of writing",
            4,
        )
    if wave.minutes:
        spent = ", ".join(f"{state.replace('_', ' ')} {_long(minutes)}" for state, minutes in wave.minutes.items())
        yield from _wrapped(f"  In all: {spent}", 4)
    for plan in wave.plans:
        yield from _plan(plan, sentence, name)
    for reason, number in wave.reasons.items():
        yield from _wrapped(f"  {number:,} did not arrive: {sentence(reason)}", 4)
    yield from _stragglers(wave.stragglers)
    for hurdle in wave.overcome:
        yield from _wrapped(f"  In the way at first: {hurdle}", 4)
    for obstacle in wave.obstacles:
        yield from _wrapped(f"  In the way: {obstacle}", 4)


def _plan(plan: RehearsedPlan, sentence: Callable[[Reason], str], name: Name) -> Iterator[str]:
    asked = "approved by a person" if plan.was_shown else "covered by an approval of before"
    steps = ", ".join(f"{name(StepKind(kind))} {number:,}" for kind, number in plan.facts.steps.items())
    yield from _wrapped(f"  Plan to {plan.phase.replace('_', ' ')}: {steps or 'no steps'}; {asked}{_times(plan)}", 4)
    for reason, number in (*plan.facts.refused.items(), *plan.facts.waiting.items()):
        yield from _wrapped(f"    {number:,}: {sentence(Reason(reason))}", 6)
    for number, losses in _alike({**plan.facts.losses, **plan.facts.not_carried}).items():
        yield from _wrapped(f"    {number:,} lose: {_some(losses)}", 6)


def _alike(losses: Mapping[str, int]) -> Mapping[int, list[str]]:
    """Whoever loses a whole product loses dozens of services: they are told in one breath."""
    by_number: defaultdict[int, list[str]] = defaultdict(list)
    for loss, number in losses.items():
        by_number[number].append(loss)
    return by_number


def _some(names: Sequence[str]) -> str:
    more = len(names) - _TOLD
    return ", ".join(names[:_TOLD]) + (f" and {more:,} more" if more > 0 else "")


def _times(plan: RehearsedPlan) -> str:
    forecast = "" if plan.forecast is None else f", foretold {_long(plan.forecast / _MINUTE)}"
    taken = "" if plan.taken is None else f", read back after {_long(plan.taken / _MINUTE)}"
    return forecast + taken


def _stragglers(some: Sequence[Straggler]) -> Iterator[str]:
    for one in some[:_NAMED]:
        yield f"    {one.source_id}  {one.state.replace('_', ' ')}"
    if len(some) > _NAMED:
        yield f"    and {len(some) - _NAMED:,} more; the JSON beside this has all"


def _chores(rehearsal: Rehearsal) -> Iterator[str]:
    counted = Counter(deed.chore for deed in rehearsal.deeds)
    if counted:
        yield f"What people have to do ({sum(counted.values()):,})"
        yield from (f"  {_CHORES[chore]:<56} {counted[chore]:>6,}" for chore in Chore if counted[chore])


def _list(title: str, sentences: Iterable[str]) -> Iterator[str]:
    for place, line in enumerate(sentences):
        if not place:
            yield title
        yield from wrap(line, _WIDTH, initial_indent="  - ", subsequent_indent="    ")


def _counted(people: Mapping[PersonState, int]) -> str:
    return ", ".join(f"{number:,} {state.replace('_', ' ')}" for state, number in people.items())


def _long(minutes: float) -> str:
    """In the largest unit of which it is at least two; what was over when it was foretold takes no time."""
    units = ((24 * 60, "days"), (60, "hours"), (1, "minutes"))
    for size, unit in units:
        if minutes >= _AT_LEAST * size:
            return f"{minutes / size:.1f} {unit}"
    return f"{max(minutes, 0.0) * _MINUTE:.0f} seconds"


def _wrapped(text: str, depth: int = 0) -> list[str]:
    return wrap(text, _WIDTH, subsequent_indent=" " * depth, break_on_hyphens=False)
