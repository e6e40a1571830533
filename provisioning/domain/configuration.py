"""Versions of the rules that every process loads: the mappings and the limits. One of each kind is in force."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from provisioning.domain.ids import SYSTEM, Actor

INSTALLED = "installed"  # why the first version of a kind is in force without a second person


class ConfigurationKind(StrEnum):
    MAPPINGS = "mappings"
    LIMITS = "limits"


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """What a process loaded. `content` is what a person reads of it: each limit, or what each mapping file holds."""

    kind: ConfigurationKind
    digest: str
    content: Mapping[str, str]

    def differences(self, other: "Configuration") -> list[tuple[str, str, str]]:
        """Name, ours and theirs of each part that differs, by name; a dash for what is not there."""
        names = sorted(self.content.keys() | other.content.keys())
        pairs = ((name, self.content.get(name, "-"), other.content.get(name, "-")) for name in names)
        return [(name, ours, theirs) for name, ours, theirs in pairs if ours != theirs]


class ConfigurationVersion(Configuration, frozen=True, kw_only=True):
    """Proposed by one person, in force from `approved_at` (installed: from `proposed_at`) until `retired_at`.

    A proposal that was never approved and has a `retired_at` was rejected then. `restores` is the number of an earlier
    version that one person brought back: in force from `proposed_at`, and reviewed by another person afterwards.
    """

    reason: str
    proposed_by: Actor
    proposed_at: datetime
    approved_by: Actor | None = None
    approved_at: datetime | None = None
    retired_at: datetime | None = None
    restores: int | None = None
    reviewed_by: Actor | None = None
    reviewed_at: datetime | None = None

    @property
    def is_installed(self) -> bool:
        """The first of its kind, which nobody approved."""
        return self.proposed_by == SYSTEM

    @property
    def since(self) -> datetime | None:
        """When it came into force; None: it waits for a second person."""
        return self.proposed_at if self.is_installed or self.is_rollback else self.approved_at

    @property
    def is_rollback(self) -> bool:
        """One person brought it back."""
        return self.restores is not None

    @property
    def is_unreviewed(self) -> bool:
        """One person brought it back, and nobody else has looked at that yet."""
        return self.is_rollback and self.reviewed_by is None

    @property
    def is_proposed(self) -> bool:
        """It waits for a second person."""
        return self.since is None and self.retired_at is None

    @property
    def is_in_force(self) -> bool:
        return self.since is not None and self.retired_at is None
