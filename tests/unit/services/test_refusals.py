"""A refused second person is on record, in a transaction of its own; and nothing that people type freely is."""

import pytest

from provisioning.domain.actors import ANONYMOUS, Identity
from provisioning.domain.errors import ConflictError, NotAllowedError
from provisioning.domain.events import Event
from provisioning.domain.rights import Action
from provisioning.services.refusals import refusals_on_record
from tests.unit.services.fakes_access import APPROVER, NOW, FakeClock, World


def refuse(world: World, of: str = "77aa1234", digest: str = "", identity: Identity = APPROVER) -> list[Event]:
    with (
        pytest.raises(NotAllowedError, match="a second person"),
        refusals_on_record(world.open, FakeClock(), identity, Action.APPROVE_PLAN, of, digest),
    ):
        raise NotAllowedError("person:x made the binding; a second person has to look at it.")
    return world.events


def test_says_who_tried_what_and_why_not() -> None:
    assert refuse(World(), digest="9C1F22AB") == [
        Event(
            at=NOW,
            actor=APPROVER.actor,
            kind="approval.refused",
            after="9c1f22ab",
            reason="person:x made the binding; a second person has to look at it.",
            details={"deed": "approve_plan", "of": "77aa1234"},
        )
    ]


@pytest.mark.parametrize("of", ["anna@school.example", "the plan of Anna", "a\nb", "x" * 101, ""])
def test_keeps_nothing_that_may_be_anybodys(of: str) -> None:
    [line] = refuse(World(), of=of)
    assert line.details["of"] == ""


@pytest.mark.parametrize("digest", ["not a digest", "9c1f22ab" * 9, "anna@school.example"])
def test_nor_a_digest_that_is_none(digest: str) -> None:
    [line] = refuse(World(), digest=digest)
    assert line.after is None


@pytest.mark.parametrize("of", ["desk/2027-0142", "40001/school.example", "7c4a1f1e-0000-4000-8000-000000000000"])
def test_names_of_things_are_kept(of: str) -> None:
    [line] = refuse(World(), of=of)
    assert line.details["of"] == of


def test_whoever_is_nobody_leaves_no_line() -> None:
    assert refuse(World(), identity=ANONYMOUS) == []


def test_what_is_done_or_fails_otherwise_is_none_of_its_business() -> None:
    world = World()
    with refusals_on_record(world.open, FakeClock(), APPROVER, Action.APPROVE_PLAN, "77aa1234"):
        pass
    with (
        pytest.raises(ConflictError),
        refusals_on_record(world.open, FakeClock(), APPROVER, Action.APPROVE_PLAN, "77aa1234"),
    ):
        raise ConflictError("It is another by now.")
    assert world.events == []
