"""Who acts in a world on this machine: roles of the trade, no people. Each gets a token, as everybody does."""

from pathlib import Path

import msgspec

from provisioning.bootstrap import Services
from provisioning.domain.actors import ANONYMOUS, Identity, Role

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


def hire(services: Services, folder: Path) -> Cast:
    """Add everybody (the first administrator by right of the database's owner); tokens go to 0600 files in `folder`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    adder, hired = ANONYMOUS, dict[str, Identity]()
    for part, (actor, roles) in _ROLES.items():
        token = services.add_actor(adder, actor, roles).token
        _keep(folder / part, token)
        hired[part] = services.authenticate(token)
        adder = hired["admin"]
    return Cast(**hired)


def rehire(services: Services, folder: Path) -> Cast:
    """Those whose tokens are in `folder`. Raises NotAllowedError when a token ended, which takes 90 days."""
    return Cast(**{part: services.authenticate((folder / part).read_text()) for part in _ROLES})


def _keep(file: Path, token: str) -> None:
    file.touch(mode=0o600)
    file.write_text(token)
