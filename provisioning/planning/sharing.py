"""Whose people are whose where several boards share a tenant. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from provisioning.domain.errors import UnavailableError
from provisioning.domain.ids import SubjectId
from provisioning.domain.observation import Census, Membership
from provisioning.domain.tenancy import Binding
from provisioning.planning.selection import keys_needed
from provisioning.planning.selectors import INCLUDABLE, Register, Selector, parse_selector


def claimed_by(
    bindings: Sequence[Binding], census: Census, memberships: Mapping[str, Membership]
) -> frozenset[SubjectId]:
    """Everybody whom a selector of these bindings matches, guests and disabled accounts too.

    Raises UnavailableError when something was not read: nobody is then known to be unclaimed.
    """
    needed = keys_needed(bindings)
    if not census.is_complete or not all(key in memberships and memberships[key].is_complete for key in needed):
        raise UnavailableError("The tenant could not be read as a whole, so nobody knows whose people are whose there.")
    register = Register(census.people, memberships)
    return frozenset[SubjectId]().union(*(register.matching(selector) for selector in _selectors(bindings)))


def who_takes_from_us(
    own: Sequence[Binding],
    strangers: Sequence[Binding],
    census: Census,
    memberships: Mapping[str, Membership],
    ours: Collection[SubjectId] = (),
) -> frozenset[SubjectId] | None:
    """Whose licences stand in our name: everybody's but theirs whom other boards alone select. None: everybody's.

    Who is selected by nobody counts as ours: better a seat too few than one that was not bought. `ours` are whatever
    selectors say. Raises UnavailableError as `claimed_by`.
    """
    confirmed = [binding for binding in strangers if binding.is_confirmed]
    if not confirmed:
        return None
    theirs = claimed_by(confirmed, census, memberships) - claimed_by(own, census, memberships) - frozenset(ours)
    return frozenset(person.subject_id for person in census.people) - theirs


def _selectors(bindings: Iterable[Binding]) -> set[Selector]:
    texts = {text for binding in bindings for text in binding.selectors.values()}
    return {Selector(parse_selector(text).rule, INCLUDABLE) for text in texts}
