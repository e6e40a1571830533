"""One person goes back to what two had approved; another looks at it afterwards."""

from datetime import datetime, timedelta

import pytest

from provisioning.domain.actors import Identity
from provisioning.domain.configuration import INSTALLED, ConfigurationKind, ConfigurationVersion
from provisioning.domain.errors import ConfigurationError, InputError, NotAllowedError
from provisioning.domain.ids import SYSTEM, Actor
from provisioning.domain.worklist import Topic
from provisioning.planning.configuration import describe_mappings, pack_mappings
from provisioning.services.approve_configuration import ApproveConfiguration
from provisioning.services.mappings_in_force import mappings_in_force
from provisioning.services.propose_configuration import ProposeConfiguration
from provisioning.services.review_configuration import ReviewConfiguration
from provisioning.services.roll_back_configuration import RollBackConfiguration
from tests.factories.remaps import OURS, mappings_with, remap, sku
from tests.unit.services.fakes_access import (
    ADMIN,
    APPROVER,
    AUDITOR,
    NOW,
    OPERATOR,
    FakeClock,
    Role,
    World,
    person,
)

MAPPINGS = ConfigurationKind.MAPPINGS
CLIENT = Identity(actor=Actor("client:shop"), roles=frozenset({Role.OPERATOR}))
BOTH = person("both", Role.ADMIN, Role.APPROVER)
A1, A3, A5 = sku("STANDARDWOFFPACK_FACULTY"), sku("M365EDU_A3_FACULTY"), sku("M365EDU_A5_FACULTY")
FIRST, SECOND, THIRD = OURS, mappings_with(remap(A1, A3)), mappings_with(remap(A1, A5))


class Clock(FakeClock):
    """An hour later each time."""

    hours = 0

    def now(self) -> datetime:
        Clock.hours += 1
        return NOW + timedelta(hours=Clock.hours)


def activate(world: World, mappings: object) -> None:
    propose = ProposeConfiguration(open_uow=world.open, clock=Clock())
    propose(OPERATOR, describe_mappings(mappings), "next year", pack_mappings(mappings))  # type: ignore[arg-type]
    ApproveConfiguration(open_uow=world.open, clock=Clock())(APPROVER, mappings.digest)  # type: ignore[attr-defined]


def roll_back(world: World, identity: Identity = ADMIN, reason: str = "people lost Exchange") -> ConfigurationVersion:
    return RollBackConfiguration(open_uow=world.open, clock=Clock())(identity, reason)


def review(world: World, digest: str, identity: Identity = APPROVER) -> ConfigurationVersion:
    return ReviewConfiguration(open_uow=world.open, clock=Clock())(identity, digest)


@pytest.fixture
def world() -> World:
    """The first mappings are installed, and others came into force since."""
    world = World()
    first = describe_mappings(FIRST)
    world.configurations = [
        ConfigurationVersion(
            kind=MAPPINGS,
            digest=first.digest,
            content=first.content,
            reason=INSTALLED,
            proposed_by=SYSTEM,
            proposed_at=NOW,
        )
    ]
    world.contents[MAPPINGS, first.digest] = pack_mappings(FIRST)
    activate(world, SECOND)
    return world


class TestMappingsInForce:
    def test_are_those_that_were_approved(self, world: World) -> None:
        assert mappings_in_force(world.open) == SECOND

    def test_before_any_were_installed_there_are_none(self) -> None:
        assert mappings_in_force(World().open) is None

    def test_those_that_were_not_kept_are_none(self, world: World) -> None:
        world.contents.clear()
        assert mappings_in_force(world.open) is None

    @pytest.mark.parametrize("packed", [pack_mappings(THIRD), b"no archive"])
    def test_something_else_under_their_name_is_refused(self, world: World, packed: bytes) -> None:
        world.contents[MAPPINGS, SECOND.digest] = packed
        with pytest.raises(ConfigurationError, match="is something else"):
            mappings_in_force(world.open)


class TestRollBack:
    def test_the_mappings_of_before_are_in_force_and_on_record(self, world: World) -> None:
        restored = roll_back(world)
        assert mappings_in_force(world.open) == FIRST
        assert (restored.digest, restored.is_in_force, restored.is_unreviewed) == (FIRST.digest, True, True)
        event = world.events[-1]
        assert (event.kind, event.before, event.after, event.reason) == (
            "configuration.rolled_back",
            SECOND.digest,
            FIRST.digest,
            "people lost Exchange",
        )

    def test_we_are_told_at_once(self, world: World) -> None:
        roll_back(world)
        assert [(intent.topic, intent.reference) for intent in world.intents] == [
            (Topic.MAPPINGS_ROLLED_BACK, f"mappings {FIRST.digest[:8]}")
        ]

    def test_it_is_the_latest_before_and_no_proposal_that_was_rejected(self, world: World) -> None:
        activate(world, THIRD)
        assert roll_back(world).digest == SECOND.digest

    def test_twice_does_not_bring_back_what_was_wrong(self, world: World) -> None:
        roll_back(world)
        with pytest.raises(InputError, match="brought back already"):
            roll_back(world)
        assert mappings_in_force(world.open) == FIRST

    def test_what_was_brought_back_may_come_back_once_more_later(self, world: World) -> None:
        roll_back(world)
        activate(world, THIRD)
        assert roll_back(world).digest == FIRST.digest

    @pytest.mark.parametrize("identity", [APPROVER, AUDITOR, CLIENT])
    def test_takes_a_person_who_runs_the_service(self, world: World, identity: Identity) -> None:
        with pytest.raises(NotAllowedError, match="may not bring back"):
            roll_back(world, identity)
        assert mappings_in_force(world.open) == SECOND

    def test_the_first_have_nothing_before_them(self) -> None:
        world = World()
        with pytest.raises(InputError, match="No mappings are in force"):
            roll_back(world)

    def test_content_that_was_not_kept_is_told_with_the_way_out(self, world: World) -> None:
        del world.contents[MAPPINGS, FIRST.digest]
        with pytest.raises(InputError, match="propose mappings --folder"):
            roll_back(world)
        assert mappings_in_force(world.open) == SECOND


class TestReview:
    def test_another_person_looks_at_it(self, world: World) -> None:
        restored = roll_back(world)
        reviewed = review(world, restored.digest)
        assert reviewed.reviewed_by == APPROVER.actor
        assert world.configurations[-1].reviewed_by == APPROVER.actor
        assert world.kinds[-1] == "configuration.reviewed"

    def test_nobody_reviews_their_own(self, world: World) -> None:
        restored = roll_back(world, BOTH)
        with pytest.raises(NotAllowedError, match="a second person"):
            review(world, restored.digest, BOTH)
        assert world.configurations[-1].is_unreviewed

    def test_once(self, world: World) -> None:
        restored = roll_back(world)
        review(world, restored.digest)
        with pytest.raises(InputError, match="waits for review"):
            review(world, restored.digest)

    def test_what_two_persons_approved_needs_none(self, world: World) -> None:
        with pytest.raises(InputError, match="waits for review"):
            review(world, SECOND.digest)
