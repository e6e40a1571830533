"""A second person puts proposed mappings or limits in force; what waited for them goes on by itself."""

from dataclasses import dataclass

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.configuration import ConfigurationVersion
from provisioning.domain.rights import Action, require, require_other
from provisioning.ports import Clock, OpenUnitOfWork
from provisioning.services.check_configuration import configuration_event
from provisioning.services.propose_configuration import named
from provisioning.services.refusals import refusals_on_record


@dataclass(frozen=True, kw_only=True)
class ApproveConfiguration:
    open_uow: OpenUnitOfWork
    clock: Clock

    def __call__(self, identity: Identity, digest: str) -> ConfigurationVersion:
        """`digest`: at least its first 8 characters. Raises InputError, NotAllowedError, ConflictError."""
        with refusals_on_record(self.open_uow, self.clock, identity, Action.APPROVE_CONFIGURATION, "", digest):
            return self._approve(identity, digest)

    def _approve(self, identity: Identity, digest: str) -> ConfigurationVersion:
        require(identity, Action.APPROVE_CONFIGURATION)
        now = self.clock.now()
        with self.open_uow() as uow:
            proposals = [version for version in uow.configuration.list_all() if version.is_proposed]
            version = named(proposals, digest, "waits for approval")
            require_other(identity, version.proposed_by, f"proposed these {version.kind}")
            before = uow.configuration.in_force().get(version.kind)
            uow.configuration.approve(version.kind, version.digest, identity.actor, now)
            event = configuration_event("approved", version, identity.actor, now, before.digest if before else None)
            uow.audit.record([event])
            uow.commit()
        return msgspec.structs.replace(version, approved_by=identity.actor, approved_at=now)
