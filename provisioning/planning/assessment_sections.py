"""What an assessment says: headings, sentences and tables, in the words of one language and not yet drawn."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

from provisioning.domain.calendar import AMSTERDAM
from provisioning.domain.ticket import TICKET_ENDS, TicketState
from provisioning.planning.assessment import Assessment, Feasibility, PlanPart, SchoolCount, SeatNeed
from provisioning.planning.assessment_counts import ServiceChange
from provisioning.planning.assessment_facts import Fact
from provisioning.planning.assessment_grids import Grid, Section
from provisioning.planning.assessment_requests import request_sections
from provisioning.planning.assessment_words import AssessmentWords, Tongue

_SHOWN = 100  # people of a list: the whole of it is in the JSON


def title_of(assessment: Assessment, tongue: Tongue) -> str:
    board = assessment.for_board
    return tongue.words.for_board.format(board=board) if board else tongue.words.title


def sections(assessment: Assessment, tongue: Tongue) -> list[Section]:
    """Everything that is said, in order; what only operators need comes last."""
    words = tongue.words
    told = [Section(words.in_short, tuple(_in_short(assessment, tongue)))]
    told.append(Section(words.attention, tuple(_attention(assessment, tongue)) or (words.nothing_to_know,)))
    if assessment.parts:
        told += [
            Section(words.counts, grids=tuple(_count_grid(part, assessment, tongue) for part in assessment.parts)),
            Section(words.seats, tuple(_each(assessment, tongue, _seats))),
            _services(assessment, tongue),
            Section(words.switched_off, tuple(_switched_off(assessment, tongue)) or (words.nothing_off,)),
            _held(assessment, tongue),
            Section(words.duration, tuple(_duration(assessment, tongue))),
        ]
    else:
        told += request_sections(assessment, tongue)
    return [*told, Section(words.afterwards, tuple(_afterwards(assessment, tongue)))]


def _in_short(assessment: Assessment, tongue: Tongue) -> Iterator[str]:
    words = tongue.words
    yield words.verdicts[assessment.feasibility]
    yield from _standing(assessment, tongue)
    counted = assessment.agreement or assessment.rebind
    if counted is not None:
        yield words.looked.format(moment=_moment(counted.observed_at, assessment))
        return
    if not assessment.parts:
        if assessment.asked is None or not assessment.asked.is_decided:
            yield words.no_plans
        return
    yield words.about.format(people=tongue.number(assessment.people), schools=tongue.number(assessment.schools))
    for part in assessment.parts:
        yield words.gets.format(product=part.target, people=tongue.number(part.served))
    if assessment.already_right:
        yield words.has_it.format(people=tongue.number(assessment.already_right))
    if assessment.held:
        yield words.stays.format(people=tongue.number(assessment.held))
    yield words.looked.format(moment=_moment(min(part.observed_at for part in assessment.parts), assessment))


def _standing(assessment: Assessment, tongue: Tongue) -> Iterator[str]:
    """What is asked, if a ticket asks it, and where it stands."""
    words, asked = tongue.words, assessment.asked
    if asked is not None:
        yield words.ticket.format(key=asked.key)
        yield words.changes[asked.kind].format_map(asked.named)
        yield from map(tongue.note, asked.notes)
        yield words.standing.format(state=tongue.ticket(asked.state))
    elif assessment.feasibility is Feasibility.IMPOSSIBLE:
        yield words.standing.format(state=words.refused)
    else:
        states = dict.fromkeys(tongue.state(part.state) for part in assessment.parts)
        yield from (words.standing.format(state=state) for state in states)


def _moment(at: datetime, assessment: Assessment) -> str:
    """Operators read UTC everywhere; a board has a clock on the wall."""
    if assessment.for_board is None:
        return f"{at:%d-%m-%Y %H:%M} UTC"
    return f"{at.astimezone(AMSTERDAM):%d-%m-%Y %H:%M}"


def _attention(assessment: Assessment, tongue: Tongue) -> Iterator[str]:
    for fact in _facts_for(assessment):
        if fact.reason is not None:
            yield tongue.why(fact.reason)
            continue
        said = tongue.words.facts[fact.kind]
        by_service = assessment.for_board is not None and fact.services
        filled = {
            "people": tongue.number(fact.people),
            "names": ", ".join(map(tongue.service, fact.services) if by_service else fact.names),
            "instead": ", ".join(fact.instead) or "–",
            "day": f"{fact.day:%d-%m-%Y}" if fact.day else "",
        }
        yield f"{said.what.format(**filled)} {said.todo.format(**filled)}"


def _facts_for(assessment: Assessment) -> Iterable[Fact]:
    """What is good to know of something that cannot be done would only distract a board from why."""
    is_impossible = assessment.feasibility is Feasibility.IMPOSSIBLE
    if assessment.for_board is None or not is_impossible:
        return assessment.facts
    return (fact for fact in assessment.facts if fact.blocks)


def _each(
    assessment: Assessment, tongue: Tongue, say: Callable[[PlanPart, Assessment, Tongue], Iterable[str]]
) -> Iterator[str]:
    for part in assessment.parts:
        yield from say(part, assessment, tongue)


# ── licences ─────────────────────────────────────────────────────────────────────────────────────────────


def _count_grid(part: PlanPart, assessment: Assessment, tongue: Tongue) -> Grid:
    words = tongue.words
    rows = [
        (_called(school, tongue), one.name, tongue.number(one.before), tongue.number(one.after))
        for school in part.schools
        for one in school.products
    ]
    sums = part.products if len(part.schools) > 1 else ()
    rows += [(words.all_schools, one.name, tongue.number(one.before), tongue.number(one.after)) for one in sums]
    columns = (words.column_school, words.column_licence, words.column_before, words.column_after)
    return Grid(_of(words.counts_caption, part, assessment, tongue), columns, tuple(rows), 2, len(sums))


def _called(school: SchoolCount, tongue: Tongue) -> str:
    """With its code: many schools share a name."""
    code = school.organisation_id
    if code is None:
        return tongue.words.no_school
    return code if school.name == code else f"{school.name} ({code})"


def _of(caption: str, part: PlanPart, assessment: Assessment, tongue: Tongue) -> str:
    """With the tenant's name where there is more than one to tell apart."""
    is_one = len(assessment.parts) == 1
    return caption if is_one else tongue.words.in_domain.format(caption=caption, domain=part.domain)


