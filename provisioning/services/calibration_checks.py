"""Whether a tenant, a person and a group are a test's: each refusal is an InputError that says what to do instead."""

from provisioning.domain.errors import InputError
from provisioning.domain.groups import ObservedGroup
from provisioning.domain.ids import GroupId, SubjectId
from provisioning.domain.observation import Person
from provisioning.domain.tenancy import Tenant


def check_typed(tenant: Tenant, typed: str | None) -> None:
    """Whoever wants to write says once more, in full, where."""
    if (typed or "").strip().lower() != tenant.initial_domain.lower():
        raise InputError(
            f"To write to it, type the test tenant's first domain in full: "
            f"--i-know-this-is-a-test-tenant {tenant.initial_domain}"
        )


def require_test_person(user: SubjectId, person: Person | None) -> Person:
    """The person, if nobody can need them."""
    if person is None:
        raise InputError(f"Nobody in this tenant has the object id {user}.")
    if person.licences:
        raise InputError(
            f"{user} holds a licence, so it may be somebody real. Make a person for the test, without licences; if a "
            "calibration was interrupted, run it again with its own journal."
        )
    if person.is_guest or not person.usage_location:
        raise InputError(f"{user} must be a member of the tenant and have a usage location.")
    return person


def require_test_group(group_id: GroupId, group: ObservedGroup | None) -> ObservedGroup:
    """The group, if nobody can need it."""
    if group is None:
        raise InputError(f"No group in this tenant has the id {group_id}.")
    if group.members or group.licences or not group.is_complete:
        raise InputError(f"Group {group_id} has members or licences, so it may be somebody's. Make an empty one.")
    if not group.takes_members or not group.is_security:
        raise InputError(f"Group {group_id} must be a security group with members of its own, without rule or sync.")
    return group
