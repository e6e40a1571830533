from collections.abc import Collection
from typing import Any

import msgspec
import pytest

from provisioning.domain.catalogue import Audience
from provisioning.domain.errors import ActionRequiredError, NotAllowedError, RetryableError
from provisioning.domain.groups import ObservedGroup
from provisioning.domain.ids import GroupId, Pseudonym, SubjectId, TenantId
from provisioning.domain.observation import HeldLicence, Membership, PeoplePage, Person, Product
from provisioning.domain.reasons import Reason
from provisioning.services.take_snapshot import Snapshot, TakeSnapshot
from tests.unit.services.fakes_access import (
    A3,
    APPROVER,
    OPERATOR,
    TENANT,
    FakeClock,
    FakeGateway,
    World,
    a_binding,
    a_tenant,
)

GROUP = GroupId("9a1b7c3d-2e4f-4a5b-8c6d-7e8f9a0b1c2d")


class FakeReader(FakeGateway):
    """Shows `pages` of people; an exception among them is raised in its turn."""

    def __init__(self, *pages: list[Person] | Exception) -> None:
        super().__init__()
        self.pages = list(pages)
        self.groups: dict[GroupId, ObservedGroup | None] = {}
        self.members: dict[str, Membership] = {}
        self.licensed: frozenset[GroupId] | Exception = frozenset()
        self.goes_round = False

    def observe_readiness(self, tenant: TenantId) -> Any:
        return self.observe_tenant(tenant), self.observe_seats(tenant)

    def observe_products(self, tenant: TenantId) -> tuple[Product, ...]:
        return tuple(Product(sku_id=sku_id, part_number="A3") for sku_id in self.counts)

    def observe_page(self, tenant: TenantId, after: str | None) -> PeoplePage:
        place = int(after or 0)
        shown = self.pages[place]
        if isinstance(shown, Exception):
            raise shown
        following = 0 if self.goes_round else place + 1
        return PeoplePage(people=tuple(shown), after=str(following) if following < len(self.pages) else None)

    def observe_memberships(self, tenant: TenantId, keys: Collection[str]) -> dict[str, Membership]:
        return {key: self.members[key] for key in keys if key in self.members}

    def list_licensed_groups(self, tenant: TenantId) -> frozenset[GroupId]:
        if isinstance(self.licensed, Exception):
            raise self.licensed
        return self.licensed

    def observe_groups(
        self, tenant: TenantId, groups: Collection[GroupId], *, with_members: bool = True
    ) -> dict[GroupId, ObservedGroup | None]:
        return {group: self.groups[group] for group in groups if group in self.groups}


class _Register:
    def list_in(self, tenant: TenantId) -> list[Any]:
        return []


@pytest.fixture
def world() -> World:
    made = World()
    a_tenant(made)
    return made


def take(world: World, reader: FakeReader, identity: Any = OPERATOR) -> Snapshot:
    def open_uow() -> Any:
        return _with_register(world)

    service = TakeSnapshot(open_uow=open_uow, reader=reader, clock=FakeClock(), application=lambda _: "app")
    return service(identity, "school.nl")


class _with_register:  # noqa: N801  # a context manager
    """The world's unit of work, with a register of groups and keys beside it."""

    def __init__(self, world: World) -> None:
        self._opened = world.open()

    def __enter__(self) -> Any:
        uow = self._opened.__enter__()
        uow.groups = _Register()
        uow.audit.pseudonyms = lambda _, subjects: {each: Pseudonym("key") for each in subjects}
        return uow

    def __exit__(self, *exc: object) -> None:
        self._opened.__exit__(*exc)


def person(name: str, *licences: HeldLicence) -> Person:
    return Person(subject_id=SubjectId(name), domain="school.nl", licences=licences)


def document(snapshot: Snapshot) -> Any:
    read = msgspec.json.decode(b"".join(snapshot))
    [tenant] = read["tenants"]
    return tenant


