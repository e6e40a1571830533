"""What accepted requests made of the test person and the test group, and how it is undone."""

from collections.abc import Iterator

import msgspec

from provisioning.domain.groups import ObservedGroup
from provisioning.domain.ids import GroupId, SubjectId, TenantId
from provisioning.domain.observation import Person
from provisioning.planning.probe import Ask

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
    """Whom a run was about to change, and how they were."""

    tenant: TenantId
    cast: Cast
    before: Standing


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


def undoing(now: Standing, before: Standing, cast: Cast) -> Iterator[Ask]:
    """The requests that bring them back: licences before the country, and before the group is left."""
    if given := sorted(now.skus - before.skus):
        yield _taking(f"/users/{cast.user}", given)
    if carried := sorted(now.carried - before.carried):
        yield _taking(f"/groups/{cast.group}", carried)
    if now.is_member and not before.is_member:
        yield Ask(method="DELETE", path=f"/groups/{cast.group}/members/{cast.user}/$ref")
    if now.location != before.location:
        yield Ask(method="PATCH", path=f"/users/{cast.user}", body={"usageLocation": before.location})


def _taking(whose: str, skus: list[str]) -> Ask:
    body = {"addLicenses": [], "removeLicenses": skus}
    return Ask(method="POST", path=f"{whose}/assignLicense", body=body)
