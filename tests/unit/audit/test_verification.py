import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.audit.checkpoint import Checkpoint
from provisioning.audit.errors import AuditFormatError
from provisioning.audit.export import decode_line
from provisioning.audit.tree import Frontier
from provisioning.audit.verdict import MAX_FINDINGS, Doubt, Finding, Tampering, Verdict
from provisioning.audit.verification import verify_export
from tests.unit.audit.exports import (
    LOG_KEY,
    ORIGIN,
    OURS,
    THIEF_KEY,
    altered,
    base64_leaf,
    build_log,
    event_text,
    forge_event,
    line_of,
    line_of_checkpoint,
    renumbered,
    sign,
)

LOG = build_log(35)
WHOLE = LOG.export()
BOARD = LOG.export_of(OURS)
KEY = LOG_KEY.verifier

Lines = list[bytes]


def verify(lines: Lines, outside: Checkpoint | None = None) -> Verdict:
    return verify_export(lines, [KEY], outside)


def places(verdict: Verdict) -> list[tuple[Tampering, int | None, tuple[int, int] | None]]:
    return [(finding.kind, finding.line, finding.sequences) for finding in verdict.findings]


def kinds(verdict: Verdict) -> list[Tampering]:
    return [finding.kind for finding in verdict.findings]


def swapped(lines: Lines, one: int, other: int) -> Lines:
    result = list(lines)
    result[one], result[other] = result[other], result[one]
    return result


def changed(lines: Lines, index: int, change: Callable[[bytes], bytes]) -> Lines:
    return [*lines[:index], change(lines[index]), *lines[index + 1 :]]


def without(lines: Lines, *indexes: int) -> Lines:
    return [line for index, line in enumerate(lines) if index not in indexes]


def says_the_same(one: bytes, other: bytes) -> bool:
    """Base64 has bits to spare at its end: two spellings of one hash."""
    try:
        return decode_line(one, 1) == decode_line(other, 1)
    except AuditFormatError:
        return False


def ending_with(lines: Lines, events: int) -> Lines:
    return [*lines[:-1], altered(lines[-1], events=events)]


class TestSoundLog:
    @pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 35])
    def test_an_untouched_export_is_sound(self, size: int) -> None:
        log = build_log(size)
        verdict = verify(log.export())
        assert verdict.findings == ()
        assert (verdict.is_sound, verdict.events, verdict.proven) == (True, size, size)
        assert (verdict.origin, verdict.organisation, verdict.newest) == (ORIGIN, None, log.newest)

    def test_lines_may_come_from_a_stream(self) -> None:
        assert verify(iter(WHOLE)).is_sound

    def test_witnesses_do_no_harm(self) -> None:
        index = line_of_checkpoint(WHOLE, 10)
        note = json.loads(WHOLE[index])["note"] + "\u2014 witness.example/w1 " + "A" * 24 + "\n"
        assert verify(changed(WHOLE, index, lambda line: altered(line, note=note))).is_sound

    def test_another_text_than_an_export_is_refused(self) -> None:
        for lines in ([], [b"hello\n"], WHOLE[1:], [altered(WHOLE[0], format="else/1"), *WHOLE[1:]]):
            with pytest.raises(AuditFormatError, match="Line 1"):
                verify(lines)


