"""The sandbox as a real process, for tests and journeys."""

from provisioning.local.sandbox import SandboxControl, SandboxProcess

__all__ = ["SandboxControl", "SandboxProcess"]
