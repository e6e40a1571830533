"""The closing statement of a migration for both boards: what moved, when, what was left, what stays, who let it.

The words come from the message catalogues; here is which of them are said, and with which numbers.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from textwrap import fill

import msgspec

from provisioning.domain.calendar import dutch_day
from provisioning.domain.migration import EvidenceSource, Phase, Situation
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from provisioning.domain.reasons import Reason
from provisioning.planning.migration_aftermath import LeftToDo, Matter
from provisioning.planning.migration_report import Approval, MigrationReport, Outcome, ReportedPerson, ReportedWave

_WIDTH = 78
_BULLET = "- "
Code = MigrationState | WaveState | PersonState | Situation | Phase | EvidenceSource

# Of whom the statement says why they did not move.
_STAYED = (Outcome.FAILED, Outcome.LEFT_OUT, Outcome.NOT_BEGUN, Outcome.UNDER_WAY, Outcome.ROLLED_BACK)

# Who has a licence in the target and one in the source.
_IN_BOTH = frozenset({PersonState.PREPARED, PersonState.ENABLING, PersonState.ENABLED, PersonState.RELEASING})


class ReportWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one language says in reports; words in braces are filled in."""

    language: str  # as HTML names it
    months: tuple[str, ...]
    thousands: str  # what stands between them in a number
    title: str
    page_title: str
    for_boards: str
    route: str
    asked: str
    licences_only: str
    standing: Mapping[MigrationState, str]
    outcomes: Mapping[Outcome, str]
    total: str
    wave: str
    without_wave: str
    how_many: str
    when: str
    people_of: str
    prepared: str
    enabled: str
    released: str
    rolled_back: str
    on_one_day: str
    on_days: str
    stayed: str
    stayed_why: str
    nobody_stayed: str
    remains: str
    remains_until: str
    remains_now: str
    remains_both: str
    remains_mailboxes: str
    remains_others: str
    nothing_remains: str
    left_to_do: str
    left: Mapping[Matter, str]
    mailboxes: str
    mailbox: str
    no_mailboxes: str
    approvals: str
    requested: str
    started: str
    approved: str
    approved_alone: str
    nobody_approved: str
    record: str
    column_person: str
    column_products: str
    column_state: str
    column_prepared: str
    column_mailbox: str
    column_enabled: str
    column_released: str
    column_why: str
    written: str


@dataclass(frozen=True)
class Tongue:
    """How one language speaks: its words for reports, for codes and for reasons."""

    words: ReportWords
    name: Callable[[Code], str]
    why: Callable[[Reason], str]

    def day(self, at: datetime) -> str:
        """A Dutch day: `3 augustus 2026`."""
        day = dutch_day(at)
        return f"{day.day} {self.words.months[day.month - 1]} {day.year}"

    def number(self, number: int) -> str:
        return f"{number:,}".replace(",", self.words.thousands)

    def left(self, one: LeftToDo) -> str:
        """What somebody has to do, and about what."""
        said = self.words.left[one.matter]
        return said.format(name=one.name, place=one.place, seats=self.number(one.seats), product=one.product)

    def wave(self, number: int, names: Mapping[int, str]) -> str:
        """A wave by its number and name."""
        return self.words.wave.format(number=number, name=names.get(number, ""))


class Section(msgspec.Struct, frozen=True):
    """A heading and what stands under it. `figures`: numbers with what they count, the last one is their sum."""

    heading: str
    lines: tuple[str, ...] = ()
    figures: tuple[tuple[str, str], ...] = ()


def to_statement(report: MigrationReport, tongue: Tongue) -> str:
    """The statement as plain text, to be printed or sent."""
    blocks = [_underlined(tongue.words.title, "="), *(_text(section) for section in sections(report, tongue))]
    return "\n\n".join(blocks) + "\n"


def sections(report: MigrationReport, tongue: Tongue) -> list[Section]:
    """Everything that the statement says, in order."""
    return [
        Section(report.name, tuple(_opening(report, tongue))),
        Section(tongue.words.how_many, figures=tuple(_figures(report, tongue))),
        Section(tongue.words.when, tuple(_course(report, tongue))),
        Section(tongue.words.stayed, tuple(_stayed(report.people, tongue)) or (tongue.words.nobody_stayed,)),
        Section(tongue.words.remains, tuple(_remains(report, tongue)) or (tongue.words.nothing_remains,)),
        *_left_to_do(report, tongue),
        Section(tongue.words.mailboxes, tuple(_mailboxes(report.people, tongue)) or (tongue.words.no_mailboxes,)),
        Section(tongue.words.approvals, tuple(_approvals(report, tongue))),
    ]


def _opening(report: MigrationReport, tongue: Tongue) -> Iterator[str]:
    words = tongue.words
    yield words.for_boards.format(source=report.source.name, target=report.target.name)
    yield words.route.format(source=report.source.domain, target=report.target.domain)
    yield words.asked.format(asked_by=report.asked_by)
    yield words.standing[report.state].format(day=tongue.day(report.entered_at))
    yield words.licences_only
    yield words.written.format(day=tongue.day(report.written_at))


def _figures(report: MigrationReport, tongue: Tongue) -> Iterator[tuple[str, str]]:
    for outcome, people in report.outcomes.items():
        yield tongue.number(people), tongue.words.outcomes[outcome]
    yield tongue.number(len(report.people)), tongue.words.total


def _course(report: MigrationReport, tongue: Tongue) -> Iterator[str]:
    names = _names(report)
    for wave in report.waves:
        called = tongue.wave(wave.number, names) if wave.number else tongue.words.without_wave
        told = [tongue.words.people_of.format(wave=_capital(called), people=tongue.number(len(wave.people)))]
        yield " ".join([*told, *_days_of(wave, tongue)])


