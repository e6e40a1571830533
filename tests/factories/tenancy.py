"""Organisations, tenants, bindings and policies."""

from typing import Any

from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import Actor, BindingId, GroupId, OrganisationId, TenantId
from provisioning.domain.tenancy import (
    AssignmentMode,
    Binding,
    BindingEvidence,
    ConsentState,
    Organisation,
    OrganisationKind,
    Policy,
    Relation,
    RelationKind,
    Tenant,
)
from tests.factories import NOW, TODAY, guid, number

AUTHOR = Actor("person:author")
SECOND = Actor("person:second")
TWO_FACTS = frozenset({BindingEvidence.VERIFIED_DOMAIN, BindingEvidence.SIGNED_CONSENT})
EVERYONE = '{"everyone":true}'


def organisation(**fields: Any) -> Organisation:
    code = f"{number():05d}"
    defaults = {"organisation_id": OrganisationId(code), "kind": OrganisationKind.BOARD, "name": f"Board {code}"}
    return Organisation(**defaults | fields)


def relation(parent: str, child: str, **fields: Any) -> Relation:
    defaults = {"kind": RelationKind.HIERARCHICAL, "valid_from": TODAY}
    return Relation(parent_id=OrganisationId(parent), child_id=OrganisationId(child), **defaults | fields)


def tenant(**fields: Any) -> Tenant:
    name = f"school{number()}"
    defaults = {
        "tenant_id": TenantId(guid()),
        "initial_domain": f"{name}.onmicrosoft.example",
        "verified_domains": (f"{name}.example",),
        "country": "NL",
        "consent": ConsentState.GRANTED,
        "permissions": frozenset({"Organization.Read.All", "User.Read.All"}),
    }
    return Tenant(**defaults | fields)


def binding(organisation_id: str, tenant_id: str, *, confirmed: bool = True, **fields: Any) -> Binding:
    defaults = {
        "binding_id": BindingId(guid()),
        "organisation_id": organisation_id,
        "tenant_id": tenant_id,
        "valid_from": TODAY,
        "selectors": {Audience.FACULTY: EVERYONE},
        "created_by": AUTHOR,
    }
    confirmation = {"confirmed_by": SECOND, "confirmed_at": NOW, "evidence": TWO_FACTS} if confirmed else {}
    return Binding(**defaults | confirmation | fields)


def policy(tenant_id: str, **fields: Any) -> Policy:
    """Approved, and licences are given directly."""
    defaults = {
        "tenant_id": tenant_id,
        "valid_from": TODAY,
        "assignment_mode": AssignmentMode.DIRECT,
        "usage_location": "NL",
        "asked_by": "ticket 1",
        "created_by": AUTHOR,
        "approved_by": SECOND,
        "digest": f"{number():064x}",
    }
    return Policy(**defaults | fields)


def group_policy(tenant_id: str, **fields: Any) -> Policy:
    return policy(tenant_id, assignment_mode=AssignmentMode.GROUP, group_id=GroupId(guid()), **fields)
