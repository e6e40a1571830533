"""A board whose schools share one tenant, of any size: what a delivery is planned from, in realistic proportions.

Nobody is invented: people are numbers that look like directory object ids.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from random import Random
from typing import Any
from uuid import UUID

import msgspec

from config.limits import default_limits
from mappings.loader import load_mappings
from provisioning.domain.catalogue import Audience, Mappings
from provisioning.domain.ids import (
    Actor,
    ArticleCode,
    BindingId,
    GroupId,
    OperationId,
    OrganisationId,
    PlanId,
    ServicePlanId,
    SkuId,
    SubjectId,
    TenantId,
)
from provisioning.domain.observation import Census, HeldLicence, Membership, Person, SeatCount
from provisioning.domain.operation import Wish
from provisioning.domain.permissions import PEOPLE
from provisioning.domain.tenancy import AssignmentMode, Binding, Policy
from provisioning.planning.deliver_scene import DeliverScene
from provisioning.planning.guards import Usage
from provisioning.planning.plan import Grounds
from provisioning.planning.selection import select

NOW = datetime(2026, 8, 17, 7, tzinfo=UTC)
TENANT = TenantId("5d0b0c6e-3c51-4a8e-9a43-0d6f1f2b7a10")
OPERATION = OperationId("0f7f5f0a-8f1d-4a52-9d8e-6f3b1c2d4e5f")
PLAN = PlanId("9a1b7c3d-2e4f-4a5b-8c6d-7e8f9a0b1c2d")
BOARD = OrganisationId("41000")
OLD_GROUP = GroupId("c1d2e3f4-0000-4000-8000-00000000a1a1")

A1_PUPIL = SkuId("314c4481-f395-4525-be8b-2ec4bb1e9d91")
A1_PLUS_PUPIL = SkuId("e82ae690-a2d5-4d76-8d30-7c6e01e6022e")
A3_PUPIL = SkuId("18250162-5d87-4436-a834-d795c15c80f3")
A5_PUPIL = SkuId("31d57bc7-3a05-4867-ab53-97a17835a411")
FLOW_FREE = SkuId("f30db892-07e9-47e9-837c-80727f46fd3d")  # a product of nobody's list: left alone everywhere

STAFF_RULE = '{"all":[{"attribute":"companyName","equals":"%s"},{"attribute":"employeeType","equals":"staff"}]}'
PUPIL_RULE = '{"all":[{"attribute":"companyName","equals":"%s"},{"attribute":"employeeType","equals":"pupil"}]}'


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody in the tenant, and how each school of the board tells its people."""

    census: Census
    bindings: tuple[Binding, ...]
    memberships: dict[str, Membership] = {}


def board_of(people: int, mappings: Mappings, *, schools: int = 12, seed: int = 1) -> Board:
    """`people` users over `schools` schools and one more that belongs to nobody; one in ten is staff."""
    chance = Random(seed)
    held = list(_licences(mappings, chance))
    everyone = tuple(_person(chance, held, schools) for _ in range(people))
    census = Census(tenant_id=TENANT, observed_at=NOW, is_complete=True, people=everyone)
    return Board(census=census, bindings=tuple(_binding(number) for number in range(schools)))


def deliver_scene(
    people: int, *, schools: int = 12, seed: int = 1, seats_share: float = 0.6, **known: Any
) -> DeliverScene:
    """A3 for all pupils of the board, with seats for `seats_share` of the tenant; `known` replaces fields."""
    mappings = load_mappings()
    board = board_of(people, mappings, schools=schools, seed=seed)
    wish = pupils_wish(mappings, board)
    seats = round(people * seats_share)
    holders = sum(person.holds(wish.sku_id) for person in board.census.people)
    scene = DeliverScene(
        plan_id=PLAN,
        operation_id=OPERATION,
        tenant_id=TENANT,
        now=NOW,
        wish=wish,
        policy=Policy(
            tenant_id=TENANT,
            valid_from=date(2026, 8, 1),
            assignment_mode=AssignmentMode.DIRECT,
            usage_location="NL",
            seat_priority=tuple(binding.organisation_id for binding in board.bindings[::2]),
            advised={Audience.STUDENT: frozenset({"yammer", "sway"})},
        ),
        mappings=mappings,
        grounds=Grounds(mapping="m", policy="p", bindings="b", authority="a"),
        census=board.census,
        selection=select(board.census, board.memberships, board.bindings, (), wish.audience),
        seats=seat_count(mappings, wish.sku_id, enabled=seats, consumed=holders),
        reserved=frozenset(),
        entitlement=seats,
        waiting=(),
        permissions=PEOPLE,
        usage=Usage(),
        limits=default_limits(),
    )
    return msgspec.structs.replace(scene, **known)


