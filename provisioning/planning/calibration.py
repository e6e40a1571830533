"""The report of a calibration: what the twin answers, what Microsoft answered, and where they differ."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime

import msgspec

from provisioning.domain.errors import InputError
from provisioning.domain.ids import Actor, TenantId
from provisioning.planning.probe import OutOfReach, Probe
from provisioning.planning.probe_answers import Verdict, compared

MOST_WRITES = 60
MOST_PEOPLE = 100  # a test tenant has a few dozen

_HEADER = "licence-provisioning calibration 1\n"  # never mistaken for a checkpoint that the same key signs


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One request that was sent: Microsoft's id for it, its moment by Microsoft, and the status."""

    request_id: str
    date: str
    status: int


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What one side said to a probe. `reason`: why it was not asked, or what came of it is not known."""

    facts: dict[str, str] = {}
    requests: tuple[Asked, ...] = ()
    writes: int = 0
    seconds: float | None = None  # until it showed what was waited for
    reason: str | None = None


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One probe on both sides."""

    name: str
    row: str
    question: str
    verdict: Verdict
    expected: dict[str, str] = {}
    seen: dict[str, str] = {}
    reason: str | None = None
    requests: tuple[Asked, ...] = ()
    writes: int = 0
    seconds: float | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a calibration found. `is_restored`: the test person was read back as before."""

    tenant: TenantId
    domain: str
    actor: Actor
    began: datetime
    ended: datetime
    writes: int
    is_restored: bool
    rows: tuple[Row, ...]

    @property
    def counts(self) -> Mapping[Verdict, int]:
        return Counter(row.verdict for row in self.rows)


def to_row(probe: Probe, expected: Found, seen: Found) -> Row:
    reason = seen.reason or expected.reason
    verdict = Verdict.NOT_TRIED if reason else compared(expected.facts, seen.facts)
    return Row(
        name=probe.name,
        row=probe.row,
        question=probe.question,
        verdict=verdict,
        expected=expected.facts,
        seen=seen.facts,
        reason=reason,
        requests=seen.requests,
        writes=seen.writes,
        seconds=seen.seconds,
    )


def to_untried(question: OutOfReach) -> Row:
    return Row(
        name=question.name,
        row=question.row,
        question=question.question,
        verdict=Verdict.NOT_TRIED,
        reason=question.reason,
    )


def spelled(report: Report) -> str:
    """The text that is signed: a header of its own, then JSON."""
    return _HEADER + msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"


def read_report(text: str) -> Report:
    """The report in a signed text; raises InputError when it is none."""
    if not text.startswith(_HEADER):
        raise InputError("This is signed, but it is no report of a calibration.")
    try:
        return msgspec.json.decode(text.removeprefix(_HEADER), type=Report)
    except msgspec.DecodeError as error:
        raise InputError(f"The report cannot be read: {error}.") from None


def told(report: Report) -> str:
    """The report as a page for people, in Markdown."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"# Calibration of the twin on {report.domain}"
    yield ""
    yield f"Tenant {report.tenant}, {report.began:%Y-%m-%d %H:%M} to {report.ended:%H:%M} UTC, by {report.actor}."
    counts = report.counts
    yield ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict) + f"; {report.writes} writes."
    yield "The test person is as before." if report.is_restored else "**The test person is NOT as before.**"
    for verdict in (Verdict.DIFFERENT, Verdict.SAME, Verdict.NOT_TRIED):
        yield f"\n## {verdict.capitalize()}\n"
        rows = [row for row in report.rows if row.verdict is verdict]
        for row in rows:
            yield from _about(row)
        if not rows:
            yield "Nothing."


def _about(row: Row) -> Iterator[str]:
    yield f"- **{row.name}** ({row.row}). {row.question}"
    if row.reason:
        yield f"  - not tried: {row.reason}"
        return
    for fact, expected in row.expected.items():
        seen = row.seen.get(fact, "")
        yield f"  - {fact}: {seen}" if seen == expected else f"  - {fact}: Microsoft `{seen}`, twin `{expected}`"
    if row.seconds is not None:
        yield f"  - shown after {row.seconds:.1f} s"
    for asked in row.requests[-1:]:
        yield f"  - request {asked.request_id}, {asked.date}"
