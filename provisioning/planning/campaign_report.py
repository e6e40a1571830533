"""What a campaign came to: wave by wave, and tenant by tenant who is left and why. As a table, a page or a text."""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from html import escape
from io import StringIO

import msgspec

from provisioning.domain.campaign import Campaign, CampaignMember, CampaignState, MemberKey, MemberState
from provisioning.domain.ids import Actor, CampaignId, OperationId, OrganisationId, SkuId, TenantId
from provisioning.domain.reasons import Reason

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would take for one
_STYLE = """
@page { size: A4 landscape; margin: 14mm }
body { font: 10pt/1.35 system-ui, "Segoe UI", Arial, sans-serif; color: #111; max-width: 265mm; margin: 1em auto }
h1 { font-size: 16pt; margin: 0 0 .5em } h2 { font-size: 12pt; margin: 1.2em 0 .3em; break-after: avoid }
table { border-collapse: collapse; width: 100%; font-size: 9pt } thead { display: table-header-group }
th, td { text-align: left; vertical-align: top; padding: 2pt 5pt; border-bottom: .4pt solid #999 }
th { border-bottom: 1pt solid #111 } tr { break-inside: avoid }
@media print { body { margin: 0; max-width: none } }
""".strip()


class CampaignWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a report says in one language."""

    language: str
    title: str  # with {name}
    waves: str
    tenants: str
    canaries: str
    wave: str  # with {number}
    columns: tuple[str, ...]  # of the tenants, as in `_shown`
    figures: tuple[str, ...]  # of the waves: wave, tenants, people, right, left, failed
    approved: str  # with {by} and {at}
    nobody_left: str
    letter_before: str  # with {date}, {domain}, {old}, {new} and {people}
    letter_after: str  # with {domain}, {old}, {new}, {right} and {people}
    letter_left: str  # with {number} and {why}
    letter_excluded: str  # with {domain}, {old} and {why}


class Tongue(msgspec.Struct, frozen=True):
    """How a report speaks: its words, and those for states and reasons."""

    words: CampaignWords
    state: Callable[[CampaignState | MemberState], str]
    why: Callable[[Reason], str]


class ReportedMember(msgspec.Struct, frozen=True, kw_only=True):
    """One holder's people with one product in one tenant. `reasons`: how many people are left for which."""

    tenant_id: TenantId
    domain: str
    holder_id: OrganisationId
    holder: str
    board_id: OrganisationId
    from_sku: SkuId
    product: str
    to_sku: SkuId
    new_product: str
    wave: int
    state: MemberState
    reason: Reason | None
    told: str
    people: int
    right: int
    left: int
    failed: int
    reasons: dict[Reason, int]
    operation_id: OperationId | None

    @property
    def is_leftover(self) -> bool:
        return self.state is not MemberState.COMPLETED


class ReportedWave(msgspec.Struct, frozen=True, kw_only=True):
    wave: int
    tenants: int
    people: int
    right: int
    left: int
    failed: int


class CampaignReport(msgspec.Struct, frozen=True, kw_only=True):
    campaign_id: CampaignId
    name: str
    why: str
    asked_by: str
    state: CampaignState
    begins_at: datetime
    digest: str
    requested_by: Actor
    approved_by: Actor | None
    approved_at: datetime | None
    made_at: datetime
    waves: tuple[ReportedWave, ...]
    members: tuple[ReportedMember, ...]

    @property
    def leftovers(self) -> tuple[ReportedMember, ...]:
        """Whoever is not wholly served, the most people first."""
        left = (one for one in self.members if one.is_leftover)
        return tuple(sorted(left, key=lambda one: (-(one.people - one.right), one.domain, one.holder_id, one.from_sku)))


class Names(msgspec.Struct, frozen=True):
    """What ids are called now; what is not known is called by its id."""

    tenants: Mapping[TenantId, str]
    organisations: Mapping[OrganisationId, str]
    products: Mapping[SkuId, str]


def draw_report(
    campaign: Campaign,
    members: Sequence[CampaignMember],
    reasons: Mapping[MemberKey, Counter[str]],
    names: Names,
    now: datetime,
) -> CampaignReport:
    """Of a campaign in any state."""
    given = campaign.approval
    return CampaignReport(
        campaign_id=campaign.campaign_id,
        name=campaign.definition.name,
        why=campaign.definition.why,
        asked_by=campaign.definition.asked_by,
        state=campaign.state,
        begins_at=campaign.definition.begins_at,
        digest=campaign.digest,
        requested_by=campaign.requested_by,
        approved_by=given.approved_by if given else None,
        approved_at=given.approved_at if given else None,
        made_at=now,
        waves=tuple(_waves(members)),
        members=tuple(_reported(one, reasons.get(one.key, Counter()), names) for one in members),
    )


def _waves(members: Iterable[CampaignMember]) -> Iterator[ReportedWave]:
    by_wave: dict[int, list[CampaignMember]] = {}
    for one in members:
        if one.state is not MemberState.EXCLUDED:
            by_wave.setdefault(one.wave, []).append(one)
    for wave, some in sorted(by_wave.items()):
        yield ReportedWave(
            wave=wave,
            tenants=len({one.tenant_id for one in some}),
            people=sum(one.people for one in some),
            right=sum(one.right for one in some),
            left=sum(one.left for one in some),
            failed=sum(one.failed for one in some),
        )


