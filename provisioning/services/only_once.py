"""A request that was sent twice under one key is carried out once; the second gets the first one's answer."""

from dataclasses import dataclass

from provisioning.domain.actors import Identity
from provisioning.domain.errors import ConflictError, InputError
from provisioning.ports import Clock, KeptAnswer, OpenUnitOfWork

LONGEST_KEY = 200


class KeyUsedAgainError(InputError):
    """Another request came under this key before."""


class UnderWayError(ConflictError):
    """The first request under this key has no answer yet, or never got one."""


@dataclass(frozen=True, kw_only=True)
class OnlyOnce:
    open_uow: OpenUnitOfWork
    clock: Clock

    def claim(self, identity: Identity, key: str, digest: str) -> KeptAnswer | None:
        """None: do the work, then `keep` or `release`. `digest` is of the whole request.

        An answer that was never kept may belong to work that was done: the key stays taken, and nothing is repeated.
        Raises InputError or ConflictError.
        """
        if not 0 < len(key) <= LONGEST_KEY or not key.isprintable():
            raise InputError(f"An Idempotency-Key has 1 to {LONGEST_KEY} printable characters.")
        with self.open_uow() as uow:
            found = uow.answers.claim(identity.actor, key, digest, self.clock.wall())
            uow.commit()
        if found is None:
            return None
        if found.digest != digest:
            raise KeyUsedAgainError("This Idempotency-Key came with another request before; use a new one for this.")
        if found.status is None:
            raise UnderWayError(
                "A request with this Idempotency-Key has no answer yet. If that lasts it was interrupted: look whether "
                "its work was done, and use a new key if not."
            )
        return found

    def keep(self, identity: Identity, key: str, status: int, body: bytes) -> None:
        with self.open_uow() as uow:
            uow.answers.keep(identity.actor, key, status, body)
            uow.commit()

    def release(self, identity: Identity, key: str) -> None:
        """The request was refused and changed nothing: the key is free."""
        with self.open_uow() as uow:
            uow.answers.release(identity.actor, key)
            uow.commit()
