"""A log whose signing key was replaced: which key signed what, and what an export then proves."""

import msgspec
import pytest

from provisioning.audit.checkpoint import Checkpoint
from provisioning.audit.note import SignerKey, VerifierKey
from provisioning.audit.tree import Frontier
from provisioning.audit.verdict import Doubt, Signer, Tampering, Verdict
from provisioning.audit.verification import verify_export
from tests.unit.audit.exports import (
    LOG_KEY,
    ORIGIN,
    OURS,
    THIEF_KEY,
    Log,
    altered,
    build_log,
    forge_event,
    line_of,
    line_of_checkpoint,
    sign,
)

NEW_KEY = SignerKey(ORIGIN, bytes(range(2, 34)))
OLD, NEW, THIEF = LOG_KEY.verifier, NEW_KEY.verifier, THIEF_KEY.verifier


def rotated(*sizes_by_new_key: int, size: int = 35) -> Log:
    """The log of `size` events whose checkpoints of these sizes are by the new key."""
    log = build_log(size)
    signed = [
        sign(stored.frontier, NEW_KEY if stored.frontier.size in sizes_by_new_key else LOG_KEY)
        for stored in log.checkpoints
    ]
    return msgspec.structs.replace(log, checkpoints=tuple(signed))


LOG = rotated(30, 35)
WHOLE = LOG.export()
BOARD = LOG.export_of(OURS)


def kinds(verdict: Verdict) -> list[Tampering]:
    return [finding.kind for finding in verdict.findings]


class TestWithAllKeys:
    @pytest.mark.parametrize("keys", [[OLD, NEW], [NEW, OLD], [NEW, OLD, NEW]], ids=["in order", "not", "one twice"])
    def test_the_whole_log_is_sound_and_says_which_key_signed_what(self, keys: list[VerifierKey]) -> None:
        verdict = verify_export(WHOLE, keys)
        assert (verdict.findings, verdict.proven, verdict.checkpoints) == ((), 35, 4)
        assert verdict.signers == (Signer(OLD.label, 2, 10, 20), Signer(NEW.label, 2, 30, 35))
        assert verdict.doubts == (Doubt.LATER_EVENTS, Doubt.KEY_HOLDER)

    def test_an_organisation_s_part_is_sound_too(self) -> None:
        verdict = verify_export(BOARD, [OLD, NEW])
        assert (verdict.is_sound, verdict.signers) == (True, (Signer(NEW.label, 1, 35, 35),))
        assert Doubt.KEY_UNUSED not in verdict.doubts

    @pytest.mark.parametrize("size", [10, 20, 30, 35])
    def test_a_kept_checkpoint_of_either_key_is_compared(self, size: int) -> None:
        kept = next(stored.checkpoint for stored in LOG.checkpoints if stored.frontier.size == size)
        assert Doubt.KEY_HOLDER not in verify_export(WHOLE, [OLD, NEW], kept).doubts
        part = verify_export(LOG.export_of(OURS, [size]), [OLD, NEW], kept)
        assert (part.is_sound, Doubt.OUTSIDE_NOT_COMPARED in part.doubts) == (True, False)

    def test_a_log_rewritten_by_the_new_key_s_holder_contradicts_the_old_checkpoint(self) -> None:
        other = build_log(35, key=NEW_KEY, text=lambda number: f'{{"id":"{number}"}}'.encode())
        kept = LOG.checkpoints[1].checkpoint
        assert kinds(verify_export(other.export(), [OLD, NEW], kept)) == [Tampering.REWRITTEN]

    def test_events_of_the_old_part_are_guarded_by_the_new_key(self) -> None:
        index = line_of(WHOLE, 13)
        lines = [*WHOLE[:index], forge_event(WHOLE[index], with_hash=True), *WHOLE[index + 1 :]]
        verdict = verify_export(lines, [OLD, NEW])
        assert kinds(verdict) == [Tampering.CONTENT_ALTERED]

    def test_a_new_key_that_took_over_another_log_is_found(self) -> None:
        leaves = [event.leaf for event in LOG.events]
        other = sign(Frontier().extend([leaves[1], leaves[0], *leaves[2:30]]), NEW_KEY)
        forged = msgspec.structs.replace(LOG, checkpoints=(*LOG.checkpoints[:2], other))
        assert Tampering.CONTENT_ALTERED in kinds(verify_export(forged.export(), [OLD, NEW]))


