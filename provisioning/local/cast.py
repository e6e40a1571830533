"""Who acts in a world on this machine: roles of the trade, no people. Each gets a token, as everybody does."""

from contextlib import suppress
from pathlib import Path

import msgspec

from provisioning.bootstrap import Services
from provisioning.domain.actors import ANONYMOUS, THE_SYSTEM, Identity, Role
from provisioning.domain.errors import InputError, NotAllowedError
from provisioning.domain.ids import Actor

_ROLES: dict[str, tuple[str, frozenset[Role]]] = {
    "admin": ("person:admin", frozenset({Role.ADMIN})),
    # may approve, and yet never what rests on bindings and policies of this very hand
    "operator": ("person:operator-1", frozenset({Role.OPERATOR, Role.APPROVER})),
    "colleague": ("person:operator-2", frozenset({Role.OPERATOR})),
    "approver": ("person:approver", frozenset({Role.APPROVER})),
    "auditor": ("person:auditor", frozenset({Role.AUDITOR})),
    "shop": ("client:webshop", frozenset({Role.SHOP})),
}


class Cast(msgspec.Struct, frozen=True, kw_only=True):
    """Identities as their tokens prove them. `colleague` is the second pair of eyes on what `operator` does."""

    admin: Identity
    operator: Identity
    colleague: Identity
    approver: Identity
    auditor: Identity
    shop: Identity


# Whoever starts a world owns its database, and with it everybody's role in it.
_OWNER = Identity(actor=THE_SYSTEM.actor, roles=frozenset({Role.ADMIN}))


def gather_cast(services: Services, folder: Path) -> tuple[Cast, list[str]]:
    """Everybody, by the tokens in `folder`; and who got a new one there.

    A token is made where there is none yet, where it was lost, and where it was revoked or has expired: a world that
    was left for a hundred days, or played with, opens as before.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    everybody, new = dict[str, Identity](), list[str]()
    for part, (actor, _) in _ROLES.items():
        known = _known(services, folder / part, actor)
        if known is None:
            new.append(part)
            known = _hire(services, folder, part, everybody.get("admin"))
        everybody[part] = known
    return Cast(**everybody), new


def _known(services: Services, file: Path, actor: str) -> Identity | None:
    try:
        identity = services.authenticate(file.read_text().strip())
    except (FileNotFoundError, NotAllowedError, UnicodeDecodeError):
        return None
    return identity if identity.actor == actor else None


def _hire(services: Services, folder: Path, part: str, admin: Identity | None) -> Identity:
    actor, roles = _ROLES[part]
    with suppress(InputError):  # there may be nothing to revoke
        services.revoke_actor(admin or _OWNER, Actor(actor))
    token = services.add_actor(admin or _first(services), actor, roles).token
    _keep(folder / part, token)
    return services.authenticate(token)


def _first(services: Services) -> Identity:
    """Who adds the administrator: nobody, as in any installation, unless there is another one already."""
    with services.open_uow() as uow:
        return _OWNER if uow.actors.has_any(Role.ADMIN, services.clock.wall()) else ANONYMOUS


def _keep(file: Path, token: str) -> None:
    """Whole or not at all: half a token would be nobody's."""
    draft = file.with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_text(token)
    draft.replace(file)
