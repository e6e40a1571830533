"""The tenants of the story as a seed of the twin: made by counting, so that it is the same every time.

Nobody in it is a person: names are a role and a number.
"""

import uuid
from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]

A1, A3 = "94763226-9b3c-4e75-a931-5c89701abe66", "4b590615-0888-425a-a965-b3bf7789848d"
YAMMER = "2078e8df-cff6-4290-98cb-5408261a760a"  # a service plan of both
WATERLIJN = "5d0f3a61-6a55-4d2c-9d52-0c5a6f1e1001"
DUINRAND = "8e27c4b9-6a55-4d2c-9d52-0c5a6f1e1002"
VLIEGER = "b41a90d3-6a55-4d2c-9d52-0c5a6f1e1003"
PRISMA = "f6c2e578-6a55-4d2c-9d52-0c5a6f1e1004"
WATERLIJN_STAFF, DUINRAND_STAFF, VLIEGER_STAFF, PRISMA_STAFF = 310, 30, 18, 12
DUINRAND_SEATS = 24  # fewer than there are staff

_WATERLIJN_SCHOOLS = tuple(f"99X{letter}" for letter in "ABCDEFGHIJKL")
_DUINRAND_SCHOOLS = ("99YA", "99YB")
_SWITCHED_OFF_EVERY, _NOWHERE_EVERY = 6, 5


def story_seed(random_seed: int) -> Row:
    """Four tenants: a board of twelve schools, a board of two, and two schools that stand alone."""
    return {
        "randomSeed": random_seed,
        "tenants": [
            _tenant(
                WATERLIJN, "waterlijn", "Stichting De Waterlijn",
                seats={A1: 5_000, A3: WATERLIJN_STAFF}, users=_staff(WATERLIJN_STAFF, "waterlijn", _WATERLIJN_SCHOOLS),
            ),
            _tenant(
                DUINRAND, "duinrand", "Stichting Onderwijs Duinrand",
                seats={A3: DUINRAND_SEATS}, users=_newcomers(DUINRAND_STAFF, "duinrand", _DUINRAND_SCHOOLS),
            ),
            _tenant(
                VLIEGER, "vlieger", "De Vlieger",
                seats={A1: 500, A3: VLIEGER_STAFF}, users=_staff(VLIEGER_STAFF, "vlieger", ("99ZA",)),
            ),
            _tenant(
                PRISMA, "prisma", "Het Prisma",
                seats={A1: 500}, users=_staff(PRISMA_STAFF, "prisma", ("99ZB",)),
            ),
        ],
    }  # fmt: skip


def _tenant(tenant: str, name: str, title: str, *, seats: dict[str, int], users: list[Row]) -> Row:
    return {
        "id": tenant,
        "displayName": title,
        "domains": [f"{name}.example", f"{name}.onmicrosoft.com"],
        "defaultUsageLocation": None,
        "subscriptions": [{"skuId": sku, "totalLicenses": number} for sku, number in seats.items()],
        "users": users,
    }


def _staff(number: int, name: str, schools: Sequence[str]) -> list[Row]:
    """Everybody on A1; for every sixth the school switched Yammer off."""
    return [
        _person(one, name, schools)
        | {"assignments": [{"skuId": A1, "disabledPlans": [YAMMER] if one % _SWITCHED_OFF_EVERY == 0 else []}]}
        for one in range(1, number + 1)
    ]


def _newcomers(number: int, name: str, schools: Sequence[str]) -> list[Row]:
    """Nobody with a licence; for every fifth nobody filled in the country."""
    return [
        _person(one, name, schools) | ({"usageLocation": None} if one % _NOWHERE_EVERY == 0 else {})
        for one in range(1, number + 1)
    ]


def _person(number: int, name: str, schools: Sequence[str]) -> Row:
    account = f"medewerker-{number:04}"
    upn = f"{account}@{name}.example"
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_DNS, upn)),
        "userPrincipalName": upn,
        "displayName": account,
        "mail": upn,
        "usageLocation": "NL",
        "department": schools[number % len(schools)],
        "employeeType": "Personeel",
    }
