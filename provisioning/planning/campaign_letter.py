"""What a campaign means for one board, in plain words: before, when and what changes; after, how it went.

Boards are told by a notice that it is there; this is what whoever passes the notice on puts into the message.
"""

from collections.abc import Iterator

from provisioning.domain.calendar import AMSTERDAM
from provisioning.domain.campaign import MemberState
from provisioning.domain.ids import OrganisationId
from provisioning.planning.campaign_report import CampaignReport, ReportedMember, Tongue

_AHEAD = frozenset({MemberState.WAITING})


def to_letter(report: CampaignReport, board: OrganisationId, tongue: Tongue) -> str:
    """Of this board alone, and with nobody named; empty when the board has no part in the campaign."""
    theirs = [one for one in report.members if one.board_id == board]
    if not theirs:
        return ""
    lines = [report.why, "", *(line for one in theirs for line in _lines(report, one, tongue))]
    return "\n".join(lines) + "\n"


def _lines(report: CampaignReport, member: ReportedMember, tongue: Tongue) -> Iterator[str]:
    words = tongue.words
    told = {
        "domain": member.domain,
        "old": member.product,
        "new": member.new_product,
        "people": f"{member.people:,}",
        "right": f"{member.right:,}",
        "date": f"{report.begins_at.astimezone(AMSTERDAM):%d-%m-%Y %H:%M}",
    }
    if member.state in _AHEAD:
        yield words.letter_before.format(**told)
    elif member.state is MemberState.EXCLUDED:
        why = member.told or (tongue.why(member.reason) if member.reason else "")
        yield words.letter_excluded.format(**told, why=why)
    else:
        yield words.letter_after.format(**told)
        for reason, number in member.reasons.items():
            yield words.letter_left.format(number=f"{number:,}", why=tongue.why(reason))