def pupils_wish(mappings: Mappings, board: Board) -> Wish:
    article = next(one for one in mappings.articles if one.code == "MS-BP-A3-LLN")
    return Wish(
        sku_id=A3_PUPIL,
        audience=Audience.STUDENT,
        article_code=ArticleCode(article.code),
        replaces=article.replaces,
        holder_id=BOARD,
        organisations=tuple(binding.organisation_id for binding in board.bindings),
        seats_wanted=len(board.census.people),
    )


def seat_count(mappings: Mappings, sku_id: SkuId, *, enabled: int, consumed: int = 0) -> SeatCount:
    sku = mappings.skus[sku_id]
    return SeatCount(
        sku_id=sku_id,
        part_number=sku.part_number,
        capability="Enabled",
        enabled=enabled,
        warning=0,
        suspended=0,
        locked_out=0,
        consumed=consumed,
        plan_ids=sku.plan_ids,
    )


def _binding(number: int) -> Binding:
    school = OrganisationId(f"{number:02d}XX")
    return Binding(
        binding_id=BindingId(f"binding-{number:02d}"),
        organisation_id=school,
        tenant_id=TENANT,
        valid_from=date(2026, 1, 1),
        selectors={Audience.FACULTY: STAFF_RULE % school, Audience.STUDENT: PUPIL_RULE % school},
        created_by=Actor("person:first"),
        confirmed_by=Actor("person:second"),
        confirmed_at=NOW,
    )


def _licences(mappings: Mappings, chance: Random) -> Iterator[tuple[HeldLicence, ...]]:
    """A hundred situations, as often as they are met: one value each, as the gateway makes them."""
    free = HeldLicence(FLOW_FREE)
    for _ in range(55):
        yield (HeldLicence(A1_PUPIL, _some_off(mappings, A1_PUPIL, chance)),)
    for _ in range(15):
        yield (HeldLicence(A1_PUPIL, _some_off(mappings, A1_PUPIL, chance)), free)
    for _ in range(5):
        yield (HeldLicence(A1_PLUS_PUPIL, _some_off(mappings, A1_PLUS_PUPIL, chance)),)
    yield from [()] * 13
    yield from [(HeldLicence(A3_PUPIL),)] * 8
    yield from [(HeldLicence(A5_PUPIL),)] * 2
    yield from [(HeldLicence(A1_PUPIL, group_id=OLD_GROUP),)] * 2


def _some_off(mappings: Mappings, sku_id: SkuId, chance: Random) -> frozenset[ServicePlanId]:
    plans = sorted(mappings.skus[sku_id].plan_ids)
    return frozenset(chance.sample(plans, chance.randrange(6)))


def _person(chance: Random, held: list[tuple[HeldLicence, ...]], schools: int) -> Person:
    school = chance.randrange(schools + 1)  # the last one is not ours
    return Person(
        subject_id=SubjectId(str(UUID(int=chance.getrandbits(128), version=4))),
        domain="example.org",
        is_enabled=chance.random() > 0.01,
        usage_location="NL" if chance.random() > 0.02 else None,
        attributes={"companyName": f"{school:02d}XX", "employeeType": "staff" if chance.random() < 0.1 else "pupil"},
        licences=chance.choice(held),
    )
