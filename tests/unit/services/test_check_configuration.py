from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
import pytest

from config.limits import default_limits
from provisioning.domain.configuration import Configuration, ConfigurationKind
from provisioning.domain.errors import ConflictError, InputError, NotAllowedError
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Owner
from provisioning.services.approve_configuration import ApproveConfiguration
from provisioning.services.check_configuration import CheckConfiguration
from provisioning.services.propose_configuration import ProposeConfiguration
from provisioning.services.reject_configuration import RejectConfiguration
from provisioning.services.show_configuration import ShowConfiguration
from provisioning.services.show_worklist import ShowWorklist
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

MAPPINGS, LIMITS = ConfigurationKind.MAPPINGS, ConfigurationKind.LIMITS
BOTH = person("both", Role.OPERATOR, Role.APPROVER)
LATER = NOW + timedelta(hours=1)


def loaded(digest: str, kind: ConfigurationKind = MAPPINGS) -> Configuration:
    return Configuration(kind=kind, digest=digest * 64, content={"articles": f"{digest} rows", "skus": "9 rows"})


OLD, NEW, NUMBERS = loaded("a"), loaded("b"), loaded("c", LIMITS)


def check(world: World, *rules: Configuration, at: datetime = NOW) -> Mapping[ConfigurationKind, datetime]:
    return CheckConfiguration(open_uow=world.open, clock=FakeClock(at), loaded=rules)()


def propose(world: World, rules: Configuration = NEW, identity: object = OPERATOR) -> object:
    return ProposeConfiguration(open_uow=world.open, clock=FakeClock())(identity, rules, "articles of next year")


def approve(world: World, digest: str = NEW.digest, identity: object = APPROVER) -> object:
    return ApproveConfiguration(open_uow=world.open, clock=FakeClock(LATER))(identity, digest)


def reject(world: World, digest: str = NEW.digest, identity: object = APPROVER) -> object:
    return RejectConfiguration(open_uow=world.open, clock=FakeClock(LATER))(identity, digest)


def on_the_list(world: World) -> list[str]:
    return [item.subject for item in ShowWorklist(open_uow=world.open, clock=FakeClock(), limits=default_limits())()]


@pytest.fixture
def world() -> World:
    """A process decided something before: what it loaded is installed."""
    world = World()
    assert check(world, OLD, NUMBERS) == {}
    return world


class TestCheckConfiguration:
    def test_the_first_of_each_kind_is_installed_and_on_record(self, world: World) -> None:
        assert world.kinds == ["configuration.installed", "configuration.installed"]
        assert [(event.after, event.details["kind"]) for event in world.events] == [
            (OLD.digest, "mappings"),
            (NUMBERS.digest, "limits"),
        ]

    def test_the_same_again_is_fine_and_writes_nothing(self, world: World) -> None:
        assert check(world, OLD, NUMBERS) == {}
        assert len(world.events) == len(world.configurations) == 2
        assert on_the_list(world) == []

    def test_another_one_decides_nothing_and_is_told_since_when_the_one_in_force_is(self, world: World) -> None:
        assert check(world, NEW, NUMBERS) == {MAPPINGS: NOW}
        assert check(world, OLD, loaded("d", LIMITS)) == {LIMITS: NOW}
        assert len(world.configurations) == 2

    def test_after_an_approval_the_processes_change_places(self, world: World) -> None:
        propose(world)
        approve(world)
        assert check(world, NEW, NUMBERS) == {}
        assert check(world, OLD, NUMBERS) == {MAPPINGS: LATER}


class TestContents:
    """What is in force is kept, so that others can load it."""

    def check(
        self, world: World, rules: Configuration, *, reload: bool = False
    ) -> Mapping[ConfigurationKind, datetime]:
        return CheckConfiguration(
            open_uow=world.open,
            clock=FakeClock(),
            loaded=(rules,),
            contents={MAPPINGS: lambda: b"content of " + rules.digest[:1].encode()},
            reload=lambda _: reload,
        )()

    def test_the_first_are_kept_when_they_are_installed(self) -> None:
        world = World()
        self.check(world, OLD)
        assert world.contents == {(MAPPINGS, OLD.digest): b"content of a"}

    def test_those_of_before_contents_were_kept_are_kept_by_whoever_has_them(self, world: World) -> None:
        assert world.contents == {}
        self.check(world, NEW)
        assert world.contents == {}
        self.check(world, OLD)
        assert world.contents == {(MAPPINGS, OLD.digest): b"content of a"}

    def test_a_process_that_takes_up_those_in_force_is_not_told_of(self, world: World) -> None:
        assert self.check(world, NEW, reload=True) == {MAPPINGS: NOW}
        assert on_the_list(world) == []
        assert self.check(world, NEW, reload=False) == {MAPPINGS: NOW}
        assert on_the_list(world) == ["mappings bbbbbbbb"]


