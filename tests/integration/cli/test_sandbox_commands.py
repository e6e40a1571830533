"""`provisioning sandbox`: what it says about a running twin, to people and to programs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.cli.conftest import Installation
from tests.sandbox_process import SandboxProcess

EXCHANGE = "9aaf7827-d63c-4b61-89c3-182f06f82e5c,efb87545-963c-4e0d-99df-69c6916d9eb0"
A1 = "94763226-9b3c-4e75-a931-5c89701abe66"
YAMMER = "2078e8df-cff6-4290-98cb-5408261a760a"
TENANT, APP = "5b0c1f0e-7a51-4c0e-9d3b-2f6f1d9a1001", "a1d4f2c6-0b9e-4c3d-8f6a-77e0c2d41002"
UPN = "a@school.example"
COLUMNS = 80
Ask = Callable[..., Any]


@pytest.fixture
def ask(provisioning: Installation, process: SandboxProcess) -> Ask:
    """`provisioning sandbox …` at the running twin."""
    folder = ("--folder", str(process.ca_file.parent))
    return lambda *words: provisioning("sandbox", *words, *folder)


@pytest.fixture
def teacher(sandbox: SandboxProcess) -> str:
    """Somebody who holds A1, and to whom an app wrote: off, on, and on again."""
    control = sandbox.control
    held = {"skuId": A1, "disabledPlans": []}
    control.seed(
        {
            "apps": [{"id": APP, "secrets": [{"value": "s"}]}],
            "tenants": [
                {
                    "id": TENANT,
                    "domains": ["school.example", "school.onmicrosoft.com"],
                    "consents": [{"app": APP, "roles": ["User.ReadWrite.All"]}],
                    "subscriptions": [{"skuId": A1, "totalLicenses": 10}],
                    "users": [{"userPrincipalName": UPN, "usageLocation": "NL", "assignments": [held]}],
                }
            ],
        }
    )
    person: str = control.user(TENANT, UPN)["id"]
    with _graph(sandbox) as graph:
        for request, add, remove in (("one", [], [A1]), ("two", [held], []), ("three", [held], [])):
            body = {"addLicenses": add, "removeLicenses": remove}
            url = f"/users/{person}/assignLicense"
            graph.post(url, json=body, headers={"client-request-id": request}).raise_for_status()
            control.set_clock(advance=60)
    return person


def _graph(process: SandboxProcess) -> httpx.Client:
    form = {"client_id": APP, "client_secret": "s", "grant_type": "client_credentials"}
    token_url = f"https://{process.authority}/{TENANT}/oauth2/v2.0/token"
    scope = {"scope": "https://graph.microsoft.com/.default"}
    token = httpx.post(token_url, data=form | scope, verify=process.tls()).raise_for_status().json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=process.graph_url, headers=headers, verify=process.tls())


def lines(answer: Any) -> list[str]:
    assert answer.code == 0, answer.err
    found: list[str] = answer.out.splitlines()
    assert [line for line in found if len(line) > COLUMNS] == []
    return found


class TestLedger:
    def test_lists_every_accepted_write(self, ask: Ask, teacher: str) -> None:
        title, *rows = lines(ask("ledger"))
        assert title.split() == ["Sequence", "Moment", "Tenant", "User", "Route", "Changed"]
        assert [row.split()[-1] for row in rows] == ["yes", "yes", "no"]
        assert all(teacher[:8] in row for row in rows)

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ([], 3),
            (["--changed"], 2),
            (["--tenant", "school.onmicrosoft.com"], 3),
            (["--app", APP], 3),
            (["--app", TENANT], 0),
        ],
    )
    @pytest.mark.usefixtures("teacher")
    def test_can_be_narrowed(self, ask: Ask, options: list[str], expected: int) -> None:
        assert len(ask("ledger", *options, "--json").json) == expected

    def test_tells_which_writes_were_one_too_many(self, ask: Ask, teacher: str) -> None:
        (row,) = ask("ledger", "--repeats", "--tenant", TENANT, "--json").json
        assert (row["user"], row["clientRequestId"], row["why"]) == (teacher, "three", "changed_nothing")
        assert "changed nothing" in lines(ask("ledger", "--repeats", "--tenant", TENANT))[1]

    def test_counts_by_person(self, ask: Ask, teacher: str) -> None:
        assert lines(ask("ledger", "--per-person", "--tenant", TENANT))[1].split() == [teacher, "3", "2"]

    def test_shows_a_person_at_a_moment(self, ask: Ask, teacher: str, sandbox: SandboxProcess) -> None:
        gone, back, _ = (str(entry["time"]) for entry in sandbox.control.ledger())
        about = ("--tenant", TENANT, "--user", teacher)
        assert lines(ask("ledger", *about, "--at", gone))[-1].split() == ["licence", "none"]
        assert lines(ask("ledger", *about, "--at", back))[-1].split()[1:] == [A1, "direct,", "Active"]

    def test_finds_who_was_without_a_service_and_for_how_long(self, ask: Ask, teacher: str) -> None:
        (gap,) = ask("ledger", "--without", EXCHANGE, "--tenant", TENANT, "--user", teacher, "--json").json
        assert gap["until"] - gap["since"] == pytest.approx(60, abs=5)
        assert lines(ask("ledger", "--without", EXCHANGE, "--tenant", TENANT, "--user", teacher))[1].startswith(teacher)

    def test_takes_a_upn_for_a_person(self, ask: Ask, teacher: str) -> None:
        about = ("--tenant", TENANT, "--user", UPN)
        assert len(ask("ledger", *about, "--json").json) == 3
        assert len(ask("ledger", "--repeats", *about, "--json").json) == 1
        assert [row["user"] for row in ask("ledger", "--per-person", *about, "--json").json] == [teacher]
        assert [row["user"] for row in ask("ledger", "--without", EXCHANGE, *about, "--json").json] == [teacher]

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            (["--repeats"], "--repeats asks about one tenant: name it with --tenant."),
            (["--per-person"], "--per-person asks about one tenant"),
            (["--without", YAMMER], "--without asks about one tenant"),
            (["--at", "2027-01-01", "--tenant", "school.example"], "--at asks about one person"),
            (["--repeats", "--per-person"], "--repeats and --per-person are questions of their own"),
            (["--since", "2027-01-01"], "--since and --until go with --without"),
            (["--tenant", "nowhere.example"], "The sandbox has no tenant nowhere.example."),
            (["--at", "noon", "--tenant", "school.example", "--user", "x"], "noon"),
        ],
    )
    @pytest.mark.usefixtures("teacher")
    def test_says_what_a_question_lacks(self, ask: Ask, options: list[str], sentence: str) -> None:
        answer = ask("ledger", *options)
        assert (answer.code, answer.out) == (2, "")
        assert sentence in answer.err


class TestSeed:
    def test_plants_a_sector(self, ask: Ask, sandbox: SandboxProcess) -> None:
        words = ("seed", "--profile", "sector", "--tenants", "5", "--users", "20", "--reset")
        assert lines(ask(*words))[0].startswith("5 tenants and ")
        assert sandbox.control.health()["tenants"] == 5

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            ([], "either a seed file or a --profile"),
            (["--profile", "village", "--reset"], "There is no profile village: choose from board, sector."),
            (["--profile", "sector", "--tenants", "0", "--reset"], "`$.tenants`"),
        ],
    )
    def test_refuses_nonsense_and_empties_nothing(
        self, ask: Ask, sandbox: SandboxProcess, words: list[str], sentence: str
    ) -> None:
        before = sandbox.control.health()["tenants"]
        answer = ask("seed", *words)
        assert answer.code == 2
        assert sentence in answer.err
        assert sandbox.control.health()["tenants"] == before


@pytest.mark.usefixtures("teacher")
class TestSeats:
    def test_raises_the_subscription_that_is_there(self, ask: Ask, sandbox: SandboxProcess) -> None:
        assert ask("seats", "school.example", A1, "25").code == 0
        assert [held["totalLicenses"] for held in sandbox.control.subscriptions(TENANT)] == [25]

    def test_leaves_what_has_ended_and_adds_a_new_one(self, ask: Ask, sandbox: SandboxProcess) -> None:
        (held,) = sandbox.control.subscriptions(TENANT)
        sandbox.control.change_subscription(TENANT, held["id"], status="Suspended")
        assert ask("seats", "school.example", A1, "25").code == 0
        found = [(one["status"], one["totalLicenses"]) for one in sandbox.control.subscriptions(TENANT)]
        assert found == [("Suspended", 10), ("Enabled", 25)]


@pytest.mark.usefixtures("teacher")
class TestFaults:
    @pytest.mark.parametrize(
        ("options", "limits"),
        [([], ["tenant_writes"]), (["--ours", "--seconds", "600"], ["tenant_writes", "app_tenant_writes"])],
    )
    def test_a_load_goes_on_until_it_is_cleared(self, ask: Ask, options: list[str], limits: list[str]) -> None:
        assert lines(ask("faults", "load", "school.example", "50", *options)) == [
            "Other apps write 50 times a second in school.example from now on."
        ]
        (load,) = ask("faults", "list", "--json").json["loads"]
        assert (load["writes_per_second"], load["limits"], load["until"] is None) == (50, limits, not options)
        assert ask("faults", "clear").code == 0
        assert ask("faults", "list", "--json").json == {"value": [], "loads": []}

    def test_a_load_of_nothing_is_refused(self, ask: Ask) -> None:
        answer = ask("faults", "load", "school.example", "0")
        assert (answer.code, "writes_per_second" in answer.err) == (2, True)


class TestSnapshot:
    def test_is_a_seed_that_makes_the_same_world_again(
        self, ask: Ask, teacher: str, sandbox: SandboxProcess, tmp_path: Path
    ) -> None:
        before, file = sandbox.control.read_seed(), tmp_path / "world.json"
        assert ask("snapshot", str(file)).out.splitlines()[-1] == f"provisioning sandbox seed {file}"
        assert file.stat().st_mode & 0o777 == 0o600
        sandbox.control.delete_user(TENANT, teacher)
        assert ask("seed", str(file), "--reset").code == 0
        assert sandbox.control.read_seed() == before

    def test_overwrites_nothing(self, ask: Ask, tmp_path: Path) -> None:
        (tmp_path / "mine.json").write_text("mine")
        answer = ask("snapshot", str(tmp_path / "mine.json"))
        assert (answer.code, (tmp_path / "mine.json").read_text()) == (2, "mine")
        assert "is there already" in answer.err


class TestAway:
    @pytest.fixture
    def gone(self, tmp_path: Path) -> Path:
        """The folder of a twin that was killed: its address is still there."""
        folder = tmp_path / "twin"
        with SandboxProcess().start(folder):
            address = (folder / "address.json").read_bytes()
        (folder / "address.json").write_bytes(address)
        return folder

    @pytest.mark.parametrize("words", [["ledger"], ["seed", "--profile", "board"], ["faults", "list"]])
    def test_is_said_in_a_sentence(self, provisioning: Installation, gone: Path, words: list[str]) -> None:
        answer = provisioning("sandbox", *words, "--folder", str(gone))
        assert answer.code == 1
        assert "The twin does not answer at https://localhost" in answer.err
        assert "`provisioning sandbox serve` starts one." in answer.err

    def test_a_broken_address_is_too(self, provisioning: Installation, tmp_path: Path) -> None:
        (tmp_path / "address.json").write_text("{}")
        answer = provisioning("sandbox", "ledger", "--folder", str(tmp_path))
        assert (answer.code, "is not the address of a twin" in answer.err) == (1, True)
