from pathlib import Path

import pytest

from provisioning.audit.checkpoint import Checkpoint
from provisioning.audit.note import SignerKey
from provisioning.audit.tree import Frontier, leaf_hash
from provisioning.checkpoints import CheckpointFolder
from provisioning.domain.errors import ConflictError, UnavailableError

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
        assert folder.newest() == checkpoint_of(b"a")

    def test_is_empty_at_first(self, tmp_path: Path) -> None:
        assert CheckpointFolder(tmp_path / "missing").newest() is None

    def test_the_newest_is_the_one_of_the_longest_log(self, tmp_path: Path) -> None:
        folder = CheckpointFolder(tmp_path)
        for count in (9, 10, 2):
            folder.write(checkpoint_of(*[b"x"] * count))
        assert folder.newest() == checkpoint_of(*[b"x"] * 10)

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
        assert CheckpointFolder(tmp_path).newest() is None

    @pytest.mark.parametrize(
        "text", [b"", b"\xff", b"hello\n", None], ids=["empty", "no text", "other", "a shorter one"]
    )
    def test_a_newest_file_that_is_none_is_named(self, tmp_path: Path, text: bytes | None) -> None:
        file = tmp_path / f"{7:019}.checkpoint"
        file.write_bytes(str(checkpoint_of(b"a")).encode() if text is None else text)
        with pytest.raises(ConflictError, match=file.name):
            CheckpointFolder(tmp_path).newest()

    def test_a_folder_that_cannot_be_made_is_a_sentence(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(UnavailableError, match="cannot be written: Not a directory"):
            CheckpointFolder(tmp_path / "file" / "folder").write(checkpoint_of(b"a"))
