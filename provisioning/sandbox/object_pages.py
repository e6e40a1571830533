"""Pages of groups, and of users and groups together: `$top` and opaque links to the next page.

learn.microsoft.com: "Paging Microsoft Graph data in your app". The token is a position in an order that nobody shifts.
"""

import base64
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from provisioning.sandbox.call import Call
from provisioning.sandbox.errors import bad_request, expired_page_token, unsupported
from provisioning.sandbox.selection import Row
from provisioning.sandbox.wire import Response, json_response

DEFAULT_PAGE, LARGEST_PAGE = 100, 999
RowOf = Callable[[str], Row | None]  # what an id looks like on this copy; None: not at all

_UNSUPPORTED = ("$expand", "$orderby", "$search", "$skip")


class _Token(msgspec.Struct, array_like=True):
    """Where the next page starts, when the link was given, whether the advanced index served it."""

    position: int
    issued_at: float
    is_advanced: bool


def page_of_objects(
    call: Call, ids: Sequence[str], context: str, row_of: RowOf, *, is_about_licences: bool = False
) -> Response:
    """One page of `ids`, in that order. Raises Graph's 400 for options it does not take and for tokens that died."""
    _refuse_unsupported(call)
    counts = _is_eventual(call) and call.request.options.get("$count") == "true"
    start = position = _position(call, may_die=is_about_licences and not counts)
    top, rows = _top(call), list[Row]()
    while position < len(ids) and len(rows) < top:
        row = row_of(ids[position])
        position += 1
        if row is not None:
            rows.append(row)
    page: dict[str, Any] = {"@odata.context": f"{call.root}/$metadata#{context}"}
    if counts and not start:
        page["@odata.count"] = sum(row_of(one) is not None for one in ids)
    if position < len(ids):
        page["@odata.nextLink"] = _next_link(call, _Token(position, call.now, counts))
    return json_response({**page, "value": rows})


def _is_eventual(call: Call) -> bool:
    return call.request.headers.get("consistencylevel", "").lower() == "eventual"


def _refuse_unsupported(call: Call) -> None:
    for name in _UNSUPPORTED:
        if name in call.request.options:
            raise unsupported(f"Unsupported query option '{name}'.")


def _top(call: Call) -> int:
    text = call.request.options.get("$top", str(DEFAULT_PAGE))
    if not text.isdigit() or not 1 <= int(text) <= LARGEST_PAGE:
        raise bad_request(f"Invalid page size specified: '{text}'. Must be between 1 and {LARGEST_PAGE} inclusive.")
    return int(text)


def _position(call: Call, *, may_die: bool) -> int:
    """Page 2 of a filter on licences has the trap that it has for users, and the same way round it."""
    text, switches = call.request.options.get("$skiptoken"), call.world.switches
    if not text:
        return 0
    token, lifetime = _read(text), switches.page_token_lifetime_seconds
    has_aged = lifetime is not None and call.now > token.issued_at + lifetime
    lost_its_header = token.is_advanced and not _is_eventual(call)
    if has_aged or lost_its_header or (may_die and switches.users_page_token_expires):
        raise expired_page_token()
    return token.position


def _read(text: str) -> _Token:
    try:
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return msgspec.msgpack.decode(packed, type=_Token)
    except ValueError as error:
        raise expired_page_token() from error


def _next_link(call: Call, token: _Token) -> str:
    packed = base64.urlsafe_b64encode(msgspec.msgpack.encode(token)).decode().rstrip("=")
    options = {**call.request.options, "$skiptoken": packed}
    return f"{call.root}{call.request.path}?{urlencode(options, safe='$,', quote_via=quote)}"