class TestTakingASnapshot:
    def test_everybody_is_in_it_once(self, world: World) -> None:
        reader = FakeReader([person("a"), person("b")], [], [person("b"), person("c")])
        taken = take(world, reader)
        assert len(document(taken)["users"]) == 3
        assert (taken.summary.people, taken.summary.is_complete) == (3, True)

    def test_of_an_empty_tenant_is_a_document_too(self, world: World) -> None:
        assert document(take(world, FakeReader([])))["users"] == []

    def test_begins_with_what_the_tenant_is(self, world: World) -> None:
        reader = FakeReader([])
        reader.show(5)
        reader.buy(5)
        tenant = document(take(world, reader))
        assert (tenant["id"], tenant["country"], tenant["defaultUsageLocation"]) == (TENANT, "NL", "NL")
        assert tenant["domains"] == ["school.nl", "school.onmicrosoft.com"]
        assert tenant["consents"] == [{"app": "app", "roles": sorted(reader.permissions)}]
        assert tenant["subscriptions"] == [{"skuId": A3, "totalLicenses": 5, "id": "s5"}]

    def test_a_page_that_stays_away_is_said(self, world: World) -> None:
        reader = FakeReader([person("a")], RetryableError("Microsoft is away.", Reason.TRANSIENT))
        taken = take(world, reader)
        assert "NOT COMPLETE. Not everybody could be read: Microsoft is away." in document(taken)["remarks"]
        assert not taken.summary.is_complete

    def test_pages_that_go_round_end(self, world: World) -> None:
        reader = FakeReader([person("a")])
        reader.goes_round = True
        reader.pages.append([])
        assert not _read(take(world, reader)).summary.is_complete

    def test_nothing_to_read_is_an_error(self, world: World) -> None:
        reader = FakeReader(RetryableError("Microsoft is away.", Reason.TRANSIENT))
        with pytest.raises(RetryableError):
            _read(take(world, reader))
        assert world.kinds == ["tenant.snapshot_begun"]

    def test_consent_that_ends_on_the_way_is_an_error(self, world: World) -> None:
        reader = FakeReader([person("a")], ActionRequiredError("Consent is gone.", Reason.CONSENT_REVOKED))
        with pytest.raises(ActionRequiredError):
            _read(take(world, reader))

    def test_groups_that_bring_licences_are_in_it(self, world: World) -> None:
        reader = FakeReader([person("a", HeldLicence(A3, group_id=GROUP))])
        reader.groups = {GROUP: ObservedGroup(group_id=GROUP, nickname="", members=frozenset({SubjectId("a")}))}
        [group] = document(take(world, reader))["groups"]
        assert (group["id"], len(group["members"])) == (GROUP, 1)

    def test_a_licensed_group_of_nobody_is_in_it(self, world: World) -> None:
        reader = FakeReader([person("a")])
        reader.groups, reader.licensed = {GROUP: ObservedGroup(group_id=GROUP, nickname="")}, frozenset({GROUP})
        assert [group["id"] for group in document(take(world, reader))["groups"]] == [GROUP]

    def test_groups_that_cannot_be_listed_are_said(self, world: World) -> None:
        reader = FakeReader([person("a")])
        reader.licensed = RetryableError("Microsoft is away.", Reason.TRANSIENT)
        assert any("may be missing: Microsoft is away." in said for said in _read(take(world, reader)).summary.remarks)

    def test_a_group_that_cannot_be_read_is_said(self, world: World) -> None:
        taken = _read(take(world, FakeReader([person("a", HeldLicence(A3, group_id=GROUP))])))
        assert any(f"Group {GROUP} could not be read whole." in remark for remark in taken.summary.remarks)

    def test_a_group_that_is_gone_is_nothing_to_say(self, world: World) -> None:
        reader = FakeReader([person("a", HeldLicence(A3, group_id=GROUP))])
        reader.groups = {GROUP: None}
        assert _read(take(world, reader)).summary.is_complete

    def test_members_who_are_nobody_are_counted(self, world: World) -> None:
        a_binding(world, selectors={Audience.FACULTY: '{"unit":"u1"}'})
        reader = FakeReader([person("a")])
        reader.members = {
            "unit:u1": Membership(
                key="unit:u1", is_complete=True, members=frozenset({SubjectId("a"), SubjectId("gone")})
            )
        }
        taken = take(world, reader)
        assert [len(unit["members"]) for unit in document(taken)["administrativeUnits"]] == [1]
        assert any("1 members of groups" in remark for remark in taken.summary.remarks)

    def test_counts_that_the_people_do_not_explain_are_told(self, world: World) -> None:
        reader = FakeReader([person("a", HeldLicence(A3), HeldLicence(A3, group_id=GROUP))])
        reader.groups = {GROUP: None}
        reader.show(5)
        reader.buy(5)
        reader.counts[A3] = msgspec.structs.replace(reader.counts[A3], consumed=3)
        remarks = _read(take(world, reader)).summary.remarks
        assert f"{A3}: Microsoft counts 3 in use, the people here hold 1." in remarks

    def test_is_on_record_before_and_after(self, world: World) -> None:
        _read(take(world, FakeReader([person("a")])))
        assert world.kinds == ["tenant.snapshot_begun", "tenant.snapshot_taken"]
        assert world.events[1].details == {"people": "1", "complete": "yes"}
        assert {event.actor for event in world.events} == {OPERATOR.actor}

    def test_who_may_not_reads_nothing(self, world: World) -> None:
        reader = FakeReader([])
        with pytest.raises(NotAllowedError):
            take(world, reader, APPROVER)
        assert (reader.calls, world.kinds) == ([], [])


def _read(snapshot: Snapshot) -> Snapshot:
    for _ in snapshot:
        pass
    return snapshot
