"""Let no new write begin, and let it go on."""

from typing import Annotated

from pydantic import Field

from provisioning.domain.worklist import Stop
from provisioning.web.calls import Body, Person, Reason, Text
from provisioning.web.routing import router as routes_about

router = routes_about("stops")

_Scope = Annotated[Text, Field(description='"all", "tenant:<id or domain>" or "kind:<operation kind>"')]


class NewStop(Body):
    scope: _Scope
    reason: Reason


class LiftedStop(Body):
    scope: _Scope


@router.get("")
def list_all(caller: Person) -> list[Stop]:
    """What is stopped now, and since when."""
    return caller.services.stop_writes.standing()


@router.post("")
def stop(caller: Person, wanted: NewStop) -> Stop:
    """Let no new write begin. Reading goes on, and so does what was sent already."""
    return caller.services.stop_writes(caller.identity, wanted.scope, wanted.reason)


@router.post("/resume")
def resume(caller: Person, lifted: LiftedStop) -> Stop:
    """Lift a stop; what waited goes on by itself."""
    return caller.services.resume_writes(caller.identity, lifted.scope)
