"""The identifiers of the trade. All are text; two kinds never mix."""

from typing import NewType

import msgspec

TenantId = NewType("TenantId", str)  # Entra tenant, GUID in lower case
OrganisationId = NewType("OrganisationId", str)  # board number, location code or other register code, as printed
SkuId = NewType("SkuId", str)  # GUID in lower case, without blanks
ServicePlanId = NewType("ServicePlanId", str)  # GUID in lower case, without blanks
ArticleCode = NewType("ArticleCode", str)
SubjectId = NewType("SubjectId", str)  # directory object id of a person: personal data, never in logs of record
GroupId = NewType("GroupId", str)
Pseudonym = NewType("Pseudonym", str)  # what the audit log calls a person
MigrationId = NewType("MigrationId", str)  # UUID
TicketId = NewType("TicketId", str)  # UUID
CampaignId = NewType("CampaignId", str)  # UUID
OperationId = NewType("OperationId", str)  # UUID
PlanId = NewType("PlanId", str)  # UUID
StepId = NewType("StepId", int)
AttemptId = NewType("AttemptId", str)  # UUID, sent as client-request-id
BindingId = NewType("BindingId", str)  # UUID
Actor = NewType("Actor", str)  # "system", "client:<name>" or "person:<handle>"

SYSTEM = Actor("system")
PERSON = "person:"  # how the name of an actor begins who is a person


class LineKey(msgspec.Struct, frozen=True, order=True):
    """The key of an order line everywhere: which shop, which order, which line."""

    source: str
    order_number: str
    line_number: str

    def __str__(self) -> str:
        return f"{self.source}/{self.order_number}/{self.line_number}"
