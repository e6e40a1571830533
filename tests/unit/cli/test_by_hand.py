"""A command line within another command: what it says comes back as a value, and nothing is closed behind it."""

import os
from typing import Any

import pytest

from provisioning.cli.by_hand import type_in
from provisioning.domain.actors import Identity, Role
from provisioning.domain.errors import ConflictError, NotAllowedError
from provisioning.domain.ids import Actor
from tests.unit.cli.fakes import FakeServices
from tests.unit.services.fakes_access import World

GUEST = Identity(actor=Actor("person:guest"), roles=frozenset({Role.OPERATOR}))


class Lent(FakeServices):
    """Knows one token."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.broken: BaseException | None = None
        self._list = self.list_actors
        self.list_actors = self._listed  # type: ignore[assignment]

    def authenticate(self, token: str | None) -> Identity:
        if token != "of-the-guest":
            raise NotAllowedError("Nobody has this token.")
        return GUEST

    def _listed(self) -> Any:
        if self.broken:
            raise self.broken
        return self._list()


@pytest.fixture
def lent(world: World, monkeypatch: pytest.MonkeyPatch) -> Lent:
    monkeypatch.setenv("PROVISIONING_TOKEN", "of-the-host")
    return Lent(world)


def test_what_it_writes_comes_back_and_is_not_shown(lent: Lent, capsys: pytest.CaptureFixture[str]) -> None:
    answer = type_in(lent, "of-the-guest", ("migrations", "list", "--json"))  # type: ignore[arg-type]
    assert (answer.code, answer.value, answer.err) == (0, [], "")
    assert capsys.readouterr() == ("", "")
    assert lent.closed == 0


def test_it_acts_for_whoever_has_the_token_and_not_for_the_host(lent: Lent) -> None:
    answer = type_in(lent, "of-nobody", ("stop", "--all", "--reason", "drill"))  # type: ignore[arg-type]
    assert (answer.is_done, answer.said) == (False, "Nobody has this token.")
    assert os.environ["PROVISIONING_TOKEN"] == "of-the-host"


def test_a_mistake_is_told_from_what_may_pass(lent: Lent) -> None:
    assert not type_in(lent, "of-the-guest", ("migrations", "show")).may_pass  # type: ignore[arg-type]
    lent.broken = ConflictError("Microsoft is busy.")
    busy = type_in(lent, "of-the-guest", ("actors", "list"))  # type: ignore[arg-type]
    assert (busy.may_pass, busy.said) == (True, "Microsoft is busy.")


def test_whoever_breaks_it_off_breaks_off_the_whole(lent: Lent) -> None:
    lent.broken = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        type_in(lent, "of-the-guest", ("actors", "list"))  # type: ignore[arg-type]
