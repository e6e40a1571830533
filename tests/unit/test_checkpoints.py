from pathlib import Path

import pytest

from provisioning.audit.checkpoint import Checkpoint
from provisioning.audit.note import SignerKey
from provisioning.audit.tree import Frontier, leaf_hash
from provisioning.checkpoints import CheckpointFolder
from provisioning.domain.errors import ConflictError

SIGNER = SignerKey("log.example", bytes(32))


def checkpoint_of(*texts: bytes) -> Checkpoint:
    return Checkpoint.sign("log.example", Frontier().extend(map(leaf_hash, texts)), SIGNER)


class TestCheckpointFolder:
    def test_keeps_the_note_word_for_word(self, tmp_path: Path) -> None:
        CheckpointFolder(tmp_path).write(checkpoint_of(b"a", b"b"))
        (file,) = tmp_path.iterdir()
        assert file.read_text() == str(checkpoint_of(b"a", b"b"))

    def test_makes_the_folder_when_it_is_missing(self, tmp_path: Path) -> None:
        folder = CheckpointFolder(tmp_path / "made" / "here")
        folder.write(checkpoint_of(b"a"))
        assert folder.newest_size() == 1

    def test_is_empty_at_first(self, tmp_path: Path) -> None:
        assert CheckpointFolder(tmp_path / "missing").newest_size() == 0

    def test_the_newest_is_the_one_of_the_longest_log(self, tmp_path: Path) -> None:
        folder = CheckpointFolder(tmp_path)
        for count in (9, 10, 2):
            folder.write(checkpoint_of(*[b"x"] * count))
        assert folder.newest_size() == 10

    def test_writing_it_twice_is_writing_it_once(self, tmp_path: Path) -> None:
        folder = CheckpointFolder(tmp_path)
        folder.write(checkpoint_of(b"a"))
        folder.write(checkpoint_of(b"a"))
        assert len(list(tmp_path.iterdir())) == 1

    def test_another_root_for_the_same_size_is_an_alarm_and_changes_nothing(self, tmp_path: Path) -> None:
        folder = CheckpointFolder(tmp_path)
        folder.write(checkpoint_of(b"a"))
        with pytest.raises(ConflictError, match="the log was rewritten"):
            folder.write(checkpoint_of(b"b"))
        (file,) = tmp_path.iterdir()
        assert file.read_text() == str(checkpoint_of(b"a"))

    def test_foreign_files_do_not_disturb(self, tmp_path: Path) -> None:
        (tmp_path / "notes.checkpoint").touch()
        assert CheckpointFolder(tmp_path).newest_size() == 0