class TestEdited:
    def test_an_edited_text_is_located_exactly(self) -> None:
        verdict = verify(changed(WHOLE, line_of(WHOLE, 13), lambda line: forge_event(line, with_hash=False)))
        assert places(verdict) == [(Tampering.EDITED, line_of(WHOLE, 13) + 1, (13, 13))]
        assert verdict.proven == 34

    def test_several_edited_texts_are_all_located(self) -> None:
        lines = WHOLE
        for sequence in (0, 9, 10, 34):
            lines = changed(lines, line_of(lines, sequence), lambda line: forge_event(line, with_hash=False))
        assert [finding.sequences for finding in verify(lines).findings] == [(0, 0), (9, 9), (10, 10), (34, 34)]

    def test_a_text_edited_with_its_hash_is_located_to_its_interval(self) -> None:
        verdict = verify(changed(WHOLE, line_of(WHOLE, 13), lambda line: forge_event(line, with_hash=True)))
        assert [(kind, place) for kind, _, place in places(verdict)] == [(Tampering.CONTENT_ALTERED, (10, 19))]

    def test_what_follows_the_damaged_interval_is_still_proven(self) -> None:
        verdict = verify(changed(WHOLE, line_of(WHOLE, 13), lambda line: forge_event(line, with_hash=True)))
        assert (verdict.events, verdict.proven, verdict.newest) == (35, 25, LOG.newest)

    def test_two_damaged_intervals_are_named_each(self) -> None:
        lines = WHOLE
        for sequence in (3, 27):
            lines = changed(lines, line_of(lines, sequence), lambda line: forge_event(line, with_hash=True))
        assert [finding.sequences for finding in verify(lines).findings] == [(0, 9), (20, 29)]

    def test_an_altered_hash_beside_a_genuine_event_is_told_apart(self) -> None:
        verdict = verify(changed(WHOLE, line_of(WHOLE, 13), lambda line: altered(line, leaf=base64_leaf("x"))))
        assert places(verdict) == [(Tampering.LEAF_ALTERED, line_of(WHOLE, 13) + 1, (13, 13))]
        assert verdict.proven == 35

    def test_an_event_edited_in_the_database_is_located_too(self) -> None:
        lines = changed(WHOLE, line_of(WHOLE, 0), lambda line: altered(line, event=lambda text: text + " "))
        assert places(verify(lines)) == [(Tampering.EDITED, 2, (0, 0))]


class TestDeleted:
    @pytest.mark.parametrize("sequence", [0, 9, 10, 22])
    def test_a_deleted_event_is_named(self, sequence: int) -> None:
        verdict = verify(ending_with(without(WHOLE, line_of(WHOLE, sequence)), 34))
        assert places(verdict) == [(Tampering.DELETED, None, (sequence, sequence))]

    def test_neighbours_are_named_as_a_run(self) -> None:
        gone = [line_of(WHOLE, sequence) for sequence in (3, 4, 5, 8, 12)]
        verdict = verify(ending_with(without(WHOLE, *gone), 30))
        assert [finding.sequences for finding in verdict.findings] == [(3, 5), (8, 8), (12, 12)]

    def test_a_deleted_event_that_the_end_still_counts_is_missed_twice(self) -> None:
        assert kinds(verify(without(WHOLE, line_of(WHOLE, 4)))) == [Tampering.DELETED, Tampering.DELETED]

    def test_renumbering_does_not_hide_it(self) -> None:
        verdict = verify(renumbered(without(WHOLE, line_of(WHOLE, 14))))
        first = verdict.findings[0]
        assert Tampering.DELETED in kinds(verdict)
        assert all(finding.sequences and finding.sequences[0] >= 10 for finding in verdict.findings)
        assert (first.kind, first.sequences) == (Tampering.RENUMBERED, (20, 29))

    def test_a_whole_interval_can_be_missed(self) -> None:
        gone = [line_of(WHOLE, sequence) for sequence in range(10, 20)]
        assert places(verify(ending_with(without(WHOLE, *gone), 25))) == [(Tampering.DELETED, None, (10, 19))]


