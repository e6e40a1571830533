"""Which mappings and limits are in force, which wait for approval, and what this process itself loaded."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from provisioning.domain.configuration import Configuration, ConfigurationKind, ConfigurationVersion
from provisioning.ports import OpenUnitOfWork


class ConfigurationSheet(msgspec.Struct, frozen=True, kw_only=True):
    """One kind; `in_force` is None until the first worker drew or judged something."""

    kind: ConfigurationKind
    loaded: Configuration
    in_force: ConfigurationVersion | None
    proposals: list[ConfigurationVersion]


@dataclass(frozen=True, kw_only=True)
class ShowConfiguration:
    open_uow: OpenUnitOfWork
    loaded: Sequence[Configuration]

    def __call__(self) -> list[ConfigurationSheet]:
        """One sheet for each kind."""
        with self.open_uow() as uow:
            in_force, every = uow.configuration.in_force(), uow.configuration.list_all()
        return [
            ConfigurationSheet(
                kind=one.kind,
                loaded=one,
                in_force=in_force.get(one.kind),
                proposals=[version for version in every if version.kind is one.kind and version.is_proposed],
            )
            for one in self.loaded
        ]

    def versions(self) -> list[ConfigurationVersion]:
        """All of them, newest first."""
        with self.open_uow() as uow:
            return uow.configuration.list_all()
