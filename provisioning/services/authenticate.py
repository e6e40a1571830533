"""Who stands behind a token: the one place that knows, for the command line and the web alike."""

from dataclasses import dataclass
from hashlib import sha256

from provisioning.domain.actors import ANONYMOUS, Identity
from provisioning.domain.errors import NotAllowedError
from provisioning.ports import Clock, OpenUnitOfWork


def token_digest(token: str) -> str:
    """What is stored of a token. It is 32 random bytes, so one SHA-256 does: there is nothing to guess slowly."""
    return sha256(token.encode(errors="surrogateescape")).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Authenticate:
    """Without a token: ANONYMOUS, who may only read."""

    open_uow: OpenUnitOfWork
    clock: Clock

    def __call__(self, token: str | None) -> Identity:
        """Raises NotAllowedError when the token is unknown, revoked or expired."""
        if not token:
            return ANONYMOUS
        with self.open_uow() as uow:
            identity = uow.actors.find_by_token(token_digest(token))
        if identity is None:
            raise NotAllowedError("This token is unknown or was revoked; ask an administrator for a new one.")
        if identity.expires_at is not None and identity.expires_at <= self.clock.wall():
            raise NotAllowedError(
                f"The token of {identity.actor} expired on {identity.expires_at:%Y-%m-%d}; "
                "ask an administrator for a new one."
            )
        return identity
