"""What accepted requests made of the test person, and how it is undone."""

from collections.abc import Iterator

import msgspec

from provisioning.domain.ids import SubjectId, TenantId
from provisioning.domain.observation import Person
from provisioning.planning.probe import Ask


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How the person stands: licences of their own, and where they live."""

    skus: frozenset[str] = frozenset()
    location: str | None = None


class Interrupted(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a run was about to change, and how they were."""

    tenant: TenantId
    user: SubjectId
    before: Standing


def standing_of(person: Person) -> Standing:
    direct = frozenset(str(held.sku_id) for held in person.licences if held.is_direct)
    return Standing(skus=direct, location=person.usage_location)


def after(before: Standing, ask: Ask, user: SubjectId) -> Standing:
    """What an accepted request makes of the person; one about anybody else changes nothing."""
    segments = ask.path.strip("/").split("/")
    if ask.method not in {"POST", "PATCH"} or segments[:2] != ["users", user]:
        return before
    body = ask.body or {}
    added = {row["skuId"] for row in body.get("addLicenses", ())}
    return Standing(
        skus=(before.skus - set(body.get("removeLicenses", ()))) | added,
        location=body.get("usageLocation", before.location),
    )


def undoing(now: Standing, before: Standing, user: SubjectId) -> Iterator[Ask]:
    """The requests that bring the person back to where they were: licences first, which need a location no more."""
    given = sorted(now.skus - before.skus)
    if given:
        body = {"addLicenses": [], "removeLicenses": given}
        yield Ask(method="POST", path=f"/users/{user}/assignLicense", body=body)
    if now.location != before.location:
        yield Ask(method="PATCH", path=f"/users/{user}", body={"usageLocation": before.location})
