"""How a migration looks in a terminal: its sheet, and the lines of those who watch it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from provisioning.cli.output import Column, moment, paragraph, sheet, short, table
from provisioning.domain.migration import KEPT_UNLICENSED, Window
from provisioning.domain.migration_lifecycle import PersonState
from provisioning.planning.identity import Cell
from provisioning.planning.identity import Column as MapColumn
from provisioning.planning.migration_aftermath import LeftToDo
from provisioning.planning.migration_forecast import Prospect
from provisioning.services.migration_sheet import GATE_EXPECTED, Brief, Failed, MigrationSheet, OperationLine, WaveSheet

if TYPE_CHECKING:
    from provisioning.cli.wording import Wording

_LINES_SHOWN = 10  # of a map; --json has all


def row_columns(wording: "Wording") -> tuple[Column, ...]:
    """How migrations are listed."""
    return (
        Column("Migration", lambda x: short(x.migration.migration_id), fixed=True),
        Column("Name", lambda x: x.migration.name),
        Column("From", lambda x: x.migration.source_domain or short(x.migration.source_tenant)),
        Column("To", lambda x: x.migration.target_domain or short(x.migration.target_tenant)),
        Column("State", lambda x: wording.standing(x.migration.state, x.migration.reason)),
        Column("People", lambda x: f"{sum(x.people.values()):,}", right=True),
        Column("Moved", lambda x: f"{x.people.get(PersonState.RELEASED, 0):,}", right=True),
    )


def person_columns(wording: "Wording") -> tuple[Column, ...]:
    """How people of a migration are listed."""
    return (
        Column("Wave", lambda x: str(x.wave or "-"), right=True),
        Column("Person", lambda x: short(x.person), fixed=True),
        Column("Source", lambda x: short(x.source_id), fixed=True),
        Column("Target", lambda x: short(x.target_id), fixed=True),
        Column("Situation", lambda x: wording.of_migration(x.situation)),
        Column("State", lambda x: wording.standing(x.state, x.reason)),
    )


def render_sheet(found: MigrationSheet, wording: "Wording", now: datetime) -> str:
    """Everything of a sheet, in blocks; what waits for a person says what to type."""
    it = found.migration
    blocks = [
        sheet(_facts(found, wording)),
        *([paragraph(wording.why_and_how(it.reason))] if it.reason else []),
        *([f"Situations\n{table(found.situations, _situation_columns(wording))}"] if found.situations else []),
        *(_wave(wave, wording, now) for wave in found.waves),
        *render_forecast(found.forecast, wording),
        *([f"In no wave: {_people(found.without_wave, wording)}"] if found.without_wave else []),
        *([f"Operations\n{table(found.operations, _operation_columns(wording))}"] if found.operations else []),
        *_left_to_do(found.left_to_do, wording),
        *(["\n".join(_to_approve(found.operations))] if any(one.digest for one in found.operations) else []),
    ]
    return "\n\n".join(blocks)


def _left_to_do(matters: Sequence[LeftToDo], wording: "Wording") -> list[str]:
    """What people have to do after it, each with its command."""
    if not matters:
        return []
    told = (f"{paragraph(f'- {wording.tongue.left(one)}')}\n{paragraph(f'  {one.command}')}" for one in matters)
    return ["\n".join(["Left to do", *told])]


def render_forecast(forecast: Sequence[Prospect], wording: "Wording", wave: int | None = None) -> list[str]:
    """What is ahead, as it was foretold and as it is now; of all waves or of one. Nothing when nothing is ahead."""
    rows = [one for one in forecast if wave in {None, one.wave}]
    if not any(one.left for one in rows):
        return []
    last = max(one.done_at for one in rows if one.done_at)
    writes, left = (sum(numbers) for numbers in zip(*((one.writes, one.left) for one in rows), strict=True))
    whole = f"In all {writes:,} writes were foretold; {left:,} are left, done about {moment(last)} UTC"
    told = f"{whole}, if mailboxes move and plans are approved at once."
    return [f"Forecast\n{table(rows, _forecast_columns(wording))}\n{paragraph(told)}"]


def _forecast_columns(wording: "Wording") -> tuple[Column, ...]:
    return (
        Column("Wave", lambda x: str(x.wave), right=True),
        Column("Phase", lambda x: wording.of_migration(x.phase)),
        Column("People", lambda x: f"{x.people:,}", right=True),
        Column("Writes", lambda x: f"{x.writes:,}", right=True),
        Column("Calls", lambda x: f"{x.calls:,}", right=True),
        Column("Minutes", lambda x: f"{x.writing.total_seconds() / 60:.1f}", right=True),
        Column("Left now", lambda x: f"{x.left:,}", right=True),
        Column("Done about", lambda x: moment(x.done_at), fixed=True),
    )


def _facts(found: MigrationSheet, wording: "Wording") -> list[tuple[str, str]]:
    it = found.migration
    facts = [
        ("Migration", it.migration_id),
        ("Name", it.name),
        ("State", f"{wording.of_migration(it.state)}, since {moment(it.entered_at)} UTC"),
        ("From", f"{it.source_domain or it.source_tenant}, licences of {it.source_holder}"),
        ("To", f"{it.target_domain or it.target_tenant}, licences of {it.target_holder}"),
        ("Asked for", f"in {it.asked_by}; prepared by {it.requested_by}"),
        ("Products", _products(it)),
        ("Matched", _matching(it)),
        ("Hold period", f"{it.hold_period.days} days; paused when {it.failure_threshold:.0%} of a wave failed"),
        ("Writes at", _window(it.window)),
        *([("Approved by", f"{' or '.join(it.approvers)}, alone")] if it.approvers else []),
        ("Definition", short(it.digest)),
    ]
    facts += [("Map", _nameless(found.nameless))] if found.nameless else []
    return [*facts, ("Writing", _writing(found))] if found.writes_left else facts


def _nameless(cells: Sequence[Cell]) -> str:
    """Which rows of the map lead nowhere; of many, the first."""
    told = [
        f"in the {column} nobody is found for {_listed([cell.line for cell in cells if cell.column is column])}"
        for column in MapColumn
        if any(cell.column is column for cell in cells)
    ]
    return f"{'; '.join(told)}. Matching again looks for them"


def _listed(lines: Sequence[int]) -> str:
    more = len(lines) - _LINES_SHOWN
    shown = ", ".join(map(str, lines[:_LINES_SHOWN]))
    return f"line {shown}{f' and {more:,} more' if more > 0 else ''}"


def _products(it: Brief) -> str:
    named = (
        [it.part_numbers.get(sku) or short(sku) for sku in (one.source_sku, one.target_sku)] for one in it.products
    )
    return ", ".join(" → ".join(dict.fromkeys(pair)) for pair in named)


def _matching(it: Brief) -> str:
    by = [f"a map of {it.mapped:,}"] if it.mapped else []
    by += [rule.replace("_", " ") for rule in it.rules]
    when = f"{moment(it.matched_at)} UTC" if it.matched_at else "not yet"
    return f"{when}, by {', '.join(by)}" if by else when


def _window(window: Window) -> str:
    hours = "any hour" if (window.from_hour, window.until_hour) == (0, 24) else _hours(window)
    return f"{hours}, in school holidays of {window.region} only" if window.region else hours


def _hours(window: Window) -> str:
    return f"{window.from_hour}:00 to {window.until_hour}:00, Dutch time"


def _writing(found: MigrationSheet) -> str:
    until = f", done about {moment(found.writes_done_at)} UTC" if found.writes_done_at else ""
    pace = f" at {found.rate:.1f} a second" if found.rate else ""
    return f"{found.writes_left:,} writes left{pace}{until}, then read back"


def _situation_columns(wording: "Wording") -> tuple[Column, ...]:
    return (
        Column("People", lambda x: f"{x.people:,}", right=True),
        Column("Situation", lambda x: wording.of_migration(x.situation)),
        Column("Code", lambda x: x.situation, fixed=True),
        Column(
            "What is done",
            lambda x: (
                "UNEXPLAINED: nothing starts"
                if x.is_unexplained
                else (wording.of_migration(x.treatment) if x.treatment else "-")
            ),
        ),
    )


def _operation_columns(wording: "Wording") -> tuple[Column, ...]:
    return (
        Column("Operation", lambda x: short(x.operation_id), fixed=True),
        Column("Wave", lambda x: str(x.wave), right=True),
        Column("Phase", lambda x: wording.of_migration(x.phase)),
        Column("People", lambda x: f"{x.people:,}", right=True),
        Column("State", lambda x: wording.standing(x.state, x.reason)),
        Column("Until", lambda x: moment(x.writes_done_at)[-5:], fixed=True),
    )


def _to_approve(operations: list[OperationLine]) -> Iterator[str]:
    for one in operations:
        if one.digest:
            yield f"To approve: provisioning plans approve {short(one.operation_id)} {short(one.digest)}"


def _wave(wave: WaveSheet, wording: "Wording", now: datetime) -> str:
    title = f"Wave {wave.number} {wave.name}: {wording.of_migration(wave.state)}, since {moment(wave.entered_at)} UTC"
    facts = [
        ("  People", _people(wave.people, wording)),
        *(("  Failed", _failed(one, wording)) for one in wave.failed),
    ]
    if wave.proven_at:
        facts.append(("  Checked", f"{moment(wave.proven_at)} UTC"))
    if wave.gates_open:
        facts.append(("  Gates", _gates(wave, now)))
    if wave.missing_exchange:
        facts.append(("  Exchange", _exchange(wave, now)))
    if wave.releasable_from:
        facts.append(("  Release", _release(wave)))
    if wave.started_by:
        facts.append(("  Started", f"by {wave.started_by}{f': {wave.go_reason}' if wave.go_reason else ''}"))
    why = f"\n{paragraph('  ' + wording.why_and_how(wave.reason))}" if wave.reason else ""
    return f"{paragraph(title)}\n{sheet(facts)}{why}"


def _people(counts: Mapping[PersonState, int], wording: "Wording") -> str:
    """`12 moved, 3 failed`; a dash for nobody."""
    return ", ".join(f"{number:,} {wording.of_migration(state)}" for state, number in counts.items()) or "-"


def _failed(one: Failed, wording: "Wording") -> str:
    phase = f"{wording.of_migration(one.phase)}: " if one.phase else ""
    return f"{one.people:,}, {phase}{wording.why_and_how(one.reason) if one.reason else ''}"


def _gates(wave: WaveSheet, now: datetime) -> str:
    late = f"; {wave.gates_late:,} late: for more than {GATE_EXPECTED.days} days" if wave.gates_late else ""
    return f"{wave.gates_open:,} without evidence, {_age(wave.gates_open_since, now)}{late}"


def _exchange(wave: WaveSheet, now: datetime) -> str:
    """Of mailboxes without it; until when they are kept is said of the one that moved first."""
    since = wave.missing_exchange_since or now
    until = f"Microsoft keeps it until {moment(since + KEPT_UNLICENSED)[:10]}"
    return f"still off for {wave.missing_exchange:,} who moved, {_age(since, now)}; {until}"


def _age(since: datetime | None, now: datetime) -> str:
    """How long the oldest waits, in days, hours or minutes."""
    waited = now - since if since else timedelta()
    hours, minutes = divmod(waited.seconds // 60, 60)
    ages = ((waited.days, "days"), (hours, "hours"), (minutes, "minutes"))
    number, unit = next((age for age in ages if age[0]), ages[-1])
    return f"the oldest for {number} {unit}"


def _release(wave: WaveSheet) -> str:
    if wave.releasable_from == wave.releasable_until:
        return f"from {moment(wave.releasable_from)} UTC"
    return f"from {moment(wave.releasable_from)} UTC, of the last from {moment(wave.releasable_until)} UTC"
