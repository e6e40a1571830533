"""What the audit log records: one line per attempt's outcome, change of state and decision, in the past tense."""

from datetime import datetime

import msgspec

from provisioning.domain.ids import Actor, AttemptId, OperationId, OrganisationId, Pseudonym, TenantId


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One audit line before it is text. People appear as pseudonyms only; values are codes, never names.

    `kind` is a noun and a past participle ("operation.held", "attempt.accepted"); `correlation` is the
    client-request-id of the call it speaks of.
    """

    at: datetime
    actor: Actor
    kind: str
    organisation: OrganisationId | None = None
    tenant: TenantId | None = None
    operation: OperationId | None = None
    subject: Pseudonym | None = None
    before: str | None = None
    after: str | None = None
    reason: str | None = None
    correlation: AttemptId | None = None
    details: dict[str, str] = {}
