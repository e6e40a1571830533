"""What goes wrong with a world on this machine."""

from provisioning.domain.errors import ProvisioningError


class EnginesError(ProvisioningError):
    """The engines cannot be started or used; the sentence says where and what to do."""


class StoryError(ProvisioningError):
    """A scene did not come about as told; the sentence says which, and how it stands instead."""
