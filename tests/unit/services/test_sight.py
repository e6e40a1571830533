"""Who reads everything: people of ours, and whoever types here without a token."""

import pytest

from provisioning.domain.actors import ANONYMOUS, THE_SYSTEM, Identity, Role
from provisioning.domain.errors import NotFoundError
from provisioning.domain.ids import Actor
from provisioning.services.sight import is_ours, require_ours
from tests.unit.services.fakes_access import APPROVER, AUDITOR, OPERATOR

CLIENTS = [
    Identity(actor=Actor(f"client:{role}"), roles=frozenset({role})) for role in (Role.SHOP, Role.DESK, Role.BOARD)
]


@pytest.mark.parametrize("identity", [OPERATOR, APPROVER, AUDITOR, ANONYMOUS], ids=lambda one: one.actor)
def test_is_shown_all(identity: Identity) -> None:
    assert is_ours(identity)
    require_ours(identity)


@pytest.mark.parametrize(
    "identity",
    [
        *CLIENTS,
        Identity(actor=Actor("client:with-rights"), roles=frozenset({Role.OPERATOR})),
        Identity(actor=Actor("client:without-roles")),
        Identity(actor=ANONYMOUS.actor, roles=frozenset({Role.SHOP})),
        THE_SYSTEM,
    ],
    ids=lambda one: one.actor,
)
def test_is_told_that_there_is_nothing(identity: Identity) -> None:
    assert not is_ours(identity)
    with pytest.raises(NotFoundError, match="There is nothing here"):
        require_ours(identity)
