"""Control of what only delta and the roster tell: deleted people who go for ever, schools that come and change."""

import msgspec

from provisioning.sandbox.control_settings import Answer, get_tenant
from provisioning.sandbox.errors import AbsentError
from provisioning.sandbox.ledger import Author
from provisioning.sandbox.model import School
from provisioning.sandbox.wire import Request
from provisioning.sandbox.world import World

_CONTROL = Author()


class Purge(msgspec.Struct, forbid_unknown_fields=True):
    tenant: str
    user: str


def purge_user(world: World, request: Request) -> Answer:
    """Delete a person for ever, out of the recycle bin too: delta then says "deleted", not "changed"."""
    wanted = msgspec.json.decode(request.body, type=Purge)
    tenant = get_tenant(world, wanted.tenant)
    user_id = tenant.directory.find_id(wanted.user)
    if user_id is None:
        raise AbsentError(f"Tenant {tenant.id} never had a user {wanted.user}.")
    world.remove_user(tenant, user_id, _CONTROL)
    tenant.changes.purge(world.clock.now(), user_id)
    return {"tenant": tenant.id, "id": user_id}


class SchoolChange(msgspec.Struct, forbid_unknown_fields=True):
    tenant: str
    school: School


def put_school(world: World, request: Request) -> School:
    """Add a school to the roster or replace it, people included."""
    wanted = msgspec.json.decode(request.body, type=SchoolChange)
    tenant, school = get_tenant(world, wanted.tenant), wanted.school
    strangers = [member for member in school.members if tenant.directory.find_id(member) is None]
    if strangers:
        raise AbsentError(f"Tenant {tenant.id} has no user {strangers[0]}.")
    school.members = [tenant.directory.find_id(member) or member for member in school.members]
    tenant.school_changes.record(world.clock.now(), school.id, tenant.schools.get(school.id), school)
    tenant.schools[school.id] = school
    return school
