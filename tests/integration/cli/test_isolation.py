"""A client's token reads by command what it reads over the API, and nothing else: over every command that there is."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from provisioning.bootstrap import Services
from provisioning.cli.app import TREE
from provisioning.domain.actors import Role
from provisioning.web.app import create_app
from tests.integration.cli.conftest import Answer, Installation, flat
from tests.integration.web.conftest import Asker
from tests.integration.web.landscape import Settled, names_of, settle, token_for

Words = tuple[str, ...]

# they start something, or read files of whoever types; there is nothing of a customer in them
OF_THE_MACHINE = frozenset({"demo", "up", "serve", "db", "sandbox", "mappings check", "audit key", "audit verify"})
FOR_CLIENTS = {
    "orders list": "orders",
    "orders show": "orders/{order}",
    "operations list": "operations",
    "operations show": "operations/{operation}",
    "tickets list": "tickets",
    "tickets show": "tickets/{ticket}",
    "notices list": "notices",
    "audit list": "audit",
}
MORE = {  # of parameters that mean nothing of one board
    "role": "operator",
    "kind": "mappings",
    "reason": "a reason",
    "domain": "school.example",
    "audience": "faculty",
    "selector": '{"everyone":true}',
    "case": "2612040050001234",
    "subject": "00000000-1111-4111-8111-000000000000",
    "file": "nowhere.yaml",
    "files": "nowhere.csv",
}
ALSO = {  # what an option makes of a command
    "tickets show": (("--sheet", "new.txt"), ("--html", "new.html")),
    "campaigns show": (("--readiness",), ("--members",)),
    "migrations show": (("--people",),),
    "tenants policy": (("--mode", "direct", "--asked-by", "t-1"),),
    "tenants calibrate": (("--user", MORE["subject"]),),
    "audit checkpoint": (("--now",),),
    "mappings diff": (("--proposal", "abcd1234"),),
    "stop": (("--all",),),
    "resume": (("--all",),),
}


@pytest.fixture
def services(provisioning: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    monkeypatch.chdir(tmp_path)  # whatever a command writes
    opened = provisioning.services()
    yield opened
    opened.close()


@pytest.fixture
def ours(services: Services) -> Settled:
    return settle(services, "aamark", "41000", "41AA")


@pytest.fixture
def theirs(services: Services) -> Settled:
    return settle(services, "bbmark", "42000", "42BB")


@pytest.fixture
def board(provisioning: Installation, ours: Settled, theirs: Settled) -> Installation:  # noqa: ARG001  # both are there
    return provisioning.as_holder_of(ours.token)


def leaves(group: Any = TREE, path: Words = ()) -> Iterator[tuple[Words, Any]]:
    below = getattr(group, "commands", None)
    if not below:
        yield path, group
        return
    for name, one in below.items():
        yield from leaves(one, (*path, name))


def is_of_the_machine(path: Words) -> bool:
    return path[0] in OF_THE_MACHINE or " ".join(path) in OF_THE_MACHINE


COMMANDS = {" ".join(path): leaf for path, leaf in leaves() if not is_of_the_machine(path)}


def typed(name: str, names: Mapping[str, str]) -> Iterator[Words]:
    """The command as it would be typed of these things: plain, with each filter, and with what else changes it."""
    known = names | MORE | {"operations": names["operation"]}
    plain, filters = [*name.split()], []
    for parameter in COMMANDS[name].params:
        if parameter.param_type_name == "argument" and (parameter.required or parameter.name in names):
            plain.append(known[parameter.name])
        elif parameter.required:
            plain += [parameter.opts[0], known[parameter.name]]
        elif parameter.name in names and parameter.nargs == 1:
            filters.append((parameter.opts[0], known[parameter.name]))
    for more in ((), *filters, *ALSO.get(name, ())):
        yield (*plain, *more)


class TestTheTableOfCommands:
    def test_whatever_is_open_to_clients_or_left_out_is_a_command(self) -> None:
        every = {" ".join(path) for path, _ in leaves()}
        nouns = every | {name.split()[0] for name in every}
        assert {*FOR_CLIENTS, *ALSO} <= COMMANDS.keys()
        assert nouns >= OF_THE_MACHINE


class TestAnotherBoards:
    def test_not_a_byte_of_it_is_said(self, board: Installation, theirs: Settled) -> None:
        for name in COMMANDS:
            for words in typed(name, names_of(theirs)):
                for line in (words, (*words, "--json")):
                    check_silent(line, board(*line), theirs)


def check_silent(words: Words, answer: Answer, theirs: Settled) -> None:
    said = answer.out + answer.err
    for word in words[1:]:  # a refusal may repeat what was typed
        said = said.replace(word, "") if len(word) > 1 else said
    assert [mark for mark in theirs.strings if mark in said] == [], f"{words}: {said}"
    assert "a fault of the program" not in said, words


class TestWhatIsForPeopleOfOurs:
    def test_is_refused_to_a_board_also_of_its_own(self, board: Installation, ours: Settled) -> None:
        for name in COMMANDS.keys() - FOR_CLIENTS.keys():
            for words in typed(name, names_of(ours)):
                answer = board(*words)
                assert answer.code != 0, words
                assert not answer.out, f"{words}: {answer.out}"

    def test_says_what_a_client_reads_instead(self, board: Installation, ours: Settled) -> None:
        for words in ("worklist", "tenants list", f"plans assess {ours.operation}", "doctor", "metrics"):
            answer = board(*words.split())
            assert (answer.code, "a client reads its own `orders`" in flat(answer.err)) == (1, True), words

    def test_stays_open_to_whoever_types_without_a_token(self, board: Installation, ours: Settled) -> None:
        board.unset("PROVISIONING_TOKEN")
        for words in ("worklist", "tenants list", f"plans assess {ours.operation}", f"tickets show {ours.ticket}"):
            assert board(*words.split()).code == 0, words


@pytest.fixture
def token_of(services: Services, ours: Settled, theirs: Settled) -> Callable[[str], str]:  # noqa: ARG001  # both
    """Of a client of one side, which brought in what that side has."""

    def make(client: str) -> str:
        if client == "board":
            return ours.token
        return token_for(services, f"client:{client}-{ours.mark}", Role(client))

    return make


@pytest.mark.parametrize("client", ["board", "shop", "desk"])
class TestTheSameThroughBothDoors:
    @pytest.mark.parametrize("name", FOR_CLIENTS)
    def test_a_client_reads(
        self,
        provisioning: Installation,
        services: Services,
        ours: Settled,
        token_of: Callable[[str], str],
        client: str,
        name: str,
    ) -> None:
        token = token_of(client)
        words = next(typed(name, names_of(ours)))
        answer = provisioning.as_holder_of(token)(*words, "--json")
        over = Asker(TestClient(create_app(services)), token).get(
            f"/api/v1/{FOR_CLIENTS[name]}".format(**names_of(ours))
        )
        assert (answer.code == 0) is (over.status_code == 200), answer.err
        if answer.code == 0:
            assert in_any_order(answer.json) == in_any_order(over.json())


def in_any_order(answer: Any) -> Any:
    rows = answer.get("items", answer) if isinstance(answer, dict) else answer
    return sorted(rows, key=repr) if isinstance(rows, list) else rows


class TestForPeopleToRead:
    def test_a_board_reads_its_own_in_short(self, board: Installation, ours: Settled) -> None:
        for name in FOR_CLIENTS:
            answer = board(*next(typed(name, names_of(ours))))
            assert answer.code == 0, answer.err
            assert [line for line in answer.out.splitlines() if len(line) > 80] == []
            assert "secret of" not in answer.out
            assert "person:duty" not in answer.out

    def test_its_ticket_names_none_of_us_and_nothing_written_beside_it(
        self, board: Installation, services: Services, ours: Settled
    ) -> None:
        words = ("tickets", "show", ours.ticket)
        short = board(*words).out
        whole = board.as_holder_of(token_for(services, "person:duty", Role.OPERATOR))(*words).out
        for kept in ("Brought in by", f"secret of {ours.mark}"):
            assert kept in whole
            assert kept not in short
        assert f"desk-{ours.mark}/{ours.reference}" in short

    def test_its_operation_counts_people_and_tells_no_audit_lines(self, board: Installation, ours: Settled) -> None:
        out = board("operations", "show", ours.operation).out
        assert "People" in out
        assert "Steps" not in out
        assert "operation.held" not in out
