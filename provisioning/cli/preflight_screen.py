"""What a preflight found, in sentences: what is in the way first, then what is worth knowing."""

from typing import TYPE_CHECKING

from provisioning.cli.output import moment, paragraph, short
from provisioning.planning.preflight import Finding, Preflight

if TYPE_CHECKING:
    from provisioning.cli.wording import Wording

_NAMED = 5  # people on a screen; --json has more


def render_preflight(found: Preflight, wording: "Wording") -> str:
    """Each finding with what to do about it, and whether the wave can begin."""
    blocks = [_block(one, wording) for one in found.findings]
    in_the_way = sum(one.is_blocking for one in found.findings)
    verdict = f"{in_the_way:,} in the way: the wave cannot begin." if in_the_way else "Nothing is in the way."
    return "\n\n".join([*blocks, paragraph(f"{verdict} Looked at {moment(found.checked_at)} UTC.")])


def _block(finding: Finding, wording: "Wording") -> str:
    mark = "STOP" if finding.is_blocking else "note"
    told = [f"{mark}  {wording.of_preflight(finding.check)}"]
    if finding.details:
        told.append(f"      {', '.join(finding.details)}")
    if finding.people:
        named = ", ".join(map(short, finding.subjects[:_NAMED]))
        more = finding.people - min(finding.people, _NAMED)
        told.append(f"      {finding.people:,} people: {named}{f' and {more:,} more' if more else ''}")
    return "\n".join(map(paragraph, told))
