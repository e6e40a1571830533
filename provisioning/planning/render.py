"""A plan as text for the person who decides: what, how many, what would be lost, what speaks against it, and why."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from textwrap import wrap
from typing import Self

import msgspec

from provisioning.domain.ids import PlanId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.operation import StepKind, SubjectRecord
from provisioning.domain.reasons import Reason
from provisioning.planning.plan import Envelope, Losses

SHORT = 8  # characters of an id or digest that people see and type
_WIDTH = 79
_NAME_WIDTH = 40


class People(msgspec.Struct, frozen=True):
    """Everybody in the plan, counted: by state, and by state and reason where there is one."""

    states: dict[SubjectState, int]
    reasons: dict[SubjectState, dict[Reason, int]]
    notes: dict[str, int]

    @classmethod
    def count(cls, subjects: Iterable[SubjectRecord]) -> Self:
        """The counts of these people."""
        states, notes = Counter[SubjectState](), Counter[str]()
        reasons = defaultdict[SubjectState, Counter[Reason]](Counter)
        for subject in subjects:
            states[subject.state] += 1
            notes.update(subject.notes)
            if subject.reason is not None:
                reasons[subject.state][subject.reason] += 1
        return cls(dict(states), {state: dict(some) for state, some in reasons.items()}, dict(notes))


class PlanSheet(msgspec.Struct, frozen=True, kw_only=True):
    """What the reader gets to see of a plan. `standing`: one sentence, where its approval stands.

    `digest`: of its envelope; whoever approves it names it. `writes_done_at`: the forecast of its last write, of a plan
    that waits for approval as if it began now.
    """

    plan_id: PlanId
    digest: str
    envelope: Envelope
    drawn_at: datetime
    observed_at: datetime
    valid_until: datetime
    standing: str
    awaits_approval: bool
    breaches: tuple[str, ...]
    people: People
    writes_done_at: datetime | None = None


def render_plan(
    sheet: PlanSheet, sentence: Callable[[Reason], str], name: Callable[[SubjectState | StepKind], str]
) -> str:
    """The sheet as lines of at most 79 characters; `sentence` and `name` speak the reader's language."""
    blocks = (
        _head(sheet),
        _table("Steps", {name(StepKind(kind)): number for kind, number in sheet.envelope.counts.items()}),
        _people(sheet.people, sentence, name),
        _table("Not carried over", sheet.people.notes),
        _list("Losses", loss_sentences(sheet.envelope.losses), otherwise="Losses: none."),
        _list("Why it does not apply by itself", sheet.breaches),
        _next(sheet),
    )
    return "\n\n".join("\n".join(lines) for block in blocks if (lines := list(block)))


def loss_sentences(losses: Losses) -> list[str]:
    """Each kind of loss as a sentence with its count, the gravest first."""
    told = [
        ("A licence is taken and none is given", losses.removals_without_replacement),
        ("A licence is swapped that the article does not replace", losses.unreplaced_swaps),
        *((f"The service {family} is lost", number) for family, number in sorted(losses.families.items())),
        *((f"{plan} comes on against policy", number) for plan, number in sorted(losses.switched_on.items())),
        *((f"{plan} cannot stay switched off", number) for plan, number in sorted(losses.not_carried.items())),
    ]
    return [f"{loss}: {_persons(number)}." for loss, number in told if number]


def _head(sheet: PlanSheet) -> Iterator[str]:
    envelope = sheet.envelope
    yield f"Plan {sheet.plan_id[:SHORT]} of operation {envelope.operation_id[:SHORT]}"
    yield f"  Tenant    {envelope.tenant_id}"
    yield f"  Observed  {_moment(sheet.observed_at)}"
    yield f"  Drawn     {_moment(sheet.drawn_at)}, void after {_moment(sheet.valid_until)}"
    yield f"  Digest    {sheet.digest[:SHORT]}"
    if sheet.writes_done_at:
        condition = " if it is approved now" if sheet.awaits_approval else ""
        yield f"  Written   by about {_moment(sheet.writes_done_at)}{condition}"
    yield f"  {sheet.standing}"


def _people(
    people: People, sentence: Callable[[Reason], str], name: Callable[[SubjectState | StepKind], str]
) -> Iterator[str]:
    yield f"People ({sum(people.states.values()):,})"
    for state, number in people.states.items():
        yield _row(name(state), number)
        for reason, some in people.reasons.get(state, {}).items():
            yield from _indented(f"{some:,}: {sentence(reason)}", 6)


def _next(sheet: PlanSheet) -> Iterator[str]:
    if sheet.awaits_approval:
        operation, digest = sheet.envelope.operation_id[:SHORT], sheet.digest[:SHORT]
        yield f"To approve: provisioning plans approve {operation} {digest}"
        yield f"To reject:  provisioning plans reject {operation} --reason TEXT"


def _table(title: str, counts: Mapping[str, int]) -> Iterator[str]:
    if counts:
        yield title
        yield from (_row(name, number) for name, number in counts.items())


def _list(title: str, sentences: Iterable[str], otherwise: str = "") -> Iterator[str]:
    lines = list(sentences)
    if lines:
        yield title
    elif otherwise:
        yield otherwise
    for line in lines:
        yield from _indented(line, 4, mark="  - ")


def _row(name: str, number: int) -> str:
    *above, last = wrap(name, _NAME_WIDTH)
    return "".join(f"  {line}\n" for line in above) + f"  {last:<{_NAME_WIDTH}} {number:>9,}"


def _indented(text: str, depth: int, mark: str = "") -> list[str]:
    blank = " " * depth
    return wrap(text, _WIDTH, initial_indent=mark or blank, subsequent_indent=blank)


def _persons(number: int) -> str:
    return f"{number:,} people" if number != 1 else "1 person"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
