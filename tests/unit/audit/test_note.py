import base64

import pytest

from provisioning.audit.errors import AuditFormatError
from provisioning.audit.note import Note, Signature, SignatureState, SignerKey, VerifierKey
from tests.unit.audit.published import NOTE, NOTE_TEXT, SIGNING_KEY, VERIFIER_KEY

PETER = VerifierKey.parse(VERIFIER_KEY)
OTHER = SignerKey("example.org/other", bytes(range(32)))


class TestVerifierKey:
    def test_the_published_key_reads_and_writes_as_published(self) -> None:
        assert (PETER.name, PETER.key_id.hex(), str(PETER)) == ("PeterNeumann", "c74f20a3", VERIFIER_KEY)

    def test_no_part_of_the_text_will_do(self) -> None:
        for start in range(len(VERIFIER_KEY)):
            for stop in range(start + 1, len(VERIFIER_KEY) + 1):
                if (start, stop) != (0, len(VERIFIER_KEY)):
                    with pytest.raises(AuditFormatError):
                        VerifierKey.parse(VERIFIER_KEY[start:stop])

    @pytest.mark.parametrize("place", range(len(VERIFIER_KEY)))
    def test_one_changed_character_is_noticed(self, place: int) -> None:
        changed = chr(ord(VERIFIER_KEY[place]) + 1)
        with pytest.raises(AuditFormatError):
            VerifierKey.parse(VERIFIER_KEY[:place] + changed + VERIFIER_KEY[place + 1 :])

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param(
                "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==", id="a key too long"
            ),
            pytest.param(
                "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", id="an unknown algorithm"
            ),
        ],
    )
    def test_published_bad_keys_are_refused(self, text: str) -> None:
        with pytest.raises(AuditFormatError):
            VerifierKey.parse(text)

    @pytest.mark.parametrize("name", ["", "two words", "a+b", "line\n", "no\u00a0break"])
    def test_a_name_that_would_break_a_line_is_refused(self, name: str) -> None:
        with pytest.raises(AuditFormatError, match="name"):
            VerifierKey(name, bytes(32))


class TestSignerKey:
    def test_the_published_key_signs_as_published(self) -> None:
        signer = SignerKey.parse(SIGNING_KEY)
        assert str(Note(NOTE_TEXT, (signer.sign(NOTE_TEXT),))) == NOTE

    def test_it_belongs_to_the_published_public_key(self) -> None:
        assert SignerKey.parse(SIGNING_KEY).verifier == PETER

    def test_it_is_shown_only_when_asked(self) -> None:
        signer = SignerKey.parse(SIGNING_KEY)
        assert signer.reveal() == SIGNING_KEY
        assert SIGNING_KEY[-44:] not in repr(signer)

    def test_an_error_does_not_show_it(self) -> None:
        wrong = SIGNING_KEY.replace("c74f20a3", "c74f20a4")
        with pytest.raises(AuditFormatError) as refusal:
            SignerKey.parse(wrong)
        assert SIGNING_KEY[-44:] not in str(refusal.value)

    @pytest.mark.parametrize("text", [VERIFIER_KEY, "", "PRIVATE+KEY+", SIGNING_KEY[:-4]])
    def test_another_text_is_refused(self, text: str) -> None:
        with pytest.raises(AuditFormatError):
            SignerKey.parse(text)


class TestNote:
    def test_the_published_note_is_valid(self) -> None:
        note = Note.parse(NOTE)
        assert note.text == NOTE_TEXT
        assert note.state_of(PETER) is SignatureState.VALID

    def test_it_is_written_as_it_was_read(self) -> None:
        assert str(Note.parse(NOTE)) == NOTE

    def test_one_changed_word_makes_the_signature_false(self) -> None:
        assert Note.parse(NOTE.replace("answer", "ansver")).state_of(PETER) is SignatureState.INVALID

    def test_a_key_that_did_not_sign_is_absent(self) -> None:
        assert Note.parse(NOTE).state_of(OTHER.verifier) is SignatureState.ABSENT

    def test_another_key_of_the_same_name_is_absent(self) -> None:
        assert Note.parse(NOTE).state_of(VerifierKey("PeterNeumann", bytes(32))) is SignatureState.ABSENT

    def test_one_false_line_of_a_key_condemns_the_note(self) -> None:
        note = Note.parse(NOTE)
        false = Signature(PETER.name, PETER.key_id, bytes(64))
        assert note.with_signatures([false]).state_of(PETER) is SignatureState.INVALID

    def test_a_text_may_hold_empty_lines(self) -> None:
        text = "one\n\ntwo\n"
        note = Note.parse(str(Note(text, (OTHER.sign(text),))))
        assert (note.text, note.state_of(OTHER.verifier)) == (text, SignatureState.VALID)

    def test_added_signatures_are_kept_once(self) -> None:
        note = Note.parse(NOTE).with_signatures([OTHER.sign(NOTE_TEXT)] * 2)
        assert len(note.signatures) == 2
        assert note.state_of(OTHER.verifier) is note.state_of(PETER) is SignatureState.VALID

    def test_a_signature_of_another_kind_is_kept_as_it_came(self) -> None:
        cosigned = Signature("witness.example/w1", b"\x01\x02\x03\x04", bytes(72))
        assert Note.parse(str(Note.parse(NOTE).with_signatures([cosigned]))).signatures[1] == cosigned

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            pytest.param("", None, id="nothing"),
            pytest.param(NOTE_TEXT, None, id="no signature"),
            pytest.param(NOTE.removesuffix("\n"), None, id="no newline at the end"),
            pytest.param(NOTE.replace("\u2014", "-"), 4, id="a hyphen for a dash"),
            pytest.param(NOTE.replace("x08go", "x08g\u00f6"), 4, id="no base64"),
            pytest.param(NOTE.replace("nAM=", "nAN="), 4, id="base64 with stray bits"),
            pytest.param(NOTE.replace("your problem,", "your\tproblem,"), 1, id="a tab"),
            pytest.param(NOTE.replace("your problem,", "your\rproblem,"), 1, id="a carriage return"),
            pytest.param(NOTE_TEXT + "\n\u2014 PeterNeumann x08gow==\n", 4, id="only a key id"),
            pytest.param(NOTE_TEXT + "\n\u2014 Peter+Neumann x08go/ZJ\n", 4, id="a plus in the name"),
            pytest.param(NOTE_TEXT + "\n\u2014 PeterNeumann\n", 4, id="a name alone"),
        ],
    )
    def test_a_broken_note_is_refused_with_its_line(self, text: str, line: int | None) -> None:
        with pytest.raises(AuditFormatError) as refusal:
            Note.parse(text)
        assert refusal.value.line == line

    def test_a_flood_of_signatures_is_refused(self) -> None:
        line = "\u2014 w " + base64.b64encode(bytes(8)).decode() + "\n"
        assert len(Note.parse("text\n\n" + line * 100).signatures) == 100
        with pytest.raises(AuditFormatError, match="100 signatures"):
            Note.parse("text\n\n" + line * 101)