def _reported(member: CampaignMember, reasons: Counter[str], names: Names) -> ReportedMember:
    return ReportedMember(
        tenant_id=member.tenant_id,
        domain=names.tenants.get(member.tenant_id, member.tenant_id),
        holder_id=member.holder_id,
        holder=names.organisations.get(member.holder_id, member.holder_id),
        board_id=member.board_id,
        from_sku=member.from_sku,
        product=names.products.get(member.from_sku, member.from_sku),
        to_sku=member.to_sku,
        new_product=names.products.get(member.to_sku, member.to_sku),
        wave=member.wave,
        state=member.state,
        reason=member.reason,
        told=member.told,
        people=member.people,
        right=member.right,
        left=member.left,
        failed=member.failed,
        reasons={Reason(reason): number for reason, number in reasons.most_common()},
        operation_id=member.operation_id,
    )


# ── as a table ───────────────────────────────────────────────────────────────────────────────────────────

COLUMNS = (
    "tenant_id",
    "domain",
    "holder_id",
    "holder",
    "from_sku",
    "product",
    "to_sku",
    "new_product",
    "wave",
    "state",
    "reason",
    "told",
    "people",
    "right",
    "left",
    "failed",
    "operation_id",
)


def to_csv(report: CampaignReport, tongue: Tongue) -> str:
    """One line for each member, by RFC 4180, with codes as they are and the reasons as sentences."""
    written = StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow((*COLUMNS, "explanation"))
    for one in report.members:
        writer.writerow([*(_cell(getattr(one, name)) for name in COLUMNS), _cell(explained(one, tongue))])
    return written.getvalue()


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def explained(member: ReportedMember, tongue: Tongue) -> str:
    """Why it, or people of it, are left."""
    whole = [member.told] if member.told else [tongue.why(member.reason)] if member.reason else []
    return "; ".join([*whole, *(f"{number:,}: {tongue.why(reason)}" for reason, number in member.reasons.items())])


# ── as a page, and as a text ─────────────────────────────────────────────────────────────────────────────


def to_html(report: CampaignReport, tongue: Tongue) -> str:
    """One page that prints well: no scripts, nothing from elsewhere; each text of others is escaped."""
    words = tongue.words
    title = escape(words.title.format(name=report.name))
    left = [_shown(one, tongue) for one in report.leftovers]
    tail = _table(words.columns, left) if left else f"<p>{escape(words.nobody_left)}</p>"
    parts = (
        "<!doctype html>",
        f'<html lang="{escape(words.language)}"><head><meta charset="utf-8">',
        # whatever a text might smuggle in: a browser loads and runs nothing
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>",
        *(f"<p>{escape(line)}</p>" for line in _head(report, tongue)),
        f"<h2>{escape(words.waves)}</h2>{_table(words.figures, [_figures(one, words) for one in report.waves])}",
        f"<h2>{escape(words.tenants)}</h2>{tail}",
        "</body></html>",
    )
    return "\n".join(parts) + "\n"


def to_text(report: CampaignReport, tongue: Tongue) -> str:
    """The same for a terminal or a letter."""
    words = tongue.words
    waves = [f"  {' · '.join(_labelled(words.figures, _figures(one, words)))}" for one in report.waves]
    left = [f"  {' · '.join(part for part in _shown(one, tongue) if part)}" for one in report.leftovers]
    lines = [words.title.format(name=report.name), *_head(report, tongue), "", words.waves, *waves, "", words.tenants]
    return "\n".join([*lines, *(left or [f"  {words.nobody_left}"])]) + "\n"


def _head(report: CampaignReport, tongue: Tongue) -> Iterator[str]:
    yield report.why
    yield f"{tongue.state(report.state)}, {report.made_at:%Y-%m-%d %H:%M} UTC"
    if report.approved_by and report.approved_at:
        yield tongue.words.approved.format(by=report.approved_by, at=f"{report.approved_at:%Y-%m-%d %H:%M} UTC")


def _labelled(titles: Sequence[str], cells: Sequence[str]) -> Iterator[str]:
    yield cells[0]
    yield from (f"{cell} {title}" for title, cell in zip(titles[1:], cells[1:], strict=True))


def _figures(wave: ReportedWave, words: CampaignWords) -> tuple[str, ...]:
    called = words.canaries if wave.wave == 0 else words.wave.format(number=wave.wave)
    return (called, *(f"{n:,}" for n in (wave.tenants, wave.people, wave.right, wave.left, wave.failed)))


def _shown(member: ReportedMember, tongue: Tongue) -> tuple[str, ...]:
    return (
        member.domain,
        f"{member.holder} ({member.holder_id})",
        f"{member.product} → {member.new_product}",
        tongue.state(member.state),
        f"{member.right:,} / {member.people:,}",
        explained(member, tongue),
    )


def _table(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{escape(title)}</th>" for title in titles)
    body = "\n".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table>"
