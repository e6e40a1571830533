"""Answers that are kept so that a request sent twice is carried out once."""

from datetime import datetime
from typing import Protocol

import msgspec

from provisioning.domain.ids import Actor


class KeptAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What there is under a key. `status` None: the first request has no answer yet. `body`: JSON, without secrets."""

    digest: str
    claimed_at: datetime
    status: int | None = None
    body: bytes = b""


class AnswerStore(Protocol):
    def claim(self, actor: Actor, key: str, digest: str, at: datetime) -> KeptAnswer | None:
        """None: the key is the caller's now. Otherwise what somebody else's claim came to, once it is committed."""

    def keep(self, actor: Actor, key: str, status: int, body: bytes) -> None: ...
    def release(self, actor: Actor, key: str) -> None:
        """Nothing was done under this claim: the key may be used anew."""

    def purge(self, before: datetime) -> int: ...
