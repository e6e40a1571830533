"""The profile `sector`: as many tenants as wanted, in the shapes of Dutch primary education.

Boards by number of schools as in the register of 2013 (43 % have one, median 3, 90th percentile 17, largest 64),
schools by number of pupils as in 2022/23. One member of staff for ten pupils is an assumption. The same number makes
the same world. Nobody in it is a person: people are a role and a number, schools are syllables with codes from 40AA on.
"""

import random
import uuid
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Literal

import msgspec

from provisioning.sandbox.board import (
    A1_FACULTY,
    A1_PLUS_FACULTY,
    A1_STUDENT,
    A3_FACULTY,
    A3_STUDENT_BENEFIT,
    BOARD_APP,
    ROLES,
    YAMMER,
)
from provisioning.sandbox.model import AdministrativeUnit, Group, School
from provisioning.sandbox.seed import SeedConsent, SeedPopulation, SeedTenant
from provisioning.sandbox.seed_subscriptions import SeedSubscription

# Shares of all boards or schools, and the number that they stay below; in between it is linear.
Shape = Sequence[tuple[float, float]]
_SCHOOLS_OF_BOARDS: Shape = (
    *((0.0, 1), (0.433, 1), (0.4331, 2), (0.497, 3), (0.602, 6), (0.76, 11), (0.83, 13.5)),
    *((0.905, 18), (0.938, 21), (0.97, 28), (0.993, 41), (0.9975, 50), (1.0, 65)),
)
_PUPILS_OF_SCHOOLS: Shape = ((0.0, 25), (0.179, 100), (0.513, 200), (0.75, 290), (0.957, 500), (1.0, 900))
_PUPILS_PER_STAFF = 10
_GOLDEN = 0.6180339887498949  # successive multiples of it spread evenly, wherever one stops
_FIRST_CODE = 40 * 26 * 26
_NAMESPACE = uuid.UUID("0f6e1c52-7a3d-4c1b-9d55-3c1f6a2b7e01")
_SYLLABLES = (
    *("ba", "bo", "da", "do", "fi", "fo", "ga", "ka", "ki", "la", "lo", "ma", "mi", "na"),
    *("no", "pa", "ra", "ri", "ro", "sa", "si", "so", "ta", "to", "va", "vi", "wa", "zo"),
)
_MIXED_EVERY, _UNASKED_EVERY, _A3_EVERY, _LEFTOVER_EVERY = 8, 25, 3, 10

Kind = Literal["T1", "T2", "T3"]


class SchoolShape(msgspec.Struct, frozen=True, dict=True):
    """`number` counts the schools of the whole sector."""

    number: int
    pupils: int

    @property
    def staff(self) -> int:
        return max(1, round(self.pupils / _PUPILS_PER_STAFF))

    @property
    def people(self) -> int:
        return self.pupils + self.staff

    @cached_property
    def code(self) -> str:
        rest, last = divmod(_FIRST_CODE + self.number, 26)
        digits, first = divmod(rest, 26)
        return f"{digits % 100:02}{chr(65 + first)}{chr(65 + last)}"

    @cached_property
    def name(self) -> str:
        return f"De {_word(self.number)}"


class TenantShape(msgspec.Struct, frozen=True, dict=True):
    """T1: one school's own. T2: a board's, with all its schools. T3: the same, but a school or two kept their own."""

    number: int
    kind: Kind
    schools: tuple[SchoolShape, ...]

    @property
    def people(self) -> int:
        return sum(school.people for school in self.schools)


def sector(tenants: int, users: int | None = None, random_seed: int = 1) -> Iterator[SeedTenant]:
    """Tenant by tenant, so that a large sector never exists as a document; `users`: mean number of people in one."""
    rng = random.Random(f"sector {random_seed}")
    shapes = _scaled(_shapes(tenants, rng), users)
    return (_Planner(shape, random_seed).tenant() for shape in shapes)


