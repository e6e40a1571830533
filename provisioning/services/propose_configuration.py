"""One person proposes other mappings or limits, or earlier ones again; they come into force by a second person."""

from dataclasses import dataclass

from provisioning.domain.actors import Identity
from provisioning.domain.configuration import Configuration, ConfigurationVersion
from provisioning.domain.errors import InputError
from provisioning.domain.rights import Action, require
from provisioning.ports import Clock, OpenUnitOfWork, UnitOfWork
from provisioning.services.check_configuration import configuration_event

MIN_DIGEST = 8


@dataclass(frozen=True, kw_only=True)
class ProposeConfiguration:
    open_uow: OpenUnitOfWork
    clock: Clock

    def __call__(
        self, identity: Identity, configuration: Configuration, reason: str, packed: bytes | None = None
    ) -> ConfigurationVersion:
        """`packed`: the content itself, of mappings: processes load it from the database once it is in force.

        Raises InputError when it is in force, ConflictError when it is proposed already, NotAllowedError.
        """
        require(identity, Action.PROPOSE_CONFIGURATION)
        with self.open_uow() as uow:
            proposed = self._propose(uow, identity, configuration, reason)
            if packed is not None:
                uow.configuration.keep(configuration.kind, configuration.digest, packed)
            uow.commit()
        return proposed

    def again(self, identity: Identity, digest: str, reason: str) -> ConfigurationVersion:
        """A version that was in force or proposed before, named by the beginning of its digest."""
        require(identity, Action.PROPOSE_CONFIGURATION)
        with self.open_uow() as uow:
            earlier = named(uow.configuration.list_all(), digest, "is on record")
            proposed = self._propose(uow, identity, earlier, reason)
            uow.commit()
        return proposed

    def _propose(
        self, uow: UnitOfWork, identity: Identity, configuration: Configuration, reason: str
    ) -> ConfigurationVersion:
        now, kind = self.clock.now(), configuration.kind
        in_force = uow.configuration.in_force().get(kind)
        if in_force is not None and in_force.digest == configuration.digest:
            raise InputError(f"The {kind} {configuration.digest[:MIN_DIGEST]} are in force already.")
        version = ConfigurationVersion(
            kind=kind,
            digest=configuration.digest,
            content=configuration.content,
            reason=reason,
            proposed_by=identity.actor,
            proposed_at=now,
        )
        uow.configuration.propose(version)
        before = in_force.digest if in_force else None
        uow.audit.record([configuration_event("proposed", version, identity.actor, now, before)])
        return version


def named(versions: list[ConfigurationVersion], digest: str, what: str) -> ConfigurationVersion:
    """The newest version whose digest begins so; raises InputError when there is none, or when it names two."""
    wanted = digest.strip().lower()
    if len(wanted) < MIN_DIGEST:
        raise InputError(f"Name the version by at least the first {MIN_DIGEST} characters of its digest.")
    found = [version for version in versions if version.digest.startswith(wanted)]
    if len({version.digest for version in found}) != 1:
        raise InputError(
            f"{'More than one' if found else 'No'} version with a digest that begins with {wanted} {what}; "
            "`provisioning configuration versions` lists them."
        )
    return found[0]
