import stat
from pathlib import Path

import msgspec
import pytest

from provisioning.cli.probe_journal import FileJournal
from provisioning.domain.errors import InputError
from provisioning.domain.ids import SubjectId, TenantId
from provisioning.planning.probe import Ask
from provisioning.planning.probe_people import Cast, Interrupted, Standing

LEFT = Interrupted(tenant=TenantId("t"), cast=Cast(user=SubjectId("u")), before=Standing(location="NL"))
MOVE = Ask(method="PATCH", path="/users/u", body={"usageLocation": "KP"})
LATER = Interrupted(tenant=TenantId("t"), cast=Cast(user=SubjectId("u")), before=Standing(location="KP"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "journal.jsonl"


class TestAJournal:
    def test_knows_of_nobody_at_first(self, file: Path) -> None:
        assert FileJournal(file).unfinished() is None

    def test_remembers_how_they_were_for_the_next_process(self, file: Path) -> None:
        journal = FileJournal(file)
        journal.begin(LEFT)
        journal.asking("p", "c-1", MOVE)
        journal.answered("c-1", 200)
        assert FileJournal(file).unfinished() == msgspec.structs.replace(LEFT, sent=(MOVE,))

    def test_that_broke_off_in_its_last_line_forgets_only_that(self, file: Path) -> None:
        FileJournal(file).begin(LEFT)
        FileJournal(file).asking("p", "c-1", MOVE)
        file.write_text(file.read_text() + '{"call_id":"c-')
        assert FileJournal(file).unfinished() == msgspec.structs.replace(LEFT, sent=(MOVE,))

    def test_never_forgets_the_first_for_a_later_one(self, file: Path) -> None:
        FileJournal(file).begin(LEFT)
        FileJournal(file).begin(LATER)
        assert FileJournal(file).unfinished() == LEFT

    def test_is_gone_once_they_are_back(self, file: Path) -> None:
        FileJournal(file).begin(LEFT)
        FileJournal(file).finish()
        FileJournal(file).finish()
        assert not file.exists()

    @pytest.mark.parametrize("begun", ["", '{"tenant":"t"'])
    def test_that_broke_off_in_its_first_line_means_nobody(self, file: Path, begun: str) -> None:
        file.parent.mkdir()
        file.write_text(begun)
        assert FileJournal(file).unfinished() is None
        FileJournal(file).begin(LEFT)
        assert FileJournal(file).unfinished() == LEFT

    def test_is_for_its_owner_alone(self, file: Path) -> None:
        FileJournal(file).begin(LEFT)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_is_no_other_file(self, file: Path) -> None:
        file.parent.mkdir()
        file.write_text("something else\n")
        with pytest.raises(InputError, match="no journal of a calibration"):
            FileJournal(file).unfinished()
