"""From a file's bytes to text and table rows, whatever programme wrote them."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from provisioning.domain.errors import InputError

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_DELIMITERS = ";,\t"


def read_bytes(path: Path) -> bytes:
    """Raises InputError when the file cannot be read or is empty."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    if not content.strip():
        raise InputError(f"{path.name} is empty.")
    return content


def as_text(name: str, content: bytes, *, or_windows: bool = False) -> str:
    """UTF-8, with or without its mark; with `or_windows` also Windows-1252, which DUO's older files are in.

    Raises InputError for anything else: a guess would spoil codes without anybody noticing.
    """
    if content.startswith(_UTF16) or b"\x00" in content:
        raise InputError(f"{name} is not UTF-8 text (it looks like UTF-16 or a spreadsheet); save it as text in UTF-8.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if or_windows:
            return content.decode("cp1252", errors="replace")
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"{name}, line {line}: not UTF-8; save the file again as UTF-8.") from error


def rows_of(name: str, text: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells, trimmed; blank lines are passed over. Raises InputError where a quote never ends."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        for cells in reader:
            trimmed = [cell.strip() for cell in cells]
            if any(trimmed):
                yield reader.line_num, trimmed
    except csv.Error as error:
        raise InputError(
            f"{name}, line {reader.line_num}: {error}; the file may be cut off or a quote is open."
        ) from error


def _delimiter(text: str) -> str:
    """The one that the header uses most."""
    header = text.lstrip("\r\n").split("\n", 1)[0]
    return max(_DELIMITERS, key=header.count)
