"""Whatever happens to groups, in whatever order: once all is seen to, people have what their groups say."""

from collections import Counter
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.sandbox.background import catch_up
from provisioning.sandbox.catalogue import ServicePlan, Sku
from provisioning.sandbox.ledger import Author, Entry
from provisioning.sandbox.model import CONSUMING_STATES, Group, GroupLicence
from provisioning.sandbox.seed import Seed, SeedSubscription, add_subscription, plant
from provisioning.sandbox.tenants import Tenant
from provisioning.sandbox.world import Settings, World

TENANT = "5b0c1f0e-7a51-4c0e-9d3b-2f6f1d9a1001"
PEOPLE, GROUPS = [f"person-{n}" for n in range(4)], ["g", "h"]
SEATS = {"wide": 100, "narrow": 1}
AUTHOR = Author(app="app")
Act = tuple[str, Any, Any]

acts = st.lists(
    st.one_of(
        st.tuples(st.just("join"), st.sampled_from(GROUPS), st.sampled_from(PEOPLE)),
        st.tuples(st.just("leave"), st.sampled_from(GROUPS), st.sampled_from(PEOPLE)),
        st.tuples(st.just("license"), st.sampled_from(GROUPS), st.sets(st.sampled_from(sorted(SEATS)))),
        st.tuples(st.just("wait"), st.floats(0, 40), st.none()),
        st.tuples(st.just("delete"), st.sampled_from(PEOPLE), st.none()),
    ),
    min_size=8,
    max_size=25,
)


def new_world() -> tuple[World, Tenant]:
    world = World(Settings(clock_factor=1e-9))
    people = [{"id": person, "userPrincipalName": f"{person}@school.example"} for person in PEOPLE]
    plant(world, msgspec.convert({"tenants": [{"id": TENANT, "users": people}]}, Seed))
    tenant = world.tenants[TENANT]
    for sku, seats in SEATS.items():
        world.catalogue.skus[sku] = Sku(sku, sku, (ServicePlan(f"plan-{sku}", sku),))
        add_subscription(world, tenant, SeedSubscription(skuId=sku, totalLicenses=seats))
    for group in GROUPS:
        world.write_group(tenant, Group(id=group, displayName=group), AUTHOR, joining=PEOPLE[:3])
    return world, tenant


def carry_out(world: World, tenant: Tenant, act: Act) -> None:
    catch_up(world, world.clock.now())
    verb, what, whom = act
    if verb == "wait":
        world.clock.advance(what)
    elif verb == "delete":
        world.remove_user(tenant, what, AUTHOR)
    elif verb == "license":
        licences = tuple(GroupLicence(sku) for sku in sorted(whom))
        world.write_group(tenant, msgspec.structs.replace(group_of(tenant, what), assignedLicenses=licences), AUTHOR)
    elif tenant.directory.users[whom]:
        moves = {"joining" if verb == "join" else "leaving": [whom]}
        world.write_group(tenant, group_of(tenant, what), AUTHOR, **moves)


def group_of(tenant: Tenant, group_id: str) -> Group:
    group = tenant.groups.get(group_id)
    assert group
    return group


def seats_held(tenant: Tenant) -> Counter[str]:
    return Counter(
        sku
        for user in filter(None, tenant.directory.users.values())
        for sku in {held.skuId for held in user.assignments if held.state in CONSUMING_STATES}
    )


class TestHistories:
    @given(acts)
    @settings(max_examples=200, deadline=None)
    def test_g13_invariants(self, history: list[Act]) -> None:
        world, tenant = new_world()
        for act in history:
            carry_out(world, tenant, act)
            check_seats(tenant)
        world.clock.advance(3_600)
        catch_up(world, world.clock.now())
        assert not tenant.queue.jobs
        check_seats(tenant)
        for group_id in GROUPS:
            check_group(tenant, group_id)
        check_ledger(world)


def check_seats(tenant: Tenant) -> None:
    held = seats_held(tenant)
    assert {sku: units for sku, units in tenant.directory.consumed.items() if units} == held
    assert all(held[sku] <= seats for sku, seats in SEATS.items())


def check_group(tenant: Tenant, group_id: str) -> None:
    """Members have all of it, or all of it in error; others have nothing."""
    group, members = group_of(tenant, group_id), tenant.groups.members(group_id)
    assert group.processing in {None, "ProcessingComplete"}
    wanted = {licence.skuId for licence in group.assignedLicenses}
    for user in filter(None, tenant.directory.users.values()):
        held = {one.skuId: one for one in user.assignments if one.assignedByGroup == group_id}
        if user.id not in members:
            assert not held
        elif all(one.error == "None" for one in held.values()):
            assert held.keys() == wanted
        else:
            assert held.keys() >= wanted
            assert all(one.error != "None" for one in held.values())
            assert user.id in tenant.directory.failing[group_id]


def check_ledger(world: World) -> None:
    """In order of time; each person's entries are a chain, the last of which is what they are."""
    entries = world.ledger.since(0, 10_000)
    assert [entry.time for entry in entries] == sorted(entry.time for entry in entries)
    last: dict[str, Any] = {}
    for entry in entries:
        if isinstance(entry, Entry):
            assert entry.user not in last or last[entry.user] == entry.before
            last[entry.user] = entry.after
    tenant = world.tenants[TENANT]
    assert all(tenant.directory.users[user] == state for user, state in last.items())
