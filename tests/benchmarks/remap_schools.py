"""Schools whose people hold Office 365 A1 and are to have Microsoft 365 A3 instead: directly, or through our group."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any
from uuid import UUID, uuid5

from provisioning.bootstrap import Services
from provisioning.domain.groups import LicensingGroup, nickname_for
from provisioning.domain.ids import ArticleCode, SkuId, SubjectId
from provisioning.domain.order import LedgerCause, LedgerEntry
from provisioning.local.world import APP
from tests.benchmarks.rows import SEED
from tests.benchmarks.school import A1, A3, GROUP_ROLES, ROLES, School, register

PHONE = SkuId("d979703c-028d-4de5-acbf-7955566b69b9")  # Teams Phone for faculty: rests on Teams, which both bring
PHONES = 3  # people of a school who have one
SHORT = 5  # seats that are missing where seats are short
_LONG_AGO = date(2020, 1, 1)
_PREFIX = "medewerker"


class Kind(StrEnum):
    DIRECT = "direct"
    GROUP = "group"  # a group of ours brings the old product: one write for everybody
    ADD_ONS = "add-ons"  # some have a telephone beside the suite, and keep it
    SHORT = "short"  # fewer seats were ordered than there are people


class RemapSchool(School, frozen=True, dict=True):
    kind: Kind = Kind.DIRECT

    @cached_property
    def everybody(self) -> list[SubjectId]:
        """In the order in which the twin numbers them."""
        namespace = UUID(self.tenant_id)
        names = (f"{_PREFIX}-{number:04}@{self.domain}" for number in range(1, self.people + 1))
        return [SubjectId(str(uuid5(namespace, name))) for name in names]

    @property
    def seats(self) -> int:
        return self.people - SHORT if self.kind is Kind.SHORT else self.people

    @property
    def ordered(self) -> dict[SkuId, int]:
        phones = {PHONE: PHONES} if self.kind is Kind.ADD_ONS else {}
        return {A1: self.people, A3: self.seats, **phones}


def mixed(direct: int, grouped: int, people: int, *, odd: float = 0.02) -> list[RemapSchool]:
    """Of the direct ones a share `odd` has add-ons, and as many have too few seats."""
    few = int(direct * odd)
    kinds = [Kind.ADD_ONS] * few + [Kind.SHORT] * few + [Kind.DIRECT] * (direct - 2 * few) + [Kind.GROUP] * grouped
    return [
        RemapSchool(number=number, people=people, has_group=kind is Kind.GROUP, kind=kind)
        for number, kind in enumerate(kinds, start=1)
    ]


def remap_seed(schools: Sequence[RemapSchool], served: Mapping[str, Collection[SubjectId]]) -> dict[str, Any]:
    """The twin's seed; the app is registered already. `served`: by tenant, who has the new product by now."""
    tenants = [_tenant_seed(school, served.get(school.tenant_id, ())) for school in schools]
    return {"randomSeed": SEED, "tenants": tenants}


def _tenant_seed(school: RemapSchool, served: Collection[SubjectId]) -> dict[str, Any]:
    phones = [{"skuId": PHONE, "totalLicenses": PHONES}] if school.kind is Kind.ADD_ONS else []
    return {
        "id": school.tenant_id,
        "domains": [school.domain],
        "consents": [{"app": APP, "roles": ROLES + (GROUP_ROLES if school.has_group else [])}],
        "subscriptions": [
            {"skuId": A1, "totalLicenses": school.people},
            {"skuId": A3, "totalLicenses": school.seats},
            *phones,
        ],
        "users": list(_users(school, served)),
        "groups": [_group_seed(school)] if school.has_group else [],
    }


def _users(school: RemapSchool, served: Collection[SubjectId]) -> Iterator[dict[str, Any]]:
    staff = {"usageLocation": "NL", "department": school.code, "employeeType": "Personeel"}
    by_group = {"assignedByGroup": school.group_id} if school.has_group else {}
    for number, person in enumerate(school.everybody, start=1):
        held = [{"skuId": A3 if person in served else A1, **by_group}]
        if school.kind is Kind.ADD_ONS and number <= PHONES:
            held.append({"skuId": PHONE})
        name = f"{_PREFIX}-{number:04}@{school.domain}"
        yield {"id": person, "userPrincipalName": name, "assignments": held, **staff}


def _group_seed(school: RemapSchool) -> dict[str, Any]:
    name = _nickname(school)
    licences = [{"skuId": A1}]
    known = {"id": school.group_id, "displayName": name, "mailNickname": name, "members": school.everybody}
    return known | {"assignedLicenses": licences}


def _nickname(school: RemapSchool) -> str:
    return nickname_for("STANDARDWOFFPACK_FACULTY", school.code)


def settle(services: Services, schools: Sequence[RemapSchool]) -> None:
    """All that people decided before: bindings, policies, what was bought; and our groups."""
    register(services, schools, make_group=_group_of)
    with services.open_uow() as uow:
        for school in schools:
            uow.ledger.append(_entry(school, sku, seats) for sku, seats in school.ordered.items())
        uow.commit()


def _group_of(school: School) -> LicensingGroup:
    return LicensingGroup(
        tenant_id=school.tenant_id,
        sku_id=A1,
        holder_id=school.code,
        nickname=nickname_for("STANDARDWOFFPACK_FACULTY", school.code),
        group_id=school.group_id,
        is_licensed=True,
    )


def _entry(school: RemapSchool, sku: SkuId, seats: int) -> LedgerEntry:
    return LedgerEntry(
        holder_id=school.code,
        tenant_id=school.tenant_id,
        article_code=ArticleCode(""),
        sku_id=sku,
        delta=seats,
        effective_on=_LONG_AGO,
        ends_on=None,
        cause=LedgerCause.ORDER_LINE,
        cause_ref=f"bench/{school.number}/{sku}",
    )
