"""Groups of a seed, and what was unfinished in them when the world was saved."""

from provisioning.sandbox.errors import GraphError
from provisioning.sandbox.membership_rules import compile_rule
from provisioning.sandbox.model import Group, SeedGroup
from provisioning.sandbox.processing import IN_PROGRESS, QUEUED
from provisioning.sandbox.tenants import Tenant
from provisioning.sandbox.world import World


def plant_groups(world: World, tenant: Tenant, seeds: list[SeedGroup]) -> None:
    """All groups before the first member, for groups may be members. What was unfinished is taken up again."""
    for seed in seeds:
        tenant.groups.put(to_group(tenant, seed, with_members=False)[0])
    for seed in seeds:
        group, members = to_group(tenant, seed)
        tenant.groups.join(group.id, members)
        _take_up(world, tenant, group)


def _take_up(world: World, tenant: Tenant, group: Group) -> None:
    now = world.clock.now()
    if group.is_dynamic and group.membershipRuleProcessingState == "On":
        world.enqueue(tenant, group.id, [None], now, is_rule=True)
    if group.processing in {QUEUED, IN_PROGRESS}:
        present = filter(None, tenant.directory.users.values())
        holders = (user.id for user in present if any(held.assignedByGroup == group.id for held in user.assignments))
        people = dict.fromkeys([*tenant.groups.members(group.id), *holders])
        world.enqueue(tenant, group.id, people or [None], now)


def to_group(tenant: Tenant, seed: SeedGroup, *, with_members: bool = True) -> tuple[Group, list[str]]:
    """The group and its members' ids; raises ValueError for a rule or a member that the twin does not know.

    A rule that is paused decides about nobody, so it need not be known.
    """
    properties = {name: getattr(seed, name) for name in Group.__struct_fields__}
    group = Group(**{**properties, "id": seed.id.lower()})
    if group.is_dynamic and group.membershipRule and group.membershipRuleProcessingState != "Paused":
        try:
            compile_rule(group.membershipRule)
        except GraphError as error:
            raise ValueError(f"Group {group.id}: {error.message}") from error
    return group, [find_member(tenant, member) for member in seed.members] if with_members else []


def find_member(tenant: Tenant, id_or_upn: str) -> str:
    """The id of a user or group; raises ValueError where the tenant has neither."""
    member = id_or_upn.lower() if tenant.groups.get(id_or_upn.lower()) else tenant.directory.find_id(id_or_upn)
    if member is None:
        raise ValueError(f"A group names a member {id_or_upn} that tenant {tenant.id} does not have.")
    return member