class TestInserted:
    def foreign(self, sequence: int) -> bytes:
        return forge_event(altered(WHOLE[line_of(WHOLE, 20)], sequence=sequence), with_hash=True)

    def test_an_event_under_a_number_that_is_taken_is_named(self) -> None:
        index = line_of(WHOLE, 13)
        for place in (index, index + 1):
            verdict = verify(ending_with([*WHOLE[:place], self.foreign(13), *WHOLE[place:]], 36))
            assert places(verdict) == [(Tampering.INSERTED, place + 1, (13, 13))]
            assert verdict.proven == 35

    def test_an_event_under_a_number_beyond_the_log_is_named(self) -> None:
        verdict = verify(ending_with([*WHOLE[:5], self.foreign(10**9), *WHOLE[5:]], 36))
        assert places(verdict) == [(Tampering.INSERTED, 6, (10**9, 10**9))]

    def test_renumbering_does_not_hide_it(self) -> None:
        index = line_of(WHOLE, 13)
        verdict = verify(renumbered([*WHOLE[:index], self.foreign(13), *WHOLE[index:]]))
        assert (verdict.findings[0].kind, verdict.findings[0].sequences) == (Tampering.INSERTED, (10, 19))

    def test_an_event_behind_the_last_checkpoint_is_uncovered(self) -> None:
        verdict = verify(ending_with([*WHOLE[:-1], self.foreign(35), WHOLE[-1]], 36))
        assert places(verdict) == [(Tampering.UNCOVERED, len(WHOLE), (35, 35))]

    def test_the_end_line_counts_too(self) -> None:
        assert kinds(verify(ending_with(WHOLE, 34))) == [Tampering.INSERTED]


class TestDuplicated:
    def test_a_line_that_stands_twice_is_named(self) -> None:
        index = line_of(WHOLE, 13)
        verdict = verify(ending_with([*WHOLE[: index + 3], WHOLE[index], *WHOLE[index + 3 :]], 36))
        assert places(verdict) == [(Tampering.DUPLICATED, index + 4, (13, 13))]

    def test_a_line_that_stands_again_in_another_interval_is_named(self) -> None:
        verdict = verify(ending_with([*WHOLE[:-3], WHOLE[line_of(WHOLE, 2)], *WHOLE[-3:]], 36))
        assert places(verdict) == [(Tampering.DUPLICATED, len(WHOLE) - 2, (2, 2))]

    def test_twice_in_a_damaged_interval_is_still_named(self) -> None:
        index = line_of(WHOLE, 13)
        lines = [*WHOLE[:index], WHOLE[index], *WHOLE[index:]]
        lines = without(lines, line_of(lines, 18))
        assert sorted(kinds(verify(lines))) == [Tampering.DELETED, Tampering.DUPLICATED]


class TestReordered:
    def test_swapped_neighbours_are_named(self) -> None:
        verdict = verify(swapped(WHOLE, line_of(WHOLE, 13), line_of(WHOLE, 14)))
        assert places(verdict) == [(Tampering.REORDERED, line_of(WHOLE, 13) + 1, (13, 14))]
        assert verdict.proven == 35

    def test_events_swapped_across_a_checkpoint_are_named(self) -> None:
        verdict = verify(swapped(WHOLE, line_of(WHOLE, 5), line_of(WHOLE, 25)))
        assert sorted(places(verdict)) == [
            (Tampering.REORDERED, line_of(WHOLE, 5) + 1, (25, 25)),
            (Tampering.REORDERED, line_of(WHOLE, 25) + 1, (5, 5)),
        ]

    def test_renumbering_does_not_hide_it(self) -> None:
        verdict = verify(renumbered(swapped(WHOLE, line_of(WHOLE, 13), line_of(WHOLE, 14))))
        assert [finding.sequences for finding in verdict.findings] == [(10, 19)]
        assert kinds(verdict) == [Tampering.CONTENT_ALTERED]

    def test_a_wrong_number_on_a_genuine_event_is_named(self) -> None:
        verdict = verify(changed(WHOLE, line_of(WHOLE, 13), lambda line: altered(line, sequence=17)))
        assert places(verdict) == [(Tampering.RENUMBERED, line_of(WHOLE, 13) + 1, (10, 19))]
        assert verdict.proven == 35


