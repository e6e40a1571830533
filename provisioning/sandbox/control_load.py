"""Control of what other apps do in a tenant: writes that count on its limits, once or as a stream."""

from typing import Annotated

import msgspec

from provisioning.sandbox.clock import from_moment
from provisioning.sandbox.control_settings import Answer, get_tenant
from provisioning.sandbox.errors import AbsentError
from provisioning.sandbox.foreign_load import ForeignLoad
from provisioning.sandbox.wire import Request
from provisioning.sandbox.world import World

_Positive = Annotated[float, msgspec.Meta(gt=0)]


class Load(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, rename={"lasts": "for"}):
    """Either `writes` at once, or a stream of `writes_per_second` until a moment, for some seconds, or until told."""

    tenant: str
    writes: _Positive | None = None
    writes_per_second: _Positive | None = None
    until: str | None = None
    lasts: _Positive | None = None
    limits: tuple[str, ...] = ("tenant_writes",)


def add_load(world: World, request: Request) -> Answer | ForeignLoad:
    """Writes by other apps: they count on the tenant's limit alone, or on those that `limits` names."""
    load = msgspec.json.decode(request.body, type=Load)
    tenant = get_tenant(world, load.tenant).id
    if (load.writes is None) == (load.writes_per_second is None):
        raise ValueError("Give either writes, which count at once, or writes_per_second, which go on.")
    if load.writes is None:
        return _stream(world, tenant, load)
    world.quotas.load(tenant, load.writes, world.clock.now())
    return {"tenant": tenant, "writes": load.writes}


def _stream(world: World, tenant: str, load: Load) -> ForeignLoad:
    known = world.quotas.limits
    unknown = [name for name in load.limits if name not in known or known[name].scope == "Application"]
    if unknown or not load.limits:
        inside = [name for name, limit in known.items() if limit.scope != "Application"]
        raise AbsentError(f"No tenant has a limit {', '.join(unknown)}: choose from {', '.join(inside)}.")
    foreign, now = world.quotas.foreign, world.clock.now()
    stream = ForeignLoad(
        id=foreign.new_id(),
        tenant=tenant,
        writes_per_second=load.writes_per_second or 0.0,
        since=now,
        until=_end(load, now),
        limits=load.limits,
    )
    foreign.add(stream)
    return stream


def _end(load: Load, now: float) -> float | None:
    if load.until is not None and load.lasts is not None:
        raise ValueError("Give either until, a moment, or for, a number of seconds.")
    if load.until is not None:
        return from_moment(load.until)
    return None if load.lasts is None else now + load.lasts


def list_loads(world: World, _: Request) -> Answer:
    """The streams, also those that have ended by themselves."""
    return {"value": list(world.quotas.foreign)}


def clear_loads(world: World, request: Request) -> Answer:
    """All streams, or the one named by `?id=`; what they took stays taken."""
    world.quotas.foreign.clear(request.options.get("id"))
    return list_loads(world, request)
