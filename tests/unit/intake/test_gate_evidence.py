"""Whose mailbox has moved, by the word of lists, of tools and of Microsoft; and never by a licence."""

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from provisioning.domain.errors import InputError
from provisioning.domain.migration import EvidenceSource
from provisioning.domain.migration_file import EvidenceFile, ReadyPerson, UnreadyPerson
from provisioning.intake.gate_evidence import ReportColumns, has_moved, parse_evidence, read_evidence, typed_evidence
from provisioning.intake.problems import FileRefusedError

ID, OTHER_ID = "4f0c4b0e-6d0c-4f7e-9a57-1f1f2f3c4d5e", "0a1b2c3d-0000-4000-8000-000000000001"
LIST, REPORT, JOB = EvidenceSource.LIST, EvidenceSource.TOOL_REPORT, EvidenceSource.MICROSOFT_JOB


def read(content: str, source: EvidenceSource, columns: ReportColumns | None = None) -> EvidenceFile:
    return parse_evidence("moved.csv", content.encode(), source, columns)


def problems_of(content: str, source: EvidenceSource, columns: ReportColumns | None = None) -> list[str]:
    with pytest.raises(FileRefusedError) as refused:
        read(content, source, columns)
    return [str(problem) for problem in refused.value.problems]


def ready(found: EvidenceFile) -> list[str]:
    return [one.person for one in found.ready]


class TestEveryFile:
    def test_gives_each_person_the_files_name_and_the_beginning_of_its_digest(self) -> None:
        content = f"person\n{ID}\n"
        expected = f"moved.csv sha256:{sha256(content.encode()).hexdigest()[:12]}"
        assert read(content, LIST) == EvidenceFile(
            source=LIST, reference=expected, ready=(ReadyPerson(person=ID, source=LIST, reference=expected),)
        )

    def test_is_read_from_its_path(self, tmp_path: Path) -> None:
        (tmp_path / "wave-1.csv").write_text(f"person\n{ID}\n", "utf-8")
        assert read_evidence(tmp_path / "wave-1.csv", LIST).reference.startswith("wave-1.csv sha256:")

    def test_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"wave-1\.csv cannot be read"):
            read_evidence(tmp_path / "wave-1.csv", LIST)

    @pytest.mark.parametrize(
        ("content", "source"),
        [
            pytest.param("person\n", LIST, id="a list"),
            pytest.param("person,status\n", REPORT, id="a report"),
            pytest.param("Identity,Status\n", JOB, id="a CSV of Microsoft"),
            pytest.param("[]", JOB, id="a JSON of Microsoft"),
            pytest.param('{"value": []}', JOB, id="a job of Graph"),
        ],
    )
    def test_without_anybody_is_refused(self, content: str, source: EvidenceSource) -> None:
        assert problems_of(content, source) == ["the file: there is nobody in it; add a row for each person."]


class TestAList:
    @pytest.mark.parametrize("title", ["person", "id", "UPN"])
    def test_has_one_column_with_people(self, title: str) -> None:
        assert ready(read(f"{title}\n{ID}\nAnn@Samen.example\n", LIST)) == [ID, "ann@samen.example"]

    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            pytest.param("2027-07-20 03:15", datetime(2027, 7, 20, 1, 15, tzinfo=UTC), id="Dutch time in summer"),
            pytest.param("2027-01-20T03:15", datetime(2027, 1, 20, 2, 15, tzinfo=UTC), id="and in winter"),
            pytest.param("2027-07-20T03:15:00Z", datetime(2027, 7, 20, 3, 15, tzinfo=UTC), id="with its offset"),
            pytest.param("2027-10-31 02:30", datetime(2027, 10, 31, 1, 30, tzinfo=UTC), id="the later of two"),
            pytest.param("", None, id="left out"),
        ],
    )
    def test_may_say_when(self, written: str, meant: datetime | None) -> None:
        (one,) = read(f"person;completed_at\n{ID};{written}\n", LIST).ready
        assert one.completed_at == meant

    def test_names_nobody_twice_and_keeps_the_latest_moment(self) -> None:
        content = f"person;completed_at\n{ID};2027-07-20\n{ID.upper()};2027-07-21\n{ID};\n"
        (one,) = read(content, LIST).ready
        assert one.completed_at == datetime(2027, 7, 20, 22, tzinfo=UTC)

    def test_every_problem_is_told_with_its_line_and_without_the_person(self) -> None:
        told = problems_of(f"person;completed_at\nann;2027-07-20\n;2027-07-20\n{ID};20-7-2027\n{ID}\n", LIST)
        assert told == [
            "line 2, person: is neither an object id nor a sign-in name such as name@school.example.",
            "line 3, person: is empty; it must name a person.",
            "line 4, completed_at: is no moment; write it as 2027-07-19 08:00, Dutch time, or with its offset.",
            "line 5: 1 cells where the header has 2; the file may be cut off here.",
        ]

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            pytest.param(f"name\n{ID}\n", "write one column person", id="no column with people"),
            pytest.param(f"id,upn\n{ID},a@b.example\n", "write one column person", id="two of them"),
            pytest.param(f"person,status\n{ID},Completed\n", "a list has no such column", id="a status"),
            pytest.param(f"person,assignedPlans\n{ID},Exchange\n", "a list has no such column", id="a plan"),
        ],
    )
    def test_with_other_columns_is_no_list(self, content: str, told: str) -> None:
        assert any(told in problem for problem in problems_of(content, LIST))


