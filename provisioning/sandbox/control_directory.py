"""Control of what tenants hold: apps, consents, users, groups."""

from typing import Any

import msgspec

from provisioning.sandbox import seed
from provisioning.sandbox.clock import to_moment
from provisioning.sandbox.consent import grant, withdraw
from provisioning.sandbox.control_settings import Answer, get_tenant, needed
from provisioning.sandbox.errors import AbsentError
from provisioning.sandbox.ledger import Author
from provisioning.sandbox.ledger import to_json as state_to_json
from provisioning.sandbox.model import Group, User
from provisioning.sandbox.seed import SeedApp
from provisioning.sandbox.tenants import Tenant
from provisioning.sandbox.wire import Request
from provisioning.sandbox.world import World

CONTROL = Author()


def register(world: World, request: Request) -> Answer:
    app = seed.register_app(world, msgspec.json.decode(request.body, type=SeedApp))
    return {"id": app.id, "secrets": len(app.secrets), "certificates": len(app.certificates)}


class Consent(msgspec.Struct, forbid_unknown_fields=True):
    tenant: str
    app: str
    roles: list[str] | None = None
    enabled: bool | None = None


def grant_consent(world: World, request: Request) -> Answer:
    """Add permissions, and switch the service principal on or off."""
    consent = msgspec.json.decode(request.body, type=Consent)
    tenant = get_tenant(world, consent.tenant)
    principal = grant(world, tenant, consent.app.lower(), frozenset(consent.roles or ()))
    principal.is_enabled = principal.is_enabled if consent.enabled is None else consent.enabled
    return {
        "tenant": tenant.id,
        "app": principal.app_id,
        "roles": sorted(principal.roles),
        "enabled": principal.is_enabled,
    }


def withdraw_consent(world: World, request: Request) -> Answer:
    """`?tenant=&app=&roles=a,b`; without roles the whole service principal goes."""
    options = request.options
    tenant, app_id = get_tenant(world, needed(options, "tenant")), needed(options, "app").lower()
    roles = options.get("roles")
    withdraw(tenant, app_id, frozenset(roles.split(",")) if roles else None)
    principal = tenant.principals.get(app_id)
    return {"tenant": tenant.id, "app": app_id, "roles": sorted(principal.roles) if principal else None}


class UserChange(msgspec.Struct, forbid_unknown_fields=True):
    tenant: str
    user: dict[str, Any]


def read_user(world: World, request: Request) -> Answer:
    """The current state of a person, past all replicas: `?tenant=&user=`."""
    tenant = get_tenant(world, needed(request.options, "tenant"))
    return _answer(_get_user(tenant, needed(request.options, "user")))


def add_user(world: World, request: Request) -> Answer:
    wanted = msgspec.json.decode(request.body, type=UserChange)
    tenant = get_tenant(world, wanted.tenant)
    user = seed.new_user(tenant, wanted.user, to_moment(world.clock.now()))
    if tenant.directory.find_id(user.userPrincipalName) or tenant.directory.users.get(user.id):
        raise ValueError(f"Tenant {tenant.id} already has a user with id {user.id} or this user principal name.")
    world.put_user(tenant, user, CONTROL)
    return _answer(user)


def change_user(world: World, request: Request) -> Answer:
    """Change any property, `assignments` included; `user.id` (or a UPN there) says whose."""
    wanted = msgspec.json.decode(request.body, type=UserChange)
    tenant = get_tenant(world, wanted.tenant)
    before = _get_user(tenant, str(wanted.user.pop("id", "")))
    if "assignments" in wanted.user:
        moment = to_moment(world.clock.now())
        wanted.user["assignments"] = seed.to_assignments(wanted.user["assignments"], moment)
    after = msgspec.convert({**msgspec.to_builtins(before), **msgspec.to_builtins(wanted.user)}, User)
    if tenant.directory.find_id(after.userPrincipalName) not in {None, after.id}:
        raise ValueError(f"Tenant {tenant.id} already has a user with this user principal name.")
    world.put_user(tenant, after, CONTROL)
    return _answer(after)


def delete_user(world: World, request: Request) -> Answer:
    """`?tenant=&user=`: the account goes and its seats come free."""
    tenant = get_tenant(world, needed(request.options, "tenant"))
    user = _get_user(tenant, needed(request.options, "user"))
    world.remove_user(tenant, user.id, CONTROL)
    return _answer(user)


class GroupChange(msgspec.Struct, forbid_unknown_fields=True):
    tenant: str
    group: Group


def put_group(world: World, request: Request) -> Group:
    """Add a group or replace it, members included."""
    wanted = msgspec.json.decode(request.body, type=GroupChange)
    tenant = get_tenant(world, wanted.tenant)
    wanted.group.members = [_get_user(tenant, member).id for member in wanted.group.members]
    tenant.groups[wanted.group.id] = wanted.group
    return wanted.group


def _answer(user: User) -> Answer:
    return {"id": user.id, **(state_to_json(user) or {})}


def _get_user(tenant: Tenant, id_or_upn: str) -> User:
    user = tenant.directory.users.get(tenant.directory.find_id(id_or_upn) or "")
    if user is None:
        raise AbsentError(f"Tenant {tenant.id} has no user {id_or_upn}.")
    return user
