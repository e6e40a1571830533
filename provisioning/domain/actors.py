"""Who acts, and what they may."""

from datetime import datetime
from enum import StrEnum

import msgspec

from provisioning.domain.ids import SYSTEM, Actor, OrganisationId


class Role(StrEnum):
    ADMIN = "admin"
    OPERATOR = "operator"
    APPROVER = "approver"
    AUDITOR = "auditor"
    SHOP = "shop"
    DESK = "desk"
    BOARD = "board"


PERSON_ROLES = frozenset({Role.ADMIN, Role.OPERATOR, Role.APPROVER, Role.AUDITOR})
CLIENT_ROLES = frozenset({Role.SHOP, Role.DESK, Role.BOARD})


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who stands behind a token, now. Without a token: `ANONYMOUS`, who may only read."""

    actor: Actor
    roles: frozenset[Role] = frozenset()
    board_id: OrganisationId | None = None
    expires_at: datetime | None = None

    @property
    def is_person(self) -> bool:
        return self.actor.startswith("person:")


ANONYMOUS = Identity(actor=Actor("anonymous"))
THE_SYSTEM = Identity(actor=SYSTEM)
