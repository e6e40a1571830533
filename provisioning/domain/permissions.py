"""What a tenant consented to, and what that lets us do.

learn.microsoft.com: "Microsoft Graph permissions reference", "user: assignLicense", "user: reprocessLicenseAssignment".
"""

from collections.abc import Collection, Mapping

from provisioning.domain.operation import StepKind

READ = frozenset({"Organization.Read.All", "User.Read.All", "GroupMember.Read.All"})
LICENCES = READ | {"LicenseAssignment.ReadWrite.All"}
PEOPLE = LICENCES | {"User.ReadWrite.All"}
GROUPS = PEOPLE | {"Group.Create", "GroupMember.ReadWrite.All"}

TIERS: tuple[frozenset[str], ...] = (READ, LICENCES, PEOPLE, GROUPS)

_FOR_STEP: Mapping[StepKind, str] = {
    StepKind.ASSIGN: "LicenseAssignment.ReadWrite.All",
    StepKind.REMOVE: "LicenseAssignment.ReadWrite.All",
    StepKind.SWAP: "LicenseAssignment.ReadWrite.All",
    StepKind.SET_PLANS: "LicenseAssignment.ReadWrite.All",
    StepKind.LICENSE_GROUP: "LicenseAssignment.ReadWrite.All",
    StepKind.SET_USAGE_LOCATION: "User.ReadWrite.All",
    StepKind.REPROCESS: "User.ReadWrite.All",
    StepKind.CREATE_GROUP: "Group.Create",
    StepKind.ADD_MEMBERS: "GroupMember.ReadWrite.All",
    StepKind.REMOVE_MEMBER: "GroupMember.ReadWrite.All",
}

_IMPLIED_BY: Mapping[str, frozenset[str]] = {
    "Organization.Read.All": frozenset(
        {"Organization.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
    ),
    "User.Read.All": frozenset({"User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}),
    "GroupMember.Read.All": frozenset(
        {
            "GroupMember.ReadWrite.All",
            "Group.Read.All",
            "Group.ReadWrite.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        },
    ),
    "LicenseAssignment.ReadWrite.All": frozenset({"Directory.ReadWrite.All"}),
    "User.ReadWrite.All": frozenset({"Directory.ReadWrite.All"}),
    "Group.Create": frozenset({"Group.ReadWrite.All", "Directory.ReadWrite.All"}),
    "GroupMember.ReadWrite.All": frozenset({"Group.ReadWrite.All", "Directory.ReadWrite.All"}),
}


def missing_for(kinds: Collection[StepKind], roles: Collection[str]) -> frozenset[str]:
    """The permissions, least privileged first choice, that a token with `roles` lacks to read and do `kinds`."""
    needed = READ | {_FOR_STEP[kind] for kind in kinds if kind in _FOR_STEP}
    return frozenset(permission for permission in needed if not _grants(permission, roles))


def tier_for(kinds: Collection[StepKind]) -> int:
    """The lowest tier whose consent covers `kinds`."""
    return next(number for number, tier in enumerate(TIERS) if not missing_for(kinds, tier))


def _grants(permission: str, roles: Collection[str]) -> bool:
    return permission in roles or not _IMPLIED_BY[permission].isdisjoint(roles)
