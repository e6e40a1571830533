"""A Graph of httpx.MockTransport, tokens without Entra, a clock that stands still and a quota that remembers."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec

from provisioning.domain.ids import AttemptId, GroupId, OperationId, SkuId, StepId, SubjectId, TenantId
from provisioning.domain.operation import Attempt, Change, Lane, StepKind, place_in_call
from provisioning.domain.worklist import Lease
from provisioning.graph.client import GraphClient
from provisioning.graph.settings import Application, GraphSettings
from provisioning.graph.tokens import Token, Tokens
from provisioning.ports import Grant

NOW = datetime(2026, 2, 3, 8, 20, tzinfo=UTC)
TENANT = TenantId("5b0c1f0e-7a51-4c0e-9d3b-2f6f1d9a1001")
SETTINGS = GraphSettings(
    application=Application(client_id="a1d4f2c6-0b9e-4c3d-8f6a-77e0c2d41002", client_secret="a-secret-nobody-knows"),
    base_url="https://graph.test/v1.0",
    authority="https://entra.test",
)
A1 = SkuId("94763226-9b3c-4e75-a931-5c89701abe66")
A3 = SkuId("4b590615-0888-425a-a965-b3bf7789848d")
GROUP = GroupId("7e2a4d90-13c5-4b6f-a8e1-9d5f0b6c3001")


class StandingClock:
    """Stands where it was put; `advance` moves it."""

    def __init__(self) -> None:
        self.moment = NOW

    def now(self) -> datetime:
        return self.moment

    def wall(self) -> datetime:
        return self.moment

    def advance(self, by: timedelta) -> None:
        self.moment += by


class ListeningQuota:
    """Grants everything and remembers what Microsoft said."""

    def __init__(self) -> None:
        self.refusals: list[tuple[TenantId, str | None, timedelta | None]] = []
        self.lost = 0
        self.pressures: list[tuple[TenantId, float]] = []

    def take(self, tenant: TenantId, writes: int, lane: Lane) -> Grant:
        del tenant, lane
        return Grant(writes)

    def refused(self, tenant: TenantId, scope: str | None, after: timedelta | None, writes: int = 1) -> None:
        self.refusals.append((tenant, scope, after))
        self.lost += writes

    def pressed(self, tenant: TenantId, percentage: float) -> None:
        self.pressures.append((tenant, percentage))


class GivenTokens(Tokens):
    """Tokens that need no Entra; each renewal gives another text."""

    def __init__(self, clock: StandingClock, roles: frozenset[str] = frozenset()) -> None:
        super().__init__(SETTINGS, clock, patiently, lambda *_: [])
        self.roles = roles
        self.renewals = 0

    async def _renew(self, tenant: TenantId, claims: str | None = None) -> Token:
        del claims
        self.renewals += 1
        now = self._clock.wall()
        token = Token(
            text=f"token-{self.renewals}",
            tenant_id=tenant,
            roles=self.roles,
            obtained_at=now,
            expires_at=now + timedelta(hours=1),
        )
        self._tokens[tenant] = token
        return token


async def patiently(_: float) -> None:
    """Sleeps no time at all."""


class FakeGraph:
    """Answers with `answer`, remembers what was asked. `client` is a GraphClient that talks to it."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response], settings: GraphSettings = SETTINGS) -> None:
        self._answer = answer
        self.requests: list[httpx.Request] = []
        self.clock = StandingClock()
        self.tokens = GivenTokens(self.clock)
        self._settings = settings
        self.client = self.connected_to(httpx.MockTransport(self._record))

    def connected_to(self, transport: httpx.MockTransport) -> GraphClient:
        return GraphClient(self._settings, self.clock, patiently, transport, self.tokens)

    def _record(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self._answer(request)

    @property
    def batches(self) -> list[list[dict[str, Any]]]:
        """The items of every envelope so far."""
        return [json.loads(r.content)["requests"] for r in self.requests if r.url.path.endswith("$batch")]


def in_sequence(*answers: httpx.Response | Exception) -> Callable[[httpx.Request], httpx.Response]:
    """These answers, one after the other; the last one for ever."""
    waiting = list(answers)

    def answer(_: httpx.Request) -> httpx.Response:
        given = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(given, Exception):
            raise given
        return given

    return answer


def batch_of(answer_item: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[httpx.Request], httpx.Response]:
    """An envelope 200 whose items `answer_item` answers, in reverse order as Graph may."""

    def answer(request: httpx.Request) -> httpx.Response:
        items = json.loads(request.content)["requests"]
        parts = [{"id": item["id"].upper(), "headers": {}, **answer_item(item)} for item in reversed(items)]
        return httpx.Response(200, json={"responses": parts}, headers={"request-id": "envelope-1"})

    return answer


def error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "innerError": {"request-id": "inner-1"}}}


def subject(number: int) -> SubjectId:
    return SubjectId(f"0c9e7b52-6a3d-4f18-9b77-{number:012d}")


def attempt(
    number: int, kind: StepKind = StepKind.SWAP, change: Change | None = None, of: int | None = None
) -> Attempt:
    """A swap from A1 to A3, unless told otherwise; `of`: for the person of another number."""
    return Attempt(
        attempt_id=AttemptId(f"aaaaaaaa-0000-4000-8000-{number:012d}"),
        step_id=StepId(number),
        operation_id=OperationId("op-1"),
        tenant_id=TENANT,
        subject_id=subject(number if of is None else of),
        kind=kind,
        change=change or Change(add_sku=A3, remove_skus=(A1,)),
        fence=1,
    )


def joining(call: int, *people: int, group: GroupId = GROUP) -> list[Attempt]:
    """The attempts of one call by which these people join a group."""
    change = Change(group_id=group, add_sku=A3)
    shared = call_id(call)
    return [
        msgspec.structs.replace(attempt(number, StepKind.ADD_MEMBERS, change), attempt_id=place_in_call(shared, place))
        for place, number in enumerate(people)
    ]


def leaving(number: int, group: GroupId = GROUP) -> Attempt:
    return attempt(number, StepKind.REMOVE_MEMBER, Change(group_id=group, remove_skus=(A3,)))


def call_id(number: int) -> str:
    return f"cccccccc-0000-4000-8000-{number:012d}"


def attempts(count: int) -> Sequence[Attempt]:
    return [attempt(number) for number in range(count)]


def lease(expires_in: timedelta = timedelta(seconds=30)) -> Lease:
    return Lease(name=f"tenant:{TENANT}", holder="worker-1", fence=1, expires_at=NOW + expires_in)
