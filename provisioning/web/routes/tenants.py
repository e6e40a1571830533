"""Entra tenants: known, bound to organisations, and what their schools want."""

from datetime import date
from typing import Annotated, Any

import msgspec
from pydantic import Field

from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import GroupId
from provisioning.domain.tenancy import AssignmentMode, Binding, Policy, Tenant
from provisioning.services.paging import Page, cut
from provisioning.services.set_policy import PolicyChange
from provisioning.services.show_tenants import TenantSheet
from provisioning.web.calls import Address, Body, Named, PageWanted, Person, Text
from provisioning.web.routing import router as routes_about

router = routes_about("tenants")

_Selector = Annotated[dict[str, Any], Field(description="As docs/operators-manual.md tells: who belongs to it.")]


class NewTenant(Body):
    """`domain`: one of the tenant's, or its id."""

    domain: Text


class NewBinding(Body):
    organisation: Text
    valid_from: date | None = None
    valid_until: date | None = None
    is_transition: bool = False
    selectors: dict[Audience, _Selector] = {}


class Confirmation(Body):
    """`returned`: the address on which the school came back from consent. `on`: a day of the binding."""

    organisation: Text
    returned: Address | None = None
    on: date | None = None


class Selection(Body):
    organisation: Text
    audience: Audience
    selector: _Selector
    on: date | None = None


class WantedPolicy(Body):
    """What should differ from the policy in force. `asked_by`: a reference to who at the school asked, no name."""

    asked_by: Text
    valid_from: date | None = None
    assignment_mode: AssignmentMode | None = None
    group_id: Text | None = None
    managed_by: Text | None = None
    usage_location: Text | None = None
    seat_priority: list[Text] | None = None
    disabled_plans: dict[Text, list[Text]] = {}


class Approval(Body):
    """`digest`: at least its first 8 characters, as shown."""

    digest: Text


class ForOrganisation(Body):
    organisation: Text


class ConsentLink(msgspec.Struct, frozen=True, kw_only=True):
    """`url` is None when the request was sent before: a link opens a tenant to us, so none is kept."""

    url: str | None

    def to_keep(self) -> "ConsentLink":
        return ConsentLink(url=None)


@router.post("")
def add(caller: Person, tenant: NewTenant) -> Tenant:
    """Find the tenant that owns a domain, and look at it. Adding it again looks anew."""
    return caller.services.add_tenant(caller.identity, tenant.domain)


@router.get("")
def list_all(caller: Person, wanted: PageWanted) -> Page[Tenant]:
    """Every tenant we know, by domain."""
    rows = caller.services.show_tenants()
    ordered = sorted(rows, key=_place)
    return cut(ordered, wanted, tuple[str, str], _place)


@router.get("/{tenant}")
def show(caller: Person, tenant: Named) -> TenantSheet:
    """One tenant with its bindings, policy, stops and operations."""
    return caller.services.show_tenants.one(tenant)


@router.post("/{tenant}/bind")
def bind(caller: Person, tenant: Named, binding: NewBinding) -> Binding:
    """Say that an organisation uses a tenant. A second person confirms it."""
    return caller.services.bind_tenant(
        caller.identity,
        binding.organisation,
        tenant,
        valid_from=binding.valid_from,
        valid_until=binding.valid_until,
        is_transition=binding.is_transition,
        selectors={audience: _text(selector) for audience, selector in binding.selectors.items()},
    )


@router.post("/{tenant}/confirm")
def confirm(caller: Person, tenant: Named, confirmation: Confirmation) -> Binding:
    """Confirm that the tenant is the organisation's own: another person than who bound it, and two facts."""
    return caller.services.confirm_binding(
        caller.identity,
        confirmation.organisation,
        tenant,
        returned_address=confirmation.returned,
        on=confirmation.on,
    )


@router.post("/{tenant}/select")
def select(caller: Person, tenant: Named, chosen: Selection) -> Binding:
    """Say who of the tenant belongs to the organisation. The binding is confirmed anew afterwards."""
    text = _text(chosen.selector)
    return caller.services.set_selector(caller.identity, chosen.organisation, tenant, chosen.audience, text, chosen.on)


@router.post("/{tenant}/policy")
def propose_policy(caller: Person, tenant: Named, wanted: WantedPolicy) -> Policy:
    """Propose another policy. A second person puts it in force."""
    change = PolicyChange(
        asked_by=wanted.asked_by,
        valid_from=wanted.valid_from,
        assignment_mode=wanted.assignment_mode,
        group_id=GroupId(wanted.group_id) if wanted.group_id else None,
        managed_by=wanted.managed_by,
        usage_location=wanted.usage_location,
        seat_priority=None if wanted.seat_priority is None else tuple(wanted.seat_priority),
        disabled_plans=wanted.disabled_plans,
    )
    return caller.services.set_policy(caller.identity, tenant, change)


@router.post("/{tenant}/policy/approve")
def approve_policy(caller: Person, tenant: Named, approval: Approval) -> Policy:
    """Put a proposal in force."""
    return caller.services.approve_policy(caller.identity, tenant, approval.digest)


@router.post("/{tenant}/consent-url")
def consent_url(caller: Person, tenant: Named, whose: ForOrganisation) -> ConsentLink:
    """The link on which a school grants us consent. It carries our signature and ends after 30 days."""
    return ConsentLink(url=caller.services.consent_url(caller.identity, whose.organisation, tenant))


def _place(tenant: Tenant) -> tuple[str, str]:
    return tenant.initial_domain, tenant.tenant_id


def _text(selector: dict[str, Any]) -> str:
    return msgspec.json.encode(selector).decode()