def _seats(part: PlanPart, _: Assessment, tongue: Tongue) -> Iterator[str]:
    words, need = tongue.words, part.seats
    yield words.needed.format(product=need.product, number=tongue.number(need.needed))
    if not need.missing:
        yield words.enough
    else:
        yield words.missing.format(number=tongue.number(need.missing))
        yield from _shortage(need, tongue)
    if need.enabled is not None and need.free is not None:
        numbers = {"enabled": need.enabled, "free": need.free, "grace": need.in_grace or 0}
        yield words.tenant_seats.format(**{name: tongue.number(one) for name, one in numbers.items()})


def _shortage(need: SeatNeed, tongue: Tongue) -> Iterator[str]:
    words, number = tongue.words, tongue.number(need.to_order)
    if need.to_order and need.article:
        yield words.order.format(article=need.article, number=number)
    elif need.to_order:
        yield words.order_unlisted.format(product=need.product, number=number)
    if need.awaited:
        yield words.awaited.format(number=tongue.number(need.awaited))


# ── services ─────────────────────────────────────────────────────────────────────────────────────────────


def _services(assessment: Assessment, tongue: Tongue) -> Section:
    words = tongue.words
    grids = [
        Grid(_of(words.services_caption, part, assessment, tongue), columns, rows, 1)
        for part in assessment.parts
        if (rows := _changes(part.services.gained, part.services.lost, tongue.service, tongue))
        and (columns := (words.column_service, words.column_gained, words.column_lost))
    ]
    if assessment.for_board is None:
        grids += [
            Grid(_of(words.plans_caption, part, assessment, tongue), columns, rows, 1)
            for part in assessment.parts
            if (rows := _changes(part.services.plans_gained, part.services.plans_lost, str, tongue))
            and (columns := (words.column_plan, words.column_gained, words.column_lost))
        ]
    is_same = not any(part.services.gained or part.services.lost for part in assessment.parts)
    return Section(words.services, (words.no_services,) if is_same else (), tuple(grids))


