"""S36 at its full size: a sector changes product in a night, stops by itself, goes on, and loses its workers."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import text

from provisioning.domain.campaign import CampaignState, MemberState
from tests.benchmarks.campaign_bound import APP_RATE, Span, bound_of, unaccounted, up_to_last
from tests.benchmarks.campaign_stage import OPERATOR, Night, stage
from tests.benchmarks.pace import busy
from tests.benchmarks.remap_schools import SHORT, Kind, RemapSchool, mixed
from tests.benchmarks.rows import Row, Rows, at_most
from tests.benchmarks.school import A1, A3

_FAILING = 0.03  # of the canaries
_FLUSH_AT, _KILL_AT = 0.3, 0.5  # of all writes
_OLD, _NEW = frozenset({str(A1)}), frozenset({str(A3)})
_WITHIN = 900.0  # real seconds
_REFUSAL = {
    "status": 400,
    "code": "Request_BadRequest",
    "message": "Another object with the same value for property proxyAddresses already exists.",
}
_LISTED = text("""
    SELECT operations.tenant_id, people.subject_id, people.state
    FROM operation_subjects AS people JOIN operations USING (operation_id)
    WHERE operations.kind = 'remap' AND NOT people.is_group ORDER BY operations.created_at""")


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """How a night went: what it took, what Microsoft allows, and what its list came to. Seconds of the service."""

    spans: tuple[Span, ...]
    bound: float
    calls: int
    failed_calls: int  # of the canaries that were made to fail: they use up quota too
    grouped_calls: int
    throttled: int
    foretold: float
    busy: float
    looks: float  # real seconds for the readiness of one tenant
    stopped_for: str
    wrong: tuple[str, ...]  # people whose line is not what the witness saw
    states: Mapping[str, int]
    left: int

    @property
    def taken(self) -> float:
        return sum(span.length for span in self.spans)


def night(direct: int = 500, grouped: int = 100, people: int = 50, factor: float = 1.0) -> Rows:
    """A campaign over all of them, its canaries a sixth."""
    schools = mixed(direct, grouped, people)
    course = _course(schools, factor)
    yield from _rows(schools, course, factor)


# ── the story ────────────────────────────────────────────────────────────────────────────────────────────


def _course(schools: Sequence[RemapSchool], factor: float) -> Course:
    with stage(schools, factor) as of:
        of.say("everything stands")
        of.create(canaries=len(schools) // 6)
        looks = _checked(of)
        of.approve()
        failing = _made_to_fail(of)
        of.start_workers()
        of.world.await_workers()
        begun = of.start()
        foretold = _foretold(of, begun)
        with busy() as share:
            of.watch(lambda: of.campaign().state is CampaignState.STOPPED, _WITHIN, "the stop")
            stopped = of.campaign()
            of.say(f"stopped: {stopped.told}")
            hits = sum(fault["hits"] for fault in of.control.faults())
            of.control.clear_faults()
            resumed = of.resume("the directory is cleaned up")
            _to_the_end(of, failing)
        spans = [Span(begun, stopped.entered_at.timestamp()), Span(resumed, of.now)]
        of.say("ended; the list is held against the ledger")
        return _measured(of, spans, hits, foretold, share[0], looks, stopped.told)


def _checked(of: Night) -> float:
    begun = of.services.clock.wall()
    checked = of.services.check_campaign(OPERATOR, of.campaign_id)
    each = (of.services.clock.wall() - begun).total_seconds() / checked.tenants
    of.say(f"{checked.tenants} tenants looked at, {checked.unready} not ready, {each:.3f} s each")
    return float(each)


def _made_to_fail(of: Night) -> set[str]:
    """Of the canaries, directly licensed ones with nothing else about them."""
    plain = {school.tenant_id for school in of.schools if school.kind is Kind.DIRECT}
    canaries = [one.tenant_id for one in of.members() if one.wave == 0]
    failing = [one for one in canaries if one in plain][: max(1, round(_FAILING * len(canaries)))]
    for tenant in failing:
        of.control.add_fault("error", tenant=tenant, route="assignLicense", **_REFUSAL)
    return set(failing)


def _foretold(of: Night, begun: float) -> float:
    done_at = of.services.show_campaigns.one(of.campaign_id).done_at
    return float(done_at.timestamp()) - begun if done_at else 0.0


def _to_the_end(of: Night, failing: set[str]) -> None:
    of.watch(lambda: _are_over(of, failing), _WITHIN, "the canaries that failed")
    of.services.retry_leftovers(OPERATOR, of.campaign_id, "the directory is cleaned up")
    of.say(f"the canaries are tried again; {of.written():,} written")
    needed = sum(1 if school.has_group else school.seats for school in of.schools)
    of.watch(lambda: of.written() >= _FLUSH_AT * needed, _WITHIN, "the first part")
    of.services.redis.flushall()
    of.say(f"the broker is flushed; {of.written():,} written")
    of.watch(lambda: of.written() >= _KILL_AT * needed, _WITHIN, "half of it")
    of.kill_workers()
    of.say(f"every worker was killed; {of.written():,} written")
    of.watch(lambda: of.campaign().is_over, _WITHIN, "the end")


def _are_over(of: Night, tenants: set[str]) -> bool:
    """They, and the canaries as a whole: others are at work."""
    ends, members = {MemberState.FAILED, MemberState.PARTIALLY_COMPLETED}, of.members()
    have_ended = all(one.state in ends for one in members if one.tenant_id in tenants)
    return have_ended and any(one.wave > 0 and one.operation_id for one in members)


# ── the end ──────────────────────────────────────────────────────────────────────────────────────────────


def _measured(
    of: Night, spans: Sequence[Span], hits: int, foretold: float, share: float, looks: float, told: str
) -> Course:
    calls = of.calls()
    counted = up_to_last(spans, calls)
    grouped = {school.tenant_id for school in of.schools if school.has_group}
    states = Counter(str(one.state) for one in of.members())
    return Course(
        spans=tuple(counted),
        bound=bound_of(counted, calls) + hits / APP_RATE,
        calls=len(calls),
        failed_calls=hits,
        grouped_calls=sum(call.tenant in grouped for call in calls),
        throttled=of.control.counters()["total"].get("refused", 0),
        foretold=foretold,
        busy=share,
        looks=looks,
        stopped_for=told,
        wrong=tuple(sorted(_wrong(of))),
        states=states,
        left=sum(one.left for one in of.members()),
    )


def _wrong(of: Night) -> Iterator[str]:
    told, held = listed(of), held_at_the_end(of)
    for school in of.schools:
        tenant = school.tenant_id
        yield from unaccounted(school.everybody, told.get(tenant, {}), held[tenant], A1, A3)


def listed(of: Night) -> dict[str, dict[str, str]]:
    """By tenant, the last word of our own list on each person."""
    told: dict[str, dict[str, str]] = {}
    with of.services.engine.connect() as connection:
        for tenant, person, state in connection.execute(_LISTED):
            told.setdefault(tenant, {})[person] = state
    return told


def held_at_the_end(of: Night) -> dict[str, dict[str, frozenset[str]]]:
    """By tenant, what the twin's ledger says each person holds at the end; who is not in it is as they were planted."""
    held: dict[str, dict[str, frozenset[str]]] = {
        school.tenant_id: _planted(school, of.served.get(school.tenant_id, ())) for school in of.schools
    }
    for entry in of.control.ledger(top=5_000):
        if entry["user"] and entry["after"]:
            active = {row["skuId"] for row in entry["after"]["licenseAssignmentStates"] if row["state"] == "Active"}
            held[entry["tenant"]][entry["user"]] = frozenset(active)
    return held


