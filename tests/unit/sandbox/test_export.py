"""The world leaves as a seed and comes back the same."""

from typing import Any

import msgspec

from provisioning.sandbox.board import board
from provisioning.sandbox.export import export_seed
from provisioning.sandbox.ledger import Author
from provisioning.sandbox.seed import Seed, plant, read_seed
from provisioning.sandbox.world import Settings, World

TENANT, APP = "5b0c1f0e-7a51-4c0e-9d3b-2f6f1d9a1001", "5b0c1f0e-7a51-4c0e-9d3b-2f6f1d9a2001"
A1, OWN_SKU, PLAN = "94763226-9b3c-4e75-a931-5c89701abe66", "11111111-0000-4000-8000-000000000001", "1" * 8
EVERYTHING: dict[str, Any] = {
    "apps": [{"id": APP, "secrets": [{"value": "s", "expires": "2030-01-01T00:00:00Z"}], "requiredRoles": ["Read"]}],
    "catalogue": {
        "skus": [
            {
                "skuId": OWN_SKU,
                "skuPartNumber": "OWN",
                "servicePlans": [{"servicePlanId": PLAN, "servicePlanName": "OWN_PLAN"}],
            }
        ],
        "exclusive": [[PLAN, "another"]],
        "requires": [{"plan": PLAN, "anyOf": ["third"]}],
    },
    "tenants": [
        {
            "id": TENANT,
            "displayName": "School",
            "domains": ["school.example", "school.onmicrosoft.com"],
            "defaultUsageLocation": None,
            "consents": [{"app": APP, "roles": ["Read"], "enabled": False}],
            "exclusive": [["one", "other"]],
            "subscriptions": [
                {"skuId": A1, "totalLicenses": 10, "appearsIn": 3600, "changes": [{"in": 7200, "status": "Warning"}]},
                {"skuId": OWN_SKU, "totalLicenses": 5, "status": "Suspended", "term": "volume", "suspendedDays": 7},
            ],
            "users": [
                {
                    "userPrincipalName": "a@school.example",
                    "usageLocation": "NL",
                    "extensions": {"extensionAttribute1": "groep 8"},
                    "employeeId": "7001",
                    "mailNickname": "a.first",
                    "onPremisesImmutableId": "Zm9v",
                    "assignments": [{"skuId": A1, "disabledPlans": [PLAN]}],
                },
                {"userPrincipalName": "b@school.example", "accountEnabled": False},
            ],
            "groups": [{"id": "g", "displayName": "Team", "members": ["a@school.example"]}],
            "administrativeUnits": [{"id": "u", "displayName": "Unit", "members": ["b@school.example"]}],
            "schools": [
                {"id": "s", "displayName": "School", "administrativeUnit": "u", "members": ["a@school.example"]}
            ],
            "contracts": [{"id": "c", "customerId": "t", "defaultDomainName": "x.example", "displayName": "X"}],
            "planStatuses": {PLAN: "PendingInput"},
        }
    ],
}


def world_of(document: bytes) -> World:
    world = World(Settings())
    plant(world, read_seed(document))
    return world


def again(world: World) -> World:
    """Out as a document and in again, as a stop and a start do it."""
    return world_of(msgspec.json.encode(export_seed(world)))


def exported(world: World) -> Seed:
    return export_seed(world)


class TestExportSeed:
    def test_everything_in_a_seed_comes_back(self) -> None:
        world = world_of(msgspec.json.encode(EVERYTHING))
        assert exported(again(world)) == exported(world)
        [first, second] = again(world).tenants[TENANT].directory.users.values()
        assert (first.employeeId, first.mailNickname, first.onPremisesImmutableId) == ("7001", "a.first", "Zm9v")
        assert (second.mailNickname, second.onPremisesImmutableId) == ("b", None)

    def test_nothing_of_the_twins_own_catalogue_is_told(self) -> None:
        catalogue = exported(world_of(msgspec.json.encode(EVERYTHING))).catalogue
        assert [sku.skuId for sku in catalogue.skus] == [OWN_SKU]
        assert catalogue.exclusive == [(PLAN, "another")]

    def test_a_product_that_took_the_place_of_the_twins_own_is_told(self) -> None:
        own = {"skuId": A1, "skuPartNumber": "A1", "servicePlans": [{"servicePlanId": PLAN, "servicePlanName": "NEW"}]}
        world = world_of(msgspec.json.encode({**EVERYTHING, "catalogue": {"skus": [own]}, "tenants": []}))
        assert [plan.servicePlanName for plan in exported(again(world)).catalogue.skus[0].servicePlans] == ["NEW"]

    def test_what_was_done_since_the_start_is_in_it(self) -> None:
        world = world_of(msgspec.json.encode(EVERYTHING))
        tenant = world.tenants[TENANT]
        first, second = (user for user in tenant.directory.users.values() if user)
        world.put_user(tenant, msgspec.structs.replace(second, assignments=first.assignments), Author())
        world.remove_user(tenant, first.id, Author())
        found = again(world).tenants[TENANT].directory
        assert [user.userPrincipalName for user in found.users.values() if user] == ["b@school.example"]
        assert found.consumed[A1] == 1

    def test_a_board_comes_back_with_its_pupils_and_units(self) -> None:
        world = World(Settings())
        plant(world, board(1))
        assert exported(again(world)) == exported(world)

    def test_a_subscription_goes_on_where_it_was(self) -> None:
        world = world_of(msgspec.json.encode(EVERYTHING))
        world.clock.advance(7_201)
        again_later = again(world)
        first, second = again_later.tenants[TENANT].subscriptions.values()
        assert (first.status, first.changes) == ("Warning", [])
        assert (second.status, second.term, second.suspendedDays) == ("Suspended", "volume", 7)
        assert second.nextLifecycleDateTime == exported(world).tenants[0].subscriptions[1].nextLifecycleDateTime

    def test_people_are_told_without_what_a_seed_may_leave_out(self) -> None:
        first, second = exported(world_of(msgspec.json.encode(EVERYTHING))).tenants[0].users
        assert first.keys() == {
            *("id", "userPrincipalName", "usageLocation", "createdDateTime", "extensions", "assignments"),
            *("employeeId", "mailNickname", "onPremisesImmutableId"),
        }
        assert first["assignments"][0].keys() == {"skuId", "lastUpdatedDateTime", "disabledPlans"}
        assert second["accountEnabled"] is False
