"""Records: one JSON object a line, `{"kind": …, "id": …, …}` with the fields of its kind.

Whole or not at all: FileRefusedError lists every problem with its line and field.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, cast, get_args

import msgspec

from provisioning.domain.records import Record, RecordKind
from provisioning.domain.tenancy import RelationKind
from provisioning.intake.problems import Problem, refuse_if_any
from provisioning.intake.reading import as_text, read_bytes

_STRUCTS: Mapping[str, type[msgspec.Struct]] = {
    str(struct.__struct_config__.tag): struct for struct in get_args(Record)
}
_WORDS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("membership", "status"): ("applied", "active", "rejected", "ended"),
    ("membership", "eligibility"): ("funded_school", "supporting_institution"),
    ("relation", "relation"): tuple(RelationKind),
    ("agreement", "processing"): ("agreed", "absent", "refused"),
    ("agreement", "licence_form"): ("school", "group", "individual", "discount_scheme"),
    ("supplier_decision", "decision"): ("pending", "approved", "rejected"),
    ("renewal_decision", "decision"): ("renew", "terminate", "pending"),
}
_PERIODS = (("valid_from", "valid_until"), ("starts_on", "ends_on"), ("signed_on", "revoked_on"))
_SYNONYMS = {"id": "record_id"}


def read_records(path: Path) -> list[Record]:
    """The records of a file. Raises InputError."""
    return parse_records(path.name, read_bytes(path))


def parse_records(name: str, content: bytes) -> list[Record]:
    """As `read_records`, from bytes."""
    problems: list[Problem] = []
    records: dict[tuple[str, str], Record] = {}
    for number, line in enumerate(as_text(name, content).split("\n"), start=1):
        if not line.strip():
            continue
        record = _record(f"line {number}", line, problems)
        if record is None:
            continue
        key = (str(record.__struct_config__.tag), record.record_id)
        if records.setdefault(key, record) != record:
            problems.append(Problem(f"line {number}", "id", f"{key[0]} {key[1]} is in the file twice, and differs."))
    refuse_if_any(name, problems)
    return list(records.values())


def fields_of(kind: RecordKind) -> dict[str, str]:
    """Field by field what a record of this kind holds, for help texts and for error sentences."""
    struct = _STRUCTS[kind]
    return {
        field.name: _expected(kind, field) + ("" if field.required else ", may be left out")
        for field in msgspec.structs.fields(struct)
    }


def _record(place: str, line: str, problems: list[Problem]) -> Record | None:
    try:
        raw = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError) as error:
        problems.append(Problem(place, "", f"no JSON, or cut off: {error}."))
        return None
    if not isinstance(raw, dict):
        problems.append(Problem(place, "", "each line is one JSON object."))
        return None
    kind = raw.pop("kind", raw.pop("type", None))
    if kind not in _STRUCTS:
        problems.append(Problem(place, "kind", f"{kind!r} is no kind of record; there are {', '.join(RecordKind)}."))
        return None
    values = {_SYNONYMS.get(str(name), str(name)): value for name, value in raw.items()}
    found = list(_problems_of(place, kind, values))
    problems += found
    return None if found else cast("Record", msgspec.convert(values | {"type": kind}, _STRUCTS[kind]))


def _problems_of(place: str, kind: str, values: Mapping[str, Any]) -> Iterator[Problem]:
    fields = {field.name: field for field in msgspec.structs.fields(_STRUCTS[kind])}
    for name in values.keys() - fields.keys():
        yield Problem(place, name, f"a {kind} has no such field; it has {', '.join(fields)}.")
    for name, field in fields.items():
        if name in values or field.required:
            complaint = _complaint(kind, field, values)
            if complaint:
                yield Problem(place, name, complaint)
    yield from _reversed(place, values)


def _complaint(kind: str, field: msgspec.structs.FieldInfo, values: Mapping[str, Any]) -> str | None:
    if field.required and values.get(field.name) in (None, ""):
        return f"is missing; give {_expected(kind, field)}."
    try:
        value = msgspec.convert(values[field.name], field.type)
    except (msgspec.ValidationError, TypeError):
        return f"should be {_expected(kind, field)}."
    words = _WORDS.get((kind, field.name))
    return f"should be {_expected(kind, field)}." if words and value not in words else None


def _reversed(place: str, values: Mapping[str, Any]) -> Iterator[Problem]:
    for first, last in _PERIODS:
        begin, end = values.get(first), values.get(last)
        if isinstance(begin, str) and isinstance(end, str) and end < begin:
            yield Problem(place, last, f"{end} is before {first} ({begin}).")


def _expected(kind: str, field: msgspec.structs.FieldInfo) -> str:
    words = _WORDS.get((kind, field.name))
    if words:
        return f"one of {', '.join(words)}"
    kinds = get_args(field.type) or (field.type,)
    if date in kinds:
        return "a date as 2026-01-31"
    if int in kinds:
        return "a whole number"
    return "a list of codes" if field.name == "participants" else "a text"
