"""What is due in several tenants is done in the order in which it is due, whoever asks."""

from collections.abc import Iterator

import msgspec
import pytest

from provisioning.sandbox.background import catch_up
from provisioning.sandbox.catalogue import ServicePlan, Sku
from provisioning.sandbox.ledger import Author
from provisioning.sandbox.model import Group, GroupLicence
from provisioning.sandbox.seed import Seed, SeedSubscription, add_subscription, plant
from provisioning.sandbox.switches import Switches
from provisioning.sandbox.world import Settings, World

TENANTS = [f"5b0c1f0e-7a51-4c0e-9d3b-2f6f1d9a100{number}" for number in range(3)]
FIRST, SECOND, THIRD = TENANTS
AUTHOR = Author(app="app")
SLOW = Switches(group_processing_seconds=20.0, group_processing_per_second=0.1)


def seed(tenant: str) -> Seed:
    people = [{"id": f"{tenant}-{n}", "userPrincipalName": f"{n}@{tenant}.example"} for n in range(3)]
    return msgspec.convert({"tenants": [{"id": tenant, "domains": [f"{tenant}.example"], "users": people}]}, Seed)


@pytest.fixture
def world() -> Iterator[World]:
    """Three tenants with three people each, in a group that brings nothing yet; time passes only by jumps."""
    world = World(Settings(clock_factor=1e-9, switches=SLOW))
    world.catalogue.skus["wide"] = Sku("wide", "wide", (ServicePlan("plan", "plan"),))
    for tenant_id in TENANTS:
        plant(world, seed(tenant_id))
        tenant = world.tenants[tenant_id]
        add_subscription(world, tenant, SeedSubscription(skuId="wide", totalLicenses=10))
        world.write_group(tenant, Group(id="g", displayName="g"), AUTHOR, joining=list(tenant.directory.users))
    yield world
    times = [entry.time for entry in world.ledger.since(0, 1_000)]
    assert times == sorted(times), "the ledger is not in order of time"


def license_group(world: World, tenant_id: str) -> None:
    group = world.tenants[tenant_id].groups.get("g")
    assert group
    after = msgspec.structs.replace(group, assignedLicenses=(GroupLicence("wide"),))
    world.write_group(world.tenants[tenant_id], after, AUTHOR)


def granted(world: World) -> list[str]:
    """The tenants of the people whom a group brought something, in the order of the ledger."""
    return [entry.tenant for entry in world.ledger.since(0, 1_000) if entry.author.route == "groupProcessing"]


class TestAgenda:
    def test_tenants_take_turns_as_their_people_are_due(self, world: World) -> None:
        for tenant_id in (SECOND, FIRST):
            license_group(world, tenant_id)
            world.clock.advance(1)
        world.clock.advance(100)
        catch_up(world, world.clock.now())
        assert granted(world) == [SECOND, FIRST] * 3

    def test_nothing_is_done_before_it_is_due(self, world: World) -> None:
        license_group(world, FIRST)
        world.clock.advance(25)
        catch_up(world, world.clock.now())
        assert granted(world) == [FIRST]
        world.clock.advance(10)
        catch_up(world, world.clock.now())
        assert granted(world) == [FIRST] * 2

    def test_who_becomes_idle_and_busy_again_has_a_turn_again(self, world: World) -> None:
        for _ in range(2):
            license_group(world, FIRST)
            world.clock.advance(100)
            catch_up(world, world.clock.now())
            world.remove_user(world.tenants[FIRST], f"{FIRST}-0", AUTHOR)
            world.write_group(world.tenants[FIRST], Group(id="g", displayName="g"), AUTHOR)
            world.clock.advance(100)
            catch_up(world, world.clock.now())
        assert granted(world) == [FIRST] * (3 + 2 + 2 + 2)

    def test_a_seed_that_fails_leaves_nothing_to_do(self, world: World) -> None:
        license_group(world, FIRST)

        def failing() -> None:
            with world.all_or_nothing():
                extra = TENANTS[0][:-1] + "9"
                plant(world, seed(extra))
                world.write_group(world.tenants[extra], Group(id="g", displayName="g"), AUTHOR, joining=[f"{extra}-0"])
                license_group(world, extra)
                raise ValueError("no such product")

        with pytest.raises(ValueError, match="no such product"):
            failing()
        world.clock.advance(100)
        catch_up(world, world.clock.now())
        assert granted(world) == [FIRST] * 3

    def test_after_a_reset_nobody_is_waited_for(self, world: World) -> None:
        license_group(world, THIRD)
        world.reset()
        world.clock.advance(100)
        catch_up(world, world.clock.now())
        assert granted(world) == []
