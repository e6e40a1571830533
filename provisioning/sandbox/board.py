"""The profile `board`: one school board with 12 schools in one tenant, as a licence intermediary meets them.

Nobody in it is a person: names are a role and a number.
"""

import random
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from provisioning.sandbox.model import AdministrativeUnit, Group, School
from provisioning.sandbox.seed import (
    Seed,
    SeedApp,
    SeedConsent,
    SeedSecret,
    SeedTenant,
)
from provisioning.sandbox.seed_subscriptions import SeedSubscription

BOARD_TENANT = "7c4a1f1e-52f0-4d0f-8b5e-2f1b6a9d0b01"
BOARD_APP = "3b9d5c62-0e6e-4c8e-9a35-6f2b7a1c0a01"
BOARD_SECRET = "sandbox-secret-of-the-board-app"  # noqa: S105 - opens nothing but this twin
ROLES = [
    "LicenseAssignment.ReadWrite.All",
    "User.ReadWrite.All",
    "User.Read.All",
    "GroupMember.Read.All",
    "Organization.Read.All",
    "EduRoster.Read.All",
    "AdministrativeUnit.Read.All",
]
A1_FACULTY, A1_STUDENT = "94763226-9b3c-4e75-a931-5c89701abe66", "314c4481-f395-4525-be8b-2ec4bb1e9d91"
A1_PLUS_FACULTY = "78e66a63-337a-4a9a-8959-41c6654dfb56"  # retired on 2024-08-01
A3_FACULTY, A3_STUDENT_BENEFIT = "4b590615-0888-425a-a965-b3bf7789848d", "18250162-5d87-4436-a834-d795c15c80f3"
YAMMER = "2078e8df-cff6-4290-98cb-5408261a760a"
_SCHOOLS = (
    *("De Akker", "De Berk", "De Cirkel", "De Dijk", "De Eik", "De Fontein"),
    *("De Gaard", "De Horizon", "Het Kompas", "De Linde", "De Molen", "De Regenboog"),
)
_STAFF, _SMALLEST_SCHOOL, _LARGEST_SCHOOL = 310, 90, 260
_A1_PLUS_SEATS = 25

Row = dict[str, Any]


def board(random_seed: int) -> Seed:
    """12 schools, 310 staff, their pupils; most staff on A1, a first school on A3, a few odd ones on purpose."""
    rng = random.Random(random_seed)
    schools = [_school(number, name) for number, name in enumerate(_SCHOOLS, 1)]
    staff = [_staff_member(rng, number, schools[number % len(schools)]) for number in range(1, _STAFF + 1)]
    pupils = list(_pupils(rng, schools))
    return Seed(randomSeed=random_seed, apps=[sandbox_app()], tenants=[_tenant(schools, staff, pupils)])


def sandbox_app() -> SeedApp:
    """The one app that generated worlds know, with a secret."""
    return SeedApp(id=BOARD_APP, secrets=[SeedSecret(value=BOARD_SECRET)], requiredRoles=ROLES)


def _tenant(schools: list[Row], staff: list[Row], pupils: list[Row]) -> SeedTenant:
    domains = ["bestuur.example", "bestuur.onmicrosoft.com", *(school["domain"] for school in schools)]
    return SeedTenant(
        id=BOARD_TENANT,
        displayName="Stichting Voorbeeldscholen",
        domains=domains,
        consents=[SeedConsent(app=BOARD_APP, roles=ROLES)],
        subscriptions=[
            SeedSubscription(skuId=A1_FACULTY, totalLicenses=500_000),
            SeedSubscription(skuId=A1_STUDENT, totalLicenses=1_000_000),
            SeedSubscription(skuId=A3_FACULTY, totalLicenses=_STAFF),
            SeedSubscription(skuId=A3_STUDENT_BENEFIT, totalLicenses=_STAFF * 10),
            SeedSubscription(skuId=A1_PLUS_FACULTY, totalLicenses=_A1_PLUS_SEATS, status="Suspended"),
        ],
        users=[*staff, *pupils],
        groups=[
            Group(id=_id("group staff"), displayName="Personeel", members=_names(staff)),
            *(group for school in schools for group in _groups(school, staff, pupils)),
        ],
        administrativeUnits=[_unit(school, [*staff, *pupils]) for school in schools],
        schools=[_roster(school, [*staff, *pupils]) for school in schools],
    )


