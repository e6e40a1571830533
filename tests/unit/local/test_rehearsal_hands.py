"""What is typed in a rehearsal, by whom, and how often."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from provisioning.domain.actors import Identity, Role
from provisioning.domain.ids import OperationId
from provisioning.domain.migration import EvidenceSource
from provisioning.intake.gate_evidence import read_evidence
from provisioning.local.rehearsal_hands import MOVED, MOVING, Answer, Hands
from tests.factories import guid
from tests.unit.planning.test_rehearsal_file import PLAIN

MIGRATION = "5f0c9a4e-0000-4000-8000-000000000000"
ANNA, BO = guid(), guid()
CREATED = Answer(code=0, out=msgspec.json.encode({"migration": {"migration_id": MIGRATION}}).decode())
LATER, REFUSED = Answer(code=1, err="Microsoft is\nbusy.\n"), Answer(code=2, err="Wave 2 cannot\nbegin.\n")


class House:
    """Gives tokens, and answers what is typed with what lies ready; then with whatever is done."""

    def __init__(self) -> None:
        self.roles: dict[str, set[Role]] = {}
        self.typed: list[tuple[str, tuple[str, ...]]] = []
        self.answers: list[Answer] = []
        self.waited = 0

    def add_actor(self, _identity: Identity, actor: str, roles: set[Role], **_: timedelta) -> Any:
        self.roles[actor] = roles
        return SimpleNamespace(token=actor)

    def type_in(self, _services: Any, token: str, words: Sequence[str]) -> Answer:
        self.typed.append((token.rpartition("-")[2], tuple(words)))
        return self.answers.pop(0) if self.answers else Answer(code=0)

    def wait(self) -> None:
        self.waited += 1


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def hands(house: House, tmp_path: Path) -> Hands:
    hands = Hands(house, house.type_in, tmp_path, house.wait)  # type: ignore[arg-type]
    hands.migration = MIGRATION
    return hands


@pytest.mark.usefixtures("hands")
def test_nobody_has_both_roles(house: House) -> None:
    assert list(house.roles.values()) == [{Role.OPERATOR}, {Role.APPROVER}]


def test_the_operator_types_and_the_approver_approves(house: House, hands: Hands) -> None:
    hands.match()
    hands.start(2)
    hands.check(2)
    hands.resume()
    hands.release(2)
    hands.approve(OperationId("dddd0001-0000-4000-8000-000000000000"), "2cb72cf6" + "0" * 56)
    assert [f"{who}: {' '.join(words)}" for who, words in house.typed] == [
        "operator: migrations match 5f0c9a4e",
        "operator: migrations start 5f0c9a4e --wave 2 --reason rehearsal",
        "operator: migrations check 5f0c9a4e --wave 2 --json",
        "operator: migrations resume 5f0c9a4e --reason rehearsal",
        "operator: migrations release 5f0c9a4e --wave 2 --reason rehearsal",
        "approver: plans approve dddd0001 2cb72cf6",
    ]
    assert hands.typed == "provisioning plans approve dddd0001 2cb72cf6"


def test_the_file_is_written_and_handed_in(house: House, hands: Hands, tmp_path: Path) -> None:
    hands.migration = ""
    house.answers = [CREATED]
    assert hands.create(PLAIN).is_done
    assert hands.migration_id == MIGRATION
    [(_, words)] = house.typed
    assert words == ("migrations", "create", str(tmp_path / "migration.json"), "--json")


def test_a_file_that_is_refused_makes_no_migration(house: House, hands: Hands) -> None:
    hands.migration = ""
    house.answers = [REFUSED]
    assert not hands.create(PLAIN).is_done
    assert hands.migration_id == ""


def test_evidence_is_a_report_as_the_gate_reads_it(house: House, hands: Hands) -> None:
    hands.gate({ANNA: MOVED, BO: MOVING})
    hands.gate({BO: MOVED})
    (_, first), (_, second) = house.typed
    assert first[:3] == ("migrations", "gate", "5f0c9a4e")
    assert first[3] != second[3]
    read = read_evidence(Path(first[3]), EvidenceSource.TOOL_REPORT)
    assert [one.person for one in read.ready] == [ANNA]
    assert [one.person for one in read.unready] == [BO]


def test_what_microsoft_refuses_is_typed_again(house: House, hands: Hands) -> None:
    house.answers = [LATER, LATER]
    assert hands.start(1).is_done
    assert (len(house.typed), house.waited) == (3, 2)


def test_and_not_for_ever(house: House, hands: Hands) -> None:
    house.answers = [LATER] * 20
    answer = hands.start(1)
    assert (answer.is_done, answer.said) == (False, "Microsoft is busy.")
    assert len(house.typed) == 10


def test_what_is_in_the_way_is_not_typed_again(house: House, hands: Hands) -> None:
    house.answers = [REFUSED]
    assert hands.start(2).said == "Wave 2 cannot begin."
    assert (len(house.typed), house.waited) == (1, 0)
