"""Whether the rules that this process loaded are those in force. What differs is told, and nothing is decided by it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

import msgspec

from provisioning.domain.configuration import INSTALLED, Configuration, ConfigurationKind, ConfigurationVersion
from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM, Actor
from provisioning.ports import Clock, OpenUnitOfWork, UnitOfWork

_PREFIX = "configuration:"
_TOLD_FOR = timedelta(minutes=1)  # real time; of a process that decides no more nobody needs to know what it loaded


class AwaitingApproval(msgspec.Struct, frozen=True, kw_only=True):
    """A version that waits for a second person, or that a process runs although nobody proposed it (`since` None)."""

    kind: ConfigurationKind
    digest: str
    since: datetime | None = None


Contents = Mapping[ConfigurationKind, Callable[[], bytes]]


class CheckConfiguration:
    """Asked before anything is drawn or judged. The first version of a kind is installed by whoever asks first.

    `contents`: what is kept of a version, so that others can load it; `reload`: the process takes up the version in
    force for its next task, if it can. What is asked now is answered for what it had.
    """

    def __init__(
        self,
        *,
        open_uow: OpenUnitOfWork,
        clock: Clock,
        loaded: Sequence[Configuration],
        contents: Contents = MappingProxyType({}),
        reload: Callable[[ConfigurationKind], bool] = lambda _: False,
    ) -> None:
        self._open_uow = open_uow
        self._clock = clock
        self._loaded = loaded
        self._contents = contents
        self._reload = reload
        self._is_kept = False

    def __call__(self) -> Mapping[ConfigurationKind, datetime]:
        """The kinds of which this process has another version, and since when the one in force is."""
        with self._open_uow() as uow:
            in_force = uow.configuration.in_force()
            missing = [each for each in self._loaded if each.kind not in in_force]
            other = [each for each in self._loaded if each not in missing and in_force[each.kind].digest != each.digest]
            for each in missing:
                self._install(uow, each)
            kept = not self._is_kept and self._keep(uow, [each for each in self._loaded if each not in other])
            if missing or kept:
                uow.commit()
        if missing:  # another process may have been first: then its version is the one in force
            return self()
        self._tell([each for each in other if not self._reload(each.kind)])
        return {each.kind: _since(in_force[each.kind]) for each in other}

    def _keep(self, uow: UnitOfWork, ours: Sequence[Configuration]) -> bool:
        """What is in force without being kept came into force before contents were. Whether anything was written."""
        unkept = [
            each
            for each in ours
            if each.kind in self._contents and uow.configuration.content(each.kind, each.digest) is None
        ]
        for each in unkept:
            uow.configuration.keep(each.kind, each.digest, self._contents[each.kind]())
        self._is_kept = True
        return bool(unkept)

    def _tell(self, other: Sequence[Configuration]) -> None:
        """As a lease, which ends by itself: a process that is gone leaves nothing to clean up."""
        if not other:
            return
        with self._open_uow() as uow:
            for each in other:
                uow.leases.take(_PREFIX + each.kind, each.digest, self._clock.wall(), _TOLD_FOR)
            uow.commit()

    def _install(self, uow: UnitOfWork, loaded: Configuration) -> None:
        first = ConfigurationVersion(
            kind=loaded.kind,
            digest=loaded.digest,
            content=loaded.content,
            reason=INSTALLED,
            proposed_by=SYSTEM,
            proposed_at=self._clock.now(),
        )
        if uow.configuration.install(first):
            uow.audit.record([configuration_event("installed", first, SYSTEM, self._clock.now())])


def configuration_event(
    deed: str, version: ConfigurationVersion, actor: Actor, now: datetime, before: str | None = None
) -> Event:
    """The audit line of what was done to a version; `before`: the digest that was in force."""
    return Event(
        at=now,
        actor=actor,
        kind=f"configuration.{deed}",
        before=before,
        after=version.digest,
        reason=version.reason,
        details={"kind": version.kind},
    )


def awaiting_approval(uow: UnitOfWork) -> list[AwaitingApproval]:
    """One of each kind at most: the latest proposal, else what a process said of itself within the last minute."""
    every, in_force = uow.configuration.list_all(), uow.configuration.in_force()
    running = {ConfigurationKind(lease.name.removeprefix(_PREFIX)): lease.holder for lease in uow.leases.alive(_PREFIX)}
    waiting = {
        kind: AwaitingApproval(kind=kind, digest=digest)
        for kind, digest in running.items()
        if kind in in_force and in_force[kind].digest != digest
    }
    proposed = [each for each in reversed(every) if each.is_proposed]
    waiting |= {x.kind: AwaitingApproval(kind=x.kind, digest=x.digest, since=x.proposed_at) for x in proposed}
    return [waiting[kind] for kind in ConfigurationKind if kind in waiting]


def _since(version: ConfigurationVersion) -> datetime:
    return version.since or version.proposed_at
