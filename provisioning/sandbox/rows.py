"""OData options on small collections that are kept as plain rows: subscriptions, schools, contracts.

`$filter` (comparisons, in, startsWith, and, or, not), `$orderby`, `$top`, `$select`, `$count` and opaque links.
"""

import operator
from collections.abc import Callable, Sequence
from typing import Any

from provisioning.sandbox.call import Call
from provisioning.sandbox.errors import bad_request, expired_page_token, unsupported
from provisioning.sandbox.filters import FilterParser, Predicate, folded
from provisioning.sandbox.paging import PageToken, is_aged, next_link, read_token, read_top, refuse_options
from provisioning.sandbox.wire import Response, json_response

Row = dict[str, Any]

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}


class RowParser(FilterParser):
    """A filter on rows with `names` as properties."""

    def __init__(self, text: str, names: frozenset[str]) -> None:
        super().__init__(text)
        self._names = names

    def _property(self, word: str) -> str:
        if word not in self._names:
            raise unsupported(f"The property '{word}' does not exist or cannot be filtered on.")
        return word

    def _comparison(self, word: str) -> Predicate:
        name, sign = self._property(word), self._next()
        if sign == "in":
            return self._membership(name)
        if sign not in _COMPARISONS:
            raise unsupported()
        compare, wanted = _COMPARISONS[sign], folded(self._literal())
        return lambda row: _holds(compare, folded(row[name]), wanted)

    def _any_licence(self) -> Predicate:
        raise unsupported()

    def _licence_count(self) -> Predicate:
        raise unsupported()

    def _value(self, user: Any, name: str) -> Any:
        return user[name]


def _holds(compare: Callable[[Any, Any], bool], held: Any, wanted: Any) -> bool:
    try:
        return compare(held, wanted)
    except TypeError:  # null, or another type: such a row is not among the answers
        return False


def page_of_rows(call: Call, rows: Sequence[Row], context: str, hidden: frozenset[str] = frozenset()) -> Response:
    """One page of `rows`; `hidden` properties come only when selected. Raises Graph's 400."""
    options = call.request.options
    refuse_options(options, "$expand", "$search", "$skip")
    found = _ordered(_filtered(rows, options.get("$filter")), options.get("$orderby"))
    token = _token(call)
    end = token.position if _is_empty(call, token) else token.position + read_top(options.get("$top"), None)
    page: dict[str, Any] = {"@odata.context": f"{call.root}/$metadata#{context}"}
    if options.get("$count") == "true" and token.number == 1:
        page["@odata.count"] = len(found)
    if end < len(found):
        page["@odata.nextLink"] = next_link(call, token, end)
    page["value"] = [select_row(row, options.get("$select"), hidden) for row in found[token.position : end]]
    return json_response(page)


def select_row(row: Row, select: str | None, hidden: frozenset[str] = frozenset()) -> Row:
    """The row with only what is asked for; raises Graph's 400 for a property that does not exist."""
    names = [name.strip() for name in select.split(",")] if select else [name for name in row if name not in hidden]
    for name in names:
        if name not in row:
            raise bad_request(f"Parsing OData Select and Expand failed: Could not find a property named '{name}'.")
    return {name: row[name] for name in names}


def _token(call: Call) -> PageToken:
    text = call.request.options.get("$skiptoken")
    token = read_token(text) if text else PageToken(0, 1, call.now, is_advanced=False)
    if is_aged(token, call):
        raise expired_page_token()
    return token


def _is_empty(call: Call, token: PageToken) -> bool:
    every = call.world.switches.empty_page_every
    return bool(every) and token.number % (every or 1) == 0


def _filtered(rows: Sequence[Row], text: str | None) -> list[Row]:
    if not text or not rows:
        return list(rows)
    matches = RowParser(text, frozenset(rows[0])).whole()
    return [row for row in rows if matches(row)]


def _ordered(rows: list[Row], text: str | None) -> list[Row]:
    if not text or not rows:
        return rows
    name, _, direction = text.strip().partition(" ")
    if name not in rows[0] or direction.strip().lower() not in {"", "asc", "desc"}:
        raise unsupported(f"Unsupported or invalid sort clause: '{text}'.")
    return sorted(rows, key=lambda row: (row[name] is not None, row[name]), reverse=direction.strip().lower() == "desc")
