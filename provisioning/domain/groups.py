"""Groups that bring licences: what Graph shows of them, and what of them must stay as it was.

learn.microsoft.com: "group resource type", "What is group-based licensing in Microsoft Entra ID?".
"""

import msgspec

from provisioning.domain.ids import GroupId, ServicePlanId, SkuId, SubjectId


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
