"""Where operators and approvers sit: what they type, what they are told, and how often they had to do something."""

import json
import os
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import cached_property
from io import StringIO
from pathlib import Path
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

    def do(self, *words: str, role: Role = Role.OPERATOR, code: int | None = 0) -> Any:
        """Type a command that is done, and read its answer. `code`: 1 when it has found something, None: either."""
        self.deeds.append(" ".join(words[:2]))
        return self._answer(*words, role=role, code=code)

    def refused(self, *words: str, role: Role = Role.OPERATOR) -> str:
        """Type a command that is refused, and read why."""
        self.deeds.append(" ".join(words[:2]))
        code, _, said = self._typed(words, role)
        assert code != 0, words
        return " ".join(said.split())

    def look(self, *words: str) -> Any:
        return self._answer(*words, role=Role.OPERATOR)

    def read(self, *words: str) -> str:
        """What people see of it, on one line."""
        code, printed, said = self._typed(words, Role.OPERATOR)
        assert code == 0, (words, said)
        return " ".join(printed.split())

    def who(self, role: Role) -> str:
        """Under which name they are known."""
        return f"person:{role}-{id(self)}"

    def _answer(self, *words: str, role: Role, code: int | None = 0) -> Any:
        ended, printed, said = self._typed((*words, "--json"), role)
        assert ended in ({0, 1} if code is None else {code}), (words, said)
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
        add, roles = self.services.add_actor, (Role.OPERATOR, Role.APPROVER)
        return {role: add(_ADMIN, self.who(role), {role}).token for role in roles}


def paper(folder: Path, name: str, *rows: Mapping[str, Any]) -> str:
    """A file to hand to a command: JSON, one row a line; a single one is a document, for JSON is YAML too."""
    (folder / name).write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return str(folder / name)
