"""Groups that bring licences: what Graph shows of them, and what of them must stay as it was.

learn.microsoft.com: "group resource type", "What is group-based licensing in Microsoft Entra ID?".
"""

from collections.abc import Collection, Iterator, Mapping
from itertools import count

import msgspec

from provisioning.domain.ids import GroupId, OrganisationId, ServicePlanId, SkuId, SubjectId, TenantId
from provisioning.domain.reasons import Reason


class GroupLicence(msgspec.Struct, frozen=True, gc=False, order=True):
    """A SKU on a group; the disabled plans hold for every member."""

    sku_id: SkuId
    disabled_plans: frozenset[ServicePlanId] = frozenset()


class GroupImage(msgspec.Struct, frozen=True, kw_only=True):
    """What writes through a group rest on: whoever finds it different stops."""

    group_id: GroupId
    is_security: bool
    is_dynamic: bool
    is_synced: bool
    rule: str | None
    licences: tuple[GroupLicence, ...]  # by SKU


class ObservedGroup(msgspec.Struct, frozen=True, kw_only=True):
    """One group as Graph shows it; `members` are its direct users, `is_complete` says whether all could be read."""

    group_id: GroupId
    nickname: str  # mailNickname: how a group of ours is found again
    is_security: bool = True
    is_dynamic: bool = False
    is_synced: bool = False
    rule: str | None = None
    licences: tuple[GroupLicence, ...] = ()
    is_processing: bool = False  # licences are being given or taken in the background
    members: frozenset[SubjectId] = frozenset()
    is_complete: bool = True

    @property
    def takes_members(self) -> bool:
        """Whether Graph lets an app add and remove members: those of a rule or a sync tool are theirs."""
        return not self.is_dynamic and not self.is_synced

    @property
    def image(self) -> GroupImage:
        return GroupImage(
            group_id=self.group_id,
            is_security=self.is_security,
            is_dynamic=self.is_dynamic,
            is_synced=self.is_synced,
            rule=self.rule,
            licences=tuple(sorted(self.licences, key=lambda licence: licence.sku_id)),
        )

    def licence(self, sku_id: SkuId) -> GroupLicence | None:
        return next((licence for licence in self.licences if licence.sku_id == sku_id), None)


# learn.microsoft.com, "licenseAssignmentState": the word on a person whom group licensing could not serve
ASSIGNMENT_ERRORS: Mapping[str, Reason] = {
    "CountViolation": Reason.COUNT_VIOLATION,
    "MutuallyExclusiveViolation": Reason.MUTUALLY_EXCLUSIVE,
    "DependencyViolation": Reason.DEPENDENCY,
    "ProhibitedInUsageLocationViolation": Reason.USAGE_LOCATION_PROHIBITED,
    "UniquenessViolation": Reason.UNIQUENESS,
}


def reason_of(error: str | None) -> Reason:
    """Why a group's licence did not reach a person; what is not in the list has Microsoft's own word for it: Other."""
    return ASSIGNMENT_ERRORS.get(error or "", Reason.GRAPH_OTHER)


class LicensingGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A group of ours in the register: made by us, for one product of one holder in one tenant.

    `group_id` is None until Graph has shown the group that was asked for.
    """

    tenant_id: TenantId
    sku_id: SkuId
    holder_id: OrganisationId
    nickname: str
    group_id: GroupId | None = None
    is_licensed: bool = False  # our licence was read back on it once


_NICKNAME_LENGTH = 64  # learn.microsoft.com, "group resource type": at most, ASCII without blanks


def nickname_for(part_number: str, holder: OrganisationId, taken: Collection[str] = ()) -> str:
    """The mailNickname of our group: the same however often it is asked for, so that a lost answer makes no second.

    `taken`: names of groups of ours that are there already, and may serve another product by now; then it is numbered.
    """
    words = f"licences-{part_number}-{holder}".lower()
    plain = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in words)
    names = (f"{plain[: _NICKNAME_LENGTH - len(ending)]}{ending}" for ending in _endings())
    return next(name for name in names if name not in taken)


def _endings() -> Iterator[str]:
    yield ""
    yield from (f"-{number}" for number in count(2))
