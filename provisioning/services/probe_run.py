"""All probes, one after the other, on one side: the twin, or the test tenant. After each the person is put back."""

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol
from uuid import uuid4

import msgspec

from provisioning.domain.errors import AmbiguousOutcomeError, ConflictError, RetryableError
from provisioning.domain.groups import ObservedGroup
from provisioning.domain.ids import TenantId
from provisioning.domain.observation import Person
from provisioning.planning.calibration import Asked, Found
from provisioning.planning.probe import Ask, Probe
from provisioning.planning.probe_answers import Answered, Plain, facts_of
from provisioning.planning.probe_people import (
    Cast,
    Interrupted,
    Standing,
    after,
    at_most,
    has_no_more,
    merged,
    standing_of,
    undoing,
)
from provisioning.planning.probe_stage import Stage, filled, obstacle
from provisioning.ports import Clock, Prober

RESTORE = "restore"  # what requests that put back are called in journal and audit

_THROTTLED = 429
_NOT_THERE = frozenset({400, 404})  # what taking a licence, or leaving a group, gets when there is nothing to take
_PATIENT = timedelta(minutes=10)  # learn.microsoft.com: a change of a group is effective within minutes
_LOOK_EVERY = timedelta(seconds=2)
_TRIES = 3


class Watch(Protocol):
    """Who stands beside the run: nobody at the twin, all safety rules at a tenant."""

    def room_for(self, writes: int) -> str | None:
        """Why a probe with so many writes is not begun; None when it may."""

    def before(self, probe: str, ask: Ask, call_id: str) -> None:
        """Raises ProvisioningError when this must not leave."""

    def after(self, probe: str, ask: Ask, call_id: str, status: int | None) -> None:
        """None: the answer is lost."""


class Waits(msgspec.Struct, frozen=True, kw_only=True):
    """How long things take, and how to wait for them."""

    pause: Callable[[timedelta], None]
    settle: timedelta
    gap: timedelta  # between two looks that have to agree
    horizon: timedelta  # how long looks may be old


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """Where it is asked, about whom, and with which words."""

    prober: Prober
    tenant: TenantId
    stage: Stage
    permissions: frozenset[str]
    plain: Plain
    cast: Cast
    before: Standing

    @property
    def left(self) -> Interrupted:
        return Interrupted(tenant=self.tenant, cast=self.cast, before=self.before)


