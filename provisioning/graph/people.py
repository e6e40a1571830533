"""From Graph's users to our people: a page of 999 in milliseconds, equal licences as one value."""

from functools import lru_cache

import msgspec

from provisioning.domain.ids import GroupId, ServicePlanId, SkuId, SubjectId
from provisioning.domain.observation import HeldLicence, Person
from provisioning.graph import wire

_USERS = msgspec.json.Decoder(list[wire.User])
_USER = msgspec.json.Decoder(wire.User)


def decode_people(users: msgspec.Raw | bytes) -> list[Person]:
    """The users of one page; raises msgspec.DecodeError."""
    return [_to_person(user) for user in _USERS.decode(users)]


def decode_person(user: msgspec.Raw | bytes) -> Person:
    """One user; raises msgspec.DecodeError."""
    return _to_person(_USER.decode(user))


def _to_person(user: wire.User) -> Person:
    return Person(
        subject_id=SubjectId(user.id),
        domain=user.userPrincipalName.rpartition("@")[2].lower(),
        is_enabled=user.accountEnabled is not False,
        is_guest=user.userType == "Guest",
        usage_location=user.usageLocation,
        attributes=_attributes(user),
        licences=tuple([_to_licence(state) for state in user.licenseAssignmentStates]),
    )


def _attributes(user: wire.User) -> dict[str, str]:
    attributes = {}
    if user.department:
        attributes["department"] = user.department
    if user.companyName:
        attributes["companyName"] = user.companyName
    if user.officeLocation:
        attributes["officeLocation"] = user.officeLocation
    if user.employeeType:
        attributes["employeeType"] = user.employeeType
    if user.onPremisesExtensionAttributes:
        attributes |= {name: text for name, text in user.onPremisesExtensionAttributes.items() if text}
    return attributes


@lru_cache(maxsize=4096)  # a tenant of 100,000 people has a few dozen different entries
def _to_licence(state: wire.AssignmentState) -> HeldLicence:
    return HeldLicence(
        SkuId(state.skuId.lower()),
        frozenset(ServicePlanId(plan.lower()) for plan in state.disabledPlans),
        GroupId(state.assignedByGroup) if state.assignedByGroup else None,
        state.state,
        None if state.error in {None, "", "None"} else state.error,  # documented null is "None" on the wire
    )
