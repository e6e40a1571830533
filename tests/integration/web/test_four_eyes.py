"""Four eyes through every door: whoever did the first half is refused the second, and that they tried is on record."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr
from io import StringIO
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from starlette.testclient import TestClient

from provisioning.bootstrap import Services
from provisioning.cli.app import run
from provisioning.cli.session import Session
from provisioning.domain.actors import PERSON_ROLES
from provisioning.domain.errors import NotAllowedError
from provisioning.domain.events import Event
from provisioning.domain.rights import OF_A_SECOND_PERSON, Action
from tests.factories import NOW
from tests.integration.web.conftest import Asker
from tests.integration.web.four_eyes import ROWS
from tests.integration.web.four_eyes_doors import Attempt
from tests.integration.web.four_eyes_scene import SELF, Scene
from tests.integration.web.four_eyes_tricks import TRICKS

_TABLES = (
    "plans", "operations", "tickets", "campaigns", "bindings", "policies", "configuration_versions",
    "entitlement_ledger", "outbox_intents",
)  # fmt: skip


@pytest.fixture
def scene(services: Services) -> Scene:
    return Scene(services)


@pytest.fixture
def token(token_of: Callable[..., str]) -> str:
    """Every role that a person can have: it is the hand that is refused, not a role that is missing."""
    return token_of(SELF, *PERSON_ROLES)


def state_of(services: Services) -> dict[str, list[str]]:
    """Everything that could be approved, and what would come of it."""
    with services.engine.connect() as connection:
        rows = {name: connection.execute(text(f"SELECT to_jsonb(x) - 'due_at' FROM {name} x")) for name in _TABLES}  # noqa: S608  # ours
        return {name: sorted(map(str, some.scalars())) for name, some in rows.items()}


def audit_of(services: Services) -> list[Event]:
    with services.open_uow() as uow:
        return uow.audit.list_by()


def begun(scene: Scene, row: str) -> tuple[Action, Attempt]:
    action, arrange = ROWS[row]
    return action, arrange(scene)


def check_record(before: list[Event], after: list[Event], action: Action, attempt: Attempt) -> None:
    """Exactly one line more: who, what, of which digest, and why not."""
    [line] = [one for one in after if one not in before]
    assert (line.kind, line.actor, line.details["deed"]) == ("approval.refused", SELF, action.name.lower())
    assert line.after is None or line.after in {*attempt.words, *(attempt.body or {}).values()}
    assert line.details["of"] or line.after
    assert "a second person has to look at it" in (line.reason or "")


@pytest.mark.parametrize("row", ROWS)
class TestNobodyIsTheirOwnSecondPerson:
    def test_by_command(self, services: Services, scene: Scene, token: str, row: str) -> None:
        action, attempt = begun(scene, row)
        before, lines = state_of(services), audit_of(services)
        code, said = typed(services, token, attempt)
        assert code != 0
        assert "second person" in " ".join(said.split())
        assert state_of(services) == before
        check_record(lines, audit_of(services), action, attempt)

    def test_over_the_api(self, services: Services, client: TestClient, scene: Scene, token: str, row: str) -> None:
        action, attempt = begun(scene, row)
        before, lines = state_of(services), audit_of(services)
        answer = Asker(client, token).post(f"/api/v1/{attempt.path}", attempt.body)
        assert answer.status_code == 403, answer.text
        assert "second person" in answer.json()["detail"]
        assert state_of(services) == before
        check_record(lines, audit_of(services), action, attempt)

    def test_by_sql_as_the_service(self, services: Services, scene: Scene, row: str) -> None:
        """The statement that the service itself writes, in the name of the wrong person."""
        _, attempt = begun(scene, row)
        before = state_of(services)
        check_refused(services, [attempt.sql], {"me": SELF, **attempt.values})
        assert state_of(services) == before


TRICKED = [(row, trick) for row, (action, _) in ROWS.items() for trick in TRICKS[action]]


@pytest.mark.parametrize(("row", "trick"), TRICKED, ids=[f"{row}: {trick[0][:60]}" for row, trick in TRICKED])
def test_nor_after_another_statement_has_taken_their_name_off(
    services: Services, scene: Scene, row: str, trick: Sequence[str]
) -> None:
    _, attempt = begun(scene, row)
    check_refused(services, [*trick, attempt.sql], {"me": SELF, **attempt.values})


@pytest.mark.parametrize(
    ("row", "table", "changes"),
    [
        ("a plan on their mappings", "plans", {"plan_id": "new", "approved_by": SELF, "approved_at": NOW}),
        (
            "a ticket on records they imported",
            "tickets",
            {"ticket_id": "new", "reference": "new", "approved_by": SELF, "approved_at": NOW},
        ),
        ("a campaign on their mappings", "campaigns", {"campaign_id": "new", "state": "approved"}),
        ("a binding they made", "bindings", {"binding_id": "new", "confirmed_by": SELF, "confirmed_at": NOW}),
        ("a policy they proposed", "policies", {"approved_by": SELF, "approved_at": NOW}),
        ("limits they proposed", "configuration_versions", {"approved_by": SELF, "approved_at": NOW}),
    ],
)
def test_nor_is_a_row_written_as_if_it_had_been_approved(
    services: Services, scene: Scene, row: str, table: str, changes: dict[str, Any]
) -> None:
    """A copy of what they began, approved by them from the start."""
    _, attempt = begun(scene, row)
    given = attempt.values.get("given")
    approved = changes | ({"approval": json.loads(given)} if given else {})
    approved |= {"evidence": ["a", "b"]} if table == "bindings" else {}
    before, columns = state_of(services), ", ".join(columns_of(services, table))
    copied = f"INSERT INTO {table} ({columns}) SELECT {columns_in('news', columns)} FROM {table} AS x, jsonb_populate_record(x, CAST(:changes AS jsonb)) AS news"  # noqa: S608, E501  # ours
    check_refused(services, [copied], {"changes": msgspec.json.encode(approved).decode()})
    assert state_of(services) == before


@pytest.mark.parametrize("row", ROWS)
def test_the_same_statement_is_right_in_another_persons_name(services: Services, scene: Scene, row: str) -> None:
    """Else a door would be shut for a reason of its own, and the matrix would prove nothing."""
    _, attempt = begun(scene, row)
    another = {name: value.replace(SELF, "person:fresh") for name, value in attempt.values.items()}
    assert changed(services, [attempt.sql], {"me": "person:fresh", **another}) == 1


def test_no_deed_of_a_second_person_is_forgotten() -> None:
    assert {action for action, _ in ROWS.values()} == OF_A_SECOND_PERSON


def test_whatever_is_called_so_in_the_table_of_rights_is_one() -> None:
    """A new right to approve, confirm or review has to be in this matrix; who breaks glass is reviewed instead."""
    named = {one for one in Action if one.name.startswith(("APPROVE_", "CONFIRM_", "REVIEW_"))}
    assert named == OF_A_SECOND_PERSON


def test_who_only_looks_leaves_no_line(services: Services, scene: Scene) -> None:
    _, attempt = begun(scene, "a plan they asked for")
    lines = audit_of(services)
    code, said = typed(services, None, attempt)
    assert code != 0
    assert "Without a token" in said
    assert audit_of(services) == lines


def check_refused(services: Services, statements: Sequence[str], values: Mapping[str, Any]) -> None:
    """By a constraint, most of which have a sentence of ours, or for want of a right; the service's own role asks."""
    with pytest.raises((NotAllowedError, DBAPIError)) as refused:
        changed(services, statements, values)
    said = str(refused.value)
    assert isinstance(refused.value, NotAllowedError) or "check constraint" in said or "permission denied" in said


