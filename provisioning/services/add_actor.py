"""A new person or client with roles, and the token that is shown once."""

import re
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from provisioning.domain.actors import ANONYMOUS, CLIENT_ROLES, PERSON_ROLES, THE_SYSTEM, Identity, Role
from provisioning.domain.errors import ConflictError, InputError, NotAllowedError
from provisioning.domain.events import Event
from provisioning.domain.ids import Actor, OrganisationId
from provisioning.domain.rights import Action, require
from provisioning.ports import Clock, OpenUnitOfWork, UnitOfWork
from provisioning.services.authenticate import token_digest

MAX_VALIDITY = timedelta(days=90)
_TOKEN_BYTES = 32
_NAME = re.compile(r"(person|client):[a-z0-9][a-z0-9._-]{0,62}")


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """The only time that a token is seen."""

    actor: Actor
    token: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class AddActor:
    """`has_owner_access` says whether the database connection is its owner's: needed for the first administrator."""

    open_uow: OpenUnitOfWork
    clock: Clock
    has_owner_access: Callable[[], bool]

    def __call__(
        self,
        identity: Identity,
        actor: str,
        roles: Collection[Role],
        *,
        validity: timedelta = MAX_VALIDITY,
        board: OrganisationId | None = None,
    ) -> NewToken:
        """Raises InputError, NotAllowedError, or ConflictError when the actor is there already."""
        check_actor(actor, roles, board)
        if not timedelta(0) < validity <= MAX_VALIDITY:
            raise InputError(f"A token is valid for 1 to {MAX_VALIDITY.days} days.")
        now, token = self.clock.wall(), secrets.token_urlsafe(_TOKEN_BYTES)
        added = Identity(actor=Actor(actor), roles=frozenset(roles), board_id=board, expires_at=now + validity)
        with self.open_uow() as uow:
            doer = self._who_adds(uow, identity, added, now)
            _refuse_double(uow, added.actor, now)
            uow.actors.add(added, token_digest(token), now)
            uow.audit.record([_event(doer, added, self.clock.now())])
            uow.commit()
        return NewToken(actor=added.actor, token=token, expires_at=now + validity)

    def _who_adds(self, uow: UnitOfWork, identity: Identity, added: Identity, now: datetime) -> Actor:
        if identity != ANONYMOUS or uow.actors.has_any(Role.ADMIN, now):
            require(identity, Action.MANAGE_ACTORS)
            return identity.actor
        if added.roles != {Role.ADMIN} or not self.has_owner_access():
            raise NotAllowedError(
                "There is no administrator with a valid token. The first actor is one person with the role admin only, "
                "added by whoever has the owner's connection: set PROVISIONING_OWNER_DATABASE_URL."
            )
        return THE_SYSTEM.actor


def check_actor(actor: str, roles: Collection[Role], board: OrganisationId | None) -> None:
    """Raise InputError unless name, roles and board fit together."""
    if not _NAME.fullmatch(actor):
        raise InputError(f"{actor!r} is no actor: write person:<handle> or client:<name>, in lower case.")
    allowed = PERSON_ROLES if actor.startswith("person:") else CLIENT_ROLES
    if not roles or not allowed.issuperset(roles):
        names = ", ".join(sorted(allowed))
        raise InputError(f"{actor} needs at least one role, and only from: {names}.")
    if (Role.BOARD in roles) is (board is None):
        raise InputError("A client with the role board names its board, and nobody else does.")


def _refuse_double(uow: UnitOfWork, actor: Actor, now: datetime) -> None:
    living = (one for one in uow.actors.list_all() if one.actor == actor)
    if any(one.expires_at is None or one.expires_at > now for one in living):
        raise ConflictError(f"{actor} has a valid token already; revoke it before you add the actor again.")
    uow.actors.revoke(actor, now)


def _event(doer: Actor, added: Identity, now: datetime) -> Event:
    details = {"actor": added.actor} | ({"ground": "first administrator"} if doer == THE_SYSTEM.actor else {})
    return Event(at=now, actor=doer, kind="actor.added", after=" ".join(sorted(added.roles)), details=details)
