"""Records: one JSON object a line, explained field by field."""

from datetime import date
from typing import Any

import msgspec
import pytest

from provisioning.domain.errors import InputError
from provisioning.domain.records import Agreement, Declaration, Membership, RecordKind
from provisioning.intake.problems import FileRefusedError
from provisioning.intake.record_files import fields_of, parse_records

MEMBER = {"kind": "membership", "id": "m1", "organisation_id": "00XX00", "status": "active"}
SIGNED = {
    "kind": "declaration",
    "id": "d1",
    "organisation_id": "40001",
    "signed_on": "2026-01-01",
    "participants": ["00XX00"],
}
AGREED = {
    "kind": "agreement", "id": "a1", "organisation_id": "00XX00", "supplier": "microsoft",
    "licence_form": "group", "starts_on": "2026-01-01",
}  # fmt: skip


def lines(*records: dict[str, Any]) -> bytes:
    return b"\n".join(msgspec.json.encode(record) for record in records)


def problems_of(content: bytes) -> list[str]:
    with pytest.raises(FileRefusedError) as refused:
        parse_records("records.jsonl", content)
    return [str(problem) for problem in refused.value.problems]


class TestParseRecords:
    def test_reads_each_kind_into_its_value(self) -> None:
        member, signed, agreed = parse_records("f", lines(MEMBER, SIGNED, AGREED))
        assert member == Membership(record_id="m1", organisation_id="00XX00", status="active")
        assert isinstance(signed, Declaration)
        assert (signed.signed_on, signed.participants) == (date(2026, 1, 1), ("00XX00",))
        assert isinstance(agreed, Agreement)
        assert agreed.processing == "absent"

    def test_record_id_and_type_are_the_long_names_of_id_and_kind(self) -> None:
        long = {"type": "membership", "record_id": "m1", "organisation_id": "00XX00", "status": "active"}
        assert parse_records("f", lines(long)) == parse_records("f", lines(MEMBER))

    def test_blank_lines_and_a_byte_order_mark_do_not_matter(self) -> None:
        assert parse_records("f", b"\xef\xbb\xbf\n" + lines(MEMBER) + b"\r\n\n") == parse_records("f", lines(MEMBER))

    def test_the_same_record_twice_counts_once(self) -> None:
        assert len(parse_records("f", lines(MEMBER, MEMBER))) == 1

    @pytest.mark.parametrize(
        ("record", "told"),
        [
            pytest.param({**MEMBER, "status": "yes"}, "line 1, status: should be one of applied, active", id="a word"),
            pytest.param({**MEMBER, "status": 1}, "line 1, status: should be one of", id="a number for a word"),
            pytest.param(
                {**MEMBER, "colour": "red"}, "line 1, colour: a membership has no such field", id="unknown field"
            ),
            pytest.param(
                {"kind": "membership", "id": "m1", "status": "active"}, "organisation_id: is missing", id="missing"
            ),
            pytest.param({**SIGNED, "signed_on": "1-1-2026"}, "signed_on: should be a date as 2026-01-31", id="a date"),
            pytest.param({**SIGNED, "participants": "00XX00"}, "participants: should be a list of codes", id="a list"),
            pytest.param(
                {**SIGNED, "participants": [1]}, "participants: should be a list of codes", id="a list of codes"
            ),
            pytest.param({**SIGNED, "revoked_on": "2025-12-31"}, "2025-12-31 is before signed_on", id="reversed"),
            pytest.param({**AGREED, "processing": "perhaps"}, "agreed, absent, refused", id="processing"),
            pytest.param({**MEMBER, "kind": "person"}, "'person' is no kind of record", id="an unknown kind"),
        ],
    )
    def test_a_wrong_field_is_told_with_what_it_should_be(self, record: dict[str, Any], told: str) -> None:
        assert any(told in problem for problem in problems_of(lines(record)))

    def test_all_problems_come_at_once(self) -> None:
        found = problems_of(lines({**MEMBER, "status": "yes"}, SIGNED, {**AGREED, "starts_on": None}))
        assert [problem.split(":")[0] for problem in found] == ["line 1, status", "line 3, starts_on"]

    def test_two_that_differ_under_one_id_are_refused(self) -> None:
        (problem,) = problems_of(lines(MEMBER, {**MEMBER, "status": "ended"}))
        assert "membership m1 is in the file twice, and differs" in problem

    @pytest.mark.parametrize("content", [lines(MEMBER)[:-4], b"just text", b"[1]"])
    def test_a_line_that_is_no_object_is_told(self, content: bytes) -> None:
        assert problems_of(lines(SIGNED) + b"\n" + content)[0].startswith("line 2")

    def test_another_encoding_is_refused(self) -> None:
        with pytest.raises(InputError, match="not UTF-8"):
            parse_records("f", b'{"kind": "Caf\xe9"}')

    @pytest.mark.parametrize("kind", RecordKind)
    def test_every_kind_is_explained_and_can_be_read(self, kind: RecordKind) -> None:
        explained = fields_of(kind)
        samples = {"a date as 2026-01-31": "2026-01-31", "a whole number": 1, "a list of codes": ["x"], "a text": "x"}
        record = {
            name: samples.get(text, text.removeprefix("one of ").split(", ")[0])
            for name, text in explained.items()
            if not text.endswith("may be left out")
        }
        (read,) = parse_records("f", lines({"kind": kind, **record}))
        assert read.__struct_config__.tag == kind
