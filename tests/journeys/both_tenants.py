"""What must hold after a migration, whatever happened on the way: witness in both tenants, and nobody ever without."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from math import inf
from typing import Any

from provisioning.domain.ids import SubjectId
from provisioning.domain.migration import EXCHANGE
from provisioning.local.world import APP
from tests.journeys.customers import Customer
from tests.journeys.furniture import Town
from tests.journeys.mergers import Merger
from tests.journeys.promises import check_log, check_witness, enabled_families

_Assignments = list[dict[str, Any]]
_History = list[tuple[float, _Assignments]]  # how somebody was licensed from each moment on


def check_merger(merger: Merger) -> None:
    """As `check_both`, and the whole audit log."""
    check_both(merger)
    check_log(merger.town)


def check_both(merger: Merger, *, repeats: int | None = 0) -> None:
    """Witness in both tenants, and at every instant each person has all services of before in one of them.

    Only travellers were written to, and nobody got Exchange before their evidence was given. `repeats` as in
    `check_promises`.
    """
    travellers = merger.travellers()
    going = {str(one.source_id) for one in travellers} | {str(one.target_id) for one in travellers}
    for customer in (merger.source, merger.target):
        written = list(merger.town.control.ledger(customer.began, tenant=customer.tenant, app=APP))
        check_witness(merger.town, customer, written, going, repeats)
    assert gaps(merger) == []
    assert too_early(merger, evidence_of(merger)) == []


def evidence_of(merger: Merger) -> dict[str, float]:
    """When each mailbox was shown to have moved, by our own record."""
    return {one.source_id: one.evidence.given_at.timestamp() for one in merger.travellers() if one.evidence}


def too_early(merger: Merger, shown: Mapping[str, float]) -> list[tuple[SubjectId, float]]:
    """Who had Exchange in the target, by the twin's ledger, before their mailbox was shown to have moved; since when.

    `shown`: the moment (seconds of the twin) by id in the source; of who is not in it nothing was ever shown. Who had
    Exchange there before the migration is none of them.
    """
    found: list[tuple[SubjectId, float]] = []
    histories = _histories(merger.town, merger.target)
    for one in merger.travellers():
        history = [
            (at, EXCHANGE in _families_on(merger.town, held)) for at, held in histories.get(one.target_id or "", [])
        ]
        on = next((at for at, is_on in history if is_on), None)
        if on and on < shown.get(one.source_id, inf):
            found.append((one.source_id, on))
    return found


def writes_in(merger: Merger) -> int:
    """How many writes of ours changed something, in both tenants."""
    customers = (merger.source, merger.target)
    return sum(1 for one in customers for entry in _changes(merger.town, one) if entry["app"] == APP)


def gaps(merger: Merger) -> list[tuple[SubjectId, float, frozenset[str]]]:
    """Who was without which service family of the beginning, and from when on; looked at whenever anything changed."""
    here, there = (_histories(merger.town, one) for one in (merger.source, merger.target))
    found: list[tuple[SubjectId, float, frozenset[str]]] = []
    for one in merger.travellers():
        old = here.get(one.source_id) or _as_it_is(merger.town, merger.source, one.source_id)
        new = _there(merger, there, one.target_id)
        wanted = _families_on(merger.town, old[0][1])
        for moment in sorted({at for at, _ in old} | {at for at, _ in new}):
            states = [*_state_at(old, moment), *_state_at(new, moment)]
            if missing := wanted - _families_on(merger.town, states):
                found.append((one.source_id, moment, missing))
    return found


def _histories(town: Town, customer: Customer) -> Mapping[str, _History]:
    """Of everybody whose licences ever changed; before the first change as that found them."""
    histories: defaultdict[str, _History] = defaultdict(list)
    for entry in _changes(town, customer):
        history = histories[entry["user"]]
        if not history:
            history.append((0.0, entry["before"]["licenseAssignmentStates"]))
        history.append((entry["time"], entry["after"]["licenseAssignmentStates"]))
    return dict(histories)


def _changes(town: Town, customer: Customer) -> Iterable[Mapping[str, Any]]:
    entries = town.control.ledger(customer.began, tenant=customer.tenant)
    return (one for one in entries if one["user"] and one["before"] and one["after"])


def _there(merger: Merger, histories: Mapping[str, _History], person: str | None) -> _History:
    if person is None:
        return [(0.0, [])]
    return histories.get(person) or _as_it_is(merger.town, merger.target, person)


def _as_it_is(town: Town, customer: Customer, person: str) -> _History:
    return [(0.0, town.control.user(customer.tenant, person)["licenseAssignmentStates"])]


def _state_at(history: _History, moment: float) -> _Assignments:
    return [state for at, state in history if at <= moment][-1]


def _families_on(town: Town, assignments: _Assignments) -> frozenset[str]:
    return frozenset(enabled_families(town, {"licenseAssignmentStates": assignments}))
