from datetime import timedelta

import msgspec
import pytest

from provisioning.domain.actors import ANONYMOUS
from provisioning.domain.errors import NotAllowedError
from provisioning.services.authenticate import Authenticate, token_digest
from tests.unit.services.fakes_access import NOW, OPERATOR, FakeClock, World


@pytest.fixture
def world() -> World:
    world = World()
    world.actors[token_digest("secret")] = msgspec.structs.replace(OPERATOR, expires_at=NOW + timedelta(days=1))
    return world


def authenticate(world: World, token: str | None, clock: FakeClock | None = None) -> object:
    return Authenticate(open_uow=world.open, clock=clock or FakeClock())(token)


class TestAuthenticate:
    @pytest.mark.parametrize("token", [None, ""])
    def test_without_a_token_nobody_in_particular_reads(self, world: World, token: str | None) -> None:
        assert authenticate(world, token) == ANONYMOUS

    def test_a_token_stands_for_its_actor(self, world: World) -> None:
        identity = authenticate(world, "secret")
        assert (identity.actor, identity.roles) == (OPERATOR.actor, OPERATOR.roles)

    def test_an_unknown_token_is_refused(self, world: World) -> None:
        with pytest.raises(NotAllowedError, match="unknown or was revoked"):
            authenticate(world, "guess")

    def test_bytes_that_are_no_text_are_an_unknown_token(self, world: World) -> None:
        with pytest.raises(NotAllowedError, match="unknown or was revoked"):
            authenticate(world, b"\xff\xfe".decode(errors="surrogateescape"))

    def test_at_its_end_a_token_is_refused(self, world: World) -> None:
        with pytest.raises(NotAllowedError, match="person:duty expired on 2026-08-04"):
            authenticate(world, "secret", FakeClock(NOW + timedelta(days=1)))

    def test_a_second_before_its_end_it_counts(self, world: World) -> None:
        assert authenticate(world, "secret", FakeClock(NOW + timedelta(days=1, seconds=-1))).actor == OPERATOR.actor
