"""Pages of users: `$top`, `$filter`, `$count`, opaque links to the next page.

learn.microsoft.com: "Paging Microsoft Graph data in your app". A position in the tenant's order of creation is the
token, so that people who come or go never shift a page.
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from provisioning.sandbox.call import Call
from provisioning.sandbox.errors import bad_request, expired_page_token, unsupported
from provisioning.sandbox.filters import Filter, compile_filter
from provisioning.sandbox.model import User
from provisioning.sandbox.selection import Row, row_maker
from provisioning.sandbox.wire import Response, json_response

RowMaker = Callable[[str | None], Callable[[User], Row]]

DEFAULT_PAGE, LARGEST_PAGE = 100, 999


class PageToken(msgspec.Struct, array_like=True):
    """Where the next page starts, its number, when the link was given, whether the advanced index served it."""

    position: int
    number: int
    issued_at: float
    is_advanced: bool

    def to_text(self) -> str:
        return base64.urlsafe_b64encode(msgspec.msgpack.encode(self)).decode().rstrip("=")


def read_token(text: str) -> PageToken:
    """The token in a nextLink; raises Graph's 400 for one that it never gave."""
    try:
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return msgspec.msgpack.decode(packed, type=PageToken)
    except ValueError as error:
        raise expired_page_token() from error


class Query:
    """The OData options of one listing, checked."""

    def __init__(self, call: Call, rows: RowMaker = row_maker, *, is_counting: bool = False) -> None:
        self.options = call.request.options
        self.is_eventual = call.request.headers.get("consistencylevel", "").lower() == "eventual"
        self.counts = self.is_eventual and (is_counting or self.options.get("$count") == "true")
        self.top = _top(self.options.get("$top"))
        self.row = rows(self.options.get("$select"))
        self.filter = self._filter()
        self.token = self._token(call)

    def matches(self, user: User) -> bool:
        return self.filter is None or self.filter.matches(user)

    def _filter(self) -> Filter | None:
        text = self.options.get("$filter")
        compiled = compile_filter(text) if text else None
        if compiled and compiled.is_advanced and not self.counts:
            raise unsupported()
        return compiled

    def _token(self, call: Call) -> PageToken:
        text = self.options.get("$skiptoken")
        if not text:
            return PageToken(0, 1, call.now, self.counts)
        token = read_token(text)
        self._require_alive(token, call)
        return token

    def _require_alive(self, token: PageToken, call: Call) -> None:
        switches = call.world.switches
        lifetime = switches.page_token_lifetime_seconds
        has_aged = lifetime is not None and call.now > token.issued_at + lifetime
        lost_its_header = token.is_advanced and not self.is_eventual
        is_about_licences = self.filter is not None and self.filter.is_about_licences
        is_weak = is_about_licences and not self.counts and switches.users_page_token_expires
        if has_aged or lost_its_header or is_weak:
            raise expired_page_token()


def _top(text: str | None) -> int:
    if text is None:
        return DEFAULT_PAGE
    if not text.isdigit() or not 1 <= int(text) <= LARGEST_PAGE:
        raise bad_request(f"Invalid page size specified: '{text}'. Must be between 1 and {LARGEST_PAGE} inclusive.")
    return int(text)


def refuse_options(options: Mapping[str, str], *names: str) -> None:
    for name in names:
        if name in options:
            raise unsupported(f"Unsupported query option '{name}'.")


def page_of_users(call: Call, ids: list[str], context: str, rows: RowMaker = row_maker) -> Response:
    """One page of the users in `ids`, in that order; `rows` turns a `$select` into a function from user to row."""
    query = Query(call, rows)
    refuse_options(query.options, "$expand", "$orderby", "$search", "$skip")
    found, position = _collect(call, ids, query)
    page: dict[str, Any] = {"@odata.context": f"{call.root}/$metadata#{context}"}
    if query.counts and query.token.number == 1:
        page["@odata.count"] = sum(map(query.matches, call.users(ids)))
    if position < len(ids):
        page["@odata.nextLink"] = _next_link(call, query, position)
    page["value"] = [query.row(user) for user in found]
    return json_response(page)


def _collect(call: Call, ids: list[str], query: Query) -> tuple[list[User], int]:
    position = query.token.position
    found: list[User] = []
    every = call.world.switches.empty_page_every
    if every and query.token.number % every == 0:
        return [], position
    while position < len(ids) and len(found) < query.top:
        user = call.find_user(ids[position])
        position += 1
        if user is not None and query.matches(user):
            found.append(user)
    return found, position


def _next_link(call: Call, query: Query, position: int) -> str:
    token = PageToken(position, query.token.number + 1, call.now, query.token.is_advanced)
    options = {**query.options, "$skiptoken": token.to_text()}
    return f"{call.root}{call.request.path}?{urlencode(options, safe='$,', quote_via=quote)}"
