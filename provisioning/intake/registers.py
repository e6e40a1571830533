"""DUO's address files (boards, institutions, locations; every layout and year) as organisations and relations.

The files are recognised by their headers, which differ between files and years in spelling, in delimiter, in
encoding and in trailing blanks. Columns about people (telephone, correspondence) are not read.
duo.nl: "Open onderwijsdata", Adressen.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

import msgspec

from provisioning.domain.errors import InputError
from provisioning.domain.ids import OrganisationId
from provisioning.domain.tenancy import Organisation, OrganisationKind, Relation, RelationKind
from provisioning.intake.problems import Problem, refuse_if_any
from provisioning.intake.reading import as_text, read_bytes, rows_of

_SPELLINGS: Mapping[str, str] = {
    "bevoegdgezagnummer": "board", "bevoegdgezagnr": "board", "bevoegdgezagnaam": "board_name",
    "brinnummer": "school", "brin": "school", "instellingscode": "school", "brinnr": "school",
    "instellingsnaam": "school_name",
    "vestigingsnummer": "location", "vestiginsnummer": "location", "vestigingscode": "location",
    "vestigingsnaam": "location_name",
    "plaatsnaam": "town", "internetadres": "web",
}  # fmt: skip
_BRIN = re.compile(r"[0-9]{2}[A-Z]{2}")
_BOARD = re.compile(r"[0-9]{5}")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
_MAIN = "00"


class Register(msgspec.Struct, frozen=True):
    """What one or more files say together."""

    organisations: tuple[Organisation, ...]
    relations: tuple[Relation, ...]


_Cells = Mapping[str, str]


def read_registers(paths: Iterable[Path], on: date) -> Register:
    """Files in any order. `on` dates the relations. Raises InputError, and then nothing is taken from any of them."""
    return parse_registers([(path.name, read_bytes(path)) for path in paths], on)


def parse_registers(files: Sequence[tuple[str, bytes]], on: date) -> Register:
    """As `read_registers`, from bytes. A board's own file names it; a location's row outranks its school's."""
    found: dict[OrganisationId, Organisation] = {}
    for name, content in sorted(files, key=lambda file: _rank(*file)):
        for organisation in _organisations(name, content):
            _add(found, organisation)
    boards = {one.board_number for one in found.values() if one.board_number}
    for number in sorted(boards):
        _add(found, _board({"board": number}))
    return Register(
        organisations=tuple(found[one] for one in sorted(found)),
        relations=tuple(_relation(one, on) for one in sorted(found.values(), key=_by_id) if _has_board(one)),
    )


def main_domain(address: str) -> str | None:
    """The domain of a web address as registers write it: padded, with or without scheme; None when it is none."""
    host = address.strip().lower().removeprefix("https://").removeprefix("http://").removeprefix("www.")
    host = host.split("/", 1)[0].split(":", 1)[0].rstrip(".")
    return host if _DOMAIN.fullmatch(host) else None


def _add(found: dict[OrganisationId, Organisation], organisation: Organisation) -> None:
    found.setdefault(organisation.organisation_id, organisation)


def _rank(name: str, content: bytes) -> int:
    """Boards first, then locations, then institutions: the first word on an organisation counts."""
    columns = set(_columns(name, as_text(name, content, or_windows=True)))
    return 0 if "school" not in columns else 1 if "location" in columns else 2


def _columns(name: str, text: str) -> list[str]:
    _, header = next(rows_of(name, text), (1, []))
    columns = [_SPELLINGS.get(re.sub(r"[\s_-]+", "", title).lower(), "") for title in header]
    if not {"school", "board_name"} & set(columns):
        raise InputError(
            f"{name}, line 1: no address file of DUO: it has neither a column BRIN NUMMER or INSTELLINGSCODE "
            "nor BEVOEGD GEZAG NAAM."
        )
    return columns


def _organisations(name: str, content: bytes) -> list[Organisation]:
    text = as_text(name, content, or_windows=True)
    columns, rows = _columns(name, text), rows_of(name, text)
    next(rows)
    problems: list[Problem] = []
    found = [one for number, cells in rows if (one := _organisation(number, columns, cells, problems))]
    refuse_if_any(name, problems)
    return found


def _organisation(
    number: int, columns: Sequence[str], cells: Sequence[str], problems: list[Problem]
) -> Organisation | None:
    place = f"line {number}"
    if len(cells) != len(columns):
        sentence = f"{len(cells)} cells where the header has {len(columns)}; the file may be cut off here."
        problems.append(Problem(place, "", sentence))
        return None
    row = _normalised({column: cell for column, cell in zip(columns, cells, strict=True) if column})
    wrong = list(_wrong(place, row))
    problems += wrong
    if wrong:
        return None
    return _location(row) if "school" in row else _board(row)


def _normalised(row: _Cells) -> dict[str, str]:
    """Codes as the register prints them: leading zeros back, two-digit locations behind their school's code."""
    codes = {name: "".join(row[name].split()).upper() for name in ("board", "school", "location") if name in row}
    if codes.get("board"):
        codes["board"] = codes["board"].zfill(5)
    if "school" in codes:
        school = codes["school"].zfill(4)
        location = codes.get("location") or _MAIN
        codes |= {"school": school, "location": location if len(location) > 2 else school + location.zfill(2)}  # noqa: PLR2004  # two digits
    return {**row, **codes}


def _wrong(place: str, row: _Cells) -> Iterator[Problem]:
    if row.get("board") and not _BOARD.fullmatch(row["board"]):
        yield Problem(place, "BEVOEGD GEZAG NUMMER", f"{row['board']!r} is no board number of five digits.")
    if "school" not in row:
        if not row.get("board"):
            yield Problem(place, "BEVOEGD GEZAG NUMMER", "is empty; a board is known by its number.")
        return
    if not _BRIN.fullmatch(row["school"]):
        yield Problem(place, "INSTELLINGSCODE", f"{row['school']!r} is no school code such as 00XX.")
    elif not re.fullmatch(row["school"] + "[0-9]{2}", row["location"]):
        yield Problem(place, "VESTIGINGSCODE", f"{row['location']!r} is no location of {row['school']}.")


def _board(row: _Cells) -> Organisation:
    return Organisation(
        organisation_id=OrganisationId(row["board"]),
        kind=OrganisationKind.BOARD,
        name=row.get("board_name") or f"Bevoegd gezag {row['board']}",
        board_number=row["board"],
        town=row.get("town") or None,
        web_domain=main_domain(row.get("web", "")),
    )


def _location(row: _Cells) -> Organisation:
    code = row["location"]
    return Organisation(
        organisation_id=OrganisationId(code),
        kind=OrganisationKind.SCHOOL if code.endswith(_MAIN) else OrganisationKind.LOCATION,
        name=row.get("location_name") or row.get("school_name") or code,
        board_number=row.get("board") or None,
        town=row.get("town") or None,
        web_domain=main_domain(row.get("web", "")),
    )


def _has_board(organisation: Organisation) -> bool:
    return organisation.kind is not OrganisationKind.BOARD and organisation.board_number is not None


def _relation(organisation: Organisation, on: date) -> Relation:
    return Relation(
        parent_id=OrganisationId(organisation.board_number or ""),
        child_id=organisation.organisation_id,
        kind=RelationKind.HIERARCHICAL,
        valid_from=on,
    )


def _by_id(organisation: Organisation) -> OrganisationId:
    return organisation.organisation_id
