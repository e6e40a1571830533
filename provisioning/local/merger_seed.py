"""Two boards that become one, as a seed of the twin: everybody of the first has an account at the second already.

Nobody in it is a person: names are a role and a number. The odd ones are there because every merger has them.
"""

from provisioning.local.story_seed import A3, YAMMER, Row

SOURCE, TARGET = "oostwijk.example", "samen.example"
NEIGHBOUR = "buurman.example"  # a school of nobody's board that uses the source's tenant too
SOURCE_TENANT, TARGET_TENANT = "1c5e2a70-6a55-4d2c-9d52-0c5a6f1e2001", "2d6f3b81-6a55-4d2c-9d52-0c5a6f1e2002"
SOURCE_BOARD, TARGET_BOARD, NEIGHBOUR_SCHOOL = "40001", "40002", "99WC00"
A1_STUDENT, A3_STUDENT = "314c4481-f395-4525-be8b-2ec4bb1e9d91", "18250162-5d87-4436-a834-d795c15c80f3"
STAFF, PUPILS = range(1, 16), range(1, 26)  # who comes
PILOT = (1, 2, 3, 10, 11)
LACKING, DISPUTED, LICENSED, OF_TWO, DISABLED = 4, 5, 8, 9, 13  # the first four of the staff, the last a pupil
WRONG_ACCOUNT = 7  # of somebody else at the target, to whom the map leads as well
STAFF_SEATS, PUPIL_SEATS = 36, 65  # of the target: for its own people and for who comes
_OWN_STAFF, _OWN_PUPILS = range(1, 21), range(1, 41)
_ADDON = "9f0b6c42-6a55-4d2c-9d52-0c5a6f1e2003"
_AT_THE_TARGET = 100  # added to somebody's number


def merger_seed() -> Row:
    """Oostwijk, 40 people and a guest, goes to Samen, which has 60 of its own."""
    addon = {"skuId": _ADDON, "skuPartNumber": "CROSS_TENANT_USER_DATA_MIGRATION", "servicePlans": []}
    return {"randomSeed": 1, "catalogue": {"skus": [addon]}, "tenants": [_source(), _target()]}


def staff_name(number: int, domain: str) -> str:
    return _named("medewerker", number, domain)


def at_the_target(number: int) -> int:
    """The number of the account that waits for somebody at the target."""
    return number + _AT_THE_TARGET


def _source() -> Row:
    staff = [_with_oddities(number, _staff_member(number, SOURCE, [_holding(A3)])) for number in STAFF]
    pupils = [_pupil(number, number, SOURCE, [_holding(A1_STUDENT)]) for number in PUPILS]
    pupils[DISABLED - 1]["accountEnabled"] = False
    guest = _staff_member(99, SOURCE, [_holding(A3)]) | {"userType": "Guest"}
    neighbour = _staff_member(1, NEIGHBOUR, [_holding(A3)]) | {"officeLocation": NEIGHBOUR_SCHOOL}
    return {
        "id": SOURCE_TENANT,
        "displayName": "Stichting Oostwijk",
        "domains": [SOURCE, f"leerling.{SOURCE}", NEIGHBOUR, "oostwijk.onmicrosoft.com"],
        "subscriptions": [_bought(A3, 20), _bought(A1_STUDENT, 500)],
        "users": [*staff, *pupils, guest, neighbour],
    }


def _with_oddities(number: int, member: Row) -> Row:
    """The pilot; a service that somebody's school switched off; and who works at the neighbours' as well."""
    oddities: dict[int, Row] = {
        3: {"assignments": [_holding(A3, YAMMER)]},
        OF_TWO: {"officeLocation": NEIGHBOUR_SCHOOL},
    }
    return member | ({"department": "ICT"} if number in PILOT else {}) | oddities.get(number, {})


def _target() -> Row:
    coming = [
        _staff_member(at_the_target(number), TARGET, [_holding(A3)] if number == LICENSED else [])
        for number in STAFF
        if number != LACKING
    ]
    return {
        "id": TARGET_TENANT,
        "displayName": "Stichting Samen",
        "domains": [TARGET, f"leerling.{TARGET}", "samen.onmicrosoft.com"],
        "subscriptions": [_bought(A3, STAFF_SEATS), _bought(A3_STUDENT, PUPIL_SEATS), _bought(_ADDON, len(STAFF) + 25)],
        "users": [
            *(_staff_member(number, TARGET, [_holding(A3)]) for number in _OWN_STAFF),
            *(_pupil(number, number + 500, TARGET, [_holding(A3_STUDENT)]) for number in _OWN_PUPILS),
            *coming,
            *(_pupil(at_the_target(number), number, TARGET, []) for number in PUPILS),
        ],
    }


def _staff_member(number: int, domain: str, held: list[Row]) -> Row:
    return _person(staff_name(number, domain), held) | {"employeeType": "Personeel"}


def _pupil(number: int, pupil_number: int, domain: str, held: list[Row]) -> Row:
    """Pupils keep their number when their school changes hands: by it they are found."""
    name = _named("leerling", number, f"leerling.{domain}")
    return _person(name, held) | {"employeeType": "Leerling", "employeeId": f"{900_000 + pupil_number}"}


def _named(role: str, number: int, domain: str) -> str:
    return f"{role}-{number:04}@{domain}"


def _person(name: str, held: list[Row]) -> Row:
    return {
        "userPrincipalName": name,
        "displayName": name.partition("@")[0],
        "mail": name,
        "usageLocation": "NL",
        "assignments": held,
    }


def _holding(sku: str, *switched_off: str) -> Row:
    return {"skuId": sku, "disabledPlans": list(switched_off)}


def _bought(sku: str, seats: int) -> Row:
    return {"skuId": sku, "totalLicenses": seats}
