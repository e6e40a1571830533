"""The mappings that two persons approved, as the database keeps them: what a process loads when it starts."""

from provisioning.domain.catalogue import Mappings
from provisioning.domain.configuration import ConfigurationKind
from provisioning.planning.configuration import unpack_mappings
from provisioning.ports import OpenUnitOfWork, UnitOfWork


def mappings_in_force(open_uow: OpenUnitOfWork) -> Mappings | None:
    """None: none were installed yet, or what is in force is not kept in a form that this release reads.

    Raises ConfigurationError when what is kept is not what was approved.
    """
    with open_uow() as uow:
        version = uow.configuration.in_force().get(ConfigurationKind.MAPPINGS)
        return kept_mappings(uow, version.digest) if version else None


def kept_mappings(uow: UnitOfWork, digest: str) -> Mappings | None:
    """The same of any version."""
    packed = uow.configuration.content(ConfigurationKind.MAPPINGS, digest)
    return None if packed is None else unpack_mappings(packed, digest)
