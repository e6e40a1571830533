"""People and clients who may act, and their tokens."""

from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from pydantic import Field

from provisioning.domain.actors import Identity, Role
from provisioning.domain.ids import Actor, OrganisationId
from provisioning.services.paging import Page, cut
from provisioning.web.calls import Body, Named, PageWanted, Person, Text
from provisioning.web.routing import router as routes_about

router = routes_about("actors")


class NewActor(Body):
    """`actor`: person:<handle> or client:<name>. `board`: whom a client with the role board acts for."""

    actor: Text
    roles: list[Role]
    days: Annotated[int, Field(ge=1, le=90)] = 90
    board: Text | None = None


class AddedActor(msgspec.Struct, frozen=True, kw_only=True):
    """`token` is shown this once. It is None when the request was sent before: tokens are never kept."""

    actor: Actor
    token: str | None
    expires_at: datetime

    def to_keep(self) -> "AddedActor":
        return msgspec.structs.replace(self, token=None)


class Revoked(msgspec.Struct, frozen=True, kw_only=True):
    revoked: Actor


@router.post("")
def add(caller: Person, actor: NewActor) -> AddedActor:
    """Add a person or client; its token is shown this once."""
    board = OrganisationId(actor.board) if actor.board else None
    made = caller.services.add_actor(
        caller.identity, actor.actor, actor.roles, validity=timedelta(days=actor.days), board=board
    )
    return AddedActor(actor=made.actor, token=made.token, expires_at=made.expires_at)


@router.get("")
def list_all(caller: Person, wanted: PageWanted) -> Page[Identity]:
    """Everybody who has a token, by name."""
    return cut(caller.services.list_actors(), wanted, str, lambda identity: identity.actor)


@router.post("/{actor}/revoke")
def revoke(caller: Person, actor: Named) -> Revoked:
    """End an actor's token now."""
    caller.services.revoke_actor(caller.identity, Actor(actor))
    return Revoked(revoked=Actor(actor))
