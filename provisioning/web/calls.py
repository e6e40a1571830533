"""What a route gets: the services, and who is asking."""

from typing import Annotated

from fastapi import Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, StringConstraints

from provisioning.bootstrap import Services
from provisioning.domain.actors import Identity
from provisioning.services.paging import LARGEST_PAGE, USUAL_PAGE, Wanted
from provisioning.services.sight import require_ours

_LONGEST_NAME = 200
_LONGEST_REASON = 2000
_LONGEST_CURSOR = 2000
_LONGEST_ADDRESS = 8000

Text = Annotated[str, StringConstraints(max_length=_LONGEST_NAME)]
Reason = Annotated[str, StringConstraints(max_length=_LONGEST_REASON)]
Address = Annotated[str, StringConstraints(max_length=_LONGEST_ADDRESS)]
Named = Annotated[str, Path(min_length=1, max_length=_LONGEST_NAME)]
Filter = Annotated[str | None, Query(min_length=1, max_length=_LONGEST_NAME)]


class Body(BaseModel):
    """What is sent: a field that nobody knows is a mistake, and is named."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Because(Body):
    """A decision needs a reason; it stays on record, and must not name anybody."""

    reason: Reason


class Caller:
    """One request's end of the services."""

    def __init__(self, services: Services, identity: Identity) -> None:
        self.services = services
        self.identity = identity


def _anybody(request: Request) -> Caller:
    """Whoever the gate let in; where no gate stands there is no identity, and that is a fault of ours."""
    return Caller(request.app.state.services, request.state.identity)


def _one_of_us(request: Request) -> Caller:
    """For others this is a place that does not exist."""
    caller = _anybody(request)
    require_ours(caller.identity)
    return caller


Anybody = Annotated[Caller, Depends(_anybody)]
Person = Annotated[Caller, Depends(_one_of_us)]


def _wanted(
    cursor: Annotated[str | None, Query(max_length=_LONGEST_CURSOR, description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = USUAL_PAGE,
) -> Wanted:
    return Wanted(cursor=cursor, limit=limit)


PageWanted = Annotated[Wanted, Depends(_wanted)]
