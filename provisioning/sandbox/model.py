"""What a tenant of the twin holds. A user's state is immutable: the ledger and the replicas keep old ones.

Attribute names of `User` and `Assignment` are Graph's own, so that a state is encoded without translation.
"""

from collections import Counter, defaultdict
from typing import Any, Literal

import msgspec

# What a service plan may be in a tenant, beside Disabled for one person (learn.microsoft.com: servicePlanInfo).
PlanStatus = Literal["Success", "Error", "PendingInput", "PendingActivation", "PendingProvisioning", "Disabled"]
CONSUMING_STATES = frozenset({"Active", "ActiveWithError"})
EXTENSION_ATTRIBUTES = tuple(f"extensionAttribute{number}" for number in range(1, 16))


class Assignment(msgspec.Struct, frozen=True, gc=False):
    """One entry of licenseAssignmentStates; `error` is the string "None" when all is well, as Graph answers."""

    skuId: str
    lastUpdatedDateTime: str
    disabledPlans: tuple[str, ...] = ()
    assignedByGroup: str | None = None
    state: str = "Active"
    error: str = "None"

    @property
    def is_direct(self) -> bool:
        return self.assignedByGroup is None

    @property
    def consumes(self) -> bool:
        return self.state in CONSUMING_STATES


class User(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    id: str
    userPrincipalName: str
    displayName: str | None = None
    givenName: str | None = None
    surname: str | None = None
    mail: str | None = None
    accountEnabled: bool = True
    userType: str = "Member"
    usageLocation: str | None = None
    department: str | None = None
    companyName: str | None = None
    officeLocation: str | None = None
    jobTitle: str | None = None
    employeeId: str | None = None
    employeeType: str | None = None
    onPremisesImmutableId: str | None = None
    nickname: str | None = msgspec.field(default=None, name="mailNickname")
    mobilePhone: str | None = None
    preferredLanguage: str | None = None
    onPremisesSyncEnabled: bool | None = None
    isManagementRestricted: bool | None = None
    createdDateTime: str | None = None
    businessPhones: tuple[str, ...] = ()
    extensions: dict[str, str] | None = None
    primaryRole: str = "none"
    assignments: tuple[Assignment, ...] = ()

    @property
    def mailNickname(self) -> str:  # noqa: N802 - a wire name
        """Everybody has one; where no seed says otherwise it is what stands before the @, as admin centers propose."""
        return self.nickname or self.userPrincipalName.partition("@")[0]

    @property
    def licenseAssignmentStates(self) -> tuple[Assignment, ...]:  # noqa: N802 - a wire name
        return self.assignments

    @property
    def assignedLicenses(self) -> list[dict[str, Any]]:  # noqa: N802 - a wire name
        """Direct and inherited merged: a plan is disabled only if every assignment of the SKU disables it."""
        merged: dict[str, tuple[str, ...]] = {}
        for held in self.assignments:
            if held.consumes:
                others = merged.get(held.skuId, held.disabledPlans)
                merged[held.skuId] = tuple(plan for plan in held.disabledPlans if plan in others)
        return [{"disabledPlans": plans, "skuId": sku_id} for sku_id, plans in merged.items()]

    @property
    def onPremisesExtensionAttributes(self) -> dict[str, str | None]:  # noqa: N802 - a wire name
        held = self.extensions or {}
        return {name: held.get(name) for name in EXTENSION_ATTRIBUTES}

    def fails_in(self, group_id: str) -> bool:
        """Whether a licence from the group is in error."""
        return any(held.assignedByGroup == group_id and held.error != "None" for held in self.assignments)

    @property
    def consumed_skus(self) -> frozenset[str]:
        return frozenset(held.skuId for held in self.assignments if held.consumes)


class GroupLicence(msgspec.Struct, frozen=True):
    """A SKU that a group gives its members."""

    skuId: str
    disabledPlans: tuple[str, ...] = ()


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A group without its members, which `memberships.Groups` keeps; `processing`: licenseProcessingState.state."""

    id: str
    displayName: str
    description: str | None = None
    groupTypes: tuple[str, ...] = ()
    securityEnabled: bool = True
    mailEnabled: bool = False
    mailNickname: str | None = None
    membershipRule: str | None = None
    membershipRuleProcessingState: str | None = None
    onPremisesSyncEnabled: bool | None = None
    createdDateTime: str | None = None
    assignedLicenses: tuple[GroupLicence, ...] = ()
    processing: str | None = None

    @property
    def is_dynamic(self) -> bool:
        return "DynamicMembership" in self.groupTypes

    @property
    def licenseProcessingState(self) -> dict[str, str] | None:  # noqa: N802 - a wire name
        """Null for a group that never had a licence."""
        state = self.processing or ("ProcessingComplete" if self.assignedLicenses else None)
        return {"state": state} if state else None


class SeedGroup(Group, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group as seeds and the control API write it: with its members."""

    members: tuple[str, ...] = ()


class School(msgspec.Struct, kw_only=True):
    """`administrativeUnit` is the id of the unit that holds the school's people, if the tenant has one."""

    id: str
    displayName: str
    externalId: str | None = None
    schoolNumber: str | None = None
    administrativeUnit: str | None = None
    members: list[str] = []


class Contract(msgspec.Struct, kw_only=True):
    """One customer of a partner tenant."""

    id: str
    customerId: str
    defaultDomainName: str
    displayName: str
    contractType: str = "ResellerPartnerContract"


class AdministrativeUnit(msgspec.Struct, kw_only=True):
    id: str
    displayName: str
    members: list[str] = []


class ServicePrincipal(msgspec.Struct, kw_only=True):
    """An app in a tenant, with the application permissions consented there.

    `pending` says from which moment the fresh ones are in new tokens.
    """

    app_id: str
    object_id: str
    roles: frozenset[str] = frozenset()
    is_enabled: bool = True
    effective_from: float = 0.0
    pending: dict[str, float] = {}

    def roles_at(self, now: float) -> frozenset[str]:
        return frozenset(role for role in self.roles if self.pending.get(role, now) <= now)


class Directory:
    """The users of one tenant. A deleted user leaves a None behind, so that pages keep their positions."""

    def __init__(self) -> None:
        self.users: dict[str, User | None] = {}
        self.order: list[str] = []
        self.count = 0
        self.consumed: Counter[str] = Counter()
        self.failing: defaultdict[str, dict[str, None]] = defaultdict(dict)  # group → people its licences fail for
        self._by_upn: dict[str, str] = {}

    def find_id(self, id_or_upn: str) -> str | None:
        wanted = id_or_upn.lower()
        return wanted if wanted in self.users else self._by_upn.get(wanted)

    def put(self, after: User) -> User | None:
        """Store `after` and return the state it replaces."""
        before = self.users.get(after.id)
        if after.id not in self.users:
            self.order.append(after.id)
        self.users[after.id] = after
        self._account(before, after)
        return before

    def remove(self, user_id: str) -> User | None:
        """Forget the user and free the seats; returns the last state."""
        before = self.users.get(user_id)
        if before is not None:
            self.users[user_id] = None
            self._account(before, None)
        return before

    def _account(self, before: User | None, after: User | None) -> None:
        self.count += (after is not None) - (before is not None)
        if before is None or after is None or before.userPrincipalName != after.userPrincipalName:
            self._rename(before, after)
        if before is None or after is None or before.assignments is not after.assignments:
            self.consumed.subtract(before.consumed_skus if before else ())
            self.consumed.update(after.consumed_skus if after else ())
            self._note_failing(before, after)

    def _note_failing(self, before: User | None, after: User | None) -> None:
        for user in filter(None, (before, after)):
            for held in user.assignments:
                if held.assignedByGroup and held.error != "None":
                    self.failing[held.assignedByGroup].pop(user.id, None)
                    if after and after.fails_in(held.assignedByGroup):
                        self.failing[held.assignedByGroup][user.id] = None

    def _rename(self, before: User | None, after: User | None) -> None:
        if before:
            self._by_upn.pop(before.userPrincipalName.lower(), None)
        if after:
            upn = after.userPrincipalName.lower()
            # In a large directory the names are a third of the memory: most are lower case, and kept once.
            self._by_upn[after.userPrincipalName if upn == after.userPrincipalName else upn] = after.id
