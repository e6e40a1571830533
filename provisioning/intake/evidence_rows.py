"""The rows of gate evidence in CSV, whatever the columns are called."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import msgspec

from provisioning.domain.calendar import AMSTERDAM
from provisioning.intake.people import NOBODY, as_person
from provisioning.intake.problems import Problem, refuse_if_any
from provisioning.intake.reading import rows_of

_PERSON_TITLES = ("person", "id", "upn")
_COMPLETED_AT = "completed_at"
_ABOUT_LICENCES = re.compile(r"licen[cs]e|(?:service|assigned)_?plan|sku", re.IGNORECASE)


class EvidenceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row about one person; `status` in the file's words, None in a list, which has none."""

    person: str
    status: str | None = None
    completed_at: datetime | None = None  # UTC


def list_rows(name: str, text: str, problems: list[Problem]) -> Iterator[EvidenceRow]:
    """One column person (or id, or upn), and perhaps completed_at; any other column would ask to be understood."""
    number, titles = _header(name, text)
    persons = [title for title in titles if title in _PERSON_TITLES]
    strays = [title for title in titles if title not in {*_PERSON_TITLES, _COMPLETED_AT}]
    if len(persons) != 1:
        told = f"write one column person, with an object id or sign-in name; this one has {_listed(titles)}."
        problems.append(Problem(f"line {number}", "", told))
    for stray in strays:
        told = "a list has no such column; a report with statuses is read as a report, not as a list."
        problems.append(Problem(f"line {number}", stray or "(no name)", told))
    if len(persons) == 1 and not strays:
        wanted = {"person": persons[0]} | ({_COMPLETED_AT: _COMPLETED_AT} if _COMPLETED_AT in titles else {})
        yield from report_rows(name, text, wanted, problems)


def report_rows(name: str, text: str, wanted: Mapping[str, str], problems: list[Problem]) -> Iterator[EvidenceRow]:
    """`wanted`: person, status and completed_at, each with its column's title here. Other columns are passed over."""
    number, titles = _header(name, text)
    refuse_if_any(name, list(_missing(number, titles, wanted)))
    places = {ours: titles.index(_folded(theirs)) for ours, theirs in wanted.items()}
    rows = rows_of(name, text)
    next(rows)
    for line, cells in rows:
        if len(cells) != len(titles):
            told = f"{len(cells)} cells where the header has {len(titles)}; the file may be cut off here."
            problems.append(Problem(f"line {line}", "", told))
        elif row := evidence_row(f"line {line}", {ours: cells[at] for ours, at in places.items()}, wanted, problems):
            yield row


def evidence_row(
    place: str, cells: Mapping[str, str], titles: Mapping[str, str], problems: list[Problem]
) -> EvidenceRow | None:
    """From person, status and completed_at as they stand there; None when a problem was noted."""
    person, completed_at = as_person(cells["person"]), None
    before = len(problems)
    if person is None:
        told = NOBODY if cells["person"].strip() else "is empty; it must name a person"
        problems.append(Problem(place, titles["person"], f"{told}."))
    if written := cells.get(_COMPLETED_AT, "").strip():
        completed_at = _moment(written)
        if completed_at is None:
            told = "is no moment; write it as 2027-07-19 08:00, Dutch time, or with its offset."
            problems.append(Problem(place, titles[_COMPLETED_AT], told))
    if person is None or len(problems) > before:
        return None
    return EvidenceRow(person=person, status=cells.get("status"), completed_at=completed_at)


def _header(name: str, text: str) -> tuple[int, list[str]]:
    number, header = next(rows_of(name, text), (1, []))
    return number, [_folded(title) for title in header]


def _missing(number: int, titles: list[str], wanted: Mapping[str, str]) -> Iterator[Problem]:
    place = f"line {number}"
    for ours, theirs in wanted.items():
        if ours == "status" and _ABOUT_LICENCES.search(theirs):
            told = "a licence or service plan says nothing about a mailbox; name the column with the move's status."
            yield Problem(place, theirs, told)
        elif titles.count(_folded(theirs)) > 1:
            yield Problem(place, theirs, "this column is there twice.")
        elif _folded(theirs) not in titles:
            yield Problem(place, theirs, f"no such column; the file has {_listed(titles)}. Say what it calls {ours}.")


def _folded(title: str) -> str:
    return title.strip().casefold()


def _listed(titles: list[str]) -> str:
    return ", ".join(title or "(no name)" for title in titles)


def _moment(text: str) -> datetime | None:
    """Without an offset it is Dutch time; in the hour that comes twice, the later of the two."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=AMSTERDAM, fold=1)).astimezone(UTC)
