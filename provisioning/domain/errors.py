"""The tree of our own errors. Graph's and the engines' errors become one of these at the edge, once.

ProvisioningError
├── InputError            what a person or a file said is wrong; nothing was changed
│   └── NotFoundError     nothing here has the name that was given
├── ConfigurationError    a setting or mapping is missing or wrong; nothing starts
├── NotAllowedError       the actor may not do this
├── ConflictError         somebody else did something in between; look again
├── TransitionError       a state machine was asked the impossible: a bug
├── StaleLeaseError       another worker owns the tenant now; stop at once
├── UnavailableError      an engine or the shop's database is away; try later
└── GraphError            Microsoft said no, or said nothing
    ├── RetryableError        certainly not done; later is fine (carries how long, which scope)
    ├── ActionRequiredError   a person must act: consent, credential, permission (tenant level)
    ├── PermanentError        it cannot work for this subject or request
    └── AmbiguousOutcomeError sent, answer lost; look before you repeat
"""

from datetime import timedelta

from provisioning.domain.reasons import Reason


class ProvisioningError(Exception):
    """The root: its text is a sentence that may be shown to a person."""


class InputError(ProvisioningError):
    """What was handed in is wrong; the text says what, where and what to do, and nothing was changed."""


class NotFoundError(InputError):
    """Nothing has this name, or nothing that the asker may know of."""


class ConfigurationError(ProvisioningError):
    """A setting or mapping is missing or wrong."""


class NotAllowedError(ProvisioningError):
    """The actor has no right to do this."""


class ConflictError(ProvisioningError):
    """The thing changed since it was looked at."""


class TransitionError(ProvisioningError):
    """A state machine was asked for a transition that its table does not have."""


class StaleLeaseError(ProvisioningError):
    """The lease on the tenant was lost; whoever holds it now goes on."""


class UnavailableError(ProvisioningError):
    """Something that the service needs does not answer now."""


class GraphError(ProvisioningError):
    """Microsoft refused, or did not answer; `reason` is ours."""

    def __init__(self, sentence: str, reason: Reason) -> None:
        super().__init__(sentence)
        self.reason = reason


class RetryableError(GraphError):
    """Certainly not done, and later is fine; `after` says how long when Microsoft told."""

    def __init__(self, sentence: str, reason: Reason, after: timedelta | None = None) -> None:
        super().__init__(sentence, reason)
        self.after = after


class ActionRequiredError(GraphError):
    """The whole tenant is stopped until a person acts. `credential` is true when it may be our own fault."""

    def __init__(self, sentence: str, reason: Reason, *, credential: bool = False) -> None:
        super().__init__(sentence, reason)
        self.credential = credential


class PermanentError(GraphError):
    """It cannot work for this subject or this request."""


class AmbiguousOutcomeError(GraphError):
    """Sent, and the answer was lost."""
