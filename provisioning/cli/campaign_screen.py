"""How a campaign looks in a terminal: its sheet, its readiness as a list to work through, and lines that follow it."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from provisioning.cli.output import Column, moment, paragraph, sheet, short, table
from provisioning.domain.campaign import CampaignState, MemberState

if TYPE_CHECKING:
    from provisioning.cli.wording import Wording
    from provisioning.planning.campaign_forecast import WaveForecast
    from provisioning.services.show_campaigns import CampaignSheet, ReadinessRow, WaveRow

_M = MemberState
_REASONS = 8  # on a screen; --json has all


def row_columns(wording: "Wording") -> tuple[Column, ...]:
    """How campaigns are listed."""
    return (
        Column("Campaign", lambda x: short(x.campaign.campaign_id), fixed=True),
        Column("Name", lambda x: x.campaign.definition.name),
        Column("State", lambda x: wording.of_campaign(x.campaign.state)),
        Column("Begins", lambda x: moment(x.campaign.definition.begins_at)),
        Column("Tenants", lambda x: _counted(x.members, wording)),
    )


def member_columns(wording: "Wording") -> tuple[Column, ...]:
    """How its tenants are listed."""
    return (
        Column("Wave", lambda x: str(x.member.wave), right=True),
        Column("Tenant", lambda x: x.domain),
        Column("Holder", lambda x: x.member.holder_id, fixed=True),
        Column("Product", lambda x: x.product),
        Column("State", lambda x: _standing(x.member.state, x.member.told or _code(x.member.reason), wording)),
        Column("People", lambda x: f"{x.member.people:,}", right=True),
        Column("Served", lambda x: f"{x.member.right:,}", right=True),
        Column("Wrong", lambda x: f"{x.member.failed:,}", right=True),
        Column("Operation", lambda x: short(x.member.operation_id), fixed=True),
    )


def render_readiness(rows: "list[ReadinessRow]", wording: "Wording") -> str:
    """One block for each finding: what is in the way, of whom, who can do something about it, and what."""
    return "\n\n".join(_finding(row, wording) for row in rows)


def _finding(row: "ReadinessRow", wording: "Wording") -> str:
    head = f"{_mark(row)}  {row.domain}  {row.holder_id}  wave {row.wave}  {row.people:,} people"
    if row.reason is None:
        looked = f"looked at {moment(row.checked_at)} UTC" if row.checked_at else "nobody looked yet"
        return f"{head}: {looked}"
    owner = f"For: {wording.name(row.owner)}." if row.owner else ""
    told = [paragraph(f"      {wording.why_and_how(row.reason)} {owner}")]
    details = [paragraph(f"      {', '.join(row.details)}")] if row.details else []
    return "\n".join([head, *told, *details])


def _mark(row: "ReadinessRow") -> str:
    if row.is_blocking:
        return "STOP"
    return "note" if row.reason else ("ok  " if row.checked_at else "?   ")


def render_sheet(found: "CampaignSheet", wording: "Wording") -> str:
    """Everything of a sheet, in blocks; what waits for a person says what to type."""
    it = found.campaign
    blocks = [
        sheet(_facts(found, wording)),
        *([paragraph(wording.why_and_how(it.reason))] if it.reason else []),
        *([paragraph(f"Why: {it.told}")] if it.told else []),
        f"Waves\n{table(found.waves, _wave_columns(wording))}" if found.waves else "No tenants.",
        "\n".join([paragraph(line) for line in _readiness(found)]),
        *([f"The night\n{table(found.night, _night_columns())}"] if found.night else []),
        *([paragraph(_to_do(found))] if _to_do(found) else []),
    ]
    return "\n\n".join(blocks)


def _facts(found: "CampaignSheet", wording: "Wording") -> list[tuple[str, str]]:
    it, budget = found.campaign, found.campaign.definition.budget
    given = it.approval
    return [
        ("Campaign", it.campaign_id),
        ("Name", it.definition.name),
        ("State", f"{wording.of_campaign(it.state)}, since {moment(it.entered_at)} UTC"),
        ("Why", it.definition.why),
        ("Asked for", f"in {it.definition.asked_by}; prepared by {it.requested_by}"),
        ("Products", ", ".join(f"{short(one.from_sku)} → {short(one.to_sku)}" for one in it.definition.pairs)),
        ("Begins", f"{moment(it.definition.begins_at)} UTC"),
        ("Budget", f"{budget.tenants:.1%} of a wave's tenants, {budget.people:.1%} of its people"),
        ("Approved", f"by {given.approved_by}, until {moment(given.valid_until)} UTC" if given else "not yet"),
        ("Digest", it.digest),
    ]


def _to_do(found: "CampaignSheet") -> str:
    it = found.campaign
    approve = f"`provisioning campaigns approve {short(it.campaign_id)} --digest {short(it.digest)}`"
    if it.state is CampaignState.NEW:
        return f"A second person looks at the list and its readiness, then approves it: {approve}."
    if found.void and not it.is_over:
        return f"Nothing can begin: {found.void}. A second person approves it again: {approve}."
    return ""


def _wave_columns(wording: "Wording") -> tuple[Column, ...]:
    return (
        Column("Wave", lambda x: str(x.wave), right=True),
        Column("Tenants", lambda x: _counted(x.members, wording)),
        Column("People", lambda x: f"{x.people:,}", right=True),
        Column("Served", lambda x: f"{x.right:,}", right=True),
        Column("Waiting", lambda x: f"{x.left:,}", right=True),
        Column("Wrong", lambda x: f"{x.failed:,}", right=True),
        Column("Of budget", _of_budget),
    )


def _of_budget(wave: "WaveRow") -> str:
    return f"{wave.spent.failed_tenants} tenants, {wave.spent.failed_people:,} people"


def _night_columns() -> tuple[Column, ...]:
    """The three cases apart: they cost so differently."""
    return (
        Column("Wave", lambda x: str(x.wave), right=True),
        Column("People", lambda x: f"{x.people:,}", right=True),
        Column("Empty hands", lambda x: f"{x.writes.empty_hands:,}", right=True),
        Column("Groups", lambda x: f"{x.writes.groups:,}", right=True),
        Column("Direct", lambda x: f"{x.writes.clashing:,}", right=True),
        Column("Later", lambda x: f"{x.writes.moves:,}", right=True),
        Column("From (UTC)", lambda x: moment(x.begins_at)),
        Column("Until", _until),
    )


def _until(wave: "WaveForecast") -> str:
    return moment(wave.done_at)


def _readiness(found: "CampaignSheet") -> Iterator[str]:
    seen = found.readiness
    if not seen.ready + seen.unready + seen.never_looked_at:
        yield "Nobody waits any more."
        return
    yield (
        f"Readiness: {seen.ready:,} ready, {seen.unready:,} not, {seen.never_looked_at:,} never looked at; "
        f"{seen.seats_short:,} seats short."
    )
    if seen.losses:
        yield f"Losses that an approval would cover: {', '.join(seen.losses)}."
    for reason, members in list(seen.by_reason.items())[:_REASONS]:
        yield f"  {members:,} × {_code(reason)}"


def _counted(members: Mapping[MemberState, int], wording: "Wording") -> str:
    return ", ".join(f"{members[state]:,} {wording.of_campaign(state)}" for state in _M if members.get(state))


def _standing(state: MemberState, why: str, wording: "Wording") -> str:
    return f"{wording.of_campaign(state)}: {why}" if why else wording.of_campaign(state)


def _code(reason: str | None) -> str:
    return reason.replace("_", " ").lower() if reason else ""


def lines(found: "CampaignSheet", wording: "Wording", now: datetime) -> Iterator[str]:
    """One look of those who follow it: the whole, and a line for each wave that is not over."""
    end = f", writes done about {found.done_at:%H:%M} UTC" if found.done_at else ""
    yield f"{now:%H:%M:%S} UTC  {wording.of_campaign(found.campaign.state)}{end}"
    for wave in found.waves:
        yield f"  wave {wave.wave}: {wave.right:,} of {wave.people:,} people; {_counted(wave.members, wording)}"
