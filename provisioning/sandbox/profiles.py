"""Generated worlds by name: `board`, one school board; `sector`, as many tenants as wanted."""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated

import msgspec

from provisioning.sandbox.board import BOARD_APP, BOARD_SECRET, BOARD_TENANT, board, sandbox_app
from provisioning.sandbox.sector import sector
from provisioning.sandbox.seed import Seed, plant
from provisioning.sandbox.world import World

__all__ = ["BOARD_APP", "BOARD_SECRET", "BOARD_TENANT", "PROFILES", "Profile", "plant_profile"]

MOST_TENANTS = 6_000  # beyond, there are not enough codes for all schools
_Count = Annotated[int, msgspec.Meta(ge=1)]


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`tenants` and `users` (people in a tenant on average; None: as in reality) are for a sector."""

    profile: str
    tenants: Annotated[int, msgspec.Meta(ge=1, le=MOST_TENANTS)] = 100
    users: _Count | None = None
    random_seed: int = 1


def _board(wanted: Profile) -> Iterator[Seed]:
    yield board(wanted.random_seed)


def _sector(wanted: Profile) -> Iterator[Seed]:
    yield Seed(apps=[sandbox_app()])
    for tenant in sector(wanted.tenants, wanted.users, wanted.random_seed):
        yield Seed(tenants=[tenant])


PROFILES: Mapping[str, Callable[[Profile], Iterator[Seed]]] = {"board": _board, "sector": _sector}


def plant_profile(world: World, wanted: Profile) -> None:
    """Add a generated world, piece by piece; raises ValueError for a name that there is not."""
    if wanted.profile not in PROFILES:
        raise ValueError(f"There is no profile {wanted.profile}: choose from {', '.join(PROFILES)}.")
    for seed in PROFILES[wanted.profile](wanted):
        plant(world, seed)
