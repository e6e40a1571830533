"""Graph behind the port `Prober`: any request, once, and the answer as it came."""

from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation

from provisioning.domain.errors import AmbiguousOutcomeError, RetryableError
from provisioning.domain.groups import ObservedGroup
from provisioning.domain.ids import GroupId, SubjectId, TenantId
from provisioning.domain.observation import Person
from provisioning.domain.reasons import Reason
from provisioning.graph import groups, reads
from provisioning.graph.bridge import Bridge, PerProcess
from provisioning.graph.client import Answer, GraphClient
from provisioning.graph.settings import GraphSettings
from provisioning.planning.probe import Ask
from provisioning.planning.probe_answers import Answered
from provisioning.ports import Clock

T = TypeVar("T")

_SLACK = timedelta(seconds=5)
_IN_ADDRESSES = "/?&=$()':,%"  # what stays as it is: links of Graph are encoded already
_JSON = {"Content-Type": "application/json"}


class GraphProber:
    """Implements `Prober`. Writes are never repeated here."""

    def __init__(self, settings: GraphSettings, clock: Clock, bridge: Bridge) -> None:
        self._settings = settings
        self._bridge = bridge
        self._client = PerProcess(lambda: GraphClient(settings, clock))
        self._deadline = settings.write_timeout + settings.patience + _SLACK

    def ask(self, tenant: TenantId, ask: Ask, call_id: str) -> Answered:
        try:
            answer = self._bridge.run(self._send(tenant, ask, call_id), self._deadline)
        except TimeoutError:
            raise AmbiguousOutcomeError("Microsoft Graph took too long to answer.", Reason.NO_ANSWER) from None
        return Answered(answer.status, answer.headers, answer.body)

    def observe_person(self, tenant: TenantId, user: SubjectId) -> Person | None:
        return self._read(reads.observe_people(self._client.get(), tenant, [user])).get(user)

    def observe_group(self, tenant: TenantId, group: GroupId) -> ObservedGroup | None:
        reading = groups.observe_groups(self._client.get(), tenant, [group], with_members=True)
        return self._read(reading).get(group)

    @property
    def root(self) -> str:
        return self._settings.base_url

    def close(self) -> None:
        if client := self._client.pop():
            self._bridge.run(client.close(), _SLACK)

    def _read(self, reading: Coroutine[Any, Any, T]) -> T:
        try:
            return self._bridge.run(reading, self._deadline)
        except TimeoutError:
            raise RetryableError("Microsoft Graph took too long to answer.", Reason.NO_ANSWER) from None

    async def _send(self, tenant: TenantId, ask: Ask, call_id: str) -> Answer:
        client, settings = self._client.get(), self._settings
        path = quote(ask.path, safe=_IN_ADDRESSES)
        if ask.is_open:
            root = settings.authority.rstrip("/") if ask.at_entra else settings.base_url
            return await client.fetch_openly(f"{root}{path}")
        await client.tokens.get(tenant)
        return await client.send(tenant, self._request(ask, path, call_id), settings.write_timeout)

    def _request(self, ask: Ask, path: str, call_id: str) -> RequestInformation:
        request = RequestInformation(Method[ask.method])
        request.url = f"{self._settings.base_url}{path}"
        for name, text in {**ask.headers, "client-request-id": call_id}.items():
            request.headers.add(name, text)
        body = {"requests": _items(ask, call_id)} if ask.items else ask.body
        if body is not None:
            request.headers.add("Content-Type", "application/json")
            request.content = msgspec.json.encode(body)
        return request


def _items(ask: Ask, call_id: str) -> list[dict[str, Any]]:
    """Relative to the version root, as a batch wants them; each says which call it belongs to."""
    return [
        {
            "id": str(place),
            "method": item.method,
            "url": item.path,
            "headers": {"client-request-id": call_id, **({} if item.body is None else _JSON)},
            **({} if item.body is None else {"body": item.body}),
        }
        for place, item in enumerate(ask.items)
    ]