def _shapes(tenants: int, rng: random.Random) -> list[TenantShape]:
    shapes: list[TenantShape] = []
    sizes, schools = board_sizes(rng), 0
    while len(shapes) < tenants:
        numbers = range(schools, schools + next(sizes))
        board = tuple(SchoolShape(number, int(_value(_PUPILS_OF_SCHOOLS, rng.random()))) for number in numbers)
        schools = numbers.stop
        shapes += _tenants_of(board, len(shapes))
    return shapes[:tenants]


def board_sizes(rng: random.Random) -> Iterator[int]:
    """Numbers of schools of one board after the other, without end; any number of them is spread as the register is."""
    at = rng.random()
    while True:
        at = (at + _GOLDEN) % 1.0
        yield int(_value(_SCHOOLS_OF_BOARDS, at))


def _tenants_of(board: tuple[SchoolShape, ...], number: int) -> list[TenantShape]:
    """One tenant, or for some boards of several schools one and those of the schools that kept their own."""
    if len(board) == 1:
        return [TenantShape(number, "T1", board)]
    if board[0].number % _MIXED_EVERY:
        return [TenantShape(number, "T2", board)]
    own = board[-1 - (len(board) > 5) :]  # noqa: PLR2004 - of a larger board two schools have their own
    apart = [TenantShape(number + place, "T3", (school,)) for place, school in enumerate(own, 1)]
    return [TenantShape(number, "T3", board[: -len(own)]), *apart]


def _value(shape: Shape, share: float) -> float:
    place = min(bisect_right(shape, share, key=lambda point: point[0]), len(shape) - 1)
    (before, low), (after, high) = shape[place - 1], shape[place]
    return low + (high - low) * (share - before) / (after - before)


def _scaled(shapes: list[TenantShape], users: int | None) -> list[TenantShape]:
    """The same shapes with so many people in a tenant on average; every school keeps at least one pupil."""
    if users is None:
        return shapes
    factor = users * len(shapes) / sum(shape.people for shape in shapes)
    return [
        msgspec.structs.replace(
            shape,
            schools=tuple(
                SchoolShape(school.number, max(1, round(school.pupils * factor))) for school in shape.schools
            ),
        )
        for shape in shapes
    ]


