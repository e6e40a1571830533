import json
from collections.abc import Iterator

import pytest

from provisioning.audit.checkpoint import Checkpoint
from provisioning.audit.errors import AuditFormatError
from provisioning.audit.export import (
    FORMAT,
    CheckpointLine,
    EndLine,
    EventLine,
    HeaderLine,
    Line,
    StoredEvent,
    decode_line,
    encode_line,
    write_log_export,
    write_organisation_export,
)
from provisioning.audit.proofs import TreeLevels
from tests.unit.audit.exports import ORIGIN, OURS, build_log

LOG = build_log(25)


class TestWriteLogExport:
    def test_each_checkpoint_follows_the_last_event_it_covers(self) -> None:
        records = [json.loads(line)["record"] for line in LOG.export()]
        assert records == [
            "header",
            *["event"] * 10,
            "checkpoint",
            *["event"] * 10,
            "checkpoint",
            *["event"] * 5,
            "checkpoint",
            "end",
        ]

    def test_the_stored_text_is_in_it_to_the_byte(self) -> None:
        texts = [json.loads(line).get("event") for line in LOG.export()]
        assert [text for text in texts if text] == [event.text for event in LOG.events]

    def test_the_checkpoints_are_in_it_to_the_byte(self) -> None:
        notes = [json.loads(line).get("note") for line in LOG.export()]
        assert [Checkpoint.parse(note) for note in notes if note] == [kept.checkpoint for kept in LOG.checkpoints]

    def test_every_line_is_one_line(self) -> None:
        assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in LOG.export())

    def test_events_without_a_checkpoint_stay_out(self) -> None:
        lines = list(write_log_export(ORIGIN, LOG.events, LOG.checkpoints[:1]))
        assert json.loads(lines[-1]) == {"record": "end", "events": 10}

    def test_nothing_is_read_before_it_is_asked_for(self) -> None:
        def events() -> Iterator[StoredEvent]:
            yield LOG.events[0]
            pytest.fail("read ahead of what was written")

        lines = write_log_export(ORIGIN, events(), LOG.checkpoints)
        assert json.loads(next(lines))["record"] == "header"


class TestWriteOrganisationExport:
    def test_it_holds_the_organisation_s_events_and_no_other_s(self) -> None:
        lines = LOG.export_of(OURS)
        sequences = [json.loads(line)["sequence"] for line in lines if b'"proven_event"' in line]
        assert sequences == list(range(0, 25, 3))
        others = [event for event in LOG.events if event.sequence % 3]
        assert not any(json.dumps(event.text).encode() in line for event in others for line in lines)

    def test_events_are_numbered_from_one(self) -> None:
        numbers = [json.loads(line)["number"] for line in LOG.export_of(OURS) if b'"proven_event"' in line]
        assert numbers == list(range(1, 10))

    def test_an_organisation_without_events_gets_an_export_too(self) -> None:
        records = [json.loads(line)["record"] for line in LOG.export_of("99999")]
        assert records == ["header", "checkpoint", "end"]

    def test_an_event_behind_the_checkpoint_is_refused(self) -> None:
        tree = TreeLevels(event.leaf for event in LOG.events[:20])
        lines = write_organisation_export(OURS, LOG.events[20:], LOG.checkpoints[1].checkpoint, tree)
        with pytest.raises(IndexError, match="no leaf 20"):
            list(lines)


class TestLines:
    @pytest.mark.parametrize(
        "line",
        [
            pytest.param(HeaderLine(FORMAT, ORIGIN), id="header"),
            pytest.param(EventLine(3, bytes(32), '{"reason":"één"}'), id="event"),
            pytest.param(CheckpointLine("note\n", (bytes(32),)), id="checkpoint"),
            pytest.param(EndLine(3), id="end"),
        ],
    )
    def test_what_was_written_is_read(self, line: Line) -> None:
        assert decode_line(encode_line(line), 1) == line

    @pytest.mark.parametrize(
        "line",
        [
            pytest.param(b"\n", id="an empty line"),
            pytest.param(b'{"record":"end","events":3', id="half a line"),
            pytest.param(b'{"record":"novel"}', id="an unknown record"),
            pytest.param(b'{"record":"end","events":3,"more":1}', id="an unknown field"),
            pytest.param(b'{"record":"end","events":"3"}', id="a number as text"),
            pytest.param(b'{"record":"event","sequence":1,"leaf":"x","event":""}', id="no base64"),
            pytest.param(b'{"record":"event","sequence":1,"leaf":"","event":"\xff"}', id="no UTF-8"),
            pytest.param(b'{"record":"event","sequence":1,"leaf":"","event":"\\ud800"}', id="half a character"),
        ],
    )
    def test_anything_else_is_refused_with_its_number(self, line: bytes) -> None:
        with pytest.raises(AuditFormatError, match="Line 7: ") as refusal:
            decode_line(line, 7)
        assert refusal.value.line == 7
