"""The cells of one order line, from CSV (texts) or JSON (values): each reading notes what is wrong with it."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from provisioning.domain.calendar import AMSTERDAM
from provisioning.domain.order import LONGEST_TEXT, MOST_SEATS, ShopStatus
from provisioning.intake.problems import Problem

CELLS = (
    "order_number", "line_number", "status", "placed_at", "changed_at", "organisation_code", "actor", "article_code",
    "quantity", "quantity_is_total", "unit_price_cents", "starts_on", "ends_on", "tenant_hint", "reference_number",
    "subjects", "requester_reference",
)  # fmt: skip
REQUIRED = frozenset({"order_number", "line_number", "organisation_code", "article_code", "quantity"})

_YES, _NO = frozenset({"true", "yes", "ja", "1"}), frozenset({"false", "no", "nee", "0", ""})


class Cells:
    """Reads, and keeps the problems; a reading that failed gives a harmless value that nobody will use."""

    def __init__(self, place: str, raw: Mapping[str, Any]) -> None:
        self._place, self._raw = place, raw
        self.problems = [
            Problem(place, str(name), f"no such column; there are {', '.join(CELLS)}.")
            for name in raw
            if name not in CELLS
        ]

    def optional(self, column: str) -> str | None:
        value = self._raw.get(column)
        if value is None or isinstance(value, str | int):
            return self._acceptable(column, str(value).strip()) if value is not None else None
        self._wrong(column, f"{_shown(value)} is no text")
        return None

    def text(self, column: str) -> str:
        value = self.optional(column)
        if value is None:
            self._wrong(column, "is empty; it must be filled in")
        return value or ""

    def quantity(self) -> int:
        text = self.optional("quantity")
        number = _whole(text)
        if text is None:
            self._wrong("quantity", "is empty; write a whole number")
        elif number is None:
            self._wrong("quantity", f"{_shown(text)} is no whole number; write for example 25")
        elif number == 0 or abs(number) > MOST_SEATS:
            self._wrong("quantity", f"{number} cannot be meant; write a number from 1 to {MOST_SEATS}")
        return number or 0

    def count(self, column: str) -> int | None:
        text = self.optional(column)
        number = _whole(text)
        if text is not None and (number is None or number < 0):
            self._wrong(column, f"{_shown(text)} is no whole number of zero or more")
        return number

    def yes(self, column: str) -> bool:
        value = self._raw.get(column)
        word = ("true" if value else "false") if isinstance(value, bool) else (self.optional(column) or "").lower()
        if word not in _YES | _NO:
            self._wrong(column, f"{_shown(word)} is neither true nor false")
        return word in _YES

    def day(self, column: str) -> date | None:
        text = self.optional(column)
        if text is None:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            self._wrong(column, f"{_shown(text)} is no date; write it as 2026-01-31")
            return None

    def moment(self, column: str) -> datetime | None:
        """A moment without an offset, or a bare date, is Dutch time."""
        text = self.optional(column)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self._wrong(column, f"{_shown(text)} is no moment; write it as 2026-01-31T09:30:00Z")
            return None
        return (moment if moment.tzinfo else moment.replace(tzinfo=AMSTERDAM)).astimezone(UTC)

    def status(self) -> str:
        word = (self.optional("status") or ShopStatus.PLACED).lower()
        if word not in set(ShopStatus):
            self._wrong("status", f"{_shown(word)} is neither placed nor cancelled")
        return word

    def subjects(self) -> tuple[str, ...]:
        """A list in JSON; in CSV the same list as JSON text, or blanks between. Never shown: they are people."""
        value = self._raw.get("subjects")
        if isinstance(value, str) and value.strip().startswith("["):
            value = _decoded(value)
        elif isinstance(value, str):
            value = value.split()
        if value is None or (isinstance(value, list) and all(isinstance(one, str) and one.strip() for one in value)):
            return tuple(one.strip() for one in value or ())
        self._wrong("subjects", 'must be a list of object ids or sign-in names, such as ["a@school.example"]')
        return ()

    def check_dates(self, starts_on: date | None, ends_on: date | None) -> None:
        if starts_on and ends_on and ends_on < starts_on:
            self._wrong("ends_on", f"{ends_on} is before starts_on ({starts_on}); exchange them or correct one")

    def _acceptable(self, column: str, text: str) -> str | None:
        if len(text) > LONGEST_TEXT:
            self._wrong(column, f"has {len(text):,} characters; at most {LONGEST_TEXT} can be meant")
        elif not text.isprintable():
            self._wrong(column, f"{_shown(text)} holds an invisible character; type it again")
        return text or None

    def _wrong(self, column: str, complaint: str) -> None:
        self.problems.append(Problem(self._place, column, f"{complaint}."))


def _whole(text: str | None) -> int | None:
    digits = (text or "").removeprefix("-")
    return int(text or "") if digits.isascii() and digits.isdigit() else None


def _decoded(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text


def _shown(value: object) -> str:
    text = str(value)
    return repr(text if len(text) <= 40 else text[:39] + "…")  # noqa: PLR2004  # enough to recognise it
