import json
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.audit.errors import AuditFormatError
from provisioning.audit.events import AuditEvent, decode_event, encode_event

NOON = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
SUBJECT = "p_" + "a" * 26

FULL = AuditEvent(
    id="0198c0de-0000-7000-8000-000000000001",
    at=NOON + timedelta(microseconds=7),
    actor="client:shop",
    kind="step.accepted",
    organisation="41774",
    tenant="8c1f0f3e-0000-4000-8000-000000000001",
    operation="0198c0de-0000-7000-9000-000000000001",
    subject=SUBJECT,
    before={"A3": ("SWAY", "YAMMER")},
    after=("A5",),
    reason="ORDERED",
    correlation="0198c0de-1111-7000-8000-000000000001",
    details={"status": 200, "batch": "één", "first": True, "none": None},
)

facts = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.lists(st.text()).map(tuple)
words = st.text("abcdefgh_", min_size=1).map(lambda tail: "a" + tail)
events = st.builds(
    AuditEvent,
    id=st.uuids().map(str),
    at=st.datetimes(timezones=st.just(UTC)),
    actor=st.text(),
    kind=st.tuples(words, words).map(".".join),
    organisation=st.none() | st.text(),
    tenant=st.none() | st.text(),
    operation=st.none() | st.text(),
    subject=st.none() | st.just(SUBJECT),
    before=facts | st.dictionaries(st.text(), facts),
    after=facts | st.dictionaries(st.text(), facts),
    reason=st.none() | st.text(),
    correlation=st.none() | st.uuids().map(str),
    details=st.dictionaries(st.text(), facts),
)


class TestEncodeEvent:
    def test_the_text_is_fixed_to_the_byte(self) -> None:
        assert encode_event(FULL).decode() == (
            '{"actor":"client:shop","after":["A5"],"at":"2026-05-01T12:00:00.000007Z",'
            '"before":{"A3":["SWAY","YAMMER"]},"correlation":"0198c0de-1111-7000-8000-000000000001",'
            '"details":{"batch":"één","first":true,"none":null,"status":200},'
            '"id":"0198c0de-0000-7000-8000-000000000001","kind":"step.accepted",'
            '"operation":"0198c0de-0000-7000-9000-000000000001","organisation":"41774","reason":"ORDERED",'
            f'"subject":"{SUBJECT}","tenant":"8c1f0f3e-0000-4000-8000-000000000001","version":1}}'
        )

    def test_what_is_not_known_is_not_written(self) -> None:
        event = AuditEvent(id="1", at=NOON, actor="system", kind="log.opened")
        assert encode_event(event).decode() == (
            '{"actor":"system","at":"2026-05-01T12:00:00.000000Z","id":"1","kind":"log.opened","version":1}'
        )

    @given(events)
    def test_it_is_the_canonical_json_of_any_other_writer(self, event: AuditEvent) -> None:
        text = encode_event(event)
        again = json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        # Control characters may be escaped in more than one way; the rest has one spelling.
        if again.isprintable() and "\\u" not in again:
            assert text.decode() == again

    @given(events)
    def test_equal_events_have_equal_texts(self, event: AuditEvent) -> None:
        turned = dict(reversed(event.details.items()))
        assert encode_event(msgspec.structs.replace(event, details=turned)) == encode_event(event)

    def test_half_a_character_is_refused(self) -> None:
        event = AuditEvent(id="1", at=NOON, actor="system", kind="log.opened", reason="\ud800")
        with pytest.raises(AuditFormatError, match="Unicode"):
            encode_event(event)


class TestAuditEvent:
    @pytest.mark.parametrize(
        ("fields", "problem"),
        [
            pytest.param({"at": NOON.replace(tzinfo=None)}, "UTC", id="a naive moment"),
            pytest.param({"at": NOON.astimezone(timezone(timedelta(hours=2)))}, "UTC", id="a moment elsewhere"),
            pytest.param({"kind": "completed"}, "noun", id="a kind without a noun"),
            pytest.param({"kind": "Order.Completed"}, "noun", id="a kind in capitals"),
            pytest.param({"subject": "someone"}, "pseudonym", id="a subject by name"),
            pytest.param({"details": {"share": 0.5}}, "facts", id="a float in the details"),
            pytest.param({"details": {"deep": {"er": 1}}}, "facts", id="details that are not flat"),
            pytest.param({"before": 1.0}, "facts", id="a float before"),
            pytest.param({"after": ("a", 1)}, "facts", id="a mixed tuple"),
            pytest.param({"after": {"A3": ["SWAY"]}}, "facts", id="a list, which could still change"),
            pytest.param({"details": {1: "one"}}, "facts", id="a key that is no text"),
            pytest.param({"version": 2}, "version 2", id="a version of the future"),
        ],
    )
    def test_what_the_log_may_not_hold_is_refused(self, fields: dict[str, object], problem: str) -> None:
        with pytest.raises(AuditFormatError, match=problem):
            msgspec.structs.replace(FULL, **fields)

    def test_the_refusal_does_not_repeat_what_was_refused(self) -> None:
        with pytest.raises(AuditFormatError) as refusal:
            msgspec.structs.replace(FULL, subject="someone@school.example")
        assert "someone" not in str(refusal.value)


class TestDecodeEvent:
    @given(events)
    def test_what_was_written_comes_back(self, event: AuditEvent) -> None:
        assert decode_event(encode_event(event)) == event

    @given(events)
    def test_reading_and_writing_keeps_every_byte(self, event: AuditEvent) -> None:
        text = encode_event(event)
        assert encode_event(decode_event(text.decode())) == text

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("", id="nothing"),
            pytest.param("[]", id="a list"),
            pytest.param('{"actor":"system","at":"2026-05-01T12:00:00.000000Z","version":1}', id="no kind"),
            pytest.param(encode_event(FULL).decode().replace('"kind"', '"kinds"'), id="an unknown field"),
            pytest.param(encode_event(FULL).decode().replace("2026-05-01T", "2026-05-41T"), id="no such day"),
            pytest.param(encode_event(FULL).decode().replace("07Z", "07"), id="a moment without an offset"),
            pytest.param(encode_event(FULL).decode().replace("200", "0.5"), id="a float"),
            pytest.param(encode_event(FULL).decode().replace('"version":1', '"version":9'), id="another version"),
        ],
    )
    def test_another_text_is_refused(self, text: str) -> None:
        with pytest.raises(AuditFormatError):
            decode_event(text)