class TestTailCut:
    @pytest.mark.parametrize("kept", [1, 5, len(WHOLE) - 2, len(WHOLE) - 1])
    def test_an_export_that_breaks_off_is_noticed(self, kept: int) -> None:
        assert Tampering.TAIL_CUT in kinds(verify(WHOLE[:kept]))

    def test_a_cut_between_checkpoints_leaves_events_uncovered(self) -> None:
        cut = ending_with([*WHOLE[: line_of(WHOLE, 24)], WHOLE[-1]], 24)
        assert [(kind, place) for kind, _, place in places(verify(cut))] == [(Tampering.UNCOVERED, (20, 23))]

    def test_a_cut_at_a_checkpoint_is_what_an_export_alone_cannot_show(self) -> None:
        cut = ending_with([*WHOLE[: line_of(WHOLE, 20)], WHOLE[-1]], 20)
        verdict = verify(cut)
        assert verdict.is_sound
        assert Doubt.LATER_EVENTS in verdict.doubts

    def test_an_outside_checkpoint_shows_it(self) -> None:
        cut = ending_with([*WHOLE[: line_of(WHOLE, 20)], WHOLE[-1]], 20)
        verdict = verify(cut, LOG.newest)
        assert kinds(verdict) == [Tampering.TAIL_CUT]
        assert "covers 35 events, this export only 20" in verdict.findings[0].sentence

    def test_lines_behind_the_end_are_refused(self) -> None:
        for extra in (WHOLE[5], WHOLE[-1], WHOLE[-2], WHOLE[0]):
            assert places(verify([*WHOLE, extra])) == [(Tampering.MALFORMED, len(WHOLE) + 1, None)]


class TestCheckpoints:
    def test_a_false_signature_is_a_forgery(self) -> None:
        index = line_of_checkpoint(WHOLE, 20)
        false = str(LOG.checkpoints[0].checkpoint.signatures[0])
        note = json.loads(WHOLE[index])["note"].split("\n\n")[0] + "\n\n" + false + "\n"
        verdict = verify(changed(WHOLE, index, lambda line: altered(line, note=note)))
        assert places(verdict) == [(Tampering.CHECKPOINT_FORGED, index + 1, None)]

    def test_the_events_of_a_forged_checkpoint_are_proven_by_the_next(self) -> None:
        index = line_of_checkpoint(WHOLE, 20)
        verdict = verify(
            changed(WHOLE, index, lambda line: altered(line, note=lambda n: n.replace("\n20\n", "\n21\n")))
        )
        assert kinds(verdict) == [Tampering.CHECKPOINT_FORGED]
        assert (verdict.proven, verdict.checkpoints) == (35, 3)

    def test_a_log_signed_by_a_thief_is_unknown_throughout(self) -> None:
        verdict = verify(build_log(25, key=THIEF_KEY).export())
        assert kinds(verdict) == [*[Tampering.CHECKPOINT_UNKNOWN] * 3, Tampering.UNCOVERED]
        assert (verdict.proven, verdict.newest) == (0, None)

    def test_a_checkpoint_of_another_log_is_unknown(self) -> None:
        verdict = verify([altered(WHOLE[0], origin="audit.example/other"), *WHOLE[1:]])
        assert set(kinds(verdict)) == {Tampering.CHECKPOINT_UNKNOWN, Tampering.UNCOVERED}

    def test_a_malformed_checkpoint_is_named_with_its_line(self) -> None:
        index = line_of_checkpoint(WHOLE, 20)
        verdict = verify(changed(WHOLE, index, lambda line: altered(line, note="20\n")))
        assert places(verdict) == [(Tampering.MALFORMED, index + 1, None)]

    def test_a_removed_checkpoint_harms_nobody(self) -> None:
        assert verify(without(WHOLE, line_of_checkpoint(WHOLE, 20))).proven == 35

    def test_an_export_without_checkpoints_proves_nothing(self) -> None:
        bare = [line for line in WHOLE if b'"record":"checkpoint"' not in line]
        verdict = verify(bare)
        assert (kinds(verdict), verdict.proven) == ([Tampering.UNCOVERED], 0)
        assert kinds(verify([WHOLE[0], altered(WHOLE[-1], events=0)])) == [Tampering.UNCOVERED]

    def test_a_repeated_checkpoint_is_misplaced(self) -> None:
        index = line_of_checkpoint(WHOLE, 20)
        verdict = verify([*WHOLE[: index + 1], WHOLE[index], *WHOLE[index + 1 :]])
        assert places(verdict) == [(Tampering.CHECKPOINT_MISPLACED, index + 2, None)]

    def test_two_signed_roots_for_one_size_are_a_fork(self) -> None:
        fork = build_log(20, text=lambda number: event_text(number, "FORKED")).export()
        other = fork[line_of_checkpoint(fork, 20)]
        index = line_of_checkpoint(WHOLE, 20)
        verdict = verify([*WHOLE[: index + 1], other, *WHOLE[index + 1 :]])
        assert places(verdict) == [(Tampering.FORKED, index + 2, None)]

    def test_a_checkpoint_that_seals_other_events_does_not_match_them(self) -> None:
        false = sign(Frontier().extend([bytes(32)] * 20))
        log = build_log(20)
        forked = type(log)(log.events, (log.checkpoints[0], false))
        assert [(kind, place) for kind, _, place in places(verify(forked.export()))] == [
            (Tampering.CONTENT_ALTERED, (10, 19))
        ]

    @pytest.mark.parametrize("edge", [[], ["AAAA"], ["A" * 43 + "="] * 2])
    def test_an_altered_edge_is_named(self, edge: list[str]) -> None:
        index = line_of_checkpoint(WHOLE, 20)
        verdict = verify(changed(WHOLE, index, lambda line: altered(line, edge=edge)))
        assert places(verdict) == [(Tampering.EDGE_ALTERED, index + 1, None)]
        assert verdict.proven == 35

    def test_damage_and_a_lost_edge_leave_the_rest_unproven_until_the_next_edge(self) -> None:
        lines = changed(WHOLE, line_of(WHOLE, 13), lambda line: forge_event(line, with_hash=True))
        lines = changed(lines, line_of_checkpoint(lines, 20), lambda line: altered(line, edge=[]))
        verdict = verify(lines)
        assert kinds(verdict) == [Tampering.CONTENT_ALTERED, Tampering.EDGE_ALTERED, Tampering.UNCOVERED]
        assert (verdict.findings[-1].sequences, verdict.proven) == ((20, 29), 15)


