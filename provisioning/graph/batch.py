"""$batch: twenty requests in one envelope (learn.microsoft.com: "Combine multiple HTTP requests using JSON batching").

As bytes of our own: the SDK's batch classes lose the bodies of answers and misspell dependencies.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import msgspec
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation

from provisioning.domain.errors import AmbiguousOutcomeError
from provisioning.domain.reasons import Reason
from provisioning.graph import wire

T = TypeVar("T")

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(wire.BatchResponse)


def envelope(base_url: str, items: Sequence[wire.BatchItem]) -> RequestInformation:
    """The request that carries these items."""
    request = RequestInformation(Method.POST)
    request.url = f"{base_url}/$batch"  # spelt out: expanding a template costs as much as three people
    request.headers.add("Content-Type", "application/json")
    request.content = _ENCODER.encode(wire.BatchRequest(list(items)))
    return request


def open_envelope(body: bytes) -> dict[str, wire.BatchPart]:
    """The answers by lower-case id: they come in any order. Raises AmbiguousOutcomeError when unreadable."""
    try:
        return {part.id.lower(): part for part in _DECODER.decode(body).responses}
    except msgspec.DecodeError:
        raise AmbiguousOutcomeError("The answer to a batch cannot be read.", Reason.NO_ANSWER) from None


def headers_of(part: wire.BatchPart) -> dict[str, str]:
    """The headers of one answer, names in lower case."""
    return {name.lower(): text for name, text in (part.headers or {}).items()}


def in_parts(things: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (things[start : start + size] for start in range(0, len(things), size))


def in_rounds(things: Iterable[T], owners: Callable[[T], Sequence[object]]) -> list[list[T]]:
    """Split so that no owner occurs twice in a round: parallel writes to one object end in a conflict."""
    rounds: list[list[T]] = []
    seen: dict[object, int] = {}
    for thing in things:
        concerned = owners(thing)
        number = max(seen.get(owner, 0) for owner in concerned)
        seen.update(dict.fromkeys(concerned, number + 1))
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(thing)
    return rounds
