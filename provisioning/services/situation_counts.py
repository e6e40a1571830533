"""How the people of a migration were found, and what is still unexplained."""

from collections.abc import Mapping

import msgspec

from provisioning.domain.migration import Situation, Treatment


class SituationCount(msgspec.Struct, frozen=True, kw_only=True):
    """So many people were found so; nothing starts while one situation is unexplained."""

    situation: Situation
    people: int
    treatment: Treatment | None
    is_unexplained: bool


def situations_of(counts: Mapping[Situation, int], treatments: Mapping[Situation, Treatment]) -> list[SituationCount]:
    """What is unexplained first."""
    rows = [
        SituationCount(
            situation=situation,
            people=counts[situation],
            treatment=treatments.get(situation),
            is_unexplained=situation is not Situation.MATCHED and situation not in treatments,
        )
        for situation in Situation
        if counts.get(situation)
    ]
    return sorted(rows, key=lambda row: not row.is_unexplained)
