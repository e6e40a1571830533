"""Where operators and approvers sit: what they type, what they are told, and how often they had to do something."""

import json
import os
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import cached_property
from io import StringIO
from typing import Any
from unittest.mock import patch

from provisioning.bootstrap import Services
from provisioning.cli.app import run
from provisioning.cli.session import Session
from provisioning.domain.actors import Identity, Role
from provisioning.domain.ids import Actor
from provisioning.local.world import LocalWorld

_ADMIN = Identity(actor=Actor("person:admin"), roles=frozenset({Role.ADMIN}))


@dataclass
class Desk:
    """The whole command, from its words to what it prints; in this process, for an interpreter takes two seconds."""

    world: LocalWorld
    services: Services
    deeds: list[str] = field(default_factory=list)  # looking is none

    def do(self, *words: str, role: Role = Role.OPERATOR) -> Any:
        """Type a command that is done, and read its answer."""
        self.deeds.append(" ".join(words[:2]))
        return self._answer(*words, role=role)

    def refused(self, *words: str, role: Role = Role.OPERATOR) -> str:
        """Type a command that is refused, and read why."""
        self.deeds.append(" ".join(words[:2]))
        code, _, said = self._typed(words, role)
        assert code != 0, words
        return " ".join(said.split())

    def look(self, *words: str) -> Any:
        return self._answer(*words, role=Role.OPERATOR)

    def _answer(self, *words: str, role: Role) -> Any:
        code, printed, said = self._typed((*words, "--json"), role)
        assert code == 0, (words, said)
        return json.loads(printed)

    def _typed(self, words: tuple[str, ...], role: Role) -> tuple[int, str, str]:
        printed, said = StringIO(), StringIO()
        with (
            patch.dict(os.environ, {**self.world.environment, "PROVISIONING_TOKEN": self._tokens[role]}),
            redirect_stdout(printed),
            redirect_stderr(said),
        ):
            code = run(words, Session(self.world.services))
        return code, printed.getvalue(), said.getvalue()

    @cached_property
    def _tokens(self) -> dict[Role, str]:
        """One of each, of people whom this desk alone knows."""
        add, mark = self.services.add_actor, id(self)
        roles = (Role.OPERATOR, Role.APPROVER)
        return {role: add(_ADMIN, f"person:{role}-{mark}", {role}).token for role in roles}
