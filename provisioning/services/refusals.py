"""Whoever tries to be their own second person is refused; that they tried stays on record."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from provisioning.domain.actors import Identity
from provisioning.domain.errors import NotAllowedError
from provisioning.domain.events import Event
from provisioning.domain.rights import Action
from provisioning.ports import Clock, OpenUnitOfWork

_NAME = re.compile(r"[\w:./-]{1,100}")  # an id, a code, a domain: what else was typed may be anybody's
_DIGEST = re.compile(r"[0-9a-f]{1,64}")


@contextmanager
def refusals_on_record(
    open_uow: OpenUnitOfWork, clock: Clock, identity: Identity, deed: Action, of: str, digest: str = ""
) -> Iterator[None]:
    """Around the whole of a second person's deed: one audit line for a refusal, in a transaction of its own.

    `of`: what it was about, as it was named. Whoever is nobody (no token) only looked, and leaves no line.
    """
    try:
        yield
    except NotAllowedError as error:
        if identity.roles:
            _record(open_uow, _event(clock, identity, deed, _plain(_NAME, of), _plain(_DIGEST, digest.lower()), error))
        raise


def _record(open_uow: OpenUnitOfWork, event: Event) -> None:
    with open_uow() as uow:
        uow.audit.record([event])
        uow.commit()


def _event(clock: Clock, identity: Identity, deed: Action, of: str, digest: str, error: NotAllowedError) -> Event:
    return Event(
        at=clock.now(),
        actor=identity.actor,
        kind="approval.refused",
        after=digest or None,
        reason=str(error),
        details={"deed": deed.name.lower(), "of": of},
    )


def _plain(form: re.Pattern[str], typed: str) -> str:
    return typed.strip() if form.fullmatch(typed.strip()) else ""