class TestMalformed:
    @pytest.mark.parametrize("rubbish", [b"\n", b"rubbish\n", b"{}\n", b'{"record":"proven_event"}\n', b"\xff\n"])
    def test_a_line_between_is_named(self, rubbish: bytes) -> None:
        assert places(verify([*WHOLE[:5], rubbish, *WHOLE[5:]])) == [(Tampering.MALFORMED, 6, None)]

    def test_a_line_of_the_other_kind_of_export_has_no_place(self) -> None:
        assert places(verify([*WHOLE[:5], BOARD[2], *WHOLE[5:]])) == [(Tampering.MALFORMED, 6, None)]

    def test_an_unreadable_event_is_missing_too(self) -> None:
        verdict = verify(changed(WHOLE, line_of(WHOLE, 4), lambda line: line[:-5] + b"\n"))
        assert (Tampering.MALFORMED, 6, None) in places(verdict)
        assert (Tampering.DELETED, None, (4, 4)) in places(verdict)

    def test_a_file_of_rubbish_does_not_fill_the_memory(self) -> None:
        verdict = verify([WHOLE[0], *[b"rubbish\n"] * (MAX_FINDINGS + 5)])
        assert (len(verdict.findings), verdict.unlisted_findings) == (MAX_FINDINGS, 7)


