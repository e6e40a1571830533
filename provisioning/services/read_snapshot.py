"""The reading behind a snapshot: page by page, so that a tenant of 100,000 people never is in memory as a whole."""

from collections import Counter
from collections.abc import Iterator

import msgspec

from provisioning.domain.errors import GraphError, PermanentError, RetryableError
from provisioning.domain.groups import ObservedGroup
from provisioning.domain.ids import GroupId, SkuId, SubjectId, TenantId
from provisioning.domain.observation import Membership, Person, Seats, TenantProfile
from provisioning.planning.masks import Masks
from provisioning.planning.seed_format import SeedConsent, SeedHead, SeedTail, write_head, write_people, write_tail
from provisioning.planning.snapshot import (
    Spoken,
    roles_in,
    to_group,
    to_schools,
    to_sku,
    to_subscriptions,
    to_units,
    to_user,
    unlike_counts,
)
from provisioning.ports import Clock, TenantReader


class SnapshotBasis(msgspec.Struct, frozen=True, kw_only=True):
    """What the database says before anything is read."""

    tenant: TenantId
    application: str
    masks: Masks
    spoken: Spoken
    memberships: frozenset[str]
    groups: frozenset[GroupId]
    nicknames: frozenset[str]  # of groups of our own making


class SnapshotReading:
    """Iterated once, it yields the document; afterwards it knows how much it was and what is not as in the tenant."""

    def __init__(self, reader: TenantReader, clock: Clock, basis: SnapshotBasis) -> None:
        self._reader = reader
        self._clock = clock
        self.basis = basis
        self.people: set[SubjectId] = set()
        self.groups = 0
        self.is_complete = True
        self.remarks: list[str] = []
        self._bringing: set[GroupId] = set()
        self._holders: Counter[SkuId] = Counter()

    def __iter__(self) -> Iterator[bytes]:
        profile, seats = self._reader.observe_readiness(self.basis.tenant)
        products = self._reader.observe_products(self.basis.tenant)
        memberships = self._memberships()
        yield write_head(map(to_sku, products), self._head(profile, seats))
        roles = roles_in(memberships)
        for people in self._new_people():
            users = [
                to_user(person, self.basis.masks, self.basis.spoken, roles.get(person.subject_id, "none"))
                for person in people
            ]
            yield from write_people(users, is_first=len(self.people) == len(people))
        groups = self._groups()
        self.groups = len(groups)
        self._compare(seats)
        self._count_strangers(memberships, groups)
        yield write_tail(self._tail(memberships, groups))

    def _head(self, profile: TenantProfile, seats: Seats) -> SeedHead:
        self._remark(f"Taken at {self._clock.now():%Y-%m-%d %H:%M} UTC; people are pseudonyms.")
        domains = [*profile.verified_domains, profile.initial_domain.lower()]
        consent = SeedConsent(app=self.basis.application, roles=tuple(sorted(profile.permissions)))
        return SeedHead(
            id=self.basis.tenant,
            display_name=profile.initial_domain,
            domains=tuple(dict.fromkeys(name for name in domains if name)),
            country=profile.country or "",
            default_usage_location=profile.default_usage_location,
            consents=(consent,),
            subscriptions=to_subscriptions(seats),
        )

    def _memberships(self) -> list[Membership]:
        """Those that selectors name."""
        keys = sorted(self.basis.memberships)
        found = self._reader.observe_memberships(self.basis.tenant, keys) if keys else {}
        for key in keys:
            if key not in found or not found[key].is_complete:
                self._miss(f"Not all members of {key} could be read.")
        return list(found.values())

    def _new_people(self) -> Iterator[list[Person]]:
        """Page by page, each person once. Raises GraphError while nobody has been read."""
        after: str | None = None
        followed: set[str] = set()
        while True:
            try:
                page = self._reader.observe_page(self.basis.tenant, after)
            except (RetryableError, PermanentError) as error:
                if not self.people:
                    raise
                self._miss(f"Not everybody could be read: {error}")
                return
            fresh = {one.subject_id: one for one in page.people if one.subject_id not in self.people}
            if fresh:
                self._note(list(fresh.values()))
                yield list(fresh.values())
            if page.after is None:
                return
            if page.after in followed:
                self._miss("Not everybody could be read: Microsoft Graph's pages go round in circles.")
                return
            followed.add(page.after)
            after = page.after

    def _note(self, people: list[Person]) -> None:
        self.people.update(person.subject_id for person in people)
        for person in people:
            self._bringing |= {held.group_id for held in person.licences if held.group_id}
            self._holders.update({held.sku_id for held in person.licences if held.is_active})

    def _groups(self) -> list[ObservedGroup]:
        """Those that bring licences, and those that selectors, policies and our own register name."""
        wanted = sorted(self._bringing | self._licensed() | self.basis.groups)
        found = self._reader.observe_groups(self.basis.tenant, wanted) if wanted else {}
        for group_id in wanted:
            group = found.get(group_id)
            if group_id not in found or (group and not group.is_complete):
                self._miss(f"Group {group_id} could not be read whole.")
        return [group for group in found.values() if group]

    def _licensed(self) -> frozenset[GroupId]:
        try:
            return self._reader.list_licensed_groups(self.basis.tenant)
        except GraphError as error:
            self._miss(f"Groups through which nobody has a licence yet may be missing: {error}")
            return frozenset()

    def _tail(self, memberships: list[Membership], groups: list[ObservedGroup]) -> SeedTail:
        masks, known = self.basis.masks, self.people
        return SeedTail(
            groups=tuple(to_group(one, masks, known, self.basis.nicknames, self.basis.spoken) for one in groups),
            units=to_units(memberships, masks, known),
            schools=to_schools(memberships, masks, known),
            remarks=tuple(self.remarks),
        )

    def _compare(self, seats: Seats) -> None:
        """Where Microsoft's own numbers disagree with each other, the sandbox can only follow one of them."""
        for sku_id in unlike_counts(seats):
            self._remark(f"{sku_id}: subscriptions do not add up to Microsoft's counts; the counts are written.")
        for sku_id, count in seats.counts.items():
            if self.is_complete and count.consumed != self._holders[sku_id]:
                held = self._holders[sku_id]
                self._remark(f"{sku_id}: Microsoft counts {count.consumed} in use, the people here hold {held}.")

    def _count_strangers(self, memberships: list[Membership], groups: list[ObservedGroup]) -> None:
        named = frozenset().union(*(one.members for one in memberships), *(one.members for one in groups))
        if strangers := len(named - self.people):
            self._miss(f"{strangers} members of groups, units or schools are not among the people; they are left out.")

    def _miss(self, sentence: str) -> None:
        self.is_complete = False
        self._remark(f"NOT COMPLETE. {sentence}")

    def _remark(self, sentence: str) -> None:
        self.remarks.append(sentence)