def _word(number: int) -> str:
    """Three syllables; as in reality, some schools share a name."""
    base = len(_SYLLABLES)
    syllables = [_SYLLABLES[number % base], _SYLLABLES[number // base % base], _SYLLABLES[number // base**2 % base]]
    return "".join(reversed(syllables)).capitalize()


class _Planner:
    """One tenant as a seed."""

    def __init__(self, shape: TenantShape, random_seed: int) -> None:
        self._shape = shape
        self._name = f"bestuur{shape.number:05}"
        self.tenant_id = str(uuid.uuid5(_NAMESPACE, f"{random_seed} {shape.number}"))
        self._has_a3 = shape.number % _A3_EVERY == 0
        self._has_leftovers = shape.number % _LEFTOVER_EVERY == 0
        self._has_school_domains = shape.number % 2 == 0 and len(shape.schools) > 1

    def tenant(self) -> SeedTenant:
        asked = self._shape.number % _UNASKED_EVERY != 0
        parts = [(school, self._staff(school), self._pupils(school)) for school in self._shape.schools]
        domains = [f"{self._name}.example", f"{self._name}.onmicrosoft.com"]
        if self._has_school_domains:
            domains += [self._domain(school) for school in self._shape.schools]
        return SeedTenant(
            id=self.tenant_id,
            displayName=self._title(),
            domains=domains,
            consents=[SeedConsent(app=BOARD_APP, roles=ROLES)] if asked else [],
            subscriptions=list(self._subscriptions()),
            population=[row for _, staff, pupils in parts for row in (*staff, *pupils)],
            groups=[group for part in parts for group in self._groups(*part)],
            administrativeUnits=[self._unit(*part) for part in parts],
            schools=[self._roster(*part) for part in parts],
        )

    def _title(self) -> str:
        first = self._shape.schools[0]
        return first.name if len(self._shape.schools) == 1 else f"Stichting {_word(first.number)}"

    def _domain(self, school: SchoolShape) -> str:
        base = f"{self._name}.example"
        return f"{school.code.lower()}.{base}" if self._has_school_domains else base

    def _subscriptions(self) -> Iterator[SeedSubscription]:
        staff = sum(school.staff for school in self._shape.schools)
        pupils = sum(school.pupils for school in self._shape.schools)
        yield SeedSubscription(skuId=A1_FACULTY, totalLicenses=500_000)
        yield SeedSubscription(skuId=A1_STUDENT, totalLicenses=1_000_000)
        if self._has_a3:
            yield SeedSubscription(skuId=A3_FACULTY, totalLicenses=staff)
            yield SeedSubscription(skuId=A3_STUDENT_BENEFIT, totalLicenses=max(pupils, staff * 10))
        if self._has_leftovers:
            yield SeedSubscription(skuId=A1_PLUS_FACULTY, totalLicenses=staff, status="Suspended")

    def _staff(self, school: SchoolShape) -> list[SeedPopulation]:
        """Most alike, and the odd ones that every tenant has: no location, left, a guest, a plan switched off."""
        sku = A3_FACULTY if self._has_a3 else A1_FACULTY
        common = {"primaryRole": "teacher", "employeeType": "Personeel", "jobTitle": "Leerkracht"}
        licence = [{"skuId": sku}]
        odd: list[tuple[str, dict[str, Any]]] = [
            ("invaller", {"assignments": [{"skuId": sku, "disabledPlans": [YAMMER]}]}),
            ("stagiair", {"usageLocation": None}),
            ("oud-medewerker", {"accountEnabled": False, "assignments": licence}),
            ("gast", {"userType": "Guest", "usageLocation": None}),
        ]
        counted = [(name, _odd_ones(school, place), more) for place, (name, more) in enumerate(odd)]
        usual = A1_PLUS_FACULTY if self._has_leftovers else sku
        rest = school.staff - sum(count for _, count, _ in counted)
        kinds = [("medewerker", rest, {"assignments": [{"skuId": usual}]}), *counted]
        return [self._some(school, name, count, common | more) for name, count, more in kinds if count]

    def _pupils(self, school: SchoolShape) -> list[SeedPopulation]:
        sku = A3_STUDENT_BENEFIT if self._has_a3 else A1_STUDENT
        more = {"primaryRole": "student", "employeeType": "Leerling", "assignments": [{"skuId": sku}]}
        return [self._some(school, "leerling", school.pupils, more)]

    def _some(self, school: SchoolShape, name: str, count: int, more: dict[str, Any]) -> SeedPopulation:
        user = {"usageLocation": "NL", "department": school.code, "companyName": school.name, **more}
        return SeedPopulation(
            count=count, prefix=f"{name}.{school.code.lower()}", domain=self._domain(school), user=user
        )

    def _groups(
        self, school: SchoolShape, staff: list[SeedPopulation], pupils: list[SeedPopulation]
    ) -> Iterator[Group]:
        for kind, people in (("team", staff), ("leerlingen", pupils)):
            name = f"{school.code} {kind}"
            yield Group(id=self._id(f"group {name}"), displayName=name, members=_names(people))

    def _unit(
        self, school: SchoolShape, staff: list[SeedPopulation], pupils: list[SeedPopulation]
    ) -> AdministrativeUnit:
        members = _names([*staff, *pupils])
        return AdministrativeUnit(id=self._id(f"unit {school.code}"), displayName=school.name, members=members)

    def _roster(self, school: SchoolShape, staff: list[SeedPopulation], pupils: list[SeedPopulation]) -> School:
        members = _names([*staff, *pupils])
        return School(
            id=f"school-{school.code.lower()}",
            displayName=school.name,
            externalId=school.code,
            schoolNumber=school.code,
            members=members,
        )

    def _id(self, name: str) -> str:
        return str(uuid.uuid5(uuid.UUID(self.tenant_id), name))


def _odd_ones(school: SchoolShape, kind: int) -> int:
    """A tenth of each of the four kinds, and one more of one kind: so even small sectors have them all."""
    has_one_more = school.number % 4 == kind and school.staff > 1
    return school.staff // 10 + has_one_more


def _names(populations: list[SeedPopulation]) -> list[str]:
    return [upn for population in populations for upn in population.names]
