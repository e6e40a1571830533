from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from provisioning.domain.actors import Role
from provisioning.domain.ids import Actor
from provisioning.local.cast import Cast, gather_cast
from provisioning.services.add_actor import AddActor
from provisioning.services.authenticate import Authenticate
from provisioning.services.revoke_actor import RevokeActor
from tests.unit.services.fakes_access import ADMIN, FakeClock, World

EVERYBODY = ["admin", "operator", "colleague", "approver", "auditor", "shop"]


@dataclass
class FewServices:
    """Those of access, over the rows of a fake database."""

    world: World
    clock: FakeClock

    def __post_init__(self) -> None:
        self.open_uow = self.world.open

    @cached_property
    def authenticate(self) -> Authenticate:
        return Authenticate(open_uow=self.open_uow, clock=self.clock)

    @cached_property
    def add_actor(self) -> AddActor:
        return AddActor(open_uow=self.open_uow, clock=self.clock, has_owner_access=lambda: True)

    @cached_property
    def revoke_actor(self) -> RevokeActor:
        return RevokeActor(open_uow=self.open_uow, clock=self.clock)


@pytest.fixture
def services() -> Any:
    return FewServices(World(), FakeClock())


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    return tmp_path / "tokens"


def actors(cast: Cast) -> list[str]:
    return [getattr(cast, part).actor for part in EVERYBODY]


class TestGatherCast:
    def test_in_a_new_world_everybody_is_hired_the_administrator_first(self, services: Any, tokens: Path) -> None:
        cast, new = gather_cast(services, tokens)
        assert new == EVERYBODY
        assert cast.admin.roles == {Role.ADMIN}
        assert [event.details.get("ground") for event in services.world.events][:2] == ["first administrator", None]
        assert {oct(file.stat().st_mode & 0o777) for file in tokens.iterdir()} == {"0o600"}

    def test_found_again_nobody_is_hired_anew(self, services: Any, tokens: Path) -> None:
        first, _ = gather_cast(services, tokens)
        before = len(services.world.events)
        again, new = gather_cast(services, tokens)
        assert (actors(again), new, len(services.world.events)) == (actors(first), [], before)

    @pytest.mark.parametrize("part", EVERYBODY)
    def test_a_revoked_token_is_made_anew(self, services: Any, tokens: Path, part: str) -> None:
        cast, _ = gather_cast(services, tokens)
        services.revoke_actor(ADMIN, getattr(cast, part).actor)
        again, new = gather_cast(services, tokens)
        assert (actors(again), new) == (actors(cast), [part])
        assert services.authenticate((tokens / part).read_text()).actor == getattr(cast, part).actor

    def test_after_a_hundred_days_all_tokens_are_made_anew(self, services: Any, tokens: Path) -> None:
        gather_cast(services, tokens)
        services.clock.moment += timedelta(days=100)
        again, new = gather_cast(services, tokens)
        assert new == EVERYBODY
        assert again.shop.expires_at > services.clock.wall()

    @pytest.mark.parametrize("content", [None, b"", b"half", b"\xff"], ids=["gone", "empty", "half", "no text"])
    @pytest.mark.parametrize("part", ["admin", "auditor"])
    def test_a_lost_token_is_made_anew(self, services: Any, tokens: Path, part: str, content: bytes | None) -> None:
        gather_cast(services, tokens)
        (tokens / part).unlink() if content is None else (tokens / part).write_bytes(content)
        _, new = gather_cast(services, tokens)
        assert new == [part]
        assert gather_cast(services, tokens)[1] == []

    def test_a_hiring_that_was_killed_half_way_is_completed(self, services: Any, tokens: Path) -> None:
        gather_cast(services, tokens)
        for part in EVERYBODY[3:]:
            (tokens / part).unlink()
        services.revoke_actor(ADMIN, Actor("client:webshop"))
        assert gather_cast(services, tokens)[1] == EVERYBODY[3:]

    def test_somebody_else_s_token_is_not_taken_for_the_part_s(self, services: Any, tokens: Path) -> None:
        gather_cast(services, tokens)
        (tokens / "auditor").write_text((tokens / "shop").read_text())
        cast, new = gather_cast(services, tokens)
        assert (cast.auditor.actor, new) == ("person:auditor", ["auditor"])

    def test_another_administrator_of_the_player_s_does_not_stand_in_the_way(self, services: Any, tokens: Path) -> None:
        cast, _ = gather_cast(services, tokens)
        services.add_actor(cast.admin, "person:player", {Role.ADMIN})
        services.revoke_actor(cast.admin, cast.admin.actor)
        assert gather_cast(services, tokens)[1] == ["admin"]
