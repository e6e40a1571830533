"""Pages of groups, and of users and groups together.

learn.microsoft.com: "Paging Microsoft Graph data in your app". They page as users do: the token is a position in
an order that nobody shifts.
"""

from collections.abc import Callable, Sequence
from typing import Any

from provisioning.sandbox.call import Call
from provisioning.sandbox.paging import PageToken, next_link, page_size, read_top, refuse_options, token_of
from provisioning.sandbox.selection import Row
from provisioning.sandbox.wire import Response, json_response

RowOf = Callable[[str], Row | None]  # what an id looks like on this copy; None: not at all


class PageRequest:
    """The OData options of one listing of objects, checked."""

    def __init__(self, call: Call, *, is_about_licences: bool = False) -> None:
        options = call.request.options
        refuse_options(options, "$expand", "$orderby", "$search", "$skip")
        self.counts = call.request.is_eventual and options.get("$count") == "true"
        self.top = read_top(options.get("$top"), options.get("$select"))
        self.token = token_of(call, counts=self.counts, is_about_licences=is_about_licences)


def page_of_objects(
    call: Call, ids: Sequence[str], context: str, row_of: RowOf, *, is_about_licences: bool = False
) -> Response:
    """One page of `ids`, in that order. Raises Graph's 400 for options it does not take and for tokens that died."""
    wanted = PageRequest(call, is_about_licences=is_about_licences)
    rows, position = _collect(ids, row_of, wanted.token, page_size(call, wanted.top, wanted.token))
    page: dict[str, Any] = {"@odata.context": f"{call.root}/$metadata#{context}"}
    if wanted.counts and wanted.token.number == 1:
        page["@odata.count"] = sum(row_of(one) is not None for one in ids)
    if position < len(ids):
        page["@odata.nextLink"] = next_link(call, wanted.token, position)
    return json_response({**page, "value": rows})


def _collect(ids: Sequence[str], row_of: RowOf, token: PageToken, size: int) -> tuple[list[Row], int]:
    """The rows of a page and where the next one starts."""
    position, rows = token.position, list[Row]()
    while position < len(ids) and len(rows) < size:
        row = row_of(ids[position])
        position += 1
        if row is not None:
            rows.append(row)
    return rows, position
