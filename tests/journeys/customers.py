"""Schools and boards as the twin, the register and our own tables know them."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid4, uuid5

from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import Actor, ArticleCode, BindingId, OrganisationId, TenantId
from provisioning.domain.tenancy import (
    AssignmentMode,
    Binding,
    BindingEvidence,
    Organisation,
    OrganisationKind,
    Policy,
    Relation,
    RelationKind,
)

A1 = "94763226-9b3c-4e75-a931-5c89701abe66"  # Office 365 A1 for faculty
A3 = "4b590615-0888-425a-a965-b3bf7789848d"  # Microsoft 365 A3 for faculty
A3_STAFF = ArticleCode("MS-BP-A3-MED")
A3_STAFF_MORE = ArticleCode("MS-BP-A3-MED-UITBR")
READ = ("Organization.Read.All", "User.Read.All", "GroupMember.Read.All")
ROLES = (*READ, "LicenseAssignment.ReadWrite.All", "User.ReadWrite.All")
GROUP_ROLES = (*ROLES, "Group.Create", "GroupMember.ReadWrite.All")
LONG_AGO = date(2020, 1, 1)
_FIRST, SECOND = Actor("person:first"), Actor("person:second")
Traits = Callable[["Customer", OrganisationId, int], Mapping[str, Any]]  # what is special about a member of staff
Groups = Callable[["Customer"], Iterable[Mapping[str, Any]]]  # those in the tenant from the beginning
FACTS = (BindingEvidence.VERIFIED_DOMAIN, BindingEvidence.EXPECTED_SUBSCRIPTION)


@dataclass(frozen=True)
class Customer:
    """A school, or a board with schools, and its tenant. `staff`: object ids by the code of their school."""

    code: OrganisationId
    tenant: TenantId
    domain: str
    staff: Mapping[OrganisationId, Sequence[str]]
    began: int  # where the twin's ledger stood
    lag: float

    @property
    def people(self) -> list[str]:
        return [person for members in self.staff.values() for person in members]


def seats_id(tenant: str) -> str:
    return str(uuid5(UUID(tenant), "seats"))


def person_id(tenant: str, school: str, number: int) -> str:
    return str(uuid5(UUID(tenant), f"{school} {number}"))


def staff_of(school: str) -> dict[str, Any]:
    """The selector of a school's staff; who works at two schools has the other one as office."""
    return {
        "all": [
            {"any": [{"attribute": name, "equals": school} for name in ("department", "officeLocation")]},
            {"attribute": "employeeType", "equals": "Personeel"},
        ]
    }


def school_code(number: int) -> str:
    return f"{10 + number // 400:02}{chr(65 + number // 20 % 20)}{chr(65 + number % 20)}00"


def staff_member(
    customer: Customer, school: str, number: int, location: str | None, held: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    return {
        "id": person_id(customer.tenant, school, number),
        "userPrincipalName": f"medewerker-{number:04}.{school.lower()}@{customer.domain}",
        "department": school,
        "employeeType": "Personeel",
        "usageLocation": location,
        "assignments": list(held),
    }


def organisation(code: OrganisationId, board: str | None) -> Organisation:
    return Organisation(organisation_id=code, kind=OrganisationKind.LOCATION, name=code, board_number=board)


def under(board: OrganisationId, school: OrganisationId) -> Relation:
    return Relation(parent_id=board, child_id=school, kind=RelationKind.HIERARCHICAL, valid_from=LONG_AGO)


def binding(tenant: TenantId, school: OrganisationId) -> Binding:
    return Binding(
        binding_id=BindingId(str(uuid4())),
        organisation_id=school,
        tenant_id=tenant,
        valid_from=LONG_AGO,
        created_by=_FIRST,
        selectors={Audience.FACULTY: json.dumps(staff_of(school))},
    )


def policy(tenant: TenantId, wishes: Mapping[str, Any]) -> Policy:
    """In force already; licences are given to people unless something else is wished."""
    usual = {"valid_from": LONG_AGO, "assignment_mode": AssignmentMode.DIRECT}
    return Policy(tenant_id=tenant, created_by=_FIRST, approved_by=SECOND, **usual | dict(wishes))
