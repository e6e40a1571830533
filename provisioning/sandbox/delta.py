"""Delta queries: everything once, then what changed, then again (learn.microsoft.com: "Use delta query").

A round reads the log up to a horizon. A row shows the object as it was at the horizon, whichever of its changes brought
it up: so pages may come in any order, repeat objects and be replayed, and whoever applies them all ends up right.
"""

import re
from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from provisioning.sandbox.call import Call
from provisioning.sandbox.changes import Change, Changes
from provisioning.sandbox.errors import GraphError, expired_page_token, resync, unsupported
from provisioning.sandbox.links import seal, unseal
from provisioning.sandbox.model import User
from provisioning.sandbox.selection import Row
from provisioning.sandbox.wire import Response, json_response

TOKEN_SECONDS = 7 * 86_400  # the life of a delta token of directory objects
MOST_IDS = 50
TOKEN_CHECK = "deltaToken"  # noqa: S105 - the route kind of faults that hit a delta token
_UNSUPPORTED = ("$top", "$expand", "$orderby", "$search", "$count", "$skip")
_ID = re.compile(r"\s*id\s+eq\s+'([^']+)'\s*", re.IGNORECASE)


class Collection(msgspec.Struct, frozen=True):
    """What delta can follow: `order` and `states` now, its log, and how a `$select` becomes rows."""

    context: str
    order: Sequence[str]
    states: Mapping[str, Any]
    changes: Changes
    defaults: tuple[str, ...]
    rows: Callable[[str | None], Callable[[Any], Row]]


class DeltaToken(msgspec.Struct, array_like=True):
    """Where a round stands: in the collection while `is_initial`, else in the log; `since` is where changes begin."""

    log: str
    is_initial: bool
    position: int
    since: int
    number: int
    issued_at: float
    select: str | None
    ids: tuple[str, ...]


class Page(msgspec.Struct):
    """Keys of a page with the properties that changed (None: all), and where the next one begins (None: nowhere)."""

    touched: dict[str, set[str] | None]
    following: int | None = None


def answer_delta(call: Call, collection: Collection) -> Response:
    """One page of a delta query; raises Graph's 400 and 410."""
    options = {name.lower(): value for name, value in call.request.options.items()}
    for name in _UNSUPPORTED:
        if name in options:
            raise unsupported(f"The query option '{name}' is not supported with delta query.")
    collection.changes.empty_bin(call.now, collection.states)
    return Round(call, collection, options).answer()