def changed(services: Services, statements: Sequence[str], values: Mapping[str, Any]) -> int:
    """How many rows the last of them changed."""
    with services.engine.begin() as connection:
        return [connection.execute(text(statement), values).rowcount for statement in statements][-1]


def columns_of(services: Services, table: str) -> list[str]:
    """Those that a statement may write."""
    query = (
        "SELECT column_name FROM information_schema.columns WHERE table_name = :name AND is_generated = 'NEVER'"
        " AND is_identity = 'NO' ORDER BY ordinal_position"
    )
    with services.engine.connect() as connection:
        return [f'"{name}"' for name in connection.scalars(text(query), {"name": table})]


def columns_in(row: str, columns: str) -> str:
    return ", ".join(f"{row}.{name}" for name in columns.split(", "))


def typed(services: Services, token: str | None, attempt: Attempt) -> tuple[int, str]:
    """Its exit code and what it said."""
    said, environment = StringIO(), {"PROVISIONING_TOKEN": token} if token else {}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PROVISIONING_TOKEN")}
    with patch.dict(os.environ, kept | environment, clear=True), redirect_stderr(said):
        code = run(attempt.words, Session(lambda: _Lent(services), lambda: None))  # type: ignore[arg-type,return-value]
    return code, said.getvalue()


class _Lent:
    """The services of this test; a command closes what it opened, and these it did not open."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def __getattr__(self, name: str) -> object:
        return getattr(self._services, name)

    def close(self) -> None:
        """Nothing: whoever lent them closes them."""
