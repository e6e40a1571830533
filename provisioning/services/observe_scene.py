"""Everything a plan needs to know about a tenant: read from Graph with no transaction open, and laid over with
what we ourselves did there a moment ago.
"""

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from provisioning.domain.ids import SubjectId, TenantId
from provisioning.domain.observation import Census, Membership, Person, Seats
from provisioning.domain.operation import StepRecord
from provisioning.domain.tenancy import Binding
from provisioning.execution.verification import with_receipts
from provisioning.planning.selection import keys_needed
from provisioning.ports import LicenceGateway


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    census: Census
    memberships: dict[str, Membership]
    seats: Seats
    named: tuple[SubjectId, ...] = ()


def observe_scene(gateway: LicenceGateway, tenant: TenantId, bindings: Sequence[Binding]) -> Observed:
    """Raises GraphError when the tenant cannot be read at all; what could only be read in part says so."""
    return Observed(
        census=gateway.observe_census(tenant),
        memberships=gateway.observe_memberships(tenant, keys_needed(bindings)),
        seats=gateway.observe_seats(tenant),
    )


def laid_over(census: Census, receipts: Sequence[StepRecord]) -> Census:
    """The census with our own fresh receipts, which outrank a lagging replica."""
    by_person: dict[SubjectId, list[StepRecord]] = defaultdict(list)
    for record in receipts:
        by_person[record.step.subject_id].append(record)
    if not by_person:
        return census
    return msgspec.structs.replace(census, people=tuple(_current(person, by_person) for person in census.people))


def _current(person: Person, receipts: dict[SubjectId, list[StepRecord]]) -> Person:
    own = receipts.get(person.subject_id)
    return with_receipts(person, own) if own else person
