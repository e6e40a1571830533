"""Who asks over HTTP: programs of boards and desks, and people of ours, each with a real token."""

import json
from dataclasses import dataclass
from typing import Any

from starlette.testclient import TestClient

from provisioning.domain.actors import Identity, Role
from provisioning.domain.ids import Actor, OrganisationId
from provisioning.web.app import create_app
from tests.journeys.furniture import Town
from tests.journeys.patience import until

EVERY = 0.25  # seconds between looks: each is a whole request
_ADMIN = Identity(actor=Actor("person:admin"), roles=frozenset({Role.ADMIN}))


class Api:
    """The API in this process, on the engines and beside the workers of the world."""

    def __init__(self, town: Town) -> None:
        self.open(town)

    def open(self, town: Town) -> None:
        """Begin anew, once the world has skipped some days; whoever holds a token keeps it."""
        self._services, self.client = town.services, TestClient(create_app(town.services))

    def caller(self, actor: str, *roles: Role, board: str | None = None) -> "Caller":
        added = self._services.add_actor(_ADMIN, actor, roles, board=OrganisationId(board) if board else None)
        return Caller(self, added.token)


class Caller:
    """Whoever holds a token, and asks with it."""

    def __init__(self, api: Api, token: str) -> None:
        self._api, self._headers = api, {"Authorization": f"Bearer {token}"}

    def get(self, path: str) -> Any:
        return json.loads(self.text(path))

    def text(self, path: str, accept: str = "application/json") -> str:
        answer = self._api.client.get(f"/api/v1/{path}", headers=self._headers | {"Accept": accept})
        assert answer.status_code == 200, answer.text
        return answer.text

    def has_no(self, path: str) -> bool:
        """Whether they are told that there is nothing."""
        return self._api.client.get(f"/api/v1/{path}", headers=self._headers).status_code == 404

    def post(self, path: str, body: Any) -> Any:
        answer = self._api.client.post(f"/api/v1/{path}", json=body, headers=self._headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, path: str, body: Any) -> int:
        return self._api.client.post(f"/api/v1/{path}", json=body, headers=self._headers).status_code


@dataclass(frozen=True)
class Asked:
    """A ticket as one of those who may see it follows it."""

    by: Caller
    ticket_id: str

    @classmethod
    def of(cls, by: Caller, **form: Any) -> "Asked":
        """Bring it in."""
        [taken] = by.post("tickets", form)
        return cls(by, taken["ticket"]["ticket_id"])

    @property
    def path(self) -> str:
        return f"tickets/{self.ticket_id}"

    def show(self) -> Any:
        return self.by.get(self.path)

    def topics(self) -> list[str]:
        """What was answered, in order."""
        answers = self.show()["answers"]
        assert [one["sequence"] for one in answers] == list(range(1, len(answers) + 1))
        return [one["topic"].removeprefix("ticket_") for one in answers]

    def await_state(self, state: str, reason: str | None = None, *, within: float = 60.0) -> Any:
        """As it is shown once it is there."""

        def look() -> Any:
            shown = self.show()
            return shown if _standing(shown) == (state, reason) else None

        return until(look, lambda: f"ticket {state} {reason}: {self.show()}", within=within, every=EVERY)

    def operations(self) -> list[Any]:
        """Those that work for it, in short."""
        return list(self.show()["operations"])


def _standing(shown: Any) -> tuple[str, str | None]:
    return shown["ticket"]["state"], shown["ticket"]["reason"]
