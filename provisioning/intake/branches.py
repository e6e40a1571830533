"""The fields of one object of a file: each reading notes what is wrong with it under the path of the field.

A reading that failed gives a harmless value that nobody will use, so that one pass finds every mistake. Lists are
counted from 1, as people count: `waves[2].people` is the second wave.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from provisioning.domain.errors import InputError
from provisioning.intake.problems import Problem
from provisioning.planning.selectors import parse_selector

LONGEST_TEXT = 200  # characters; a name that somebody reads in a list

# what a selector can be beside wrong: half a character, a number beyond all numbers, a field whose name is none
_UNREADABLE = (InputError, UnicodeError, OverflowError, TypeError)

_SHARE = re.compile(r"([0-9]{1,3}(?:[.,][0-9]{1,6})?)\s*(%?)")

_Word = TypeVar("_Word", bound=StrEnum)


class Branch:
    """One object, at `path` in the file ("" for the whole), and the problems of everything under it."""

    def __init__(self, path: str, value: Any, fields: Collection[str], problems: list[Problem]) -> None:
        self.path, self.problems = path, problems
        self._values: Mapping[str, Any] = value if isinstance(value, dict) else {}
        self._is_object = True
        if not isinstance(value, dict):
            self.wrong("", f"should be an object with the fields {', '.join(fields)}")
            self._is_object = False
        for name in self._values:
            if name not in fields:
                self.wrong(str(name), f"there is no such field; {nearest(str(name), fields)}")

    def __contains__(self, name: str) -> bool:
        """Whether the field is there; one that is null is not."""
        return self._values.get(name) is not None

    def value(self, name: str) -> Any:
        return self._values.get(name)

    def text(self, name: str) -> str:
        """Numbers are texts too: a board's code is written without quotes."""
        value = self.optional_text(name)
        if value is None and name not in self:
            self.wrong(name, "is missing; it must be filled in")
        return value or ""

    def optional_text(self, name: str) -> str | None:
        value = self.value(name)
        if value is None:
            return None
        text = str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
        if not text or len(text) > LONGEST_TEXT or not text.isprintable():
            self.wrong(name, f"should be a text of 1 to {LONGEST_TEXT} visible characters")
            return None
        return text

    def whole(self, name: str, least: int, most: int) -> int | None:
        value = self.value(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.wrong(name, f"should be a whole number from {least} to {most:,}")
            return None
        return value

    def share(self, name: str, default: float) -> float:
        """Below 1, as a number or a text; a bare 5 is refused, for it could mean 5 % or everybody."""
        if name not in self:
            return default
        value = self.value(name)
        found = _SHARE.fullmatch(str(value).strip()) if isinstance(value, str | int | float) else None
        share = float(found[1].replace(",", ".")) / (100 if found[2] else 1) if found else 2.0
        if share >= 1:
            self.wrong(name, f"{shown(value)} is no share below 100 %; write for example 5% or 0.05")
            return default
        return share

    def yes(self, name: str, *, default: bool) -> bool:
        value = self.value(name)
        if value is not None and not isinstance(value, bool):
            self.wrong(name, "should be true or false")
        return value if isinstance(value, bool) else default

    def word(self, name: str, words: type[_Word], default: _Word) -> _Word:
        value = self.value(name)
        return default if value is None else self.as_word(name, value, tuple(words)) or default

    def as_word(self, name: str, value: Any, words: Collection[_Word]) -> _Word | None:
        found = next((word for word in words if isinstance(value, str) and value.strip().lower() == word), None)
        if found is None:
            self.wrong(name, f"{shown(value)} is not known; {nearest(str(value), words)}")
        return found

    def selector(self, name: str) -> str:
        """As JSON text that `parse_selector` reads."""
        if name not in self:
            self.wrong(name, 'is missing; write a selector such as {"domain": "school.example"}')
            return ""
        try:
            text = msgspec.json.encode(self.value(name), order="deterministic")
            parse_selector(text)
        except _UNREADABLE as error:
            self.wrong(name, str(error).removesuffix("."))
            return ""
        return text.decode()

    def branch(self, name: str, fields: Collection[str]) -> "Branch":
        """The object in the field; one without fields where it is missing."""
        return Branch(self.at(name), self._values[name] if name in self else {}, fields, self.problems)

    def branches(self, name: str, fields: Collection[str]) -> Iterator["Branch"]:
        for number, item in enumerate(self.items(name), start=1):
            yield Branch(self.at(f"{name}[{number}]"), item, fields, self.problems)

    def items(self, name: str) -> list[Any]:
        value = self.value(name)
        if value is not None and not isinstance(value, list):
            self.wrong(name, "should be a list")
        return value if isinstance(value, list) else []

    def pairs(self, name: str) -> Mapping[str, Any]:
        value = self.value(name)
        if value is not None and not isinstance(value, dict):
            self.wrong(name, "should be an object")
        return value if isinstance(value, dict) else {}

    def at(self, name: str) -> str:
        return ".".join(part for part in (self.path, name) if part)

    def wrong(self, name: str, complaint: str) -> None:
        """Of something that is no object at all, that is told and nothing else."""
        if not self._is_object:
            return
        self.problems.append(Problem(self.at(name) or "the file", "", f"{complaint}."))


def nearest(word: str, known: Collection[str]) -> str:
    """What was probably meant, and else everything that there is."""
    close = get_close_matches(word.casefold(), [one.casefold() for one in known], n=1)
    meant = [one for one in known if close and one.casefold() == close[0]]
    return f"do you mean {meant[0]}?" if meant else f"there are {', '.join(known)}"


def shown(value: object) -> str:
    text = str(value)
    return repr(text if len(text) <= 40 else text[:39] + "…")  # noqa: PLR2004  # enough to recognise it