def _days_of(wave: ReportedWave, tongue: Tongue) -> Iterator[str]:
    words = tongue.words
    for sentence, name in (
        (words.prepared, "prepared_at"),
        (words.enabled, "enabled_at"),
        (words.released, "released_at"),
        (words.rolled_back, "rolled_back_at"),
    ):
        moments = [at for person in wave.people if (at := getattr(person, name))]
        if moments:
            yield sentence.format(days=_between(min(moments), max(moments), tongue))


def _between(first: datetime, last: datetime, tongue: Tongue) -> str:
    if dutch_day(first) == dutch_day(last):
        return tongue.words.on_one_day.format(day=tongue.day(first))
    return tongue.words.on_days.format(first=tongue.day(first), last=tongue.day(last))


def _stayed(people: Iterable[ReportedPerson], tongue: Tongue) -> Iterator[str]:
    every = list(people)
    for outcome in _STAYED:
        causes = Counter(_cause(person, tongue) for person in every if person.outcome is outcome)
        called = _capital(tongue.words.outcomes[outcome])
        for cause, number in causes.most_common():
            said = tongue.words.stayed_why.format(outcome=called, people=tongue.number(number), why=cause)
            yield said.strip()


def _cause(person: ReportedPerson, tongue: Tongue) -> str:
    """Why, as exactly as it is known; nothing when only their turn has not come."""
    if person.situation is not Situation.MATCHED and person.outcome is not Outcome.FAILED:
        return f"{_capital(tongue.name(person.situation))}."
    return tongue.why(person.reason) if person.reason else ""


def _remains(report: MigrationReport, tongue: Tongue) -> Iterator[str]:
    """The old licences that stay, and until when; once it is called off nobody takes them away any more.

    Then Exchange alone still comes on, where a mailbox waits for it.
    """
    words = tongue.words
    if report.state is MigrationState.ABORTED:
        if both := sum(map(_has_both, report.people)):
            yield words.remains_both.format(people=tongue.number(both))
        if ready := sum(map(_has_moved_unseen, report.people)):
            yield words.remains_mailboxes.format(people=tongue.number(ready))
    else:
        yield from _days_held(report, tongue)
    if any(outcome in _STAYED for outcome in report.outcomes):
        yield words.remains_others


def _left_to_do(report: MigrationReport, tongue: Tongue) -> Iterator[Section]:
    """What is no licence, and so did not move."""
    if report.left_to_do:
        yield Section(tongue.words.left_to_do, tuple(tongue.left(one) for one in report.left_to_do))


def _days_held(report: MigrationReport, tongue: Tongue) -> Iterator[str]:
    words = tongue.words
    ends = sorted(one.held_until for one in report.people if one.held_until)
    over = sum(end <= report.written_at for end in ends)
    if over:
        yield words.remains_now.format(people=tongue.number(over))
    for day, number in Counter(map(tongue.day, ends[over:])).items():
        yield words.remains_until.format(people=tongue.number(number), day=day)


def _has_both(person: ReportedPerson) -> bool:
    return person.state in _IN_BOTH or person.failed_in in {Phase.ENABLE, Phase.RELEASE}


def _has_moved_unseen(person: ReportedPerson) -> bool:
    """Whether Exchange still comes on for them, although nothing else does."""
    return person.mailbox_at is not None and person.state in {PersonState.PREPARED, PersonState.ENABLING}


def _mailboxes(people: Iterable[ReportedPerson], tongue: Tongue) -> Iterator[str]:
    for source, number in Counter(one.mailbox_by for one in people if one.mailbox_by).most_common():
        yield tongue.words.mailbox.format(people=tongue.number(number), source=tongue.name(source))


def _approvals(report: MigrationReport, tongue: Tongue) -> Iterator[str]:
    words, names = tongue.words, _names(report)
    yield words.requested.format(actor=report.requested_by, day=tongue.day(report.created_at))
    for wave in report.waves:
        if wave.started_by:
            yield words.started.format(actor=wave.started_by, wave=tongue.wave(wave.number, names))
    yield from (_approved(one, tongue, names) for one in report.approvals)
    if not report.approvals:
        yield words.nobody_approved
    yield words.record


def _approved(one: Approval, tongue: Tongue, names: Mapping[int, str]) -> str:
    sentence = tongue.words.approved_alone if one.is_alone else tongue.words.approved
    return sentence.format(
        day=tongue.day(one.approved_at),
        actor=one.approved_by,
        phase=tongue.name(one.phase),
        wave=tongue.wave(one.wave, names),
        people=tongue.number(one.people),
        digest=one.digest[:8],
    )


def _names(report: MigrationReport) -> dict[int, str]:
    return {wave.number: wave.name for wave in report.waves}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _text(section: Section) -> str:
    """Under its heading: numbers under each other, or sentences; more than one of these as a list."""
    width = max((len(number) for number, _ in section.figures), default=0)
    figures = [f"{number:>{width}}  {what}" for number, what in section.figures]
    if figures:
        figures.insert(-1, "-" * width)
    bullet = _BULLET if len(section.lines) > 1 else ""
    return "\n".join([_underlined(section.heading, "-"), *figures, *_wrapped(section.lines, bullet)])


def _underlined(heading: str, with_what: str) -> str:
    return f"{fill(heading, _WIDTH)}\n{with_what * min(_WIDTH, len(heading))}"


def _wrapped(lines: Sequence[str], bullet: str) -> Iterator[str]:
    for line in lines:
        yield fill(line, _WIDTH, initial_indent=bullet, subsequent_indent=" " * len(bullet), break_on_hyphens=False)
