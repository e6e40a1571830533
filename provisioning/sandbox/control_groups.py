"""Control of groups, past all replicas: what others do to them behind a client's back."""

from typing import Any

import msgspec

from provisioning.sandbox.control_settings import Answer, get_tenant
from provisioning.sandbox.errors import AbsentError
from provisioning.sandbox.export import to_seed
from provisioning.sandbox.ledger import Author
from provisioning.sandbox.model import Group, SeedGroup
from provisioning.sandbox.seed_groups import find_member, to_group
from provisioning.sandbox.tenants import Tenant
from provisioning.sandbox.wire import Request
from provisioning.sandbox.world import World

_CONTROL = Author()


class NewGroup(msgspec.Struct, forbid_unknown_fields=True):
    tenant: str
    group: SeedGroup


class GroupChange(msgspec.Struct, forbid_unknown_fields=True):
    """`group` names the properties that change and whose they are; `join` and `leave` are ids or UPNs."""

    tenant: str
    group: dict[str, Any]
    join: list[str] = []
    leave: list[str] = []


def read_groups(world: World, request: Request) -> Answer | SeedGroup:
    """`?tenant=&group=`: a group with its members as they are; without `group` all of them."""
    tenant, group_id = get_tenant(world, request.options.get("tenant", "")), request.options.get("group")
    if group_id:
        return to_seed(tenant, _get_group(tenant, group_id))
    return {"value": [to_seed(tenant, group) for group in tenant.groups]}


def put_group(world: World, request: Request) -> SeedGroup:
    """Add a group or replace it, members included."""
    wanted = msgspec.json.decode(request.body, type=NewGroup)
    tenant = get_tenant(world, wanted.tenant)
    group, members = to_group(tenant, wanted.group)
    former = set(tenant.groups.members(group.id)).difference(members)
    world.write_group(tenant, group, _CONTROL, joining=members, leaving=former)
    return _answer(tenant, group.id)


def change_group(world: World, request: Request) -> SeedGroup:
    """Change some properties, `assignedLicenses` and `groupTypes` among them, and some members."""
    wanted = msgspec.json.decode(request.body, type=GroupChange)
    tenant = get_tenant(world, wanted.tenant)
    before = _get_group(tenant, str(wanted.group.pop("id", "")))
    changed = msgspec.convert({**msgspec.to_builtins(before), **wanted.group}, SeedGroup)
    group, _ = to_group(tenant, changed)
    joining, leaving = ([find_member(tenant, one) for one in ids] for ids in (wanted.join, wanted.leave))
    world.write_group(tenant, group, _CONTROL, joining=joining, leaving=leaving)
    return _answer(tenant, group.id)


def delete_group(world: World, request: Request) -> Answer:
    """`?tenant=&group=`: the group goes, also when it is licensed; its people lose what it gave them."""
    tenant = get_tenant(world, request.options.get("tenant", ""))
    group = _get_group(tenant, request.options.get("group", ""))
    world.remove_group(tenant, group.id, _CONTROL)
    return {"id": group.id}


def _get_group(tenant: Tenant, group_id: str) -> Group:
    group = tenant.groups.get(group_id.lower())
    if group is None:
        raise AbsentError(f"Tenant {tenant.id} has no group {group_id}.")
    return group


def _answer(tenant: Tenant, group_id: str) -> SeedGroup:
    return to_seed(tenant, _get_group(tenant, group_id))
