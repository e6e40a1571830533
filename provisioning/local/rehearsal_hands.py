"""The hands of a rehearsal: the commands that people type, with tokens that prove in its world who they are."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from provisioning.bootstrap import Services
from provisioning.domain.actors import THE_SYSTEM, Identity, Role
from provisioning.domain.ids import MigrationId, OperationId
from provisioning.domain.migration_file import MigrationFile
from provisioning.planning.rehearsal_file import to_file, to_map, to_rows

_OPERATOR, _APPROVER = "person:rehearsing-operator", "person:rehearsing-approver"
_ROLES = {_OPERATOR: Role.OPERATOR, _APPROVER: Role.APPROVER}  # two, because nobody approves what they asked for
_OWNER = Identity(actor=THE_SYSTEM.actor, roles=frozenset({Role.ADMIN}))  # whoever starts a world owns its database
_REASON = ("--reason", "rehearsal")
_MAY_PASS = 1  # the exit code of whatever is no mistake of whoever typed it: Microsoft refused, somebody was first
_TRIES = 10
_SHORT = 8
MOVED, MOVING = "Completed", "Syncing"  # as migration tools say it


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """How a command ended, and what it wrote to both outputs."""

    code: int
    out: str = ""
    err: str = ""

    @property
    def is_done(self) -> bool:
        return self.code == 0

    @property
    def may_pass(self) -> bool:
        """Whether it may go better when it is typed again."""
        return self.code == _MAY_PASS

    @property
    def said(self) -> str:
        """The refusal, however it was broken into lines."""
        return " ".join(self.err.split())

    @property
    def value(self) -> Any:
        return msgspec.json.decode(self.out)


Type = Callable[[Services, str, Sequence[str]], Answer]  # what carries out a command line for whoever has the token


class Hands:
    """`folder`: where the files that they hand in are written. `wait` is called between two tries of a command."""

    def __init__(self, services: Services, type_in: Type, folder: Path, wait: Callable[[], None]) -> None:
        self.services = services
        self._type_in = type_in
        self._folder = folder
        self._wait = wait
        self._tokens = {name: services.add_actor(_OWNER, name, {role}).token for name, role in _ROLES.items()}
        self._files = 0
        self.migration = ""
        self.typed = ""  # the last command

    def create(self, asked: MigrationFile) -> Answer:
        """The file and its map, written and handed in."""
        (self._folder / "identity.csv").write_text(to_map(asked.identity))
        (self._folder / "migration.json").write_bytes(to_file(asked, "identity.csv"))
        answer = self._operator("create", str(self._folder / "migration.json"), "--json")
        if answer.is_done:
            self.migration = answer.value["migration"]["migration_id"]
        return answer

    @property
    def migration_id(self) -> MigrationId:
        return MigrationId(self.migration)

    def match(self) -> Answer:
        return self._about("match")

    def start(self, wave: int) -> Answer:
        return self._about("start", "--wave", str(wave), *_REASON)

    def check(self, wave: int) -> Answer:
        return self._about("check", "--wave", str(wave), "--json")

    def resume(self) -> Answer:
        return self._about("resume", *_REASON)

    def release(self, wave: int) -> Answer:
        return self._about("release", "--wave", str(wave), *_REASON)

    def gate(self, statuses: Mapping[str, str]) -> Answer:
        """A migration tool's report: by person, and what it says of the mailbox."""
        self._files += 1
        report = self._folder / f"moved-{self._files}.csv"
        report.write_text(to_rows(("person", "status"), statuses.items()))
        return self._about("gate", str(report), "--source", "tool_report")

    def approve(self, operation: OperationId, digest: str) -> Answer:
        return self._type(_APPROVER, "plans", "approve", operation[:_SHORT], digest[:_SHORT])

    def _about(self, deed: str, *words: str) -> Answer:
        return self._operator(deed, self.migration[:_SHORT], *words)

    def _operator(self, *words: str) -> Answer:
        return self._type(_OPERATOR, "migrations", *words)

    def _type(self, who: str, *words: str) -> Answer:
        """As whoever types it again does when Graph refuses to be read."""
        self.typed = " ".join(("provisioning", *words))
        answer = self._type_in(self.services, self._tokens[who], words)
        for _ in range(_TRIES - 1):
            if not answer.may_pass:
                break
            self._wait()
            answer = self._type_in(self.services, self._tokens[who], words)
        return answer
