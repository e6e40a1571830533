"""A proposal that should not come into force is taken off the list, by a second person or by whoever proposed it."""

from dataclasses import dataclass

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.configuration import ConfigurationVersion
from provisioning.domain.rights import Action, require
from provisioning.ports import Clock, OpenUnitOfWork
from provisioning.services.check_configuration import configuration_event
from provisioning.services.propose_configuration import named


@dataclass(frozen=True, kw_only=True)
class RejectConfiguration:
    open_uow: OpenUnitOfWork
    clock: Clock

    def __call__(self, identity: Identity, digest: str) -> ConfigurationVersion:
        """`digest`: at least its first 8 characters. Raises InputError, NotAllowedError, ConflictError."""
        require(identity, Action.REJECT_CONFIGURATION)
        now = self.clock.now()
        with self.open_uow() as uow:
            proposals = [version for version in uow.configuration.list_all() if version.is_proposed]
            version = named(proposals, digest, "waits for approval")
            uow.configuration.reject(version.kind, version.digest, now)
            uow.audit.record([configuration_event("rejected", version, identity.actor, now)])
            uow.commit()
        return msgspec.structs.replace(version, retired_at=now)