class TestWithoutAKey:
    def test_the_old_checkpoints_are_unknown_not_forged_and_all_events_proven(self) -> None:
        verdict = verify_export(WHOLE, [NEW])
        assert set(kinds(verdict)) == {Tampering.CHECKPOINT_UNKNOWN}
        assert all(OLD.label in finding.sentence for finding in verdict.findings)
        assert (verdict.is_sound, verdict.lacks_only_keys, verdict.proven) == (False, True, 35)

    def test_without_the_new_key_the_new_part_is_not_proven(self) -> None:
        verdict = verify_export(WHOLE, [OLD])
        assert set(kinds(verdict)) == {Tampering.CHECKPOINT_UNKNOWN, Tampering.UNCOVERED}
        assert (verdict.lacks_only_keys, verdict.proven) == (False, 20)

    def test_an_organisation_s_part_of_now_needs_the_new_key_alone(self) -> None:
        assert verify_export(BOARD, [NEW]).is_sound
        assert Tampering.CHECKPOINT_UNKNOWN in kinds(verify_export(BOARD, [OLD]))

    def test_a_key_that_signed_nothing_is_told(self) -> None:
        before = verify_export(build_log(20).export(), [OLD, NEW])
        assert (before.is_sound, Doubt.KEY_UNUSED in before.doubts) == (True, True)


class TestForgeries:
    def test_a_false_signature_of_either_key_is_a_forgery(self) -> None:
        for size, key in ((20, OLD), (30, NEW)):
            index = line_of_checkpoint(WHOLE, size)
            edit = f"\n{size}\n", f"\n{size + 1}\n"
            line = altered(WHOLE[index], note=lambda note, edit=edit: note.replace(*edit))
            verdict = verify_export([*WHOLE[:index], line, *WHOLE[index + 1 :]], [OLD, NEW])
            assert kinds(verdict) == [Tampering.CHECKPOINT_FORGED]
            assert key.label in verdict.findings[0].sentence

    def test_a_genuine_line_does_not_excuse_a_false_one_beside_it(self) -> None:
        index = line_of_checkpoint(WHOLE, 20)
        false = sign(Frontier(), NEW_KEY).checkpoint.signatures[0]
        line = altered(WHOLE[index], note=lambda note: f"{note}{false}\n")
        verdict = verify_export([*WHOLE[:index], line, *WHOLE[index + 1 :]], [OLD, NEW])
        assert kinds(verdict) == [Tampering.CHECKPOINT_FORGED]

    def test_a_third_key_is_named_as_unknown(self) -> None:
        thiefs = [
            stored if stored.frontier.size != 30 else sign(stored.frontier, THIEF_KEY) for stored in LOG.checkpoints
        ]
        verdict = verify_export(msgspec.structs.replace(LOG, checkpoints=tuple(thiefs)).export(), [OLD, NEW])
        assert (kinds(verdict), THIEF.label in verdict.findings[0].sentence) == ([Tampering.CHECKPOINT_UNKNOWN], True)
        assert verdict.lacks_only_keys

    def test_a_key_that_was_replaced_may_not_sign_again(self) -> None:
        verdict = verify_export(rotated(20, 30).export(), [OLD, NEW])
        assert kinds(verdict) == [Tampering.KEY_RETURNED, Tampering.UNCOVERED]
        assert (verdict.proven, verdict.newest.head.size) == (30, 30)

    def test_two_signatures_of_one_checkpoint_are_a_handing_over_too(self) -> None:
        both = sign(LOG.checkpoints[1].frontier).checkpoint.with_signatures(
            NEW_KEY.sign(LOG.checkpoints[1].checkpoint.head.text)
        )
        index = line_of_checkpoint(WHOLE, 20)
        lines = [*WHOLE[:index], altered(WHOLE[index], note=str(both)), *WHOLE[index + 1 :]]
        for keys in ([OLD, NEW], [NEW, OLD]):
            assert verify_export(lines, keys).is_sound, keys


def test_labels_tell_keys_of_one_name_apart() -> None:
    assert OLD.label != NEW.label
    assert str(OLD).startswith(f"{OLD.label}+")
    assert Checkpoint.sign(ORIGIN, Frontier(), NEW_KEY).signatures[0].label == NEW.label