class TestOutside:
    @pytest.mark.parametrize("size", [10, 20, 35])
    def test_a_checkpoint_of_this_log_agrees(self, size: int) -> None:
        outside = next(kept.checkpoint for kept in LOG.checkpoints if kept.frontier.size == size)
        assert verify(WHOLE, outside).is_sound

    def test_any_size_between_is_compared(self) -> None:
        leaves = [event.leaf for event in LOG.events]
        for size in range(1, 36):
            outside = sign(Frontier().extend(leaves[:size])).checkpoint
            assert verify(WHOLE, outside).is_sound
            assert Doubt.OUTSIDE_NOT_COMPARED not in verify(WHOLE, outside).doubts

    def test_a_log_rewritten_by_the_key_holder_is_noticed(self) -> None:
        rewritten = build_log(35, text=lambda number: event_text(number, "DECIDED" if number == 7 else "ORDERED"))
        assert verify(rewritten.export()).is_sound
        verdict = verify(rewritten.export(), LOG.checkpoints[1].checkpoint)
        assert places(verdict) == [(Tampering.REWRITTEN, None, (0, 19))]

    def test_a_rewriting_after_it_is_what_stays_possible(self) -> None:
        rewritten = build_log(35, text=lambda number: event_text(number, "DECIDED" if number == 27 else "ORDERED"))
        verdict = verify(rewritten.export(), LOG.checkpoints[1].checkpoint)
        assert verdict.is_sound
        assert Doubt.KEY_HOLDER_SINCE in verdict.doubts

    def test_one_that_the_log_did_not_sign_is_not_used(self) -> None:
        verdict = verify(WHOLE, sign(Frontier(), THIEF_KEY).checkpoint)
        assert kinds(verdict) == [Tampering.CHECKPOINT_UNKNOWN]
        assert Doubt.KEY_HOLDER in verdict.doubts

    def test_where_it_lies_in_a_damaged_part_it_cannot_be_compared(self) -> None:
        lines = changed(WHOLE, line_of(WHOLE, 13), lambda line: forge_event(line, with_hash=True))
        assert Doubt.OUTSIDE_NOT_COMPARED in verify(lines, LOG.checkpoints[1].checkpoint).doubts


class TestDoubts:
    def test_without_an_outside_checkpoint_two_things_stay_possible(self) -> None:
        assert verify(WHOLE).doubts == (Doubt.LATER_EVENTS, Doubt.KEY_HOLDER)

    def test_with_the_newest_one_only_later_events_do(self) -> None:
        assert verify(WHOLE, LOG.newest).doubts == (Doubt.LATER_EVENTS,)

    def test_an_organisation_s_export_may_leave_events_out(self) -> None:
        assert verify(BOARD, LOG.newest).doubts == (Doubt.LATER_EVENTS, Doubt.OMISSION)

    @pytest.mark.parametrize("doubt", list(Doubt))
    def test_each_is_said_plainly(self, doubt: Doubt) -> None:
        assert doubt.sentence.endswith(".")


