"""Graph's resources in Microsoft's own names, as far as we read and write them.

learn.microsoft.com: "user resource type", "licenseAssignmentState", "subscribedSku", "companySubscription",
"group resource type".
"""

from datetime import datetime

import msgspec

# ── read ─────────────────────────────────────────────────────────────────────────────────────────────────


class AssignmentState(msgspec.Struct, frozen=True, gc=False):
    """Hashable, so that equal entries of a census become one licence value."""

    skuId: str
    disabledPlans: tuple[str, ...] = ()
    assignedByGroup: str | None = None
    state: str = "Active"
    error: str | None = None


class User(msgspec.Struct, gc=False):
    id: str
    userPrincipalName: str = ""
    accountEnabled: bool | None = None
    userType: str | None = None
    usageLocation: str | None = None
    department: str | None = None
    companyName: str | None = None
    officeLocation: str | None = None
    employeeType: str | None = None
    onPremisesExtensionAttributes: dict[str, str | None] | None = None
    licenseAssignmentStates: list[AssignmentState] = []


USER_FIELDS = list(User.__struct_fields__)


class UserKey(msgspec.Struct, gc=False):
    """One of the properties by which a person is found again in another tenant; only the one asked for is there."""

    id: str
    employeeId: str | None = None
    onPremisesImmutableId: str | None = None
    mailNickname: str | None = None


class Member(msgspec.Struct, gc=False):
    """A directory object, or an education user (which alone has a role)."""

    id: str
    type: str | None = msgspec.field(name="@odata.type", default=None)
    primaryRole: str | None = None


class GroupLicense(msgspec.Struct, gc=False):
    skuId: str
    disabledPlans: list[str] = []


class ProcessingState(msgspec.Struct):
    state: str | None = None


class Group(msgspec.Struct):
    id: str
    mailNickname: str | None = None
    securityEnabled: bool | None = None
    groupTypes: list[str] = []
    membershipRule: str | None = None
    onPremisesSyncEnabled: bool | None = None
    assignedLicenses: list[GroupLicense] = []
    licenseProcessingState: ProcessingState | None = None


GROUP_FIELDS = list(Group.__struct_fields__)


class ServicePlan(msgspec.Struct):
    servicePlanId: str
    servicePlanName: str = ""
    appliesTo: str = "User"


class LicenseUnits(msgspec.Struct):
    enabled: int = 0
    suspended: int = 0
    warning: int = 0
    lockedOut: int = 0


class SubscribedSku(msgspec.Struct):
    skuId: str
    skuPartNumber: str = ""
    appliesTo: str = "User"
    capabilityStatus: str = ""
    consumedUnits: int = 0
    prepaidUnits: LicenseUnits = msgspec.field(default_factory=LicenseUnits)
    servicePlans: list[ServicePlan] = []


class CompanySubscription(msgspec.Struct):
    id: str
    skuId: str
    status: str = ""
    totalLicenses: int = 0
    nextLifecycleDateTime: datetime | None = None


class VerifiedDomain(msgspec.Struct):
    name: str
    isInitial: bool = False


class Organization(msgspec.Struct):
    id: str
    verifiedDomains: list[VerifiedDomain] = []
    countryLetterCode: str | None = None
    defaultUsageLocation: str | None = None


class Page(msgspec.Struct):
    """One page of any collection; `value` is decoded by who knows what it holds."""

    value: msgspec.Raw
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)


class Discovery(msgspec.Struct):
    """As much of openid-configuration as names the tenant: https://<authority>/<tenant id>/v2.0."""

    issuer: str


class Claims(msgspec.Struct):
    """What an app-only token says of itself; unsigned permissions are simply absent."""

    tid: str
    roles: frozenset[str] = frozenset()


# ── errors ───────────────────────────────────────────────────────────────────────────────────────────────


class InnerError(msgspec.Struct):
    request_id: str | None = msgspec.field(name="request-id", default=None)


class MainError(msgspec.Struct):
    code: str = ""
    message: str = ""
    innerError: InnerError | None = None


class ErrorBody(msgspec.Struct):
    error: MainError


# ── write ────────────────────────────────────────────────────────────────────────────────────────────────


class AddLicense(msgspec.Struct):
    skuId: str
    disabledPlans: list[str]


class AssignLicense(msgspec.Struct):
    """Both arrays are always sent: Graph refuses a body that lacks one, and a missing list of plans enables all."""

    addLicenses: list[AddLicense]
    removeLicenses: list[str]


class UserPatch(msgspec.Struct):
    usageLocation: str


class GroupPatch(msgspec.Struct):
    """Adds to the members; it takes nobody away."""

    members: list[str] = msgspec.field(name="members@odata.bind")


class NewGroup(msgspec.Struct):
    displayName: str
    mailNickname: str
    mailEnabled: bool = False
    securityEnabled: bool = True


class Created(msgspec.Struct):
    """As much of a new object as we keep."""

    id: str


class Nothing(msgspec.Struct):
    """{}"""


WriteBody = AssignLicense | UserPatch | GroupPatch | NewGroup | Nothing


class BatchItem(msgspec.Struct, omit_defaults=True):
    id: str
    method: str
    url: str
    headers: dict[str, str] = {}
    body: WriteBody | None = None
    dependsOn: list[str] = []


class BatchPart(msgspec.Struct):
    """One answer inside a batch; its body is decoded only when it is needed."""

    id: str
    status: int
    headers: dict[str, str] | None = None
    body: msgspec.Raw = msgspec.Raw(b"null")


class BatchRequest(msgspec.Struct):
    requests: list[BatchItem]


class BatchResponse(msgspec.Struct):
    responses: list[BatchPart]
