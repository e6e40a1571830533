"""The signed log over years: its key is replaced, its folder remembers more than a restored database."""

import json
from pathlib import Path

import pytest

from provisioning.audit.checkpoint import Checkpoint
from provisioning.audit.note import VerifierKey
from provisioning.audit.tree import Frontier
from provisioning.checkpoints import CheckpointFolder
from tests.integration.cli.conftest import SIGNER, Answer, Installation


def checkpoint_now(provisioning: Installation, team: dict[str, str]) -> Answer:
    return provisioning.as_holder_of(team["auditor"])("audit", "checkpoint", "--now")


def public(provisioning: Installation, key: Path, to: Path) -> Path:
    to.write_text(provisioning("audit", "key", str(key)).out)
    return to


class TestReplacingTheKey:
    @pytest.fixture
    def files(self, provisioning: Installation, team: dict[str, str], tmp_path: Path) -> dict[str, Path]:
        """A log that was sealed, then its key replaced as the runbook says, and sealed again; its exports and keys."""
        old = public(provisioning, tmp_path / "checkpoint-key", tmp_path / "old.pub")
        kept = tmp_path / "kept.txt"
        kept.write_text(checkpoint_now(provisioning, team).out)
        made = provisioning("audit", "key", str(tmp_path / "next"), "--new", SIGNER.verifier.name)
        assert made.code == 0, made.err
        provisioning.set(PROVISIONING_CHECKPOINT_KEY_FILE=str(tmp_path / "next"))
        assert checkpoint_now(provisioning, team).code == 0
        log = tmp_path / "log.jsonl"
        assert provisioning("audit", "export", "--to", str(log)).code == 0
        new = public(provisioning, tmp_path / "next", tmp_path / "new.pub")
        return {"log": log, "old": old, "new": new, "kept": kept}

    def verify(self, provisioning: Installation, files: dict[str, Path], *keys: str) -> Answer:
        options = [word for key in keys for word in ("--key", str(files[key]))]
        return provisioning("audit", "verify", str(files["log"]), *options, "--checkpoint", str(files["kept"]))

    def test_with_both_keys_the_log_is_sound_and_each_key_is_named(
        self, provisioning: Installation, files: dict[str, Path]
    ) -> None:
        answer = self.verify(provisioning, files, "old", "new")
        assert answer.code == 0, answer.out
        for name in ("old", "new"):
            assert f"{VerifierKey.parse(files[name].read_text().strip()).label} signed 1: of" in answer.out
        assert "audit.key_changed" in files["log"].read_text()

    def test_both_keys_may_stand_in_one_file(self, provisioning: Installation, files: dict[str, Path]) -> None:
        files["both"] = files["old"].with_name("both.pub")
        files["both"].write_text(files["old"].read_text() + files["new"].read_text())
        assert self.verify(provisioning, files, "both").code == 0

    def test_without_the_old_key_it_says_what_to_add(self, provisioning: Installation, files: dict[str, Path]) -> None:
        options = ("--key", str(files["new"]))
        answer = provisioning("audit", "verify", str(files["log"]), *options)
        assert (answer.code, "Every event is proven" in answer.out, "--key" in answer.out) == (1, True, True)
        assert "tampered" not in answer.out
        told = provisioning("audit", "verify", str(files["log"]), *options, "--json").json
        assert {finding["kind"] for finding in told["findings"]} == {"checkpoint_unknown"}
        assert told["proven"] == told["events"]

    def test_the_old_key_signs_no_more(
        self, provisioning: Installation, team: dict[str, str], files: dict[str, Path], tmp_path: Path
    ) -> None:
        provisioning.set(PROVISIONING_CHECKPOINT_KEY_FILE=str(tmp_path / "checkpoint-key"))
        refused = checkpoint_now(provisioning, team)
        assert (refused.code, "was replaced" in refused.err) == (1, True)
        assert {x["part"]: x["health"] for x in provisioning("doctor", "--json").json}["sealer"] == "bad"

    def test_a_key_of_another_name_is_refused(
        self, provisioning: Installation, team: dict[str, str], files: dict[str, Path], tmp_path: Path
    ) -> None:
        provisioning("audit", "key", str(tmp_path / "other"), "--new", "another.log")
        provisioning.set(PROVISIONING_CHECKPOINT_KEY_FILE=str(tmp_path / "other"))
        refused = checkpoint_now(provisioning, team)
        assert (refused.code, f"--new {SIGNER.verifier.name}" in refused.err) == (1, True)


class TestARestoredDatabase:
    def test_seals_nothing_until_the_surplus_is_moved(
        self, provisioning: Installation, team: dict[str, str], tmp_path: Path
    ) -> None:
        assert checkpoint_now(provisioning, team).code == 0
        folder = tmp_path / "checkpoints"
        lost = Checkpoint.sign(SIGNER.verifier.name, Frontier().extend([bytes(32)] * 500), SIGNER)
        CheckpointFolder(folder).write(lost)
        refused = checkpoint_now(provisioning, team)
        assert (refused.code, "a log of 500 events" in refused.err, "Traceback" in refused.err) == (1, True, False)
        doctor = {x["part"]: x for x in provisioning("doctor", "--json").json}
        assert (doctor["sealer"]["health"], "runbook" in doctor["sealer"]["sentence"]) == ("bad", True)
        (folder / f"{500:019}.checkpoint").rename(tmp_path / "kept-elsewhere")
        assert checkpoint_now(provisioning, team).code == 0


class TestWhatAnExportLeavesOut:
    def test_is_said_with_what_to_do(self, provisioning: Installation, team: dict[str, str], tmp_path: Path) -> None:
        checkpoint_now(provisioning, team)
        log = str(tmp_path / "log.jsonl")
        assert "not in it" not in provisioning("audit", "export", "--to", log).out
        told = provisioning("audit", "export", "--to", log)  # the first export is an event itself
        assert "1 event is not in it" in told.out
        assert "audit checkpoint --now" in told.out.replace("\n", " ")
        assert provisioning("audit", "export", "--to", log, "--json").json["left_out"] == 2

    def test_is_said_apart_from_the_export_itself(self, provisioning: Installation, team: dict[str, str]) -> None:
        checkpoint_now(provisioning, team)
        provisioning("audit", "export")
        answer = provisioning("audit", "export")
        assert "1 event is not in it" in answer.err
        assert all(json.loads(line) for line in answer.out.splitlines())

    def test_a_checkpoint_now_takes_a_role_and_the_key(self, provisioning: Installation, team: dict[str, str]) -> None:
        refused = provisioning.as_holder_of(team["operator"])("audit", "checkpoint", "--now")
        assert (refused.code, "role admin or auditor" in refused.err) == (1, True)
        provisioning.unset("PROVISIONING_CHECKPOINT_KEY_FILE")
        provisioning.unset("PROVISIONING_CHECKPOINT_FOLDER")
        lacking = provisioning.as_holder_of(team["auditor"])("audit", "checkpoint", "--now")
        assert (lacking.code, "is missing" in lacking.err) == (1, True)