class TestOrganisation:
    @pytest.mark.parametrize("size", [0, 1, 2, 3, 10, 35, 64])
    def test_an_untouched_export_is_sound(self, size: int) -> None:
        verdict = verify(build_log(size).export_of(OURS))
        assert verdict.findings == ()
        assert verdict.organisation == OURS
        assert verdict.proven == verdict.events == (size + 2) // 3

    def test_an_edited_text_is_located_exactly(self) -> None:
        verdict = verify(changed(BOARD, line_of(BOARD, 12), lambda line: forge_event(line, with_hash=False)))
        assert places(verdict) == [(Tampering.EDITED, line_of(BOARD, 12) + 1, (12, 12))]
        assert verdict.proven == verdict.events - 1

    def test_a_text_edited_with_its_hash_is_located_exactly_too(self) -> None:
        verdict = verify(changed(BOARD, line_of(BOARD, 12), lambda line: forge_event(line, with_hash=True)))
        assert places(verdict) == [(Tampering.NOT_IN_LOG, line_of(BOARD, 12) + 1, (12, 12))]

    def test_an_altered_hash_beside_a_genuine_event_is_told_apart(self) -> None:
        verdict = verify(changed(BOARD, line_of(BOARD, 12), lambda line: altered(line, leaf=base64_leaf("x"))))
        assert places(verdict) == [(Tampering.LEAF_ALTERED, line_of(BOARD, 12) + 1, (12, 12))]

    def test_an_event_under_another_sequence_is_not_in_the_log_there(self) -> None:
        verdict = verify(changed(BOARD, line_of(BOARD, 12), lambda line: altered(line, sequence=13)))
        assert places(verdict) == [(Tampering.NOT_IN_LOG, line_of(BOARD, 12) + 1, (13, 13))]

    @pytest.mark.parametrize("path", [[], ["A" * 43 + "="] * 6, ["AAAA"]])
    def test_an_altered_proof_is_named(self, path: list[str]) -> None:
        verdict = verify(changed(BOARD, line_of(BOARD, 12), lambda line: altered(line, path=path)))
        assert places(verdict) == [(Tampering.NOT_IN_LOG, line_of(BOARD, 12) + 1, (12, 12))]

    def test_a_deleted_event_leaves_a_gap_in_the_numbering(self) -> None:
        verdict = verify(ending_with(without(BOARD, line_of(BOARD, 12)), 11))
        assert places(verdict) == [(Tampering.DELETED, None, (10, 14))]
        assert "numbers 5 to 5" in verdict.findings[0].sentence

    def test_a_deleted_first_event_does_too(self) -> None:
        verdict = verify(ending_with(without(BOARD, line_of(BOARD, 0)), 11))
        assert places(verdict) == [(Tampering.DELETED, None, (0, 2))]

    def test_a_deleted_last_event_is_missed_by_the_end(self) -> None:
        assert kinds(verify(without(BOARD, line_of(BOARD, 33)))) == [Tampering.DELETED]

    def test_a_cut_tail_is_noticed(self) -> None:
        assert kinds(verify(BOARD[:-3])) == [Tampering.TAIL_CUT]

    def test_swapped_events_are_named(self) -> None:
        index = line_of(BOARD, 12)
        verdict = verify(swapped(BOARD, index, index + 1))
        assert places(verdict) == [(Tampering.REORDERED, index + 2, (12, 12))]

    def test_a_repeated_event_is_named(self) -> None:
        index = line_of(BOARD, 12)
        verdict = verify(ending_with([*BOARD[:-1], BOARD[index], BOARD[-1]], 13))
        assert places(verdict) == [(Tampering.DUPLICATED, len(BOARD), (12, 12))]

    def test_a_number_that_another_has_is_named(self) -> None:
        index = line_of(BOARD, 12)
        verdict = verify(changed(BOARD, index, lambda line: altered(line, number=4)))
        assert (Tampering.RENUMBERED, index + 1, (12, 12)) in places(verdict)

    def test_another_organisation_s_event_is_named_though_it_is_genuine(self) -> None:
        theirs = LOG.export_of("20003")
        stranger = altered(theirs[line_of(theirs, 34)], number=13)
        verdict = verify(ending_with([*BOARD[:-1], stranger, BOARD[-1]], 13))
        assert places(verdict) == [(Tampering.FOREIGN, len(BOARD), (34, 34))]

    @pytest.mark.parametrize("index", [1, 3])
    def test_without_its_checkpoint_nothing_is_proven(self, index: int) -> None:
        lines = without(BOARD, 1) if index == 1 else changed(BOARD, 1, lambda line: altered(line, note="x"))
        verdict = verify(lines)
        assert Tampering.UNCOVERED in kinds(verdict)
        assert verdict.proven == 0

    def test_a_checkpoint_by_a_thief_is_unknown(self) -> None:
        verdict = verify(build_log(35, key=THIEF_KEY).export_of(OURS))
        assert kinds(verdict) == [Tampering.CHECKPOINT_UNKNOWN, Tampering.UNCOVERED]

    def test_a_second_checkpoint_has_no_place(self) -> None:
        assert places(verify([*BOARD[:2], BOARD[1], *BOARD[2:]])) == [(Tampering.CHECKPOINT_MISPLACED, 3, None)]

    def test_lines_of_the_other_kind_of_export_have_no_place(self) -> None:
        assert places(verify([*BOARD[:2], WHOLE[1], *BOARD[2:]])) == [(Tampering.MALFORMED, 3, None)]
        assert places(verify([*BOARD, BOARD[2]])) == [(Tampering.MALFORMED, len(BOARD) + 1, None)]


