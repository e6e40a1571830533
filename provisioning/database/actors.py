"""Actors, their roles, and the digests of their tokens."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.dialects.postgresql import insert

from provisioning.database.store import Store
from provisioning.database.tables.access import actors, tokens
from provisioning.domain.actors import Identity, Role
from provisioning.domain.errors import InputError
from provisioning.domain.ids import Actor, OrganisationId

_last_expiry = (
    select(func.max(tokens.c.expires_at))
    .where(tokens.c.actor == actors.c.actor, tokens.c.revoked_at.is_(None))
    .scalar_subquery()
)


class SqlActors(Store):
    def add(self, identity: Identity, token_digest: str, at: datetime) -> None:
        """A new token for the actor, with these roles from now on; also for one who was revoked before."""
        if identity.expires_at is None:
            raise InputError(f"The token of {identity.actor} needs a day on which it expires.")
        rights = {"roles": sorted(identity.roles), "board_id": identity.board_id, "revoked_at": None}
        known = insert(actors).values(actor=identity.actor, added_at=at, **rights)
        self._connection.execute(known.on_conflict_do_update(index_elements=["actor"], set_=rights))
        token = {"token_digest": token_digest, "actor": identity.actor, "added_at": at}
        self._connection.execute(insert(tokens).values(token | {"expires_at": identity.expires_at}))

    def find_by_token(self, token_digest: str) -> Identity | None:
        """Whose token it is, unless revoked; whether it has expired is for the reader's clock to say."""
        theirs = _identities(tokens.c.expires_at).join(tokens, tokens.c.actor == actors.c.actor)
        return self._find(theirs.where(tokens.c.token_digest == token_digest, tokens.c.revoked_at.is_(None)), Identity)

    def list_all(self) -> list[Identity]:
        """Those who are not revoked, with the day on which their last token expires."""
        query = _identities(_last_expiry.label("expires_at")).where(actors.c.revoked_at.is_(None))
        return self._list(query.order_by(actors.c.actor), Identity)

    def boards_of(self, authors: Collection[Actor]) -> list[OrganisationId | None]:
        theirs = actors.c.actor.in_(authors) & actors.c.roles.contains([Role.BOARD])
        return list(self._connection.scalars(select(actors.c.board_id).where(theirs)))

    def revoke(self, actor: Actor, at: datetime) -> bool:
        """Every token of the actor ends with it."""
        for table in (tokens, actors):
            still = (table.c.actor == actor) & table.c.revoked_at.is_(None)
            revoked = self._changed(update(table).where(still).values(revoked_at=at))
        return revoked == 1

    def has_any(self, role: Role, at: datetime) -> bool:
        living = actors.c.revoked_at.is_(None) & (_last_expiry > at)
        query = select(actors.c.actor).where(actors.c.roles.contains([role]), living).limit(1)
        return self._connection.scalar(query) is not None


def _identities(expires_at: Any) -> Select[Any]:
    return select(actors.c.actor, actors.c.roles, actors.c.board_id, expires_at)
