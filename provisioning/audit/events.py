"""One audit event and its canonical text: UTF-8 JSON, keys sorted, no blanks, no floats."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from provisioning.audit.errors import AuditFormatError
from provisioning.audit.pseudonyms import is_pseudonym
from provisioning.domain.ids import Actor, AttemptId, OperationId, OrganisationId, Pseudonym, TenantId

VERSION = 1

Fact = str | int | bool | tuple[str, ...] | None
State = Fact | dict[str, Fact]

_KIND = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_]*")
_NO_OFFSET = timedelta(0)


class AuditEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, in the past tense (`order.completed`), to whom, by whom and why.

    `at` is aware UTC, `subject` a pseudonym, `correlation` the client-request-id of the call that did it.
    Raises AuditFormatError for what the log may not hold.
    """

    id: str
    at: datetime
    actor: Actor
    kind: str
    organisation: OrganisationId | None = None
    tenant: TenantId | None = None
    operation: OperationId | None = None
    subject: Pseudonym | None = None
    before: State = None
    after: State = None
    reason: str | None = None
    correlation: AttemptId | None = None
    details: dict[str, Fact] = {}
    version: int = VERSION

    def __post_init__(self) -> None:
        if problem := _problem_of(self):
            raise AuditFormatError(f"Audit event {self.id}: {problem}")


class _EventText(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The event as it is written: fields in the order of their names, which is the order of the text."""

    actor: str
    after: State = None
    at: str
    before: State = None
    correlation: str | None = None
    details: dict[str, Fact] = {}
    id: str
    kind: str
    operation: str | None = None
    organisation: str | None = None
    reason: str | None = None
    subject: str | None = None
    tenant: str | None = None
    version: int


_ENCODER = msgspec.json.Encoder(order="deterministic")
_DECODER = msgspec.json.Decoder(_EventText)


def encode_event(event: AuditEvent) -> bytes:
    """The canonical text of the event, which is stored as it is and hashed as it is stored."""
    text = _EventText(
        actor=event.actor,
        after=event.after,
        at=event.at.isoformat(timespec="microseconds")[:-6] + "Z",
        before=event.before,
        correlation=event.correlation,
        details=event.details,
        id=event.id,
        kind=event.kind,
        operation=event.operation,
        organisation=event.organisation,
        reason=event.reason,
        subject=event.subject,
        tenant=event.tenant,
        version=event.version,
    )
    try:
        return _ENCODER.encode(text)
    except UnicodeEncodeError:
        raise AuditFormatError(f"Audit event {event.id}: a text in it is not valid Unicode.") from None


def decode_event(text: bytes | str) -> AuditEvent:
    """The event that the text spells; raises AuditFormatError when it is not an event."""
    try:
        written = _DECODER.decode(text)
        fields = msgspec.structs.asdict(written) | {"at": datetime.fromisoformat(written.at)}
    except (msgspec.DecodeError, ValueError) as error:
        raise AuditFormatError(f"This is not the text of an audit event: {error}") from None
    return AuditEvent(**fields)


def _problem_of(event: AuditEvent) -> str | None:
    if event.version != VERSION:
        return f"version {event.version} is unknown here; a newer release wrote it."
    if event.at.utcoffset() != _NO_OFFSET:
        return "its moment is not in UTC."
    if not _KIND.fullmatch(event.kind):
        return "its kind is not written as noun.past_tense."
    if event.subject is not None and not is_pseudonym(event.subject):
        return "its subject is not a pseudonym."
    if not (_is_state(event.before) and _is_state(event.after) and _are_facts(event.details)):
        return "its facts are not texts, whole numbers, truths or tuples of texts."
    return None


def _is_state(state: object) -> bool:
    return _are_facts(state) if isinstance(state, dict) else _is_fact(state)


def _are_facts(facts: Mapping[str, object]) -> bool:
    return all(isinstance(name, str) and _is_fact(fact) for name, fact in facts.items())


def _is_fact(fact: object) -> bool:
    if isinstance(fact, tuple):
        return all(isinstance(item, str) for item in fact)
    return fact is None or isinstance(fact, (str, int))
