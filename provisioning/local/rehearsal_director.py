"""Plays a migration to its end: what operators and approvers would type is typed at once, and written down."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from provisioning.bootstrap import Services
from provisioning.domain.errors import InputError
from provisioning.domain.ids import MigrationId, OperationId
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState
from provisioning.domain.migration import Phase, Traveller
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.local.errors import EnginesError
from provisioning.local.rehearsal_hands import MOVED, MOVING, Hands, Type
from provisioning.local.rehearsal_seed import give_back
from provisioning.local.rehearsal_watch import Scene, Shown, held_until, look, part_of, show, travellers, why
from provisioning.local.world import LocalWorld
from provisioning.planning.rehearsal import Chore, Circumstances, Deed
from provisioning.planning.window import next_opening
from provisioning.services.prepare_rehearsal import Script

_LOOK_EVERY = 0.1  # real seconds
_LEAST_PATIENCE = 8.0  # and on top of it the longest wait of the service's own, at the world's pace
_LONGEST_WAIT = timedelta(minutes=15)  # of the service: settling, a replica behind, a retry
_ON_THEIR_WAY = frozenset({PersonState.WAITING, PersonState.PREPARING})
_AT_THE_GATE = frozenset({PersonState.PREPARED, PersonState.ENABLING})
_TO_PROVE = _AT_THE_GATE | {PersonState.ENABLED}  # who had everything before is not released without evidence either
_AT_WORK = frozenset({OperationState.PLANNING, OperationState.APPLYING, OperationState.VERIFYING})
_A_MOMENT = timedelta(seconds=1)
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
        type_in: Type,
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
        self.refusals: dict[OperationId, str] = {}
        self.proven: set[object] = set()
        self.told = told
        self._may_go_on = may_go_on
        self.hands = Hands(self.services, type_in, world.folder, self._pause)
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
        created = self.hands.create(self.script.asked)
        if created.is_done and created.value.get("unread"):
            created = self.hands.match()
        if not created.is_done:
            self._stand_still(0, created.said)
        if not self.hands.migration:
            return False
        found = Counter(one.situation for one in travellers(self.services, self.migration_id))
        counted = ", ".join(f"{number:,} {situation.replace('_', ' ')}" for situation, number in sorted(found.items()))
        self.told(f"Matched: {counted or 'nobody'}.")
        return bool(found)

    def _bring(self, number: int) -> bool:
        """Start the wave and see it through its gate; False when it does not get there."""
        self._await_start(number)
        if not self._start(number) or not self._wait(number, lambda scene: not scene.people(number, _ON_THEIR_WAY)):
            return False
        self.told(f"Wave {number} is prepared in the target.")
        if not self._goes_through_gate(number):
            return True
        own = travellers(self.services, self.migration_id, number)
        at_gate = [one for one in own if one.state in _TO_PROVE and one.has_mailbox and one.evidence is None]
        late = round(len(at_gate) * self.circumstances.late)
        for people, others in ((at_gate[late:], at_gate[:late]), (at_gate[:late], [])):
            if people and not self._open_gate(number, people, others):
                return False
        return self._wait(number, lambda scene: scene.wave(number).state is WaveState.HOLDING)

    def _goes_through_gate(self, number: int) -> bool:
        """The pilot always does when others follow: none of them may begin before."""
        pilot, *others = self._numbers
        return self.circumstances.until is not Phase.PREPARE or bool(number == pilot and others)

    def _start(self, number: int) -> bool:
        answer = self.hands.start(number)
        if not answer.is_done and self.seats_short:
            self.overcome.setdefault(number, []).append(answer.said)
            self._note(Chore.EXPLAIN, number, f"wave {number} waits for seats, and they come: {answer.said}")
            give_back(self.world.sandbox.control, self.script, self.seats_short)
            self.seats_short = 0
            answer = self.hands.start(number)
        if not answer.is_done:
            self._stand_still(number, answer.said, Chore.EXPLAIN)
            return False
        self._note(Chore.START, number, f"start wave {number}", self.hands.typed)
        return True

    def _open_gate(self, number: int, people: Sequence[Traveller], others: Sequence[Traveller]) -> bool:
        """A report as migration tools make them: `others` are in it too, and their mailboxes on the way."""
        report = {str(one.source_id): MOVED for one in people} | {str(one.source_id): MOVING for one in others}
        answer = self.hands.gate(report)
        if not answer.is_done:
            self._stand_still(number, answer.said)
            return False
        told = f"evidence for {len(people):,} mailboxes of wave {number}"
        self._note(Chore.GIVE_EVIDENCE, number, told, self.hands.typed)
        gone = {one.source_id for one in people}

        def through(_: Scene) -> bool:
            now = travellers(self.services, self.migration_id, number)
            return not any(one.source_id in gone and one.state in _AT_THE_GATE for one in now)

        return self._wait(number, through)

    def _release(self, number: int) -> None:
        self._await_opening()
        answer = self.hands.release(number)
        if not answer.is_done:
            self._stand_still(number, answer.said)
            return
        self._note(Chore.RELEASE, number, f"release the source of wave {number}", self.hands.typed)
        if self._wait(number, lambda scene: scene.wave(number).state is not WaveState.RELEASING):
            self.told(f"Wave {number} is released in the source.")

    def _approve(self, operation: Operation) -> None:
        sheet = self.services.show_plan(operation.operation_id)
        part = part_of(operation)
        answer = self.hands.approve(operation.operation_id, sheet.envelope.digest)
        self.refusals.pop(operation.operation_id, None)
        if answer.is_done:
            told = f"approve the plan to {part.phase.replace('_', ' ')} wave {part.wave}"
            self._note(Chore.APPROVE, part.wave, told, self.hands.typed)
        else:  # it was drawn anew just now, and the next look shows that one; or else this is why nothing moves
            self.refusals[operation.operation_id] = answer.said

    def _check(self, operation: Operation) -> None:
        """The wave's proof grew old while it waited; said once for each time that it did."""
        wave, waits = part_of(operation).wave, (operation.operation_id, operation.entered_at, operation.due_at)
        if waits in self.proven:
            return
        self.proven.add(waits)
        answer = self.hands.check(wave)
        if answer.is_done:
            self._note(Chore.CHECK, wave, f"check wave {wave} once more", self.hands.typed)
        else:
            self.refusals[operation.operation_id] = answer.said

    # ── time that passes at once ─────────────────────────────────────────────────────────────────────────

    def _await_start(self, number: int) -> None:
        """A wave is started when it may be, and when its writes may leave."""
        asked = next(wave for wave in self.script.asked.waves if wave.number == number)
        self._await_opening(asked.not_before)

    def _await_opening(self, not_before: datetime | None = None) -> None:
        """Nothing to wait for where nobody knows when that is: the work itself says so."""
        now = self.services.clock.now()
        earliest = max(now, not_before or now)
        opening = next_opening(self.script.asked.window, self.services.mappings.school_holidays, earliest) or earliest
        if opening > now:
            self._let_finish()
            self._jump(opening + _A_MOMENT, f"Until {opening:%Y-%m-%d %H:%M} UTC nothing may be written: that passes.")

    def _hold(self, waves: Sequence[int]) -> None:
        """The hold period passes at once: nothing is under way in it."""
        self._let_finish()
        arrived = [one for number in waves for one in self._here(number, PersonState.ENABLED)]
        until = held_until(arrived, self.script.asked.hold_period, self.services.clock.now()) + _ALWAYS
        self._jump(until, f"The hold period passes: {(until - self.services.clock.now()).days} days.")

    def _jump(self, until: datetime, told: str) -> None:
        """Workers begin anew behind it."""
        left = until - self.services.clock.now()
        self.told(told)
        self.services.close()
        self.world.skip(left.total_seconds())
        self.services = self.hands.services = self.world.services()
        self.world.await_workers()

    def _let_finish(self) -> None:
        """Other work of these tenants, such as people who go into a group: hours would pass between two of its looks.

        What does not come to its end has waits of its own, and can be hurried.
        """
        deadline = time.monotonic() + self._patience
        while time.monotonic() < deadline:
            with self.services.open_uow() as uow:
                at_work = uow.operations.list_by(_AT_WORK)
            if all(one.reason is Reason.OUTSIDE_WINDOW for one in at_work):
                return
            self._pause()

    # ── looking on ───────────────────────────────────────────────────────────────────────────────────────

    @property
    def migration_id(self) -> MigrationId:
        return self.hands.migration_id

    def _wait(self, number: int, reached: Callable[[Scene], bool]) -> bool:
        """Decide whatever waits for a person until it is so; False, with the reason noted, when nothing moves."""
        moved, before = time.monotonic(), None
        while True:
            scene = look(self.services, self.migration_id)
            self._attend(scene)
            if reached(scene):
                return True
            if scene.waits_for_opening:
                self._await_opening()
            if scene.movement != before:
                moved, before = time.monotonic(), scene.movement
            if scene.needs_somebody or time.monotonic() - moved > self._patience:
                self._stand_still(number, why(scene, number, self.refusals))
                return False
            self._pause()

    def _attend(self, scene: Scene) -> None:
        for wave in scene.waves:
            self.entered.setdefault(wave.number, {}).setdefault(wave.state, wave.entered_at)
        for operation in scene.operations:
            self._look_at_plan(operation)
            if operation.reason is Reason.PREFLIGHT_EXPIRED and operation.state not in OPERATION_ENDS:
                self._check(operation)
        if scene.migration[0] == MigrationState.PAUSED:
            answer = self.hands.resume()
            told = f"resume: it paused itself ({scene.migration[1]})"
            self._note(Chore.RESUME, 0, told if answer.is_done else answer.said, self.hands.typed)

    def _look_at_plan(self, operation: Operation) -> None:
        waits = operation.state is OperationState.AWAITING_APPROVAL
        if operation.operation_id not in self.shown or waits:
            try:
                self.shown[operation.operation_id] = show(self.services, operation)
            except InputError:
                return  # none was drawn yet
        if waits:
            self._approve(operation)

    def _note(self, chore: Chore, wave: int, told: str, typed: str = "") -> None:
        self.deeds.append(Deed(chore=chore, at=self.services.clock.now(), told=told, wave=wave, typed=typed))
        self.told(f"{told[0].upper()}{told[1:].rstrip('.')}.")

    def _stand_still(self, number: int, why: str, chore: Chore = Chore.LOOK_INTO) -> None:
        self.obstacles.setdefault(number, []).append(why)
        self._note(chore, number, f"wave {number} stands still: {why}" if number else why)

    def _pause(self) -> None:
        self._may_go_on()
        if gone := self.world.ended_by_themselves():
            raise EnginesError(f"The rehearsal broke off: {', '.join(gone)} ended. Logs are in {self.world.folder}.")
        threading.Event().wait(_LOOK_EVERY)