class TestAToolsReport:
    COLUMNS = ReportColumns(person="Target Address", status="Mailbox State", completed_at="Finished")

    def test_is_read_by_the_names_of_its_columns_and_others_are_passed_over(self) -> None:
        content = (
            "Name,target address,Mailbox state,Finished,Items\n"
            "Ann,ann@samen.example,Completed,2027-07-20T03:15:00Z,12\n"
            "Bob,bob@samen.example,Syncing,,3\n"
        )
        found = read(content, REPORT, self.COLUMNS)
        assert [(one.person, one.completed_at) for one in found.ready] == [
            ("ann@samen.example", datetime(2027, 7, 20, 3, 15, tzinfo=UTC))
        ]
        assert found.unready == (UnreadyPerson(person="bob@samen.example", status="Syncing"),)

    @pytest.mark.parametrize(
        ("status", "counts"),
        [
            ("Completed", True), ("COMPLETED", True), ("Synced+Completed", True), ("synced + completed", True),
            ("Synced", False), ("Completed with errors", False), ("CompletedWithWarnings", False), ("Failed", False),
            ("Not completed", False), ("Incomplete", False), ("In progress", False), ("Licensed", False),
            ("Enabled", False), ("Success", False), ("", False), ("100 %", False),
        ],
    )  # fmt: skip
    def test_counts_completed_and_nothing_else(self, status: str, counts: bool) -> None:
        found = read(f"person,status\n{ID},{status}\n", REPORT)
        assert (ready(found) == [ID]) is counts
        assert [one.status for one in found.unready] == ([] if counts else [status or "(empty)"])

    def test_somebody_with_several_rows_has_moved_when_each_says_so(self) -> None:
        content = f"person,status\n{ID},Completed\n{OTHER_ID},Completed\n{ID},Failed\n{OTHER_ID},Synced+Completed\n"
        found = read(content, REPORT)
        assert ready(found) == [OTHER_ID]
        assert found.unready == (UnreadyPerson(person=ID, status="Failed"),)

    @pytest.mark.parametrize("title", ["License", "licence state", "assignedPlans", "ServicePlan", "SKU"])
    def test_a_column_about_licences_is_never_evidence(self, title: str) -> None:
        columns = ReportColumns(status=title)
        (told,) = problems_of(f"person,{title}\n{ID},Completed\n", REPORT, columns)
        assert "a licence or service plan says nothing about a mailbox" in told

    def test_a_column_that_is_not_there_is_told_with_those_that_are(self) -> None:
        assert problems_of(f"Mailbox,State\n{ID},Completed\n", REPORT) == [
            "line 1, person: no such column; the file has mailbox, state. Say what it calls person.",
            "line 1, status: no such column; the file has mailbox, state. Say what it calls status.",
        ]

    def test_a_column_that_is_there_twice_is_told(self) -> None:
        (told,) = problems_of(f"person,status,Status\n{ID},Completed,Failed\n", REPORT)
        assert told == "line 1, status: this column is there twice."

    def test_a_row_that_is_cut_off_is_told(self) -> None:
        assert problems_of(f"person,status\n{ID}\n", REPORT) == [
            "line 2: 1 cells where the header has 2; the file may be cut off here."
        ]


def users(*entries: dict[str, Any]) -> str:
    return msgspec.json.encode(entries).decode()


def task(*statuses: tuple[str, str], person: str = ID) -> dict[str, Any]:
    return {
        "id": person,
        "taskType": "Users",
        "lastUpdatedDateTime": "2027-07-20T03:15:00Z",
        "currentStatus": [
            {"service": service, "status": status, "message": "", "errors": []} for service, status in statuses
        ],
    }


