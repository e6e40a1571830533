"""Somebody else looks at the mappings that one person brought back."""

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
class ReviewConfiguration:
    open_uow: OpenUnitOfWork
    clock: Clock

    def __call__(self, identity: Identity, digest: str) -> ConfigurationVersion:
        """`digest`: at least its first 8 characters. Raises InputError, NotAllowedError, ConflictError."""
        with refusals_on_record(self.open_uow, self.clock, identity, Action.REVIEW_CONFIGURATION, "", digest):
            return self._review(identity, digest)

    def _review(self, identity: Identity, digest: str) -> ConfigurationVersion:
        require(identity, Action.REVIEW_CONFIGURATION)
        now = self.clock.now()
        with self.open_uow() as uow:
            alone = [version for version in uow.configuration.list_all() if version.is_unreviewed]
            version = named(alone, digest, "was brought back by one person and waits for review")
            require_other(identity, version.proposed_by, f"brought back these {version.kind}")
            uow.configuration.review(version.kind, version.digest, identity.actor, now)
            uow.audit.record([configuration_event("reviewed", version, identity.actor, now)])
            uow.commit()
        return msgspec.structs.replace(version, reviewed_by=identity.actor, reviewed_at=now)
