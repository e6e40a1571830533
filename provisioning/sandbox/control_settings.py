"""Control of the world as a whole: seed, clock, lag, switches, quotas, faults, counters."""

from collections import defaultdict
from typing import Any

import msgspec

from provisioning.sandbox.batch import BATCH
from provisioning.sandbox.clock import to_moment
from provisioning.sandbox.errors import AbsentError
from provisioning.sandbox.export import export_seed
from provisioning.sandbox.faults import Fault
from provisioning.sandbox.profiles import Profile, plant_profile
from provisioning.sandbox.quotas import Limit, Shape
from provisioning.sandbox.routes import ROUTES
from provisioning.sandbox.seed import Seed, plant, read_seed
from provisioning.sandbox.switches import Switches
from provisioning.sandbox.tenants import Tenant
from provisioning.sandbox.token_errors import REFUSALS
from provisioning.sandbox.wire import Request
from provisioning.sandbox.world import World

Answer = dict[str, Any]
FAULT_ROUTES = {route.kind for route in ROUTES} | {BATCH, "token", "consent"}


def get_tenant(world: World, id_or_domain: str) -> Tenant:
    """The tenant; raises AbsentError with a sentence."""
    tenant = world.find_tenant(id_or_domain)
    if tenant is None:
        raise AbsentError(f"The sandbox has no tenant {id_or_domain}.")
    return tenant


def needed(options: dict[str, str], name: str) -> str:
    """A query option that must be there; raises ValueError."""
    if not options.get(name):
        raise ValueError(f"The query option {name} is missing.")
    return options[name]


def health(world: World, _: Request) -> Answer:
    return {
        "status": "ok",
        "tenants": len(world.tenants),
        "users": sum(tenant.directory.count for tenant in world.tenants.values()),
        "ledger": len(world.ledger),
        **_clock(world),
    }


def seed(world: World, request: Request) -> Answer:
    """Plant a seed, whole or not at all; `?reset=true` empties the world first."""
    planted = read_seed(request.body)
    with world.all_or_nothing():
        if request.options.get("reset") == "true":
            world.reset(planted.randomSeed)
        plant(world, planted)
    return health(world, request)


def seed_profile(world: World, request: Request) -> Answer:
    """Plant a generated world, whole or not at all; `?reset=true` empties the present one first."""
    wanted = msgspec.json.decode(request.body, type=Profile)
    with world.all_or_nothing():
        if request.options.get("reset") == "true":
            world.reset(wanted.random_seed)
        plant_profile(world, wanted)
    return health(world, request)


def read_seed_of_now(world: World, _: Request) -> Seed:
    """The world as it is, to be planted again: without ledger, faults and counters."""
    return export_seed(world)


def reset(world: World, request: Request) -> Answer:
    world.reset()
    return health(world, request)


def _clock(world: World) -> Answer:
    now = world.clock.now()
    return {"now": now, "moment": to_moment(now), "factor": world.clock.factor}


def read_clock(world: World, _: Request) -> Answer:
    return _clock(world)


class ClockChange(msgspec.Struct, forbid_unknown_fields=True):
    factor: float | None = None
    advance: float = 0.0


def change_clock(world: World, request: Request) -> Answer:
    change = msgspec.json.decode(request.body, type=ClockChange)
    if change.advance < 0 or (change.factor is not None and change.factor <= 0):
        raise ValueError("Sandbox time only goes forward: give a positive factor and a positive advance.")
    if change.factor is not None:
        world.clock.set_factor(change.factor)
    world.clock.advance(change.advance)
    return _clock(world)


class LagChange(msgspec.Struct, forbid_unknown_fields=True):
    seconds: float
    tenant: str | None = None


def change_lag(world: World, request: Request) -> Answer:
    change = msgspec.json.decode(request.body, type=LagChange)
    if change.seconds < 0:
        raise ValueError("A replica cannot be ahead of the truth: give a lag of 0 or more seconds.")
    world.set_lag(change.seconds, None if change.tenant is None else [get_tenant(world, change.tenant)])
    return {"seconds": change.seconds, "tenant": change.tenant}


