"""How messages to each endpoint stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from provisioning.domain.webhook import Endpoint, Message
from provisioning.ports import OpenUnitOfWork


class EndpointStanding(msgspec.Struct, frozen=True, kw_only=True):
    """`url` is None when messages wait for an endpoint that the file names no longer."""

    name: str
    url: str | None
    topics: tuple[str, ...] = ()
    delivered: int = 0
    waiting: int = 0
    given_up: int = 0


@dataclass(frozen=True, kw_only=True)
class ShowWebhooks:
    open_uow: OpenUnitOfWork
    endpoints: Sequence[Endpoint]

    def __call__(self) -> list[EndpointStanding]:
        with self.open_uow() as uow:
            standing = uow.webhooks.standing()
        addressed = {one.name: one for one in self.endpoints}
        return [_standing(name, addressed.get(name), standing) for name in sorted(addressed.keys() | standing.keys())]

    def messages(self, limit: int = 200) -> list[Message]:
        """What was not taken yet, or was given up, in order."""
        with self.open_uow() as uow:
            return uow.webhooks.list_open(limit)


def _standing(name: str, endpoint: Endpoint | None, standing: Mapping[str, Mapping[str, int]]) -> EndpointStanding:
    counts = standing.get(name, {})
    return EndpointStanding(
        name=name,
        url=endpoint.url if endpoint else None,
        topics=endpoint.topics if endpoint else (),
        delivered=counts.get("delivered", 0),
        waiting=counts.get("waiting", 0),
        given_up=counts.get("given_up", 0),
    )
