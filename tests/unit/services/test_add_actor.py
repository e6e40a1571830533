from datetime import timedelta

import msgspec
import pytest

from provisioning.domain.actors import ANONYMOUS, Identity, Role
from provisioning.domain.errors import ConflictError, InputError, NotAllowedError
from provisioning.domain.ids import OrganisationId
from provisioning.services.add_actor import AddActor, NewToken
from provisioning.services.authenticate import Authenticate
from tests.unit.services.fakes_access import ADMIN, NOW, OPERATOR, FakeClock, World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def governed(world: World) -> World:
    world.actors["digest"] = ADMIN
    return world


def add(
    world: World,
    identity: Identity = ADMIN,
    actor: str = "person:duty",
    *roles: Role,
    owner: bool = False,
    **details: object,
) -> NewToken:
    service = AddActor(open_uow=world.open, clock=FakeClock(), has_owner_access=lambda: owner)
    return service(identity, actor, roles or (Role.OPERATOR,), **details)


class TestAddActor:
    def test_the_token_that_is_shown_opens_the_door(self, governed: World) -> None:
        made = add(governed)
        identity = Authenticate(open_uow=governed.open, clock=FakeClock())(made.token)
        assert (identity.actor, identity.roles) == ("person:duty", {Role.OPERATOR})
        assert made.expires_at == NOW + timedelta(days=90)

    def test_the_token_itself_is_stored_nowhere(self, governed: World) -> None:
        made = add(governed)
        assert made.token not in repr(vars(governed))

    def test_it_is_written_down_who_added_whom(self, governed: World) -> None:
        add(governed)
        (event,) = governed.events
        assert (event.actor, event.kind, event.details["actor"]) == (ADMIN.actor, "actor.added", "person:duty")

    def test_two_tokens_are_never_the_same(self, governed: World) -> None:
        assert add(governed).token != add(governed, ADMIN, "person:other").token

    def test_only_an_administrator_adds(self, governed: World) -> None:
        with pytest.raises(NotAllowedError, match="role admin"):
            add(governed, OPERATOR)

    def test_who_has_a_valid_token_is_not_added_twice(self, governed: World) -> None:
        add(governed)
        with pytest.raises(ConflictError, match="valid token already"):
            add(governed)

    def test_who_had_a_token_that_expired_gets_a_new_one(self, governed: World) -> None:
        governed.actors["old"] = Identity(actor="person:duty", roles=OPERATOR.roles, expires_at=NOW)
        add(governed)
        assert [x.expires_at for x in governed.actors.values() if x.actor == "person:duty"] == [
            NOW + timedelta(days=90)
        ]

    @pytest.mark.parametrize("days", [0, -1, 91])
    def test_a_token_is_valid_for_one_to_ninety_days(self, governed: World, days: int) -> None:
        with pytest.raises(InputError, match="1 to 90 days"):
            add(governed, validity=timedelta(days=days))

    @pytest.mark.parametrize(
        ("actor", "role", "board", "problem"),
        [
            pytest.param("duty", Role.OPERATOR, None, "is no actor", id="neither person nor client"),
            pytest.param("person:Duty B", Role.OPERATOR, None, "is no actor", id="a name instead of a handle"),
            pytest.param("person:duty", Role.SHOP, None, "only from: admin", id="a person with a client's role"),
            pytest.param("client:shop", Role.APPROVER, None, "only from: board", id="a client that would approve"),
            pytest.param("client:board", Role.BOARD, None, "names its board", id="a board's client without board"),
            pytest.param("client:shop", Role.SHOP, "41234", "names its board", id="a shop with a board"),
        ],
    )
    def test_name_role_and_board_fit_together(
        self, governed: World, actor: str, role: Role, board: str | None, problem: str
    ) -> None:
        with pytest.raises(InputError, match=problem):
            add(governed, ADMIN, actor, role, board=OrganisationId(board) if board else None)
        assert len(governed.actors) == 1


class TestTheFirstAdministrator:
    def test_whoever_owns_the_database_adds_one_without_a_token(self, world: World) -> None:
        add(world, ANONYMOUS, "person:admin", Role.ADMIN, owner=True)
        (event,) = world.events
        assert event.details == {"actor": "person:admin", "ground": "first administrator"}

    def test_another_connection_does_not(self, world: World) -> None:
        with pytest.raises(NotAllowedError, match="PROVISIONING_OWNER_DATABASE_URL"):
            add(world, ANONYMOUS, "person:admin", Role.ADMIN, owner=False)

    @pytest.mark.parametrize("roles", [(Role.APPROVER,), (Role.ADMIN, Role.APPROVER)])
    def test_the_first_is_administrator_and_nothing_else(self, world: World, roles: tuple[Role, ...]) -> None:
        with pytest.raises(NotAllowedError, match="the role admin only"):
            add(world, ANONYMOUS, "person:admin", *roles, owner=True)

    def test_once_the_last_one_expired_the_owner_adds_another(self, world: World) -> None:
        world.actors["old"] = msgspec.structs.replace(ADMIN, expires_at=NOW)
        add(world, ANONYMOUS, "person:stranger", Role.ADMIN, owner=True)
        assert {one.actor for one in world.actors.values()} == {ADMIN.actor, "person:stranger"}

    def test_there_is_only_one_first(self, governed: World) -> None:
        with pytest.raises(NotAllowedError, match="PROVISIONING_TOKEN"):
            add(governed, ANONYMOUS, "person:stranger", Role.ADMIN, owner=True)