class Round:
    """One request of a delta query."""

    def __init__(self, call: Call, collection: Collection, options: Mapping[str, str]) -> None:
        self._call = call
        self._collection = collection
        self._changes = collection.changes
        self._switches = call.world.switches
        self._options = options
        self._horizon = self._changes.reached(self._visible_until())
        self._token = self._read_token()
        self._horizon = max(self._horizon, self._token.since if self._token.is_initial else self._token.position)
        self._row = collection.rows(self._token.select)

    def answer(self) -> Response:
        page = self._page()
        rows = self._rows_of(page)
        if self._switches.shuffle_delta:
            self._call.world.rng.shuffle(rows)
        body = {"@odata.context": f"{self._call.root}/$metadata#{self._collection.context}", **self._link(page)}
        headers = {"Preference-Applied": "return=minimal"} if self._is_minimal else {}
        return json_response({**body, "value": rows}, headers=headers)

    @property
    def _is_minimal(self) -> bool:
        return "return=minimal" in self._call.request.headers.get("prefer", "").lower()

    def _visible_until(self) -> float:
        """Changes show up late, by a delay that is never twice the same."""
        lag = self._call.world.rng.uniform(0, self._call.tenant.replicas.lag)
        return self._call.now - self._switches.delta_delay_seconds - lag

    def _read_token(self) -> DeltaToken:
        if text := self._options.get("$skiptoken"):
            return self._page_token(text)
        delta_token = self._options.get("$deltatoken", "")
        if delta_token and delta_token.lower() != "latest":
            return self._delta_token(delta_token)
        return self._first_token(is_latest=bool(delta_token))

    def _first_token(self, *, is_latest: bool) -> DeltaToken:
        return DeltaToken(
            log=self._changes.id,
            is_initial=not is_latest,
            position=self._horizon if is_latest else 0,
            since=self._horizon,
            number=1,
            issued_at=self._call.now,
            select=self._options.get("$select"),
            ids=_ids(self._options.get("$filter")),
        )

    def _page_token(self, text: str) -> DeltaToken:
        try:
            token = unseal(text, DeltaToken)
        except ValueError as error:
            raise expired_page_token() from error
        lifetime = self._switches.page_token_lifetime_seconds or TOKEN_SECONDS
        if token.log != self._changes.id or self._call.now > token.issued_at + lifetime:
            raise expired_page_token()
        return token

    def _delta_token(self, text: str) -> DeltaToken:
        try:
            token = unseal(text, DeltaToken)
        except ValueError as error:
            raise self._resync("syncStateNotFound") from error
        if token.log != self._changes.id or self._call.now > token.issued_at + TOKEN_SECONDS:
            raise self._resync("syncStateNotFound", token.select)
        if fault := self._call.world.faults.pick(self._call.tenant.id, TOKEN_CHECK):
            raise self._resync(fault.code or "resyncRequired", token.select)
        return token

    def _resync(self, code: str, select: str | None = None) -> GraphError:
        kept = f"$select={quote(select, safe=',')}&" if select else ""
        return resync(code, f"{self._address}?{kept}$deltatoken=")

    @property
    def _address(self) -> str:
        return f"{self._call.root}{self._call.request.path}"

    def _page(self) -> Page:
        every, token = self._switches.empty_page_every, self._token
        if every and token.number % every == 0:
            return Page({}, token.position)
        return self._initial() if token.is_initial else self._changed()

    def _initial(self) -> Page:
        order = self._token.ids or self._collection.order
        end = min(self._token.position + self._switches.delta_page_size, len(order))
        present = [key for key in order[self._token.position : end] if self._collection.states.get(key) is not None]
        return Page(dict.fromkeys(present), self._following(end) if end < len(order) else None)

    def _changed(self) -> Page:
        tracked, size, end = self._tracked(), self._switches.delta_page_size, self._token.position
        touched: dict[str, set[str] | None] = {}
        for entry in self._changes.between(self._token.position, self._horizon):
            if len(touched) >= size:
                return Page(touched, self._following(end))
            end += 1
            changed = self._is_wanted(entry.key) and changed_names(entry, tracked)
            if changed:
                touched[entry.key] = (touched.get(entry.key) or set()) | changed
        return Page(touched)

    def _is_wanted(self, key: str) -> bool:
        return not self._token.ids or key in self._token.ids

    def _following(self, end: int) -> int:
        """Where the next page begins: a little earlier when objects shall come twice, but never where this one did."""
        return max(self._token.position + 1, end - self._switches.delta_repeats)

    def _tracked(self) -> tuple[str, ...]:
        select = self._token.select
        names = tuple(name.strip() for name in select.split(",")) if select else self._collection.defaults
        if self._switches.delta_tracks_assignment_states:
            return names
        return tuple(name for name in names if name != "licenseAssignmentStates")

    def _rows_of(self, page: Page) -> list[Row]:
        if self._token.is_initial:
            return [self._present(self._collection.states[key]) for key in page.touched]
        states = ChainMap(self._changes.states_before(self._horizon), self._collection.states)  # type: ignore[arg-type]
        return [self._known(key, states.get(key), names) for key, names in page.touched.items()]

    def _known(self, key: str, state: Any, names: set[str] | None) -> Row:
        if state is None:
            reason = "deleted" if self._changes.is_purged(key, self._horizon) else "changed"
            return {"id": key, "@removed": {"reason": reason}}
        row = self._present(state)
        if self._is_minimal and names is not None:
            return {"id": key, **{name: row[name] for name in row if name in names}}
        return row

    def _present(self, state: Any) -> Row:
        return {"id": state.id, **self._row(state)}

    def _link(self, page: Page) -> dict[str, str]:
        token = msgspec.structs.replace(self._token, issued_at=self._call.now)
        if page.following is not None:
            token.position, token.number = page.following, token.number + 1
            return {"@odata.nextLink": f"{self._address}?$skiptoken={seal(token)}"}
        reached = token.since if token.is_initial else self._horizon
        token.is_initial, token.number = False, 1
        token.position = max(0, reached - self._switches.delta_replays)
        return {"@odata.deltaLink": f"{self._address}?$deltatoken={seal(token)}"}


def changed_names(entry: Change, tracked: Sequence[str]) -> set[str]:
    """The properties among `tracked` that a change touched; all of them when it made or ended the object."""
    before, after = entry.before, entry.after
    if before is None or after is None:
        return set(tracked) | {"id"}
    return {name for name in tracked if _differs(before, after, name)}


def _differs(before: Any, after: Any, name: str) -> bool:
    if name in {"assignedLicenses", "licenseAssignmentStates"} and before.assignments is after.assignments:
        return False
    return bool(_value(before, name) != _value(after, name))


def _value(state: Any, name: str) -> Any:
    if isinstance(state, User) and name.startswith("extension_"):
        return (state.extensions or {}).get(name)
    return getattr(state, name, None)


def _ids(text: str | None) -> tuple[str, ...]:
    """The ids of a `$filter`; raises Graph's 400 for any other filter."""
    if not text:
        return ()
    found = [_ID.fullmatch(part) for part in re.split(r"\s+or\s+", text, flags=re.IGNORECASE)]
    ids = tuple(match[1].lower() for match in found if match)
    if len(ids) < len(found):
        raise unsupported("The only filter that delta query supports is on ids: id eq '...' or id eq '...'.")
    if len(ids) > MOST_IDS:
        raise unsupported(f"Too many ids in the filter: delta query supports at most {MOST_IDS}.")
    return ids
