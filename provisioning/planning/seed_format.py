"""The sandbox's seed format, as far as a snapshot writes it; the names in it are Microsoft's.

The head of a tenant comes first, then its people one by one, then what is known only once all have been read: so
nobody has to hold a whole tenant.
"""

from collections.abc import Iterable, Iterator

import msgspec


class SeedStruct(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """What is left out of a seed has the sandbox's default."""


class SeedPlan(SeedStruct):
    service_plan_id: str
    service_plan_name: str
    applies_to: str = "User"


class SeedSku(SeedStruct):
    sku_id: str
    sku_part_number: str
    service_plans: tuple[SeedPlan, ...]
    applies_to: str = "User"


class SeedConsent(SeedStruct):
    app: str
    roles: tuple[str, ...]


class SeedSubscription(SeedStruct):
    sku_id: str
    total: int = msgspec.field(name="totalLicenses")
    id: str | None = None
    status: str = "Enabled"
    next_lifecycle: str | None = msgspec.field(name="nextLifecycleDateTime", default=None)


class SeedAssignment(SeedStruct):
    sku_id: str
    disabled_plans: tuple[str, ...] = ()
    assigned_by_group: str | None = None
    state: str = "Active"
    error: str = "None"


class SeedUser(SeedStruct):
    id: str
    user_principal_name: str
    account_enabled: bool = True
    user_type: str = "Member"
    usage_location: str | None = None
    department: str | None = None
    company_name: str | None = None
    office_location: str | None = None
    employee_type: str | None = None
    extensions: dict[str, str] | None = None
    primary_role: str = "none"
    assignments: tuple[SeedAssignment, ...] = ()


class SeedGroupLicence(msgspec.Struct, kw_only=True, rename="camel"):
    """Written whole: the sandbox keeps it as it is."""

    sku_id: str
    disabled_plans: tuple[str, ...] = ()


class SeedGroup(SeedStruct):
    id: str
    display_name: str
    mail_nickname: str | None = None
    group_types: tuple[str, ...] = ()
    security_enabled: bool = True
    membership_rule: str | None = None
    membership_rule_processing_state: str | None = None
    processing: str | None = None
    on_premises_sync_enabled: bool | None = None
    licences: tuple[SeedGroupLicence, ...] = msgspec.field(name="assignedLicenses", default=())
    members: tuple[str, ...] = ()


class SeedCollection(SeedStruct):
    """An administrative unit or a school: of both a seed knows no more than who is in them."""

    id: str
    display_name: str
    members: tuple[str, ...] = ()


class SeedHead(SeedStruct):
    """A tenant without people."""

    id: str
    display_name: str
    domains: tuple[str, ...]
    country: str
    default_usage_location: str | None
    consents: tuple[SeedConsent, ...] = ()
    subscriptions: tuple[SeedSubscription, ...] = ()


class SeedTail(msgspec.Struct, kw_only=True, rename="camel"):
    """What is known of a tenant once everybody has been read."""

    groups: tuple[SeedGroup, ...] = ()
    units: tuple[SeedCollection, ...] = msgspec.field(name="administrativeUnits", default=())
    schools: tuple[SeedCollection, ...] = ()
    remarks: tuple[str, ...] = ()


def write_head(skus: Iterable[SeedSku], head: SeedHead) -> bytes:
    """The beginning of a document of one tenant, up to its people."""
    catalogue = msgspec.json.encode({"skus": list(skus)})
    tenant = msgspec.json.encode(head).removesuffix(b"}")
    return b'{"catalogue":' + catalogue + b',\n"tenants":[' + tenant + b',\n"users":['


def write_people(people: Iterable[SeedUser], *, is_first: bool) -> Iterator[bytes]:
    """One line for each person."""
    encode = msgspec.json.Encoder().encode
    for user in people:
        yield (b"\n" if is_first else b",\n") + encode(user)
        is_first = False


def write_tail(tail: SeedTail) -> bytes:
    """The end of the document."""
    return b"\n],\n" + msgspec.json.encode(tail).removeprefix(b"{") + b"]}\n"
