"""Identity maps: a CSV file with columns source and target, each an object id or UPN, one person a row.

A row that is there twice counts once. Rows that contradict each other are no mistake of the file: whom they speak of
becomes a disputed person, and a person decides.
"""

from collections.abc import Iterator
from pathlib import Path

from provisioning.domain.migration_file import IdentityPair
from provisioning.intake.people import NOBODY, as_person
from provisioning.intake.problems import Problem, refuse_if_any
from provisioning.intake.reading import as_text, read_bytes, rows_of

_COLUMNS = ("source", "target")


def read_identity_map(path: Path) -> tuple[IdentityPair, ...]:
    """The pairs in the order of the file. Raises InputError with line and column of every problem; nothing is taken."""
    return parse_identity_map(path.name, read_bytes(path))


def parse_identity_map(name: str, content: bytes) -> tuple[IdentityPair, ...]:
    """As `read_identity_map`, from bytes. Semicolons, commas or tabs; with or without a byte order mark."""
    rows = rows_of(name, as_text(name, content))
    number, header = next(rows, (1, []))
    columns = [title.lower() for title in header]
    refuse_if_any(name, list(_header_problems(number, columns)))
    problems: list[Problem] = []
    pairs = [pair for line, cells in rows if (pair := _pair(line, columns, cells, problems))]
    if not pairs and not problems:
        problems.append(Problem(f"line {number}", "", "only the header is there; add a row for each person."))
    refuse_if_any(name, problems)
    once: dict[tuple[str, str], IdentityPair] = {}
    for pair in pairs:
        once.setdefault((pair.source, pair.target), pair)
    return tuple(once.values())


def _header_problems(number: int, columns: list[str]) -> Iterator[Problem]:
    place = f"line {number}"
    for column in _COLUMNS:
        if columns.count(column) != 1:
            told = "this column is missing." if column not in columns else "this column is there twice."
            yield Problem(place, column, told)
    for column in columns:
        if column not in _COLUMNS:
            yield Problem(place, column or "(no name)", f"no such column; there are {' and '.join(_COLUMNS)}.")


def _pair(line: int, columns: list[str], cells: list[str], problems: list[Problem]) -> IdentityPair | None:
    place = f"line {line}"
    if len(cells) != len(columns):
        problems.append(Problem(place, "", f"{len(cells)} cells where the header has {len(columns)}; correct the row."))
        return None
    row = dict(zip(columns, cells, strict=True))
    people = {column: as_person(row[column]) for column in _COLUMNS}
    for column, person in people.items():
        if person is None:
            problems.append(Problem(place, column, f"{NOBODY if row[column] else 'is empty; fill it in'}."))
    if people["source"] is None or people["target"] is None:
        return None
    return IdentityPair(people["source"], people["target"], line)
