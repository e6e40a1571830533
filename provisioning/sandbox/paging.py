"""Pages of users: `$top`, `$filter`, `$count`, opaque links to the next page.

learn.microsoft.com: "Paging Microsoft Graph data in your app". A position in the tenant's order of creation is the
token, so that people who come or go never shift a page.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from provisioning.sandbox.call import Call
from provisioning.sandbox.errors import bad_request, expired_page_token, unsupported
from provisioning.sandbox.filters import Filter, compile_filter
from provisioning.sandbox.links import seal, unseal
from provisioning.sandbox.model import User
from provisioning.sandbox.ordering import Ordering, read_ordering
from provisioning.sandbox.search import compile_search
from provisioning.sandbox.selection import Row, row_maker
from provisioning.sandbox.wire import Response, json_response

RowMaker = Callable[[str | None], Callable[[User], Row]]

DEFAULT_PAGE, LARGEST_PAGE = 100, 999
_CASTS = ("/microsoft.graph.user", "/graph.user")
_WITH_A_CAST = {"$count", "$skiptoken"}
LARGEST_PAGE_WITH_SIGN_INS = 500  # asked for more, Graph gives this many


class PageToken(msgspec.Struct, array_like=True):
    """Where the next page starts, its number, when the link was given, whether the advanced index served it."""

    position: int
    number: int
    issued_at: float
    is_advanced: bool


def read_token(text: str) -> PageToken:
    """The token in a nextLink; raises Graph's 400 for one that it never gave."""
    try:
        return unseal(text, PageToken)
    except ValueError as error:
        raise expired_page_token() from error


def is_aged(token: PageToken, call: Call) -> bool:
    lifetime = call.world.switches.page_token_lifetime_seconds
    return lifetime is not None and call.now > token.issued_at + lifetime


class Query:
    """The OData options of one listing, checked."""

    def __init__(self, call: Call, rows: RowMaker = row_maker, *, is_counting: bool = False) -> None:
        self.options = call.request.options
        self.is_eventual = call.request.is_eventual
        self.counts = self.is_eventual and (is_counting or self.options.get("$count") == "true")
        select = self.options.get("$select")
        self.top = read_top(self.options.get("$top"), select)
        self.row = rows(select)
        self.filter = self._filter()
        self.search = self._search()
        self.ordering = self._ordering()
        self.token = self._token(call)

    def matches(self, user: User) -> bool:
        return (self.filter is None or self.filter.matches(user)) and (self.search is None or self.search(user))

    def _search(self) -> Callable[[User], bool] | None:
        text = self.options.get("$search")
        if text is None:
            return None
        if not self.is_eventual:
            raise unsupported(
                "Request with $search query parameter only works through MSGraph with a special request header: "
                "'ConsistencyLevel: eventual'"
            )
        return compile_search(text)

    def _ordering(self) -> Ordering | None:
        text = self.options.get("$orderby")
        if not text:
            return None
        ordering = read_ordering(text)
        # Together with a filter, or on anything but names, sorting is an advanced query.
        if (ordering.is_advanced or self.filter is not None) and not self.counts:
            raise unsupported("Sorting not supported for current query.")
        return ordering

    def _filter(self) -> Filter | None:
        text = self.options.get("$filter")
        compiled = compile_filter(text) if text else None
        if compiled and compiled.is_advanced and not self.counts:
            raise unsupported()
        return compiled

    def _token(self, call: Call) -> PageToken:
        is_about_licences = self.filter is not None and self.filter.is_about_licences
        return token_of(call, counts=self.counts, is_about_licences=is_about_licences)


def token_of(call: Call, *, counts: bool, is_about_licences: bool) -> PageToken:
    """Where the page that is asked for starts; raises Graph's 400 for a link that died.

    Page 2 of a filter on licences dies where the query was not an advanced one, for users and for groups alike.
    """
    text = call.request.options.get("$skiptoken")
    if not text:
        return PageToken(0, 1, call.now, counts)
    token = read_token(text)
    lost_its_header = token.is_advanced and not call.request.is_eventual
    is_weak = is_about_licences and not counts and call.world.switches.users_page_token_expires
    if is_aged(token, call) or lost_its_header or is_weak:
        raise expired_page_token()
    return token


def read_top(text: str | None, select: str | None) -> int:
    if text is None:
        return DEFAULT_PAGE
    if not text.isdigit() or not 1 <= int(text) <= LARGEST_PAGE:
        raise bad_request(f"Invalid page size specified: '{text}'. Must be between 1 and {LARGEST_PAGE} inclusive.")
    has_sign_ins = select is not None and "signInActivity" in select.split(",")
    return min(int(text), LARGEST_PAGE_WITH_SIGN_INS) if has_sign_ins else int(text)


def refuse_options(options: Mapping[str, str], *names: str) -> None:
    for name in names:
        if name in options:
            raise unsupported(f"'{name}' is not supported by the service.")


def page_of_users(call: Call, ids: list[str], context: str, rows: RowMaker = row_maker) -> Response:
    """One page of the users in `ids`, in that order; `rows` turns a `$select` into a function from user to row."""
    query = Query(call, rows)
    refuse_options(query.options, "$expand", "$skip")
    _require_cast(call, query)
    if query.ordering:
        ids = query.ordering.sort(call.users(ids))
    found, position = _collect(call, ids, query)
    page: dict[str, Any] = {"@odata.context": f"{call.root}/$metadata#{context}"}
    if query.counts and query.token.number == 1:
        page["@odata.count"] = sum(map(query.matches, call.users(ids)))
    if position < len(ids):
        page["@odata.nextLink"] = next_link(call, query.token, position)
    page["value"] = [query.row(user) for user in found]
    return json_response(page)


def _require_cast(call: Call, query: Query) -> None:
    """A cast goes with other options in an advanced query alone."""
    is_cast = call.request.path.lower().endswith(_CASTS)
    has_options = not query.options.keys() <= _WITH_A_CAST
    if is_cast and has_options and not query.counts and call.world.switches.casts_are_advanced:
        raise unsupported()


def _collect(call: Call, ids: list[str], query: Query) -> tuple[list[User], int]:
    position = query.token.position
    found: list[User] = []
    top = page_size(call, query.top, query.token)
    while position < len(ids) and len(found) < top:
        user = call.find_user(ids[position])
        position += 1
        if user is not None and query.matches(user):
            found.append(user)
    return found, position


def page_size(call: Call, top: int, token: PageToken) -> int:
    """How many objects a page may hold: now and then none, or half of what was asked."""
    empty, short = call.world.switches.empty_page_every, call.world.switches.short_page_every
    if empty and token.number % empty == 0:
        return 0
    return max(1, top // 2) if short and token.number % short == 0 else top


def next_link(call: Call, token: PageToken, position: int) -> str:
    """The absolute link to the page after the one of `token`, with all options of the first request."""
    following = PageToken(position, token.number + 1, call.now, token.is_advanced)
    options = {**call.request.options, "$skiptoken": seal(following)}
    return f"{call.root}{call.request.path}?{urlencode(options, safe='$,', quote_via=quote)}"
