"""What an assessment says of a request without plans: who holds what, and whom an agreement that moves concerns."""

from collections.abc import Iterator

from provisioning.planning.assessment import Assessment
from provisioning.planning.assessment_grids import Grid, Section
from provisioning.planning.assessment_words import Tongue
from provisioning.planning.ticket_counts import AgreementCounts, HolderCount, SchoolMove


def request_sections(assessment: Assessment, tongue: Tongue) -> list[Section]:
    """In the order in which plans are told; none where nothing was counted."""
    words, moved = tongue.words, assessment.agreement
    if assessment.holders:
        return [
            Section(words.counts, grids=(_holders(assessment.holders, tongue),)),
            Section(words.services, (words.no_services,)),
            Section(words.duration, (words.no_minutes,)),
        ]
    if moved is None:
        return []
    counted = [Section(words.counts, grids=(_schools(moved.schools, tongue),))] if moved.schools else []
    return [
        *counted,
        Section(words.seats, tuple(_seats(moved, tongue))),
        Section(words.services, tuple(_services(moved, tongue)) or (words.no_services,)),
        Section(words.held, tuple(_held(moved, tongue)) or (words.nobody_held,)),
        Section(words.duration, tuple(_duration(assessment, moved, tongue))),
    ]


def _holders(holders: tuple[HolderCount, ...], tongue: Tongue) -> Grid:
    words = tongue.words
    rows = tuple((_called(one), one.product, tongue.number(one.before), tongue.number(one.after)) for one in holders)
    columns = (words.column_holder, words.column_licence, words.column_before, words.column_after)
    return Grid(words.holders_caption, columns, rows, 2)


def _schools(schools: tuple[SchoolMove, ...], tongue: Tongue) -> Grid:
    words = tongue.words
    counts = [(one.losing, one.present, one.ready) for one in schools]
    rows = [(_called(one), *map(tongue.number, each)) for one, each in zip(schools, counts, strict=True)]
    sums = [(words.all_schools, *(tongue.number(sum(column)) for column in zip(*counts, strict=True)))]
    sums = sums if len(schools) > 1 else []
    columns = (words.column_school, words.column_losing, words.column_present, words.column_ready)
    return Grid(words.moving_caption, columns, (*rows, *sums), 1, len(sums))


def _called(one: SchoolMove | HolderCount) -> str:
    """With its code: many schools share a name."""
    return one.name if one.name == one.organisation_id else f"{one.name} ({one.organisation_id})"


def _seats(moved: AgreementCounts, tongue: Tongue) -> Iterator[str]:
    words = tongue.words
    for one in moved.seats:
        yield words.needed.format(product=one.product, number=tongue.number(one.needed))
        yield words.moving.format(product=one.product, number=tongue.number(one.moving))
    missing = sum(max(0, one.needed - one.moving) for one in moved.seats)
    yield words.missing.format(number=tongue.number(missing)) if missing else words.enough


def _services(moved: AgreementCounts, tongue: Tongue) -> Iterator[str]:
    words = tongue.words
    if moved.services:
        sentence = words.come_back if moved.is_ours else words.stop_only
        yield sentence.format(services=", ".join(map(tongue.service, moved.services)))
    if moved.switched_off and moved.is_ours:
        yield words.stay_off.format(services=", ".join(map(tongue.service, moved.switched_off)))


def _held(moved: AgreementCounts, tongue: Tongue) -> Iterator[str]:
    words = tongue.words
    unready = sum(one.present - one.ready for one in moved.schools)
    told = {words.lacking: moved.lacking, words.not_ready: unready, words.stay_behind: moved.staying_behind}
    yield from (sentence.format(people=tongue.number(people)) for sentence, people in told.items() if people)


def _duration(assessment: Assessment, moved: AgreementCounts, tongue: Tongue) -> Iterator[str]:
    words = tongue.words
    yield words.microsoft_moves
    if not moved.is_ours:
        return
    sentence = words.minutes if moved.minutes else words.no_minutes
    yield sentence.format(minutes=tongue.number(moved.minutes))
    if assessment.for_board is None:
        yield words.writes.format(writes=tongue.number(moved.writes))