def _changes(
    gained: Mapping[str, int], lost: Mapping[str, int], name: Callable[[str], str], tongue: Tongue
) -> tuple[tuple[str, ...], ...]:
    """What is lost comes first: it is what matters most."""
    order = sorted({*gained, *lost}, key=lambda one: (-lost.get(one, 0), name(one).casefold()))
    return tuple((name(one), tongue.number(gained.get(one, 0)), tongue.number(lost.get(one, 0))) for one in order)


def _switched_off(assessment: Assessment, tongue: Tongue) -> Iterator[str]:
    words = tongue.words
    if kept := sum(part.services.kept_off for part in assessment.parts):
        yield words.kept_off.format(people=tongue.number(kept))
    for part in assessment.parts:
        not_carried, switched_on = _plans_of_interest(part.services, assessment, tongue)
        yield from (words.not_carried.format(plan=plan, people=number) for plan, number in not_carried.items())
        yield from (words.switched_on.format(plan=plan, people=number) for plan, number in switched_on.items())


def _plans_of_interest(
    services: ServiceChange, assessment: Assessment, tongue: Tongue
) -> tuple[dict[str, str], dict[str, str]]:
    """What is not carried and what comes on: plans for operators, services for boards."""
    if assessment.for_board is None:
        told = services.not_carried, services.switched_on
    else:
        told = services.services_not_carried, services.services_switched_on
    name = str if assessment.for_board is None else tongue.service
    first, second = ({name(one): tongue.number(people) for one, people in some.items()} for some in told)
    return first, second


# ── people, time, what follows ───────────────────────────────────────────────────────────────────────────


def _held(assessment: Assessment, tongue: Tongue) -> Section:
    words = tongue.words
    every = [one for part in assessment.parts for one in part.held]
    lines = []
    for one in every:
        why = tongue.why(one.reason) if one.reason else words.held_unknown
        lines.append(words.held_why.format(people=tongue.number(one.people), why=why))
    named = [(who, str(one.reason or one.state)) for one in every for who in one.who]
    columns = (words.column_who, words.column_why)
    grids = (Grid(words.held_caption, columns, tuple(named[:_SHOWN]), len(columns)),) if named else ()
    if len(named) > _SHOWN:
        lines.append(words.held_more.format(people=tongue.number(len(named) - _SHOWN)))
    return Section(words.held, tuple(lines) or (words.nobody_held,), grids)


def _duration(assessment: Assessment, tongue: Tongue) -> Iterator[str]:
    words = tongue.words
    sentence = words.minutes if assessment.minutes else words.no_minutes
    yield sentence.format(minutes=tongue.number(assessment.minutes))
    if assessment.for_board is None:
        yield words.writes.format(writes=tongue.number(assessment.writes))


def _afterwards(assessment: Assessment, tongue: Tongue) -> Iterator[str]:
    words, asked = tongue.words, assessment.asked
    is_impossible = assessment.feasibility is Feasibility.IMPOSSIBLE
    if asked is not None and asked.is_decided:
        yield _decided(asked.state, words)
        return
    yield words.board_impossible if is_impossible and asked is None else words.board_next
    if assessment.for_board is None:
        yield from (words.breach.format(breach=one) for part in assessment.parts for one in part.breaches)
        if asked is not None and asked.digest is not None:
            yield words.approve_ticket.format(digest=asked.digest[:8])
        elif asked is None and not is_impossible:
            yield words.approve_next.format(digest=assessment.digest[:8])


def _decided(state: TicketState, words: AssessmentWords) -> str:
    if state in {TicketState.REJECTED, TicketState.WITHDRAWN}:
        return words.board_impossible
    return words.ended_next if state in TICKET_ENDS else words.going_next