def _school(number: int, name: str) -> Row:
    code = f"99X{chr(64 + number)}"
    domain = name.lower().replace(" ", "") + ".bestuur.example"
    return {"number": number, "code": code, "name": name, "domain": domain, "id": f"school-{number:02}"}


def _staff_member(rng: random.Random, number: int, school: Row) -> Row:
    sku = A3_FACULTY if school["id"] == "school-01" else A1_FACULTY
    member = _person(f"medewerker-{number:04}", school, "teacher")
    member["jobTitle"] = rng.choice(("Leerkracht", "Leerkracht", "Intern begeleider", "Directie", "Onderwijsassistent"))
    member["employeeType"] = "Personeel"
    member["assignments"] = [{"skuId": sku, "disabledPlans": [YAMMER] if rng.random() < 0.1 else []}]  # noqa: PLR2004 - one in ten
    return _with_oddities(member, number)


def _with_oddities(member: Row, number: int) -> Row:
    """What every real tenant has: a guest, an account without a location, one that has left, a product long retired."""
    oddities: dict[int, Row] = {
        17: {"usageLocation": None, "assignments": []},
        33: {"accountEnabled": False},
        51: {"userType": "Guest", "usageLocation": None, "assignments": []},
        67: {"assignments": [{"skuId": A1_PLUS_FACULTY}]},
    }
    return member | oddities.get(number % 100, {})


def _pupils(rng: random.Random, schools: list[Row]) -> Iterator[Row]:
    number = 0
    for school in schools:
        for _ in range(rng.randint(_SMALLEST_SCHOOL, _LARGEST_SCHOOL)):
            number += 1
            pupil = _person(f"leerling-{number:05}", school, "student")
            pupil["employeeType"] = "Leerling"
            pupil["employeeId"] = f"{900_000 + number}"
            pupil["extensions"] = {"extensionAttribute1": f"groep {rng.randint(1, 8)}"}
            pupil["assignments"] = [{"skuId": A1_STUDENT}]
            yield pupil


def _person(name: str, school: Row, role: str) -> Row:
    upn = f"{name}@{school['domain']}"
    return {
        "id": _id(upn),
        "userPrincipalName": upn,
        "displayName": name,
        "mail": upn,
        "usageLocation": "NL",
        "department": school["code"],
        "companyName": school["name"],
        "primaryRole": role,
    }


def _groups(school: Row, staff: list[Row], pupils: list[Row]) -> Iterator[Group]:
    for kind, people in (("team", staff), ("leerlingen", pupils)):
        name = f"{school['code']} {kind}"
        yield Group(id=_id(f"group {name}"), displayName=name, members=_names(_of(school, people)))


def _unit(school: Row, people: list[Row]) -> AdministrativeUnit:
    members = _names(_of(school, people))
    return AdministrativeUnit(id=_id(f"unit {school['code']}"), displayName=school["name"], members=members)


def _roster(school: Row, people: list[Row]) -> School:
    code, members = school["code"], _names(_of(school, people))
    return School(id=school["id"], displayName=school["name"], externalId=code, schoolNumber=code, members=members)


def _of(school: Row, people: list[Row]) -> list[Row]:
    """Who belongs to a school: its own people, and those of its neighbour who teach at both."""
    return [
        person
        for person in people
        if person["department"] == school["code"] or _second_school(person) == school["number"]
    ]


def _second_school(person: Row) -> int | None:
    """Every sixtieth of the staff teaches at the next school as well: one account, one department, two teams."""
    number = int(person["displayName"].rpartition("-")[2])
    if person["primaryRole"] != "teacher" or number % 60:
        return None
    own = ord(person["department"][-1]) - 64
    return own % len(_SCHOOLS) + 1


def _names(people: Iterable[Row]) -> list[str]:
    return [person["userPrincipalName"] for person in people]


def _id(name: str) -> str:
    return str(uuid.uuid5(uuid.UUID(BOARD_TENANT), name))
