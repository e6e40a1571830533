"""Opaque positions: what a `$skiptoken` or `$deltatoken` holds, unreadable and safe in a URL."""

import base64
from typing import TypeVar

import msgspec

_Token = TypeVar("_Token", bound=msgspec.Struct)


def seal(token: msgspec.Struct) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(token)).decode().rstrip("=")


def unseal(text: str, kind: type[_Token]) -> _Token:
    """The token in `text`; raises ValueError for one that the twin never gave."""
    packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return msgspec.msgpack.decode(packed, type=kind)
