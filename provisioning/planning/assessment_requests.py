"""What an assessment says of a request without plans: who holds what, and whom an agreement that moves concerns."""

from collections.abc import Iterator

from provisioning.domain.reasons import Reason
from provisioning.planning.assessment import Assessment
from provisioning.planning.assessment_grids import Grid, Section
from provisioning.planning.assessment_words import Tongue
from provisioning.planning.rebind_counts import RebindCounts, SeatsThere
from provisioning.planning.ticket_counts import AgreementCounts, HolderCount, SchoolMove


def request_sections(assessment: Assessment, tongue: Tongue) -> list[Section]:
    """In the order in which plans are told; none where nothing was counted."""
    words, moved = tongue.words, assessment.agreement
    if assessment.rebind is not None:
        return _rebind_sections(assessment.rebind, tongue)
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


def _called(one: SchoolMove | HolderCount | RebindCounts) -> str:
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


# ── another tenant, or others of it ──────────────────────────────────────────────────────────────────────


def _rebind_sections(counted: RebindCounts, tongue: Tongue) -> list[Section]:
    """Nobody gets or loses anything by it, so there is no work either."""
    words = tongue.words
    doubts = {Reason.SCOPE_UNDECIDABLE: words.claimed_by_others, Reason.AUDIENCE_MISMATCH: words.in_two_audiences}
    held = [doubts[reason].format(people=tongue.number(people)) for reason, people in counted.undecided.items()]
    return [
        Section(words.who_belongs, tuple(_selected(counted, tongue)), (_selection(counted, tongue),)),
        Section(words.seats, tuple(_seats_there(counted, tongue)) or (words.nothing_bought,)),
        Section(words.services, (words.no_services,)),
        Section(words.held, tuple(held) or (words.nobody_held,)),
        Section(words.duration, (words.no_minutes,)),
    ]


def _selection(counted: RebindCounts, tongue: Tongue) -> Grid:
    words = tongue.words
    rows = tuple(
        (
            _called(counted),
            words.audiences[audience],
            *(_number_or_dash(one, tongue) for one in (seen.before, seen.selected, seen.coming, seen.going)),
        )
        for audience, seen in counted.people.items()
    )
    numbers = (words.column_before, words.column_after, words.column_coming, words.column_going)
    return Grid(words.selection_caption, (words.column_school, words.column_audience, *numbers), rows, 2)


def _selected(counted: RebindCounts, tongue: Tongue) -> Iterator[str]:
    words, total = tongue.words, counted.total
    yield words.selected.format(people=tongue.number(total.selected))
    yield words.licensed.format(people=tongue.number(total.licensed))


def _seats_there(counted: RebindCounts, tongue: Tongue) -> Iterator[str]:
    words = tongue.words
    for one in counted.seats:
        yield words.needed_for_all.format(product=one.product, number=tongue.number(one.needed))
        yield words.bought_there.format(product=one.product, number=tongue.number(one.bought))
        yield from _in_the_tenants(one, tongue)


def _in_the_tenants(seats: SeatsThere, tongue: Tongue) -> Iterator[str]:
    if seats.left:
        yield tongue.words.left_there.format(product=seats.product, number=tongue.number(seats.left))
    if seats.enabled is not None:
        numbers = {"enabled": seats.enabled, "free": seats.free or 0, "grace": seats.in_grace or 0}
        yield tongue.words.tenant_seats.format(**{name: tongue.number(one) for name, one in numbers.items()})


def _number_or_dash(number: int | None, tongue: Tongue) -> str:
    """Of what could not be counted there is no number."""
    return "–" if number is None else tongue.number(number)
