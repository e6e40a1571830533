"""Plays a migration to its end: what operators and approvers would do is done at once, and written down."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TypeVar

from provisioning.bootstrap import Services
from provisioning.domain.errors import ConflictError, InputError, RetryableError
from provisioning.domain.ids import MigrationId, OperationId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.migration import EvidenceSource, Migration, Phase, Traveller
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from provisioning.domain.operation import Operation
from provisioning.local.errors import EnginesError
from provisioning.local.rehearsal_cast import APPROVER, EVIDENCE, OPERATOR, REASON
from provisioning.local.rehearsal_seed import give_back
from provisioning.local.rehearsal_watch import Scene, Shown, look, part_of, show, travellers
from provisioning.local.world import LocalWorld
from provisioning.planning.rehearsal import Chore, Circumstances, Deed
from provisioning.services.prepare_rehearsal import Script

Done = TypeVar("Done")
_TRIES = 10
_LOOK_EVERY = 0.1  # real seconds
_LEAST_PATIENCE = 8.0  # and on top of it the longest wait of the service's own, at the world's pace
_LONGEST_WAIT = timedelta(minutes=15)  # of the service: settling, a replica behind, a retry
_ON_THEIR_WAY = frozenset({PersonState.WAITING, PersonState.PREPARING})
_AT_THE_GATE = frozenset({PersonState.PREPARED, PersonState.ENABLING})
_TO_PROVE = _AT_THE_GATE | {PersonState.ENABLED}  # who had everything before is not released without evidence either
_AT_WORK = frozenset({OperationState.PLANNING, OperationState.APPLYING, OperationState.VERIFYING})
_ALWAYS = timedelta(minutes=5)  # past the hold period, so that nobody is a second short of it


class Director:
    """`told` hears a sentence whenever something happened; `may_go_on` raises once somebody wants it to end."""

    def __init__(
        self,
        world: LocalWorld,
        script: Script,
        circumstances: Circumstances,
        told: Callable[[str], None],
        may_go_on: Callable[[], None],
    ) -> None:
        self.world = world
        self.services: Services = world.services()
        self.script = script
        self.circumstances = circumstances
        self.deeds: list[Deed] = []
        self.obstacles: dict[int, list[str]] = {}
        self.overcome: dict[int, list[str]] = {}
        self.seats_short = circumstances.seats_short
        self.shown: dict[OperationId, Shown] = {}
        self.entered: dict[int, dict[WaveState, datetime]] = {}
        self.migration_id = MigrationId("")
        self.told = told
        self._may_go_on = may_go_on
        longest = _LONGEST_WAIT.total_seconds() + 4 * circumstances.lag_seconds
        self._patience = _LEAST_PATIENCE + longest / circumstances.clock_factor

    def play(self) -> None:
        """As far as it was asked, or as it goes. Raises ProvisioningError when the world breaks down."""
        if not self._create():
            return
        arrived = [number for number in self._numbers if self._bring(number)]
        if self.circumstances.until is not Phase.RELEASE:
            return
        to_release = [number for number in arrived if self._here(number, PersonState.ENABLED)]
        if to_release:
            self._hold(to_release)
        for number in to_release:
            self._release(number)

    def _here(self, number: int, state: PersonState) -> list[Traveller]:
        return [one for one in travellers(self.services, self.migration_id, number) if one.state is state]

    @property
    def _numbers(self) -> list[int]:
        return sorted(wave.number for wave in self.script.asked.waves)

    # ── what people do ───────────────────────────────────────────────────────────────────────────────────

    def _create(self) -> bool:
        created = self._insist(lambda: self.services.create_migration(OPERATOR, self.script.asked))
        self.migration_id = created.migration.migration_id
        if created.unread:
            self._insist(lambda: self.services.match_migration(self.migration_id))
        found = Counter(one.situation for one in travellers(self.services, self.migration_id))
        counted = ", ".join(f"{number:,} {situation.replace('_', ' ')}" for situation, number in sorted(found.items()))
        self.told(f"Matched: {counted or 'nobody'}.")
        return bool(found)

    def _bring(self, number: int) -> bool:
        """Start the wave and see it through its gate; False when it does not get there."""
        if not self._start(number) or not self._wait(number, lambda scene: not scene.people(number, _ON_THEIR_WAY)):
            return False
        self.told(f"Wave {number} is prepared in the target.")
        if not self._goes_through_gate(number):
            return True
        own = travellers(self.services, self.migration_id, number)
        at_gate = [one for one in own if one.state in _TO_PROVE and one.has_mailbox and one.evidence is None]
        late = round(len(at_gate) * self.circumstances.late)
        for people in (at_gate[late:], at_gate[:late]):
            if people and not self._open_gate(number, people):
                return False
        return self._wait(number, lambda scene: scene.wave(number).state is WaveState.HOLDING)

    def _goes_through_gate(self, number: int) -> bool:
        """The pilot always does when others follow: none of them may begin before."""
        pilot, *others = self._numbers
        return self.circumstances.until is not Phase.PREPARE or bool(number == pilot and others)

    def _start(self, number: int) -> bool:
        refusal = self._refusal(number)
        if refusal and self.seats_short:
            self.overcome.setdefault(number, []).append(refusal)
            self._note(Chore.EXPLAIN, number, f"wave {number} waits for seats, and they come: {refusal}")
            give_back(self.world.sandbox.control, self.script, self.seats_short)
            self.seats_short = 0
            refusal = self._refusal(number)
        if refusal:
            self._stand_still(number, refusal, Chore.EXPLAIN)
            return False
        self._note(Chore.START, number, f"start wave {number}")
        return True

    def _refusal(self, number: int) -> str:
        """Why the wave cannot be started; nothing when it was."""
        try:
            self._insist(lambda: self.services.start_wave(OPERATOR, self.migration_id, number, REASON))
        except InputError as error:
            return str(error)
        return ""

    def _open_gate(self, number: int, people: Sequence[Traveller]) -> bool:
        named = [str(one.source_id) for one in people]
        self.services.open_gate(OPERATOR, self.migration_id, named, EvidenceSource.LIST, EVIDENCE)
        self._note(Chore.GIVE_EVIDENCE, number, f"evidence for {len(people):,} mailboxes of wave {number}")
        gone = {one.source_id for one in people}

        def through(_: Scene) -> bool:
            now = travellers(self.services, self.migration_id, number)
            return not any(one.source_id in gone and one.state in _AT_THE_GATE for one in now)

        return self._wait(number, through)

    def _hold(self, waves: Sequence[int]) -> None:
        """The hold period passes at once: nothing is under way in it. Workers begin anew behind it."""
        self._let_finish()
        left = self._held_until(waves) + _ALWAYS - self.services.clock.now()
        self.told(f"The hold period passes: {left.days} days.")
        self.services.close()
        self.world.skip(left.total_seconds())
        self.services = self.world.services()
        self.world.await_workers()

    def _let_finish(self) -> None:
        """Other work of these tenants, such as people who go into a group: hours would pass between two of its looks.

        What does not come to its end has waits of its own, and can be hurried.
        """
        deadline = time.monotonic() + self._patience
        while time.monotonic() < deadline:
            with self.services.open_uow() as uow:
                if not uow.operations.list_by(_AT_WORK):
                    return
            self._pause()

    def _held_until(self, waves: Sequence[int]) -> datetime:
        period = self.migration.definition.hold_period
        ends = [
            end
            for number in waves
            for one in self._here(number, PersonState.ENABLED)
            if (end := one.held_until(period))
        ]
        return max(ends, default=self.services.clock.now())

    def _insist(self, act: Callable[[], Done]) -> Done:
        """As whoever types it again does when Graph refuses to be read. Raises GraphError when it goes on refusing."""
        for _ in range(_TRIES - 1):
            with suppress(RetryableError):
                return act()
            self._pause()
        return act()

    def _release(self, number: int) -> None:
        try:
            self.services.release_wave(OPERATOR, self.migration_id, number, REASON)
        except InputError as error:
            self._stand_still(number, str(error))
            return
        self._note(Chore.RELEASE, number, f"release the source of wave {number}")
        if self._wait(number, lambda scene: scene.wave(number).state is not WaveState.RELEASING):
            self.told(f"Wave {number} is released in the source.")

    def _approve(self, operation: Operation) -> None:
        sheet = self.services.show_plan(operation.operation_id)
        part = part_of(operation)
        with suppress(ConflictError):  # it was drawn anew just now: the next look shows that one
            self.services.approve_plan(APPROVER, operation.operation_id, sheet.envelope.digest)
            self._note(Chore.APPROVE, part.wave, f"approve the plan to {part.phase.replace('_', ' ')} wave {part.wave}")

    # ── looking on ───────────────────────────────────────────────────────────────────────────────────────

    @property
    def migration(self) -> Migration:
        with self.services.open_uow() as uow:
            return uow.migrations.get(self.migration_id)

    def _wait(self, number: int, reached: Callable[[Scene], bool]) -> bool:
        """Decide whatever waits for a person until it is so; False, with the reason noted, when nothing moves."""
        moved, before = time.monotonic(), None
        while True:
            scene = look(self.services, self.migration_id)
            self._attend(scene)
            if reached(scene):
                return True
            if scene.movement != before:
                moved, before = time.monotonic(), scene.movement
            if scene.needs_somebody or time.monotonic() - moved > self._patience:
                self._stand_still(number, _why(scene, number))
                return False
            self._pause()

    def _attend(self, scene: Scene) -> None:
        for wave in scene.waves:
            self.entered.setdefault(wave.number, {}).setdefault(wave.state, wave.entered_at)
        for operation in scene.operations:
            self._look_at_plan(operation)
        if scene.migration[0] == MigrationState.PAUSED:
            self.services.steer_migration(OPERATOR, self.migration_id, MigrationState.RUNNING, REASON)
            self._note(Chore.RESUME, 0, f"resume: it paused itself ({scene.migration[1]})")

    def _look_at_plan(self, operation: Operation) -> None:
        waits = operation.state is OperationState.AWAITING_APPROVAL
        if operation.operation_id not in self.shown or waits:
            try:
                self.shown[operation.operation_id] = show(self.services, operation)
            except InputError:
                return  # none was drawn yet
        if waits:
            self._approve(operation)

    def _note(self, chore: Chore, wave: int, told: str) -> None:
        self.deeds.append(Deed(chore=chore, at=self.services.clock.now(), told=told, wave=wave))
        self.told(f"{told[0].upper()}{told[1:].rstrip('.')}.")

    def _stand_still(self, number: int, why: str, chore: Chore = Chore.LOOK_INTO) -> None:
        self.obstacles.setdefault(number, []).append(why)
        self._note(chore, number, f"wave {number} stands still: {why}" if number else why)

    def _pause(self) -> None:
        self._may_go_on()
        if gone := self.world.ended_by_themselves():
            raise EnginesError(f"The rehearsal broke off: {', '.join(gone)} ended. Logs are in {self.world.folder}.")
        threading.Event().wait(_LOOK_EVERY)


def _why(scene: Scene, number: int) -> str:
    """What is open, in the words of its reasons."""
    open_ones = [one for one in scene.open_operations if part_of(one).wave == number]
    told = [
        f"{part_of(one).phase.replace('_', ' ')} is {one.state.replace('_', ' ')}"
        + (f" ({one.reason})" if one.reason else "")
        for one in open_ones
    ]
    return "; ".join(told) or f"the wave is {scene.wave(number).state}, and nothing is at work on it"
