"""Application permissions in tiers, consented separately (learn.microsoft.com: Graph permissions reference).

Never Group.ReadWrite.All or Directory.ReadWrite.All: what a tier cannot do is said in the plan.
"""

from collections.abc import Collection

from provisioning.domain.operation import StepKind

ORGANISATION_READ = "Organization.Read.All"
USER_READ = "User.Read.All"
MEMBER_READ = "GroupMember.Read.All"
LICENCE_WRITE = "LicenseAssignment.ReadWrite.All"
USER_WRITE = "User.ReadWrite.All"
GROUP_CREATE = "Group.Create"
MEMBER_WRITE = "GroupMember.ReadWrite.All"

TIERS: tuple[frozenset[str], ...] = (
    frozenset({ORGANISATION_READ, USER_READ, MEMBER_READ}),
    frozenset({LICENCE_WRITE}),
    frozenset({USER_WRITE}),
    frozenset({GROUP_CREATE, MEMBER_WRITE}),
)

_NEEDED: dict[StepKind, str] = {
    StepKind.ASSIGN: LICENCE_WRITE,
    StepKind.REMOVE: LICENCE_WRITE,
    StepKind.SWAP: LICENCE_WRITE,
    StepKind.SET_PLANS: LICENCE_WRITE,
    StepKind.LICENSE_GROUP: LICENCE_WRITE,
    StepKind.SET_USAGE_LOCATION: USER_WRITE,
    StepKind.REPROCESS: USER_WRITE,
    StepKind.CREATE_GROUP: GROUP_CREATE,
    StepKind.ADD_MEMBERS: MEMBER_WRITE,
    StepKind.REMOVE_MEMBER: MEMBER_WRITE,
}

# a wider permission that includes a narrower one
_INCLUDES: dict[str, frozenset[str]] = {
    USER_WRITE: frozenset({USER_READ, LICENCE_WRITE}),
    MEMBER_WRITE: frozenset({MEMBER_READ}),
}


def effective(permissions: Collection[str]) -> frozenset[str]:
    """The permissions with everything that the wider ones include."""
    return frozenset(permissions).union(*(_INCLUDES.get(one, frozenset()) for one in permissions))


def missing_to_read(permissions: Collection[str]) -> frozenset[str]:
    return TIERS[0] - effective(permissions)


def missing_for(kinds: Collection[StepKind], permissions: Collection[str]) -> frozenset[str]:
    """What the token's roles lack for these kinds of step."""
    return frozenset(_NEEDED[kind] for kind in kinds if kind in _NEEDED) - effective(permissions)