class TestWorkList:
    def test_names_what_a_process_runs_unapproved_once_for_each_kind(self, world: World) -> None:
        for _ in range(2):
            check(world, NEW, loaded("d", LIMITS))
        items = ShowWorklist(open_uow=world.open, clock=FakeClock(), limits=default_limits())()
        assert [(item.subject, item.owner) for item in items] == [
            ("limits dddddddd", Owner.APPROVER),
            ("mappings bbbbbbbb", Owner.APPROVER),
        ]
        assert {item.reason for item in items} == {Reason.CONFIGURATION_UNAPPROVED}

    def test_names_a_proposal_until_it_is_decided(self, world: World) -> None:
        propose(world)
        check(world, NEW, NUMBERS)
        assert on_the_list(world) == ["mappings bbbbbbbb"]
        approve(world)
        assert on_the_list(world) == []

    def test_forgets_a_process_that_is_gone(self, world: World) -> None:
        check(world, NEW, NUMBERS, at=NOW - timedelta(minutes=1))
        assert on_the_list(world) == []


class TestPropose:
    def test_says_who_and_why_and_changes_nothing_yet(self, world: World) -> None:
        propose(world)
        event = world.events[-1]
        assert (event.kind, event.actor, event.before, event.after) == (
            "configuration.proposed",
            OPERATOR.actor,
            OLD.digest,
            NEW.digest,
        )
        assert event.reason == "articles of next year"
        assert check(world, OLD, NUMBERS) == {}

    @pytest.mark.parametrize("identity", [AUDITOR, APPROVER])
    def test_takes_an_operator_or_administrator(self, world: World, identity: object) -> None:
        with pytest.raises(NotAllowedError, match="may not propose"):
            propose(world, identity=identity)

    def test_what_is_in_force_need_not_be_proposed(self, world: World) -> None:
        with pytest.raises(InputError, match="are in force"):
            propose(world, OLD)

    def test_an_earlier_version_comes_back_the_same_way(self, world: World) -> None:
        propose(world)
        approve(world)
        again = ProposeConfiguration(open_uow=world.open, clock=FakeClock()).again
        assert again(ADMIN, "aaaaaaaa", "the shop is not ready").content == OLD.content
        approve(world, "aaaaaaaa")
        assert check(world, OLD, NUMBERS) == {}

    @pytest.mark.parametrize(("digest", "told"), [("aaaa", "at least the first 8"), ("ffffffff", "No version")])
    def test_an_earlier_version_is_named_by_its_digest(self, world: World, digest: str, told: str) -> None:
        with pytest.raises(InputError, match=told):
            ProposeConfiguration(open_uow=world.open, clock=FakeClock()).again(ADMIN, digest, "back")


class TestDecide:
    @pytest.fixture(autouse=True)
    def _proposed(self, world: World) -> None:
        propose(world, identity=BOTH)

    def test_a_second_person_approves_it(self, world: World) -> None:
        approved = approve(world, "bbbbbbbb")
        assert approved == msgspec.structs.replace(
            world.configurations[-1], approved_by=APPROVER.actor, approved_at=LATER
        )
        assert (world.kinds[-1], world.events[-1].before) == ("configuration.approved", OLD.digest)

    @pytest.mark.parametrize(
        ("identity", "told"), [(BOTH, "a second person"), (OPERATOR, "may not approve"), (ADMIN, "may not approve")]
    )
    def test_nobody_else_does(self, world: World, identity: object, told: str) -> None:
        before = list(world.configurations)
        with pytest.raises(NotAllowedError, match=told):
            approve(world, identity=identity)
        assert world.configurations == before

    def test_it_is_approved_once(self, world: World) -> None:
        approve(world)
        with pytest.raises(InputError, match="waits for approval"):
            approve(world)

    @pytest.mark.parametrize("identity", [BOTH, APPROVER, ADMIN])
    def test_rejected_it_is_off_the_list_and_may_be_proposed_anew(self, world: World, identity: object) -> None:
        with pytest.raises(ConflictError):
            propose(world)
        reject(world, identity=identity)
        assert on_the_list(world) == []
        assert world.kinds[-1] == "configuration.rejected"
        assert check(world, OLD, NUMBERS) == {}
        propose(world)

    def test_it_is_shown_beside_what_is_in_force(self, world: World) -> None:
        shown = ShowConfiguration(open_uow=world.open, loaded=(OLD, NUMBERS))()
        assert [(one.kind, one.in_force.digest, len(one.proposals)) for one in shown if one.in_force] == [
            (MAPPINGS, OLD.digest, 1),
            (LIMITS, NUMBERS.digest, 0),
        ]
        assert OLD.differences(shown[0].proposals[0]) == [("articles", "a rows", "b rows")]