class ProbeRun:
    def __init__(self, side: Side, watch: Watch, waits: Waits, clock: Clock) -> None:
        self._side = side
        self._watch = watch
        self._waits = waits
        self._clock = clock
        self._now = side.before
        self._is_doubtful = False
        self._seen: Standing | None = None  # how they looked when it was doubtful last
        self._asked: list[Asked] = []
        self._writes = 0

    def ask(self, probe: Probe) -> Found:
        """What this side says to it; raises what forbids going on at all."""
        why = obstacle(probe, self._side.stage, self._side.permissions) or self._watch.room_for(probe.writes)
        if why:
            return Found(reason=why)
        self._asked, self._writes = [], 0
        try:
            found = self._answer_to(probe)
        except (AmbiguousOutcomeError, RetryableError) as error:
            found = Found(reason=str(error))
        if not probe.leaves:
            self.put_back()
        return msgspec.structs.replace(found, requests=tuple(self._asked), writes=self._writes)

    def put_back(self) -> None:
        """Undo what was accepted. What nobody knows is looked at first, once absence can be believed."""
        for _ in range(_TRIES):
            try:
                if self._is_doubtful:
                    self._look_anew()
                for ask in undoing(self._now, self._side.before, self._side.cast):
                    self._undo(ask)
            except (AmbiguousOutcomeError, RetryableError):
                self._is_doubtful = True
            if self._now == self._side.before and not self._is_doubtful:
                self._seen = None
                return
            self._is_doubtful = True
        raise ConflictError("The test person could not be put back.")

    def confirm(self) -> bool:
        """Whether two looks agree that the person is as before."""
        agreeing = 0
        waited = timedelta(0)
        while waited <= self._waits.horizon:
            seen = self._observed()
            is_free = seen is not None and not seen[0].licences  # of what a group gave, too
            agreeing = agreeing + 1 if seen and is_free and standing_of(*seen) == self._side.before else 0
            if agreeing > 1:
                return True
            self._waits.pause(self._waits.gap)
            waited += self._waits.gap
        return False

    def recover(self, at_most: Standing) -> None:
        """Put back whom an interrupted run left: nobody knows how, only what they may have been given at most."""
        self._now, self._is_doubtful = at_most, True
        self.put_back()

    def _undo(self, ask: Ask) -> None:
        """A refusal to take what is not seen is as good: writes are decided on the newest state, looks may be older."""
        answered = self._send(RESTORE, ask)
        wanted = after(self._now, ask, self._side.cast)
        if answered.status in _NOT_THERE and self._seen is not None and has_no_more(self._seen, wanted):
            self._now = wanted

    def _look_anew(self) -> None:
        self._waits.pause(self._waits.settle)
        seen = self._observed()
        if seen is None:
            raise ConflictError("The test person or the test group cannot be read; run it again later.")
        self._seen = standing_of(*seen)
        self._now = merged(self._now, self._seen)
        self._is_doubtful = False

    def _observed(self) -> tuple[Person, ObservedGroup | None] | None:
        """The person and the group, if there is one; None when either cannot be read whole."""
        cast, prober = self._side.cast, self._side.prober
        try:
            person = prober.observe_person(self._side.tenant, cast.user)
            group = prober.observe_group(self._side.tenant, cast.group) if cast.group else None
        except RetryableError:
            return None
        is_whole = person is not None and (cast.group is None or (group is not None and group.is_complete))
        return (person, group) if person and is_whole else None

    def _answer_to(self, probe: Probe) -> Found:
        words = dict(self._side.stage.words)
        for first in probe.first:
            answered = self._send(probe.name, filled(first, words))
            if not answered.is_accepted:
                return Found(reason=f"what comes before it was answered {answered.status}")
            if link := _next_link(answered):
                words["next"] = link
        if "next" in probe.words and "next" not in words:
            return Found(reason=self._side.stage.absent["next"])
        began = self._clock.now()
        answered = self._waited_for(probe, filled(probe.ask, words))
        if answered.status == _THROTTLED or answered.is_lost:
            return Found(reason=f"it was answered {answered.status}")
        took = round((self._clock.now() - began).total_seconds(), 3) if probe.ask.until is not None else None
        return Found(facts=facts_of(probe, answered, self._side.plain), seconds=took)

    def _waited_for(self, probe: Probe, ask: Ask) -> Answered:
        """The answer, or with `until` the first one that shows as many licences."""
        answered = self._send(probe.name, ask)
        waited = timedelta(0)
        while ask.until is not None and _shown(answered) != ask.until and waited < _PATIENT:
            self._waits.pause(_LOOK_EVERY)
            waited += _LOOK_EVERY
            answered = self._send(probe.name, ask)
        return answered

    def _send(self, probe: str, ask: Ask) -> Answered:
        """Send; come back when Microsoft says so, which is certain to have changed nothing."""
        for _ in range(_TRIES):
            answered = self._send_once(probe, ask)
            if answered.status != _THROTTLED:
                break
            self._waits.pause(min(_asked_to_wait(answered), _PATIENT))
        return answered

    def _send_once(self, probe: str, ask: Ask) -> Answered:
        call_id = str(uuid4())
        if ask.writes:
            self._watch.before(probe, ask, call_id)
            self._writes += ask.writes
        try:
            answered = self._side.prober.ask(self._side.tenant, ask, call_id)
        except AmbiguousOutcomeError:
            self._doubt(ask)
            self._told(probe, ask, call_id, None)
            raise
        self._told(probe, ask, call_id, answered.status)
        self._note(ask, answered)
        if probe != RESTORE:
            self._asked.append(_asked(answered, call_id))
        return answered

    def _doubt(self, ask: Ask) -> None:
        """Nobody knows what came of it, so it may have come true."""
        if ask.writes:
            self._is_doubtful = True
            self._now = at_most(self._now, ask, self._side.cast)

    def _told(self, probe: str, ask: Ask, call_id: str, status: int | None) -> None:
        if ask.writes:
            self._watch.after(probe, ask, call_id, status)

    def _note(self, ask: Ask, answered: Answered) -> None:
        """What the answer says about the person."""
        pairs = [(ask, answered)]
        if ask.items:
            parts = answered.items
            pairs = [(item, parts[str(place)]) for place, item in enumerate(ask.items) if str(place) in parts]
        for sent, part in pairs:
            if part.is_lost:
                self._doubt(sent)
            elif part.is_accepted:
                self._now = after(self._now, sent, self._side.cast)


def _asked(answered: Answered, call_id: str) -> Asked:
    request_id = answered.headers.get("request-id", call_id)
    return Asked(request_id=request_id, date=answered.headers.get("date", ""), status=answered.status)


def _next_link(answered: Answered) -> str | None:
    """Relative to the version root, like every address of a probe."""
    content = answered.content
    link = content.get("@odata.nextLink") if isinstance(content, dict) else None
    return link.partition("/v1.0")[2] if link else None


def _shown(answered: Answered) -> int:
    content = answered.content
    return len(content.get("licenseAssignmentStates", ())) if isinstance(content, dict) else 0


def _asked_to_wait(answered: Answered) -> timedelta:
    told = answered.headers.get("retry-after", "")
    try:
        return timedelta(seconds=float(told))
    except ValueError:
        return _LOOK_EVERY * 5
