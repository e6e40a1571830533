"""Faults on order: which requests they hit, and what the client gets instead of an answer."""

import random
from collections.abc import Iterator
from typing import Literal

import msgspec

FaultKind = Literal[
    "throttle",  # 429
    "unavailable",  # 503
    "gateway_timeout",  # 504
    "conflict",  # 409
    "drop",  # the connection is cut
    "unauthorized",  # 401, with a claims challenge if `claims`
    "error",  # `status`, `code` and `message` as given
    "token_error",  # the token endpoint refuses with AADSTS `code`
    "consent_refused",  # the admin consent page says no
]


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Hits a request that fits `tenant`, `route` and `user` (None: any), with `probability`, after the first `after`
    fitting requests, at most `times` times. With `applied` the request is carried out and only the answer is lost.
    `code`, `message` and `headers` replace or join what the kind says by itself.
    """

    kind: FaultKind
    id: str = ""
    tenant: str | None = None
    route: str | None = None
    user: str | None = None
    probability: float = 1.0
    after: int = 0
    times: int | None = None
    applied: bool = False
    retryAfter: int | float | str | None = None
    body: Literal["json", "html", "empty"] = "json"
    status: int = 400
    code: str = ""
    message: str = ""
    headers: dict[str, str] = {}
    claims: bool = False
    seen: int = 0
    hits: int = 0


class Faults:
    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._faults: list[Fault] = []
        self._numbers = iter(range(1, 1 << 31))

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._faults)

    def add(self, fault: Fault) -> Fault:
        fault.id = fault.id or f"fault-{next(self._numbers)}"
        self._faults.append(fault)
        return fault

    def clear(self, fault_id: str | None = None) -> None:
        """Forget one fault, or all."""
        self._faults = [fault for fault in self._faults if fault_id is not None and fault.id != fault_id]

    def pick(self, tenant: str, route: str, user: str | None = None) -> Fault | None:
        """The first fault that hits this request."""
        return next((fault for fault in self._faults if self._hits(fault, tenant, route, user)), None)

    def _hits(self, fault: Fault, tenant: str, route: str, user: str | None) -> bool:
        if not _fits(fault, tenant, route, user):
            return False
        fault.seen += 1
        exhausted = fault.times is not None and fault.hits >= fault.times
        if fault.seen <= fault.after or exhausted or self._rng.random() >= fault.probability:
            return False
        fault.hits += 1
        return True


_OF_THE_IDENTITY_PLATFORM = frozenset({"token", "consent"})
_ONLY_ROUTE = {"token_error": "token", "consent_refused": "consent"}


def _fits(fault: Fault, tenant: str, route: str, user: str | None) -> bool:
    wanted_route = fault.route or _ONLY_ROUTE.get(fault.kind)
    if wanted_route is None and route in _OF_THE_IDENTITY_PLATFORM:
        return False  # a fault that names no route means Graph
    wanted = ((wanted_route, route), (fault.tenant, tenant), (fault.user, user))
    return all(want is None or want == have for want, have in wanted)


def retry_after_headers(fault: Fault) -> dict[str, str]:
    return {} if fault.retryAfter is None else {"Retry-After": str(fault.retryAfter)}


def fault_headers(fault: Fault) -> dict[str, str]:
    """Those that the fault brings, such as x-ms-throttle-information, and its Retry-After."""
    return {**fault.headers, **retry_after_headers(fault)}
