import json
from typing import Any

from provisioning.domain.ids import SkuId, SubjectId, TenantId
from provisioning.domain.migration import MatchRule
from provisioning.local.rehearsal_seed import seed_of, shorten
from provisioning.local.world import APP
from provisioning.services.prepare_rehearsal import Copied
from tests.factories import guid

A3, A5 = SkuId(guid()), SkuId(guid())
ANN, BOB = SubjectId(guid()), SubjectId(guid())


def seed(*bought: dict[str, Any]) -> dict[str, Any]:
    users = [{"id": ANN, "assignments": [{"skuId": A3}]}, {"id": BOB}]
    consents = [{"app": "theirs", "roles": ["User.Read.All"]}]
    return {"tenants": [{"consents": consents, "subscriptions": list(bought), "users": users}]}


def of(total: int, sku: SkuId = A3, **more: Any) -> dict[str, Any]:
    return {"skuId": sku, "totalLicenses": total, **more}


def totals(document: dict[str, Any]) -> list[int]:
    return [bought["totalLicenses"] for bought in document["tenants"][0]["subscriptions"]]


def copied(*bought: dict[str, Any], **fields: Any) -> Copied:
    defaults: dict[str, Any] = {"tenant_id": TenantId(guid()), "keys": {}}
    return Copied(seed=json.dumps(seed(*bought)).encode(), **defaults | fields)


class TestShorten:
    def test_seats_go_out_of_what_is_in_force_one_purchase_after_the_other(self) -> None:
        document = seed(of(10), of(50, status="Suspended"), of(20), of(30, A5))
        shorten(document, {A3: 15})
        assert totals(document) == [0, 50, 15, 30]

    def test_there_are_never_less_than_none(self) -> None:
        document = seed(of(10))
        shorten(document, {A3: 15})
        assert totals(document) == [0]


class TestSeedOf:
    def test_our_application_has_the_consent_of_the_real_one(self) -> None:
        [tenant] = seed_of(copied())["tenants"]
        assert tenant["consents"] == [{"app": APP, "roles": ["User.Read.All"]}]

    def test_people_carry_what_they_are_matched_by(self) -> None:
        keys = {BOB: {MatchRule.EMPLOYEE_ID: "k1", MatchRule.IMMUTABLE_ID: "k2", MatchRule.MAIL_NICKNAME: "k3"}}
        ann, bob = seed_of(copied(keys=keys))["tenants"][0]["users"]
        assert "employeeId" not in ann
        assert (bob["employeeId"], bob["onPremisesImmutableId"], bob["mailNickname"]) == ("k1", "k2", "k3")

    def test_a_seat_that_is_spoken_for_is_not_free(self) -> None:
        assert totals(seed_of(copied(of(10), promised={A3: frozenset({ANN, BOB})}))) == [9]  # Ann holds hers
