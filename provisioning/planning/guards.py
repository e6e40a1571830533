"""How far a plan may go by itself: counted per tenant over a day, through all doors. Everything beyond is asked."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from provisioning.domain.limits import Limits
from provisioning.domain.operation import Step, StepKind
from provisioning.planning.plan import Losses


class Usage(msgspec.Struct, frozen=True):
    """Writes of the tenant within the guard window before this plan, and whether any was ever read back."""

    assignments: int = 0
    swaps: int = 0
    is_proven: bool = True

    @classmethod
    def from_kinds(cls, kinds: dict[StepKind, int], *, is_proven: bool) -> "Usage":
        assignments, swaps = (sum(kinds.get(kind, 0) for kind in some) for some in (_ASSIGNS, _SWAPS))
        return cls(assignments=assignments, swaps=swaps, is_proven=is_proven)


# a person who joins a licensed group gets a licence; a group's licences are written for everybody in it
_ASSIGNS = (StepKind.ASSIGN, StepKind.ADD_MEMBERS)
_SWAPS = (StepKind.SWAP, StepKind.LICENSE_GROUP)


def breaches(steps: Sequence[Step], losses: Losses, usage: Usage, limits: Limits) -> tuple[str, ...]:
    """Sentences, one per guard that the plan goes beyond; empty: it may apply by itself."""
    counts: Counter[StepKind] = Counter()
    for step in steps:
        counts[step.kind] += step.change.people
    assignments, swaps = (sum(counts[kind] for kind in kinds) for kinds in (_ASSIGNS, _SWAPS))
    said = [
        _above("assignments", assignments, usage.assignments, limits.guard_assignments),
        _above("swaps", swaps, usage.swaps, limits.guard_swaps),
        _first_write(counts[StepKind.LICENSE_GROUP], usage, limits),
        _any("swaps from a product that the article does not replace", losses.unreplaced_swaps),
        _above("removals without replacement", losses.removals_without_replacement, 0, limits.guard_removals),
        *(_above(f"people lose {one}", n, 0, limits.guard_families_lost) for one, n in losses.families.items()),
        *(_any(f"people for whom {plan} comes on against the policy", n) for plan, n in losses.switched_on.items()),
    ]
    return tuple(sentence for sentence in said if sentence)


def _above(what: str, planned: int, before: int, limit: int) -> str | None:
    """Nothing planned breaches nothing, however full the day already is."""
    if not planned or planned + before <= limit:
        return None
    earlier = f" after {before} in the last 24 hours" if before else ""
    return f"{planned} {what}{earlier}; {limit} may go by themselves"


def _first_write(people: int, usage: Usage, limits: Limits) -> str | None:
    """The first write in a tenant goes to five people, and a group's one write cannot be split."""
    if usage.is_proven or people <= limits.first_people:
        return None
    return (
        f"{people} members are changed by the group's one write, in a tenant where no write of ours was read back yet; "
        f"{limits.first_people} may go by themselves"
    )


def _any(what: str, people: int) -> str | None:
    return f"{people} {what}" if people else None
