from typing import Any, ClassVar

import msgspec
import pytest

from provisioning.sandbox.model import User
from provisioning.sandbox.seed import plant, read_seed
from provisioning.sandbox.world import Settings, World

TENANT = "5b0c1f0e-7a51-4c0e-9d3b-2f6f1d9a1001"
A1 = "94763226-9b3c-4e75-a931-5c89701abe66"


def planted(**tenant: Any) -> World:
    world = World(Settings())
    plant(world, read_seed(msgspec.json.encode({"tenants": [{"id": TENANT, **tenant}]})))
    return world


def people(world: World) -> list[User]:
    return [user for user in world.tenants[TENANT].directory.users.values() if user]


class TestPlant:
    def test_a_user_without_an_id_gets_the_same_one_every_time(self) -> None:
        users = [{"userPrincipalName": "a@x.example"}]
        assert people(planted(users=users))[0].id == people(planted(users=users))[0].id

    def test_a_population_is_many_users_from_one_pattern(self) -> None:
        pattern = {"usageLocation": "NL", "assignments": [{"skuId": A1}]}
        world = planted(domains=["x.example"], population=[{"count": 300, "prefix": "leerling", "user": pattern}])
        assert {user.userPrincipalName for user in people(world)} >= {
            "leerling-0001@x.example",
            "leerling-0300@x.example",
        }
        assert world.tenants[TENANT].directory.consumed[A1] == 300

    def test_what_many_share_is_kept_once(self) -> None:
        held = {"skuId": A1, "disabledPlans": [A1], "lastUpdatedDateTime": "2025-09-01T08:00:00Z"}
        users = [
            {"userPrincipalName": f"{name}@x.example", "mail": f"{name}@x.example", "assignments": [held]}
            for name in "ab"
        ]
        one, other = people(planted(users=users))
        assert one.assignments is other.assignments
        assert one.mail is one.userPrincipalName

    def test_planting_writes_nothing_in_the_ledger(self) -> None:
        assert len(planted(users=[{"userPrincipalName": "a@x.example"}]).ledger) == 0

    def test_a_catalogue_in_the_seed_adds_to_the_twins_own(self) -> None:
        world = World(Settings())
        extra = {"skuId": "k", "skuPartNumber": "K", "servicePlans": [{"servicePlanId": "p", "servicePlanName": "P"}]}
        plant(world, read_seed(msgspec.json.encode({"catalogue": {"skus": [extra], "exclusive": [["p", "q"]]}})))
        assert {"k", A1} <= world.catalogue.skus.keys()
        assert list(world.catalogue.rules.conflicts(frozenset("pq"))) == [("p", "q")]

    @pytest.mark.parametrize(
        "tenant",
        [
            {"users": [{"userPrincipalName": "a@x", "shoes": 44}], "colour": "red"},
            {"subscriptions": [{"skuId": "unknown", "totalLicenses": 1}]},
            {"groups": [{"id": "g", "displayName": "G", "members": ["nobody"]}]},
            {"users": [{"userPrincipalName": "a@x", "accountEnabled": "yes"}]},
        ],
    )
    def test_a_seed_that_contradicts_itself_is_refused(self, tenant: dict[str, Any]) -> None:
        with pytest.raises((ValueError, msgspec.ValidationError)):
            planted(**tenant)

    def test_two_tenants_cannot_share_a_domain(self) -> None:
        other = {"id": TENANT[::-1], "domains": ["x.example"]}
        seed = {"tenants": [{"id": TENANT, "domains": ["X.example"]}, other]}
        with pytest.raises(ValueError, match="already in use"):
            plant(World(Settings()), read_seed(msgspec.json.encode(seed)))


class TestAllOrNothing:
    GOOD: ClassVar[dict[str, Any]] = {"id": TENANT, "domains": ["x.example"]}
    BAD: ClassVar[dict[str, Any]] = {"id": TENANT[::-1], "subscriptions": [{"skuId": "unknown", "totalLicenses": 1}]}

    def attempt(self, world: World, *tenants: dict[str, Any], reset: bool = False) -> None:
        seed = {"apps": [{"id": "app"}], "catalogue": {"exclusive": [["p", "q"]]}, "tenants": tenants}
        with world.all_or_nothing():
            if reset:
                world.reset()
            plant(world, read_seed(msgspec.json.encode(seed)))

    def test_a_seed_that_fails_at_its_end_leaves_nothing(self) -> None:
        world = World(Settings())
        rules = world.catalogue.rules
        with pytest.raises(ValueError, match="not in the catalogue"):
            self.attempt(world, self.GOOD, self.BAD)
        assert world.tenants == world.apps == {}
        assert world.catalogue.rules is rules
        self.attempt(world, self.GOOD)
        assert list(world.tenants) == [TENANT]

    def test_a_world_is_not_emptied_for_a_seed_that_fails(self) -> None:
        world = planted(users=[{"userPrincipalName": "a@x.example"}])
        world.clock.set_factor(5)
        with pytest.raises(ValueError, match="not in the catalogue"):
            self.attempt(world, self.BAD, reset=True)
        assert [user.userPrincipalName for user in people(world)] == ["a@x.example"]
        assert world.clock.factor == 5


class TestADynamicGroup:
    RULE = 'user.city -match "x"'  # in words that the twin does not know

    def seed(self, **group: Any) -> bytes:
        people = [{"id": "11111111-0000-4000-8000-000000000001", "userPrincipalName": "a@school.example"}]
        row = {"id": "g", "displayName": "g", "groupTypes": ["DynamicMembership"], "membershipRule": self.RULE, **group}
        tenant = {"id": TENANT, "domains": ["school.example"], "users": people, "groups": [row]}
        return msgspec.json.encode({"tenants": [tenant]})

    def test_whose_rule_is_paused_keeps_its_members_whatever_the_rule_says(self) -> None:
        world = World(Settings())
        members = ["a@school.example"]
        plant(world, read_seed(self.seed(membershipRuleProcessingState="Paused", members=members)))
        assert len(world.tenants[TENANT].groups.members("g")) == 1

    def test_whose_rule_would_run_must_be_understood(self) -> None:
        with pytest.raises(ValueError, match="Invalid dynamic membership rule"):
            plant(World(Settings()), read_seed(self.seed()))