class TestOrganisationAndOutside:
    def test_the_checkpoint_the_export_is_under_agrees(self) -> None:
        assert verify(BOARD, LOG.newest).is_sound

    def test_a_fork_of_the_same_size_is_noticed(self) -> None:
        fork = build_log(35, text=lambda number: event_text(number, "FORKED"))
        assert kinds(verify(fork.export_of(OURS), LOG.newest)) == [Tampering.REWRITTEN]

    def test_an_older_one_is_compared_by_a_consistency_proof(self) -> None:
        verdict = verify(LOG.export_of(OURS, known_sizes=[10, 20]), LOG.checkpoints[1].checkpoint)
        assert verdict.is_sound
        assert verdict.doubts == (Doubt.LATER_EVENTS, Doubt.KEY_HOLDER_SINCE, Doubt.OMISSION)

    def test_a_rewritten_log_has_no_such_proof(self) -> None:
        rewritten = build_log(35, text=lambda number: event_text(number, "DECIDED" if number == 7 else "ORDERED"))
        lines = rewritten.export_of(OURS, known_sizes=[20])
        assert kinds(verify(lines, LOG.checkpoints[1].checkpoint)) == [Tampering.REWRITTEN]

    def test_without_the_proof_it_is_said_that_nothing_was_compared(self) -> None:
        verdict = verify(BOARD, LOG.checkpoints[1].checkpoint)
        assert verdict.is_sound
        assert Doubt.OUTSIDE_NOT_COMPARED in verdict.doubts

    def test_an_export_older_than_it_is_cut(self) -> None:
        verdict = verify(BOARD, build_log(50).newest)
        assert kinds(verdict) == [Tampering.TAIL_CUT]


mangled = st.sampled_from(["delete", "repeat", "swap", "edit", "edit with hash", "byte"])


class TestAnyTampering:
    @given(st.data(), mangled, st.booleans())
    def test_whatever_is_done_to_an_event_line_is_noticed(self, data: st.DataObject, how: str, whole: bool) -> None:
        lines = original = list(WHOLE if whole else BOARD)
        events = [index for index, line in enumerate(lines) if b'"sequence"' in line]
        index, other = data.draw(st.lists(st.sampled_from(events), min_size=2, max_size=2, unique=True))
        match how:
            case "delete":
                lines = ending_with(without(lines, index), len(events) - 1)
            case "repeat":
                lines = ending_with([*lines[:other], lines[index], *lines[other:]], len(events) + 1)
            case "swap":
                lines = swapped(lines, index, other)
            case "byte":
                place = data.draw(st.integers(0, len(lines[index]) - 2))
                byte = data.draw(st.sampled_from(b"aA0Z+/=9").filter(lambda byte: byte != lines[index][place]))
                lines = changed(lines, index, lambda line: line[:place] + bytes([byte]) + line[place + 1 :])
            case _:
                lines = changed(lines, index, lambda line: forge_event(line, with_hash=how == "edit with hash"))
        # The last event of a board's export is the one that can vanish unseen: its doubts say so.
        unseen = how == "delete" and not whole and index == events[-1]
        unseen = unseen or (how == "byte" and says_the_same(original[index], lines[index]))
        assert verify(lines).is_sound == unseen

    @given(st.lists(st.sampled_from([*WHOLE, *BOARD]), max_size=60))
    def test_any_heap_of_genuine_lines_gets_a_verdict(self, lines: Lines) -> None:
        for header in (WHOLE[0], BOARD[0]):
            verdict = verify([header, *lines], LOG.newest)
            assert isinstance(verdict, Verdict)
            assert all(isinstance(finding, Finding) and finding.sentence for finding in verdict.findings)
