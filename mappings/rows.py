"""A CSV file of ours as rows that can say where they are wrong."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from provisioning.domain.errors import ConfigurationError

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_Word = TypeVar("_Word", bound=StrEnum)


class Row:
    """One line of a file. Every reading of a cell raises ConfigurationError with file, line, column and remedy."""

    def __init__(self, file: str, line: int, cells: dict[str, str]) -> None:
        self.file, self.line, self.cells = file, line, cells

    def text(self, column: str) -> str:
        value = self.optional(column)
        if value is None:
            raise self.wrong(column, "is empty; fill it in")
        return value

    def optional(self, column: str) -> str | None:
        """The trimmed cell; no-break spaces count as blanks, because Microsoft's own lists end in them."""
        return self.cells[column].strip() or None

    def guid(self, column: str) -> str:
        return self._as_guid(column, self.text(column))

    def optional_guid(self, column: str) -> str | None:
        value = self.optional(column)
        return None if value is None else self._as_guid(column, value)

    def guids(self, column: str) -> frozenset[str]:
        return frozenset(self._as_guid(column, word) for word in self.words(column))

    def words(self, column: str) -> tuple[str, ...]:
        return tuple(self.cells[column].split())

    def day(self, column: str) -> date:
        return self._as_day(column, self.text(column))

    def optional_day(self, column: str) -> date | None:
        value = self.optional(column)
        return None if value is None else self._as_day(column, value)

    def yes(self, column: str) -> bool:
        value = self.text(column).lower()
        if value not in {"true", "false"}:
            raise self.wrong(column, f"says {value!r}; write true or false")
        return value == "true"

    def count(self, column: str) -> int:
        value = self.text(column)
        if not (value.isascii() and value.isdigit()):
            raise self.wrong(column, f"says {value!r}; write a whole number, zero or more")
        return int(value)

    def word(self, column: str, words: type[_Word]) -> _Word:
        value = self.text(column)
        try:
            return words(value)
        except ValueError:
            raise self.wrong(column, f"says {value!r}; write one of {', '.join(words)}") from None

    def wrong(self, column: str, complaint: str) -> ConfigurationError:
        return ConfigurationError(f"{self.file}, line {self.line}, column {column}: {complaint}.")

    def _as_guid(self, column: str, value: str) -> str:
        guid = "".join(value.split()).lower()
        if not _GUID.fullmatch(guid):
            raise self.wrong(column, f"says {value!r}, which is no GUID; copy it from Microsoft's product list")
        return guid

    def _as_day(self, column: str, value: str) -> date:
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise self.wrong(column, f"says {value!r}; write a date as 2026-01-31") from None


def read_rows(folder: Path, file: str, columns: Sequence[str]) -> list[Row]:
    """The rows of one file. Raises ConfigurationError when it is missing, unreadable or has other columns."""
    try:
        text = (folder / file).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read in {folder}: {error.strerror}; put it there.") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file} is not UTF-8 (byte {error.start}); save it again as UTF-8.") from error
    return list(_rows(file, columns, text))


def _rows(file: str, columns: Sequence[str], text: str) -> Iterator[Row]:
    lines = _numbered(file, text)
    header = [name.strip() for name in next(lines, (1, []))[1]]
    _check_header(file, columns, header)
    for number, cells in lines:
        if len(cells) != len(header):
            raise ConfigurationError(
                f"{file}, line {number}: {len(cells)} cells where the header has {len(header)}; "
                "look for a missing or superfluous comma."
            )
        yield Row(file, number, dict(zip(header, cells, strict=True)))


def _numbered(file: str, text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        yield from ((reader.line_num, cells) for cells in reader if cells)
    except csv.Error as error:
        raise ConfigurationError(f"{file}, line {reader.line_num}: {error}; look at the quotes.") from error


def _check_header(file: str, columns: Sequence[str], header: Sequence[str]) -> None:
    missing, unknown = set(columns) - set(header), set(header) - set(columns)
    if missing or unknown or len(header) != len(set(header)):
        raise ConfigurationError(
            f"{file}, line 1: the columns must be {', '.join(columns)}"
            f"{'; missing: ' + ', '.join(sorted(missing)) if missing else ''}"
            f"{'; unknown: ' + ', '.join(sorted(unknown)) if unknown else ''}."
        )
