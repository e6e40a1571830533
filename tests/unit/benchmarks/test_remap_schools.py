"""The schools of a campaign's night: of every kind, and the same in the twin as in what is expected of it."""

from collections import Counter

from tests.benchmarks.remap_schools import PHONES, SHORT, Kind, mixed, remap_seed
from tests.benchmarks.school import A1, A3


def test_are_of_every_kind_and_as_many_as_asked_for() -> None:
    schools = mixed(500, 100, 50)
    assert Counter(school.kind for school in schools) == {
        Kind.DIRECT: 480,
        Kind.GROUP: 100,
        Kind.ADD_ONS: 10,
        Kind.SHORT: 10,
    }
    assert sum(school.people for school in schools) == 30_000
    assert len({school.tenant_id for school in schools}) == 600


def test_are_planted_with_the_old_product_and_the_seats_that_were_ordered() -> None:
    by_kind = {school.kind: school for school in mixed(100, 1, 10)}
    seeds = {one["id"]: one for one in remap_seed(list(by_kind.values()), {})["tenants"]}
    for kind, school in by_kind.items():
        seed = seeds[school.tenant_id]
        assert [user["id"] for user in seed["users"]] == school.everybody
        assert all(user["assignments"][0]["skuId"] == A1 for user in seed["users"])
        assert {one["skuId"]: one["totalLicenses"] for one in seed["subscriptions"]} == school.ordered
        assert bool(seed["groups"]) is (kind is Kind.GROUP)
    assert by_kind[Kind.SHORT].ordered[A3] == 10 - SHORT
    with_phone = [user for user in seeds[by_kind[Kind.ADD_ONS].tenant_id]["users"] if len(user["assignments"]) > 1]
    assert len(with_phone) == PHONES


def test_are_planted_again_with_whoever_was_served() -> None:
    (school,) = mixed(1, 0, 3)
    served = {school.tenant_id: {school.everybody[1]}}
    (seed,) = remap_seed([school], served)["tenants"]
    assert [user["assignments"][0]["skuId"] for user in seed["users"]] == [A1, A3, A1]
