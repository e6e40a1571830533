"""What accepted requests made of the test person and the test group, and how it is undone."""

from collections.abc import Collection, Iterator
from functools import reduce

import msgspec

from provisioning.domain.groups import ObservedGroup
from provisioning.domain.ids import GroupId, SubjectId, TenantId
from provisioning.domain.observation import Person
from provisioning.planning.probe import Ask

UNSURE = "?"  # where somebody lives of whom nobody knows

_BIND = "members@odata.bind"


class Cast(msgspec.Struct, frozen=True, kw_only=True):
    """Who and what is written to, and nothing else: a person made for the test, and perhaps a group."""

    user: SubjectId
    group: GroupId | None = None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How they stand: the person's own licences and country, whether in the group, and what that brings."""

    skus: frozenset[str] = frozenset()
    location: str | None = None
    is_member: bool = False
    carried: frozenset[str] = frozenset()


class Interrupted(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a run was about to change, how they were, and what it asked: all of it may have come true."""

    tenant: TenantId
    cast: Cast
    before: Standing
    sent: tuple[Ask, ...] = ()

    @property
    def at_most(self) -> Standing:
        """Everything they may have been given."""
        return reduce(lambda now, ask: at_most(now, ask, self.cast), self.sent, self.before)


def standing_of(person: Person, group: ObservedGroup | None) -> Standing:
    return Standing(
        skus=frozenset(str(held.sku_id) for held in person.licences if held.is_direct),
        location=person.usage_location,
        is_member=group is not None and person.subject_id in group.members,
        carried=frozenset(str(held.sku_id) for held in group.licences) if group else frozenset(),
    )


def after(before: Standing, ask: Ask, cast: Cast) -> Standing:
    """What an accepted request makes of them; one about anybody else changes nothing."""
    match (ask.method, ask.path.strip("/").split("/")):
        case ("POST", ["users", cast.user, "assignLicense"]):
            return msgspec.structs.replace(before, skus=_changed(before.skus, ask))
        case ("PATCH", ["users", cast.user]):
            return msgspec.structs.replace(before, location=ask.body.get("usageLocation", before.location))
        case ("POST", ["groups", cast.group, "assignLicense"]):
            return msgspec.structs.replace(before, carried=_changed(before.carried, ask))
        case ("PATCH", ["groups", cast.group]):
            return msgspec.structs.replace(before, is_member=before.is_member or _BIND in ask.body)
        case ("DELETE", ["groups", cast.group, "members", cast.user, "$ref"]):
            return msgspec.structs.replace(before, is_member=False)
    return before


def _changed(skus: frozenset[str], ask: Ask) -> frozenset[str]:
    added = {row["skuId"] for row in ask.body.get("addLicenses", ())}
    return frozenset((skus - set(ask.body.get("removeLicenses", ()))) | added)


def strays(ask: Ask, cast: Cast, harmless: Collection[str]) -> bool:
    """Whether a request would write to anything but the cast, or to what cannot be written anyway."""
    if ask.items:
        return any(strays(item, cast, harmless) for item in ask.items)
    own = [f"/users/{cast.user}", *([f"/groups/{cast.group}"] if cast.group else [])]
    return bool(ask.writes) and not any(f"{ask.path}/".startswith(f"{place}/") for place in (*own, *harmless))


def at_most(now: Standing, ask: Ask, cast: Cast) -> Standing:
    """What they may have been given when nobody knows what came of a request."""
    for each in ask.items or (ask,):
        now = merged(now, after(now, each, cast))
    return now


def merged(one: Standing, other: Standing) -> Standing:
    """Whatever either of both has; a country that is not sure is none that exists."""
    return Standing(
        skus=one.skus | other.skus,
        location=one.location if one.location == other.location else UNSURE,
        is_member=one.is_member or other.is_member,
        carried=one.carried | other.carried,
    )


def has_no_more(seen: Standing, wanted: Standing) -> bool:
    """Whether nothing is seen that should not be; the country apart, which can always be written."""
    return seen.skus <= wanted.skus and seen.carried <= wanted.carried and (wanted.is_member or not seen.is_member)


def undoing(now: Standing, before: Standing, cast: Cast) -> Iterator[Ask]:
    """The requests that bring them back: licences before the country, and before the group is left.

    One for each licence: a call that takes two of which one is not there is refused as a whole.
    """
    for sku in sorted(now.skus - before.skus):
        yield _taking(f"/users/{cast.user}", sku)
    for sku in sorted(now.carried - before.carried):
        yield _taking(f"/groups/{cast.group}", sku)
    if now.is_member and not before.is_member:
        yield Ask(method="DELETE", path=f"/groups/{cast.group}/members/{cast.user}/$ref")
    if now.location != before.location:
        yield Ask(method="PATCH", path=f"/users/{cast.user}", body={"usageLocation": before.location})


def _taking(whose: str, sku: str) -> Ask:
    body = {"addLicenses": [], "removeLicenses": [sku]}
    return Ask(method="POST", path=f"{whose}/assignLicense", body=body)
