"""What an answer says, in words that two tenants share, and whether two of them say the same."""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

import msgspec

from provisioning.planning.probe import Probe
from provisioning.planning.probe_stage import Words

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s'\"<>]+@[^\s'\"<>]+")


class Answered(msgspec.Struct, frozen=True):
    """One HTTP answer as it came; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_accepted(self) -> bool:
        return 200 <= self.status < 300  # noqa: PLR2004  HTTP's own

    @property
    def is_lost(self) -> bool:
        """Whether nobody knows what came of it."""
        return self.status >= 500  # noqa: PLR2004  HTTP's own

    @property
    def content(self) -> Any:
        """The decoded body; None when it is not JSON."""
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            return None

    @property
    def items(self) -> dict[str, "Answered"]:
        """The answers inside a batch by id."""
        rows = self.content.get("responses", ()) if isinstance(self.content, dict) else ()
        return {
            row["id"]: Answered(
                row["status"],
                {name.lower(): text for name, text in (row.get("headers") or {}).items()},
                msgspec.json.encode(row.get("body")),
            )
            for row in rows
        }


class Plain:
    """Texts without what is of one tenant only: its words stand for their values, other ids for themselves."""

    def __init__(self, words: Words) -> None:
        pairs = [(value.lower(), word) for word, value in words.items() if isinstance(value, str)]
        self._known = dict(reversed(pairs))  # a product that is there as several things is called by the first

    def __call__(self, text: str) -> str:
        for value in sorted(self._known, key=len, reverse=True):
            text = re.sub(re.escape(value), f"<{self._known[value]}>", text, flags=re.IGNORECASE)
        return _ADDRESS.sub("<address>", _GUID.sub("<id>", text))


def facts_of(probe: Probe, answered: Answered, plain: Plain) -> dict[str, str]:
    """What the probe compares of an answer."""
    return {name: _FACTS[name](answered, plain) for name in probe.shows}


def _error(answered: Answered, name: str) -> str:
    content = answered.content
    error = content.get("error") if isinstance(content, dict) else None
    return str(error.get(name, "")) if isinstance(error, dict) else ""


def _keys(answered: Answered, _: Plain) -> str:
    content = answered.content
    names = content if isinstance(content, dict) else ()
    return " ".join(sorted(name for name in names if not name.startswith("@")))


def _retry_after(answered: Answered, _: Plain) -> str:
    waits = [each.headers.get("retry-after") for each in (answered, *answered.items.values())]
    told = next((wait for wait in waits if wait), None)
    if told is None:
        return "absent"
    return "whole seconds" if told.isdigit() else "fractional or a date"


def _items(answered: Answered, _: Plain) -> str:
    return ", ".join(sorted(f"{each.status} {_error(each, 'code')}".strip() for each in answered.items.values()))


def _item_ids(answered: Answered, _: Plain) -> str:
    return "named" if any("request-id" in each.headers for each in answered.items.values()) else "not named"


def _licences(answered: Answered, plain: Plain) -> str:
    rows = answered.content.get("licenseAssignmentStates", ()) if isinstance(answered.content, dict) else ()
    return plain(", ".join(sorted(map(_licence, rows))))


def _licence(row: Mapping[str, Any]) -> str:
    through = f" through {row['assignedByGroup']}" if row["assignedByGroup"] else ""
    return f"{row['skuId']}{through} {row['state']} {row['error']} off {len(row['disabledPlans'])}"


def _entra(answered: Answered, _: Plain) -> str:
    code = re.search(rb"AADSTS\d+", answered.body)
    return code.group().decode() if code else "no code"


_FACTS: Mapping[str, Callable[[Answered, Plain], str]] = {
    "status": lambda answered, _: str(answered.status),
    "code": lambda answered, _: _error(answered, "code"),
    "message": lambda answered, plain: plain(_error(answered, "message")),
    "keys": _keys,
    "retry-after": _retry_after,
    "items": _items,
    "item-ids": _item_ids,
    "licences": _licences,
    "units": lambda answered, _: answered.headers.get("x-ms-resource-unit", "absent"),
    "entra": _entra,
}


class Verdict(StrEnum):
    SAME = "same"
    DIFFERENT = "different"
    NOT_TRIED = "not tried"


def compared(expected: Mapping[str, str], seen: Mapping[str, str]) -> Verdict:
    return Verdict.SAME if dict(expected) == dict(seen) else Verdict.DIFFERENT
