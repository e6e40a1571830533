"""The audit log: read, and carried out of the house."""

from typing import Annotated, Any

import msgspec
from fastapi import Query
from starlette.responses import Response, StreamingResponse

from provisioning.domain.events import Event
from provisioning.domain.ids import OrganisationId
from provisioning.services.paging import Page
from provisioning.web.calls import Anybody, Because, Filter, PageWanted, Person, Text
from provisioning.web.routing import router as routes_about

router = routes_about("audit")

_LINES: dict[int | str, dict[str, Any]] = {200: {"content": {"application/jsonl": {"schema": {"type": "string"}}}}}
_MOST_KNOWN = 100
_LARGEST_LOG = 2**62


class NewestCheckpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The signed note, to be kept elsewhere."""

    checkpoint: str


class Forgetting(Because):
    """`subject`: the person's directory object id."""

    tenant: Text
    subject: Text


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    tenant: str


@router.get("")
def list_all(caller: Anybody, wanted: PageWanted, operation: Filter = None, organisation: Filter = None) -> Page[Event]:
    """What was written down, the latest first."""
    return caller.services.browse.events(caller.identity, wanted, operation, organisation)


@router.get("/export", responses=_LINES)
def export(
    caller: Person,
    organisation: Filter = None,
    known: Annotated[list[Annotated[int, Query(ge=0, le=_LARGEST_LOG)]] | None, Query(max_length=_MOST_KNOWN)] = None,
) -> Response:
    """The sealed log, or one organisation's part of it, as JSON Lines; `known`: sizes of checkpoints the reader has."""
    whose = OrganisationId(organisation) if organisation else None
    exported = caller.services.export_audit(caller.identity, whose, known or ())
    headers = {"Left-Out": str(exported.left_out)}
    return StreamingResponse(exported.lines, headers=headers, media_type="application/jsonl")


@router.get("/checkpoint")
def checkpoint(caller: Person) -> NewestCheckpoint:
    """The newest signed checkpoint."""
    return NewestCheckpoint(checkpoint=str(caller.services.export_audit.newest_checkpoint()))


@router.post("/checkpoint")
def make_checkpoint(caller: Person) -> NewestCheckpoint:
    """Everything recorded is sealed and signed first; where the signing key is."""
    caller.services.seal_audit.on_demand(caller.identity)
    return NewestCheckpoint(checkpoint=str(caller.services.export_audit.newest_checkpoint()))


@router.post("/forget")
def forget(caller: Person, person: Forgetting) -> Forgotten:
    """Destroy what ties a person to the log and to past work. It cannot be undone."""
    home = caller.services.forget_person(caller.identity, person.tenant, person.subject, person.reason)
    return Forgotten(tenant=home.tenant_id)
