"""One person brings back the mappings that were in force before, at once; another person reviews it afterwards."""

from collections.abc import Iterable
from dataclasses import dataclass

from provisioning.domain.actors import Identity
from provisioning.domain.configuration import Configuration, ConfigurationKind, ConfigurationVersion
from provisioning.domain.errors import InputError
from provisioning.domain.rights import Action, require
from provisioning.domain.worklist import Intent, Topic
from provisioning.ports import Clock, OpenUnitOfWork
from provisioning.services.application_incident import OURSELVES
from provisioning.services.check_configuration import configuration_event
from provisioning.services.mappings_in_force import kept_mappings

_SHORT = 8
_MAPPINGS = ConfigurationKind.MAPPINGS


@dataclass(frozen=True, kw_only=True)
class RollBackConfiguration:
    """Two persons agreed on what comes back, so that one is enough; never on to something that nobody approved."""

    open_uow: OpenUnitOfWork
    clock: Clock

    def __call__(self, identity: Identity, reason: str) -> ConfigurationVersion:
        """The version that is in force now. Raises InputError, NotAllowedError, ConflictError."""
        require(identity, Action.ROLL_BACK_CONFIGURATION)
        now = self.clock.now()
        with self.open_uow() as uow:
            wrong, before = _now_and_before(uow.configuration.list_all())
            if kept_mappings(uow, before.digest) is None:
                raise InputError(_not_kept(before))
            restored = ConfigurationVersion(
                kind=_MAPPINGS,
                digest=before.digest,
                content=before.content,
                reason=reason,
                proposed_by=identity.actor,
                proposed_at=now,
            )
            restored = uow.configuration.restore(restored, wrong.digest)
            uow.audit.record([configuration_event("rolled_back", restored, identity.actor, now, wrong.digest)])
            uow.outbox.add([_alarm(restored)])
            uow.commit()
        return restored


def _alarm(restored: ConfigurationVersion) -> Intent:
    return Intent(
        topic=Topic.MAPPINGS_ROLLED_BACK,
        organisation_id=OURSELVES,
        reference=f"{restored.kind} {restored.digest[:_SHORT]}",
        at=restored.proposed_at,
    )


def _now_and_before(every: Iterable[ConfigurationVersion]) -> tuple[ConfigurationVersion, ConfigurationVersion]:
    """Raises InputError when there is nothing before, or when what is in force came back itself."""
    known = [version for version in every if version.kind is _MAPPINGS and version.since is not None]
    in_force = next((version for version in known if version.is_in_force), None)
    if in_force is None:
        raise InputError("No mappings are in force yet: there is nothing to go back from.")
    if in_force.is_rollback:
        raise InputError(
            f"The mappings {in_force.digest[:_SHORT]} were brought back already, by {in_force.proposed_by}. For others "
            "propose them: `provisioning configuration propose --earlier DIGEST`; it takes a second person."
        )
    ended = [(version.retired_at, version) for version in known if version.retired_at is not None]
    if not ended:
        raise InputError("The mappings in force are the first: there is nothing to go back to.")
    return in_force, max(ended, key=lambda one: one[0])[1]


def _not_kept(version: Configuration) -> str:
    return (
        f"The mappings {version.digest[:_SHORT]} are not kept in a form that this release reads. Propose them from "
        "their files: `provisioning configuration propose mappings --folder FOLDER`."
    )
