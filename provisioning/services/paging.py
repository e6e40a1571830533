"""Long lists come in pages: a cursor says after which row the next one begins, whatever was added meanwhile."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from provisioning.domain.errors import InputError

LARGEST_PAGE = 200
USUAL_PAGE = 50

T = TypeVar("T")
Key = TypeVar("Key")


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """`next`: the cursor of the page after this one; None at the end."""

    items: list[T]
    next: str | None = None


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """The page that somebody asks for. `cursor` None: the first."""

    cursor: str | None = None
    limit: int = USUAL_PAGE

    def after(self, kind: type[Key]) -> Key | None:
        """The key of the row before the page; raises InputError for what no list of this kind gave out."""
        return None if self.cursor is None else _read(self.cursor, kind)


def page_of(found: Sequence[T], limit: int, key: Callable[[T], Any]) -> Page[T]:
    """`found`: one row more than `limit`, when there is one."""
    items = list(found[:limit])
    return Page(items=items, next=_write(key(items[-1])) if len(found) > limit else None)


def cut(rows: Sequence[T], wanted: Wanted, kind: Any, key: Callable[[T], Any]) -> Page[T]:
    """A page of rows that are all at hand, in the order of their keys."""
    after = wanted.after(kind)
    left = rows if after is None else [row for row in rows if key(row) > after]
    return page_of(left[: wanted.limit + 1], wanted.limit, key)


def _write(key: Any) -> str:
    return urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def _read(cursor: str, kind: type[Key]) -> Key:
    try:
        return msgspec.json.decode(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=kind)
    except (Base64Error, msgspec.MsgspecError, UnicodeError, ValueError):
        raise InputError(
            "This is no cursor of this list; take `next` of the page before, or begin without one."
        ) from None