def read_switches(world: World, _: Request) -> Switches:
    return world.switches


def change_switches(world: World, request: Request) -> Switches:
    """Change the switches that are named; the others stay."""
    changed = {**msgspec.to_builtins(world.switches), **msgspec.json.decode(request.body, type=dict[str, Any])}
    world.switches = msgspec.convert(changed, Switches)
    return world.switches


def read_quotas(world: World, _: Request) -> Answer:
    return {"shape": world.quotas.shape, "limits": world.quotas.limits}


class LimitChange(msgspec.Struct, forbid_unknown_fields=True):
    capacity: float | None = None
    window: float | None = None


class QuotaChange(msgspec.Struct, forbid_unknown_fields=True):
    shape: Shape | None = None
    limits: dict[str, LimitChange] = {}


def change_quotas(world: World, request: Request) -> Answer:
    """Change the shape of the window, or capacities and windows; what was counted so far is forgotten."""
    change = msgspec.json.decode(request.body, type=QuotaChange)
    quotas = world.quotas
    for name, wanted in change.limits.items():
        quotas.limits[name] = _changed_limit(quotas.limits, name, wanted)
    quotas.shape = change.shape or quotas.shape
    quotas.reset(world.clock.now())
    return read_quotas(world, request)


def _changed_limit(limits: dict[str, Limit], name: str, wanted: LimitChange) -> Limit:
    if name not in limits:
        raise AbsentError(f"There is no limit {name}: choose from {', '.join(limits)}.")
    given = {field: value for field, value in msgspec.to_builtins(wanted).items() if value is not None}
    if any(value <= 0 for value in given.values()):
        raise ValueError("Capacity and window must be positive.")
    return msgspec.structs.replace(limits[name], **given)


def reset_quotas(world: World, request: Request) -> Answer:
    """Microsoft's limits again, and nothing counted."""
    world.quotas.restore()
    return read_quotas(world, request)


def fill_quotas(world: World, request: Request) -> Answer:
    """Every bucket full: nothing used."""
    world.quotas.reset(world.clock.now())
    return read_quotas(world, request)


def drain_quotas(world: World, request: Request) -> Answer:
    """Every bucket empty: all used."""
    world.quotas.drain(world.clock.now())
    return read_quotas(world, request)


def list_faults(world: World, _: Request) -> Answer:
    return {"value": list(world.faults)}


def add_fault(world: World, request: Request) -> Fault:
    fault = msgspec.json.decode(request.body, type=Fault)
    _require_sense(fault)
    if fault.tenant:
        fault.tenant = get_tenant(world, fault.tenant).id
    return world.faults.add(fault)


def _require_sense(fault: Fault) -> None:
    if fault.route is not None and fault.route not in FAULT_ROUTES:
        raise ValueError(f"There is no route {fault.route}: choose from {', '.join(sorted(FAULT_ROUTES))}.")
    if fault.kind == "token_error" and fault.code not in REFUSALS:
        raise ValueError(f"The twin does not know AADSTS{fault.code}: choose from {', '.join(REFUSALS)}.")


def clear_faults(world: World, request: Request) -> Answer:
    """All faults, or the one named by `?id=`."""
    world.faults.clear(request.options.get("id"))
    return list_faults(world, request)


def read_counters(world: World, _: Request) -> Answer:
    tenants: defaultdict[str, Answer] = defaultdict(dict)
    total: defaultdict[str, int] = defaultdict(int)
    for (counter, tenant), count in world.counters.items():
        total[counter] += count
        if tenant:
            tenants[tenant][counter] = count
    return {"total": total, "tenants": tenants}


def reset_counters(world: World, request: Request) -> Answer:
    world.counters.clear()
    return read_counters(world, request)