class TestMicrosoftsJob:
    # every member of MigrationUserStatus: learn.microsoft.com, "MigrationUserStatus enumeration"
    OTHERS = (
        "Queued", "Syncing", "Failed", "Synced", "IncrementalFailed", "Completing", "CompletionFailed", "Corrupted",
        "Provisioning", "ProvisionUpdating", "CompletionSynced", "Validating", "IncrementalSyncing",
        "IncrementalSynced", "CompletedWithWarnings", "Stopped", "IncrementalStopped",
    )  # fmt: skip

    def test_csv_of_get_migration_user_is_read(self) -> None:
        content = (
            "#TYPE Deserialized.Microsoft.Exchange.Management.Migration.MigrationUser\r\n"
            '"Identity","BatchId","Status","ErrorSummary"\r\n'
            '"ann@samen.example","wave1","Completed",""\r\n'
            '"bob@samen.example","wave1","Synced",""\r\n'
        )
        found = read(content, JOB)
        assert ready(found) == ["ann@samen.example"]
        assert found.unready == (UnreadyPerson(person="bob@samen.example", status="Synced"),)

    def test_lines_are_counted_with_the_line_above_the_header(self) -> None:
        assert problems_of("#TYPE x\nIdentity,Status\nann,Completed\n", JOB) == [
            "line 3, Identity: is neither an object id nor a sign-in name such as name@school.example."
        ]

    @pytest.mark.parametrize("status", OTHERS)
    def test_only_completed_counts(self, status: str) -> None:
        found = read(f"Identity,Status\n{ID},{status}\n{OTHER_ID},Completed\n", JOB)
        assert (ready(found), [one.status for one in found.unready]) == ([OTHER_ID], [status])

    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(users({"Identity": "ann@samen.example", "Status": "Completed"}), id="a list"),
            pytest.param('{"Identity": "ann@samen.example", "Status": "Completed", "Guid": "x"}', id="one object"),
            pytest.param(
                users({"Identity": "ann@samen.example", "Status": {"value": 7, "Value": "Completed"}}),
                id="a pair",
            ),
        ],
    )
    def test_json_of_get_migration_user_is_read(self, content: str) -> None:
        assert ready(read(content, JOB)) == ["ann@samen.example"]

    def test_a_number_for_a_status_does_not_count(self) -> None:
        assert ready(read(users({"Identity": ID, "Status": 7}), JOB)) == []

    def test_tasks_of_graph_are_read_by_their_status_of_exchange(self) -> None:
        moved = task(("Exchange", "completed"), ("SharePoint", "inProgress"))
        waiting = task(("Exchange", "finalizing"), ("SharePoint", "completed"), person=OTHER_ID)
        found = read(msgspec.json.encode({"value": [moved, waiting]}).decode(), JOB)
        assert [(one.person, one.completed_at) for one in found.ready] == [
            (ID, datetime(2027, 7, 20, 3, 15, tzinfo=UTC))
        ]
        assert found.unready == (UnreadyPerson(person=OTHER_ID, status="finalizing"),)

    @pytest.mark.parametrize(
        "status",
        ["notStarted", "valid", "invalid", "error", "inProgress", "failed", "cancelled", "syncing", "synced",
         "finalizing", "forceComplete", "unknownFutureValue", "completedWithErrors"],
    )  # fmt: skip
    def test_of_graphs_statuses_only_completed_counts(self, status: str) -> None:
        assert ready(read(users(task(("Exchange", status))), JOB)) == []

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            pytest.param(users(task(("SharePoint", "completed"))), "names no status of Exchange", id="files only"),
            pytest.param(
                users({"id": ID, "assignedPlans": []}), "entry 1: is neither a migration user", id="a licence"
            ),
            pytest.param('["ann@samen.example"]', "entry 1: is neither a migration user", id="a word"),
            pytest.param(users({"Identity": None, "Status": "Completed"}), "entry 1, Identity: is empty", id="nobody"),
        ],
    )
    def test_what_says_nothing_about_a_mailbox_is_told(self, content: str, told: str) -> None:
        assert any(told in problem for problem in problems_of(content, JOB))

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            pytest.param(
                '{"value": [], "@odata.nextLink": "https://g.example/next"}', "one page of several", id="a page"
            ),
            pytest.param('{"value": {}}', "must be a list of tasks", id="no list"),
            pytest.param('[{"Identity": ', "it is no JSON", id="cut off"),
        ],
    )
    def test_what_is_not_whole_is_refused(self, content: str, told: str) -> None:
        with pytest.raises(InputError, match=told):
            read(content, JOB)


class TestHasMoved:
    def test_in_a_list_being_there_is_all(self) -> None:
        assert has_moved(LIST, None)
        assert not has_moved(LIST, "Completed")

    @pytest.mark.parametrize("source", [REPORT, JOB])
    def test_elsewhere_no_status_is_no(self, source: EvidenceSource) -> None:
        assert not has_moved(source, None)

    def test_synced_and_completed_is_a_tools_word_and_not_microsofts(self) -> None:
        assert has_moved(REPORT, "Synced+Completed")
        assert not has_moved(JOB, "Synced+Completed")


class TestTyped:
    def test_is_a_list_that_somebody_signs_for(self) -> None:
        typed = typed_evidence(["A@School.nl ", "b", "a@school.nl"], EvidenceSource.LIST, " seen in the mailbox ")
        assert [one.person for one in typed.ready] == ["a@school.nl", "b"]
        assert (typed.source, typed.reference, typed.unready) == (
            EvidenceSource.LIST,
            "typed: seen in the mailbox",
            (),
        )

    @pytest.mark.parametrize("source", [EvidenceSource.TOOL_REPORT, EvidenceSource.MICROSOFT_JOB])
    def test_what_a_tool_or_microsoft_says_is_a_file(self, source: EvidenceSource) -> None:
        with pytest.raises(InputError, match="is a file"):
            typed_evidence(["a"], source, "it says so")

    def test_has_a_ground(self) -> None:
        with pytest.raises(InputError, match="needs a reason"):
            typed_evidence(["a"], EvidenceSource.LIST, " ")
