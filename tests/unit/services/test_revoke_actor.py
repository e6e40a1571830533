import pytest

from provisioning.domain.errors import InputError, NotAllowedError
from provisioning.services.list_actors import ListActors
from provisioning.services.revoke_actor import RevokeActor
from tests.unit.services.fakes_access import ADMIN, APPROVER, OPERATOR, FakeClock, World


@pytest.fixture
def world() -> World:
    world = World()
    world.actors = {"1": OPERATOR, "2": ADMIN, "3": APPROVER}
    return world


class TestRevokeActor:
    def test_the_token_is_gone_and_the_log_says_who_did_it(self, world: World) -> None:
        RevokeActor(open_uow=world.open, clock=FakeClock())(ADMIN, OPERATOR.actor)
        assert OPERATOR not in world.actors.values()
        assert [(x.actor, x.kind, x.details) for x in world.events] == [
            (ADMIN.actor, "actor.revoked", {"actor": OPERATOR.actor})
        ]

    def test_who_is_not_there_cannot_be_revoked(self, world: World) -> None:
        with pytest.raises(InputError, match="no actor person:nobody"):
            RevokeActor(open_uow=world.open, clock=FakeClock())(ADMIN, "person:nobody")
        assert world.events == []

    def test_only_an_administrator_revokes(self, world: World) -> None:
        with pytest.raises(NotAllowedError):
            RevokeActor(open_uow=world.open, clock=FakeClock())(OPERATOR, APPROVER.actor)
        assert APPROVER in world.actors.values()


class TestListActors:
    def test_everybody_by_name(self, world: World) -> None:
        assert ListActors(open_uow=world.open)() == [ADMIN, APPROVER, OPERATOR]
