"""A school full of names: whatever a directory says of people, wherever schools are used to write it."""

import uuid
from typing import Any

from provisioning.domain.ids import GroupId, TenantId
from tests.conformance.school import A1, A3, APP, ROLES, YAMMER

SCHOOL_OF_NAMES = TenantId("7d2e3b2f-9c73-4e2a-9f5d-4b8b3f1c3003")
DOMAIN = "veelnamen.example"
HOME_GROWN = "0b1c2d3e-4f50-4162-8374-95a6b7c8d9e0"  # a product that the sandbox's own catalogue lacks
PEOPLE = 40


def guid(word: str) -> str:
    return str(uuid.uuid5(uuid.UUID(SCHOOL_OF_NAMES), word))


STAFF, LICENSED, EMPTY = (GroupId(guid(word)) for word in ("staff", "licensed", "empty"))
UNIT, ROSTER = guid("unit"), "roster-1"
SELECTOR = (
    '{"any":[{"attribute":"department","equals":"Team 99XA"},{"attribute":"extensionAttribute3","equals":"vast"},'
    f'{{"group":"{STAFF}"}},{{"unit":"{UNIT}"}},{{"school":"{ROSTER}","role":"teacher"}}],"include":["guests"]}}'
)


def name(number: int) -> str:
    return f"achternaam{number:02}"


def person(number: int) -> str:
    return guid(name(number))


def seed() -> dict[str, Any]:
    product = {
        "skuId": HOME_GROWN,
        "skuPartNumber": "HOME_GROWN",
        "servicePlans": [{"servicePlanId": guid("plan"), "servicePlanName": "HOME_GROWN_PLAN", "appliesTo": "Company"}],
    }
    return {"apps": [], "catalogue": {"skus": [product]}, "tenants": [_tenant()]}


def _tenant() -> dict[str, Any]:
    return {
        "id": SCHOOL_OF_NAMES,
        "displayName": "School van Namen",
        "domains": [DOMAIN, "veelnamen.onmicrosoft.com"],
        "country": "NL",
        "defaultUsageLocation": None,
        "consents": [{"app": APP, "roles": ROLES}],
        "subscriptions": [
            {"skuId": A1, "totalLicenses": 1000},
            {"skuId": A3, "totalLicenses": 100, "nextLifecycleDateTime": "2027-07-31T00:00:00Z"},
            {"skuId": A3, "totalLicenses": 7, "status": "Warning"},
            {"skuId": HOME_GROWN, "totalLicenses": 3, "status": "Suspended"},
        ],
        "users": [_user(number) for number in range(PEOPLE)],
        "groups": _groups(),
        "administrativeUnits": [{"id": UNIT, "displayName": f"Unit {name(5)}", "members": [person(5), person(6)]}],
        "schools": [{"id": ROSTER, "displayName": f"School {name(7)}", "members": [person(7), person(8), person(9)]}],
    }


def _user(number: int) -> dict[str, Any]:
    word = name(number)
    return {
        "id": person(number),
        "userPrincipalName": f"{word}@{DOMAIN}",
        "displayName": f"Voornaam {word.title()}",
        "givenName": f"Voornaam {word.title()}",
        "surname": word.title(),
        "mail": f"{word}@{DOMAIN}",
        "mobilePhone": f"06-{number:08}",
        "jobTitle": f"Leerkracht van {word}",
        "employeeId": f"nummer-{word}",
        "accountEnabled": number % 11 != 10,
        "userType": "Guest" if number % 13 == 12 else "Member",
        "usageLocation": None if number % 7 == 6 else "NL",
        "department": "Team 99XA" if number % 4 == 0 else f"Team van {word}",
        "officeLocation": f"Kamer {word}",
        "extensions": {"extensionAttribute3": "Vast" if number % 5 == 0 else word, "extensionAttribute9": word},
        "primaryRole": {7: "teacher", 8: "student", 9: "teacher"}.get(number, "none"),
        "assignments": _assignments(number),
    }


def _assignments(number: int) -> list[dict[str, Any]]:
    direct = {"skuId": A1, "disabledPlans": [YAMMER] if number % 2 else []}
    inherited = {"skuId": A3, "assignedByGroup": LICENSED, "disabledPlans": [YAMMER]}
    match number % 6:
        case 0 | 1:
            return [direct]
        case 2:
            return [direct, {**inherited, "state": "Error", "error": "CountViolation"}]
        case 3:
            return [inherited, {"skuId": A3}]
        case _:
            return []


def _groups() -> list[dict[str, Any]]:
    rule = f'(user.department -eq "Team 99XA") -or (user.userPrincipalName -eq "{name(2)}@{DOMAIN}")'
    licences = [{"skuId": A3, "disabledPlans": [YAMMER]}]
    inheriting = [person(number) for number in range(PEOPLE) if number % 6 in {2, 3}]
    return [
        {"id": STAFF, "displayName": f"Klas van {name(1)}", "mailNickname": name(1), "members": [person(1), person(2)]},
        {
            "id": LICENSED,
            "displayName": f"Licenties van {name(3)}",
            "mailNickname": f"groep-{name(3)}",
            "groupTypes": ["DynamicMembership"],
            "membershipRule": rule,
            "assignedLicenses": licences,
            "members": inheriting,
        },
        {"id": EMPTY, "displayName": f"Straks voor {name(4)}", "assignedLicenses": licences},
    ]