def _planted(school: RemapSchool, served: Collection[str]) -> dict[str, frozenset[str]]:
    return {person: _NEW if person in served else _OLD for person in school.everybody}


def _rows(schools: Sequence[RemapSchool], course: Course, factor: float) -> Rows:
    what = f"campaign over {len(schools):,} tenants"
    run: dict[str, Any] = {"clock_factor": factor, "cpu": course.busy}
    lengths = " + ".join(f"{span.length:.1f}" for span in course.spans)
    note = f"{lengths} s running, Microsoft allows {course.bound:.1f} s for {course.calls:,} writes"
    note += f" and {course.failed_calls:,} failed; stopped: {course.stopped_for}; broker flushed, workers killed"
    ratio = course.taken / course.bound
    yield Row(
        name=f"{what}: against the bound", value=ratio, unit="×", bound=at_most(1.05), note=note, paced=True, **run
    )
    everybody = sum(school.people for school in schools)
    states = ", ".join(f"{number} {state}" for state, number in sorted(course.states.items()))
    note = f"{everybody:,} people; {states}"
    unlike = len(course.wrong)
    yield Row(name=f"{what}: not as the ledger says", value=unlike, unit="people", bound=at_most(0), note=note, **run)
    short = SHORT * sum(school.kind is Kind.SHORT for school in schools)
    note = f"{course.left} left for want of a seat, {short} seats are missing"
    undone = abs(course.left - short)
    yield Row(name=f"{what}: left without a reason", value=undone, unit="people", bound=at_most(0), note=note, **run)
    share = 100 * course.throttled / course.calls
    note = f"{course.throttled:,} of {course.calls + course.throttled:,}"
    yield Row(name=f"{what}: refused", value=share, unit="%", bound=at_most(0.1), note=note, **run)
    off = 100 * abs(course.foretold / course.taken - 1)
    note = f"{course.foretold:.0f} s foretold at the start, {course.taken:.0f} s taken"
    yield Row(name=f"{what}: forecast off by", value=off, unit="%", bound=at_most(10), note=note, paced=True, **run)
    grouped = [school for school in schools if school.has_group]
    note = f"{len(grouped):,} tenants with {sum(school.people for school in grouped):,} people"
    name = f"{what}: writes of a tenant that licenses by group"
    if grouped:
        yield Row(name=name, value=course.grouped_calls / len(grouped), unit="writes", note=note, **run)
    yield Row(name=f"{what}: readiness of one tenant", value=course.looks, unit="s", note="one process", **run)
