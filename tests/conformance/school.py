"""The world of the conformance tests: one small school, an empty neighbour, an app with a secret."""

import uuid
from typing import Any

TENANT, NEIGHBOUR = "5b0c1f0e-7a51-4c0e-9d3b-2f6f1d9a1001", "6c1d2a1f-8b62-4d1f-8e4c-3a7a2e0b2002"
APP, OTHER_APP = "a1d4f2c6-0b9e-4c3d-8f6a-77e0c2d41002", "b2e5a3d7-1c0f-4d4e-9a7b-88f1d3e52003"
SECRET, EXPIRED_SECRET = "correct horse", "stale horse"
DOMAIN = "school.example"

A1, A1_STUDENT = "94763226-9b3c-4e75-a931-5c89701abe66", "314c4481-f395-4525-be8b-2ec4bb1e9d91"
A3, A5 = "4b590615-0888-425a-a965-b3bf7789848d", "e97c048c-37a4-45fb-ab50-922fbf07a370"
PHONE, VISIO = "d979703c-028d-4de5-acbf-7955566b69b9", "bf95fd32-576a-4742-8d7a-6dc4940b9532"
NOT_OWNED = "c32f9321-a627-406d-a114-1f9c81aaafac"

YAMMER, TEAMS = "2078e8df-cff6-4290-98cb-5408261a760a", "57ff2da0-773e-42df-b2af-ffb7a2317929"
SKYPE, MCOEV = "0feaeb32-d00e-4d66-bd5a-43b5b83db82c", "4828c8ec-dc2e-4779-b502-87ac9ce28ab7"
EXCHANGE_OF_A1, EXCHANGE_OF_A3 = "9aaf7827-d63c-4b61-89c3-182f06f82e5c", "efb87545-963c-4e0d-99df-69c6916d9eb0"
SHAREPOINT_OF_A1 = "0a4983bb-d3e5-4a09-95d8-b2d0127b3df5"
SHAREPOINT_OF_A3 = "63038b2c-28d0-45f6-bc36-33062963b498"

ROLES = [
    "AdministrativeUnit.Read.All",
    "EduRoster.Read.All",
    "GroupMember.Read.All",
    "LicenseAssignment.ReadWrite.All",
    "Organization.Read.All",
    "User.Read.All",
    "User.ReadWrite.All",
]


def user_id(name: str) -> str:
    return str(uuid.uuid5(uuid.UUID(TENANT), f"{name}@{DOMAIN}"))


GROUP, UNIT = user_id("group"), user_id("unit")
# Who is who in the school: what each person is there for.
WITH_A1, WITH_NOTHING, WITHOUT_LOCATION, INHERITING, BOTH_WAYS, GUEST, PUPIL = (
    user_id(name)
    for name in ("with-a1", "with-nothing", "without-location", "inheriting", "both-ways", "guest", "pupil")
)

OUTER, PUPILS_GROUPS = user_id("outer"), [user_id(f"team-{number}") for number in range(3)]  # of the fixture `nested`


def _user(name: str, **properties: Any) -> dict[str, Any]:
    upn = f"{name}@{DOMAIN}"
    return {"id": user_id(name), "userPrincipalName": upn, "displayName": name, "usageLocation": "NL", **properties}


def _held(sku_id: str, **more: Any) -> dict[str, Any]:
    return {"skuId": sku_id, "lastUpdatedDateTime": "2025-09-01T08:00:00Z", **more}


def world_seed() -> dict[str, Any]:
    expired = {"value": EXPIRED_SECRET, "expires": "2020-01-01T00:00:00Z"}
    return {
        "randomSeed": 7,
        "apps": [
            {"id": APP, "secrets": [{"value": SECRET}, expired], "requiredRoles": ROLES},
            {"id": OTHER_APP, "secrets": [{"value": SECRET}]},
        ],
        "tenants": [_school(), {"id": NEIGHBOUR, "domains": ["neighbour.example"]}],
    }


def _school() -> dict[str, Any]:
    return {
        "id": TENANT,
        "displayName": "Een School",
        "domains": [DOMAIN, "eenschool.onmicrosoft.com"],
        "consents": [{"app": APP, "roles": ROLES}],
        "subscriptions": [
            {"skuId": A1, "totalLicenses": 500_000},
            {"skuId": A3, "totalLicenses": 3, "nextLifecycleDateTime": "2099-07-31T00:00:00Z"},
            {"skuId": A3, "totalLicenses": 1},
            {"skuId": A5, "totalLicenses": 1},
            {"skuId": PHONE, "totalLicenses": 5},
        ],
        "users": [
            _user("with-a1", department="99XA", primaryRole="teacher", assignments=[_held(A1, disabledPlans=[YAMMER])]),
            _user("with-nothing", department="99XA", primaryRole="teacher"),
            _user("without-location", usageLocation=None),
            _user("inheriting", department="99XB", assignments=[_held(A3, assignedByGroup=GROUP)]),
            _user(
                "both-ways",
                department="99XB",
                assignments=[_held(A3, assignedByGroup=GROUP, disabledPlans=[YAMMER]), _held(A3)],
            ),
            _user("guest", userType="Guest", usageLocation=None),
            _user("pupil", primaryRole="student", accountEnabled=False, extensions={"extensionAttribute1": "groep 8"}),
        ],
        "groups": [
            {
                "id": GROUP,
                "displayName": "Personeel",
                "assignedLicenses": [{"skuId": A3, "disabledPlans": []}],
                "members": [INHERITING, f"both-ways@{DOMAIN}"],
            }
        ],
        "administrativeUnits": [{"id": UNIT, "displayName": "De Akker", "members": [WITH_A1, WITH_NOTHING]}],
        "schools": [{"id": "school-1", "displayName": "De Akker", "schoolNumber": "99XA", "members": [WITH_A1, PUPIL]}],
    }
