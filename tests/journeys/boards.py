"""A merger of two boards as it is typed: the file, the map and the reports on disk, every decision a command."""

import csv
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provisioning.domain.actors import Role
from provisioning.domain.ids import MigrationId, OrganisationId
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState, StepState
from provisioning.domain.migration import Phase, Traveller
from provisioning.domain.migration_lifecycle import ARRIVED, UNDER_WAY, MigrationState, PersonState, WaveState
from provisioning.domain.operation import Operation
from tests.journeys.crowd import Crowd, in_target, is_licensed, own_hold, without_mailbox
from tests.journeys.customers import A3, Customer
from tests.journeys.desk import Desk
from tests.journeys.furniture import Town
from tests.journeys.mergers import Merger, entitle
from tests.journeys.patience import until

_ADDON: Mapping[str, Any] = {
    "skuId": "c1bb4b3b-d1bc-4a13-8b4c-5b9b3c1ad1e5",
    "skuPartNumber": "CROSS_TENANT_USER_DATA_MIGRATION",
    "servicePlans": [],
}
_PATIENCE = 300.0  # real seconds for a wave of thousands on a busy machine


@dataclass
class Boards:
    """The source's people have accounts in the target, beside the target board's own people who hold all already."""

    town: Town
    folder: Path
    sizes: Crowd
    source: Customer
    target: Customer
    coming: Mapping[str, str]  # id in the source → id in the target
    desk: Desk
    migration_id: str = ""
    licensed: set[str] = field(default_factory=set)  # ids in the target of those who come and have it there already
    shown: dict[str, float] = field(default_factory=dict)  # when evidence was handed in, by the twin's clock, for whom

    @classmethod
    def settle(cls, town: Town, folder: Path, sizes: Crowd) -> "Boards":
        half = sizes.people // 2
        source = town.board((half, sizes.people - half), holds=A3, seats=sizes.people, traits=without_mailbox)
        unknown = sorted(source.people)[: sizes.left_out]
        strangers = [number for number, person in enumerate(source.people) if person in unknown]

        def as_they_are(customer: Customer, school: OrganisationId, number: int) -> Mapping[str, Any]:
            return own_hold(customer, school, number) or in_target(number, is_known=number not in strangers)

        target = town.board((sizes.people, sizes.people), holds=None, seats=2 * sizes.people, traits=as_they_are)
        entitle(town, target, 2 * sizes.people)
        arriving = next(iter(target.staff.values()))
        coming = dict(zip(source.people, arriving, strict=True))
        boards = cls(town, folder, sizes, source, target, coming, Desk(town.world, town.services))
        boards.licensed = {arriving[n] for n in range(sizes.people) if is_licensed(n) and n not in strangers}
        return boards

    # ── files ────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def disputed(self) -> list[str]:
        """Whom the first map leads to two people."""
        return sorted(self.coming)[: self.sizes.disputed]

    @property
    def nobody_knows(self) -> list[str]:
        """Who is left out in the end."""
        return self.disputed[: self.sizes.left_out]

    def write(self, disputed: Sequence[str], treatments: Mapping[str, str] | None = None, **more: Any) -> Path:
        """The migration's file and, beside it, the map in which these people are led to a second one."""
        strangers = dict(zip(disputed, list(self.target.staff.values())[1], strict=False))
        names = self.names(self.source) | self.names(self.target)
        pairs = [*self.coming.items(), *strangers.items()]
        self._table("people.csv", ("source", "target"), [(names[here], names[there]) for here, there in pairs])
        first, second = self.sizes.waves
        everyone = {"everyone": True}
        asked = {
            "name": f"{self.source.code} naar {self.target.code}",
            "asked_by": "brief 2027-14",
            "source": {"tenant": self.source.domain, "holder": self.source.code},
            "target": {"tenant": self.target.domain, "holder": self.target.code},
            "people": everyone,
            "products": [{"from": A3}],
            "waves": [
                {"name": "proef", "people": everyone, "at_most": first},
                {"name": "personeel", "people": everyone, "at_most": second},
                {"name": "de rest"},
            ],
            "identity": {"file": "people.csv"},
            "moves_mailboxes": True,
            "treatments": {"already_licensed": "take_along", **(treatments or {})},
            **more,
        }
        file = self.folder / "merger.yaml"
        file.write_text(json.dumps(asked, indent=2))  # JSON is YAML
        return file

    def moved(self, people: Iterable[str]) -> Path:
        """A list of whose mailbox has moved, by their names in the target."""
        names = self.names(self.target)
        return self._table(
            f"moved-{len(self.desk.deeds)}.csv", ("person",), [(names[self.coming[one]],) for one in people]
        )

    def names(self, customer: Customer) -> dict[str, str]:
        """UPNs by id."""
        return {
            person: f"medewerker-{number:04}.{school.lower()}@{customer.domain}"
            for school, people in customer.staff.items()
            for number, person in enumerate(people)
        }

    def _table(self, name: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Path:
        path = self.folder / name
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([columns, *rows])
        return path

    # ── what is typed ────────────────────────────────────────────────────────────────────────────────────

    def create(self, file: Path) -> Any:
        made = self.desk.do("migrations", "create", str(file))
        self.migration_id = made["migration"]["migration_id"]
        return made

    def steer(self, verb: str, *more: str) -> Any:
        return self.desk.do("migrations", verb, self._named, *more)

    def refused(self, verb: str, *more: str) -> str:
        """Why not."""
        return self.desk.refused("migrations", verb, self._named, *more)

    def start(self, wave: int) -> None:
        self.steer("start", "--wave", str(wave), "--reason", "both boards say go")

    def approve(self, phase: Phase, wave: int) -> None:
        """As the approver reads it from `migrations show`."""
        operation = self.await_plan(phase, wave)
        sheet = self.desk.look("migrations", "show", self._named)
        [line] = [one for one in sheet["operations"] if one["operation_id"] == operation.operation_id]
        self.desk.do("plans", "approve", operation.operation_id, line["digest"], role=Role.APPROVER)

    def await_plan(self, phase: Phase, wave: int) -> Operation:
        return self.merger.await_operation(phase, wave, OperationState.AWAITING_APPROVAL, within=_PATIENCE)

    def gate(self, people: Iterable[str]) -> None:
        moved = list(people)
        self._note_shown(moved)
        told = self.steer("gate", str(self.moved(moved)), "--source", "list")
        assert told["unknown"] == []

    def gate_by_job(self, completed: Iterable[str], synced: Iterable[str]) -> None:
        """What Microsoft's own job exports: a mailbox that is synced has not moved."""
        names = self.names(self.target)
        moved = list(completed)
        self._note_shown(moved)
        status = dict.fromkeys(synced, "Synced") | dict.fromkeys(moved, "Completed")
        rows = [(names[self.coming[one]], word) for one, word in status.items()]
        job = self._table(f"job-{len(self.desk.deeds)}.csv", ("Identity", "Status"), rows)
        assert self.steer("gate", str(job), "--source", "microsoft_job")["unknown"] == []

    def _note_shown(self, people: Iterable[str]) -> None:
        now = float(self.town.control.clock()["now"])
        for one in people:
            self.shown.setdefault(one, now)

    def statement(self) -> str:
        """What both boards get in the end, on one line."""
        file = self.folder / "slotverklaring.txt"
        self.steer("report", "--statement", str(file))
        return " ".join(file.read_text("utf-8").split())

    def buy_addon(self) -> None:
        """With which Microsoft moves a mailbox: one for each of the source's people, bought in the target."""
        self.town.control.seed({"catalogue": {"skus": [_ADDON]}}, reset=False)
        self.town.control.add_subscription(self.target.tenant, skuId=_ADDON["skuId"], totalLicenses=self.sizes.people)

    # ── what happens meanwhile ───────────────────────────────────────────────────────────────────────────

    def lose_seats(self, number: int) -> None:
        """After the check somebody at the school gives away so many of the seats that wave 2 needs."""
        newcomers = [one for wave in (1, 2) for one in self.merger.travellers(wave) if not self._has_it(one)]
        self.town.set_seats(self.target, self.sizes.people + len(self.licensed) + len(newcomers) - number)

    def _has_it(self, one: Traveller) -> bool:
        return one.target_id in self.licensed

    def find_seats(self) -> None:
        self.town.set_seats(self.target, 2 * self.sizes.people)

    # ── where it stands ──────────────────────────────────────────────────────────────────────────────────

    @property
    def merger(self) -> Merger:
        return Merger(self.town, self.source, self.target, MigrationId(self._named))

    @property
    def _named(self) -> str:
        assert self.migration_id, "nothing was created yet"
        return self.migration_id

    def at_gate(self, wave: int) -> list[str]:
        """Ids in the source of those of a wave whose mailbox is to move."""
        people = self.merger.travellers(wave)
        return [str(one.source_id) for one in people if one.state is PersonState.PREPARED]

    def arrived_before(self, wave: int) -> list[str]:
        """Ids in the source of those of a wave who had everything in the target when it began, a mailbox too."""
        return [str(one.source_id) for one in self.merger.travellers(wave) if self._has_it(one) and one.has_mailbox]

    @property
    def own(self) -> list[str]:
        """People whom the target's board always had."""
        return list(list(self.target.staff.values())[1])

    def arrived(self) -> set[str]:
        """Ids in the target of everybody who has the licence there, by what the migration itself says."""
        held = {PersonState.PREPARED, *ARRIVED}
        return {str(one.target_id) for one in self.merger.travellers() if one.state in held}

    def foretold(self) -> int:
        """The writes of all that is still ahead, as people are shown them before they begin."""
        return sum(one["writes"] for one in self.desk.look("migrations", "show", self._named)["forecast"])

    def await_written(self, phase: Phase, wave: int, share: float) -> None:
        """Until so much of the journal of that phase is written, and not all of it."""
        until(lambda: share <= self.written(phase, wave) < 1, lambda: f"{phase} {share:.0%}", within=_PATIENCE)

    def written(self, phase: Phase, wave: int) -> float:
        """Which share of the steps of the phase's open operations has begun; 0 while there are none."""
        counts = Counter[StepState]()
        with self.town.services.open_uow() as uow:
            for one in self.merger.operations(phase, wave):
                if one.state not in OPERATION_ENDS:
                    counts.update(uow.journal.step_counts(one.operation_id))
        return 1 - counts[StepState.PENDING] / counts.total() if counts else 0.0

    def await_enabled(self, wave: int, but: Collection[str]) -> None:
        """Until everybody of a wave has Exchange, or has no mailbox, `but` those whose mailbox has not moved."""

        def look() -> bool:
            people = [one for one in self.merger.travellers(wave) if one.source_id not in but]
            return all(one.state is PersonState.ENABLED for one in people)

        until(look, lambda: f"wave {wave} enabled", within=_PATIENCE)

    def sheet(self, wave: int) -> Any:
        """One wave as people are shown it."""
        waves = self.desk.look("migrations", "show", self._named)["waves"]
        return next(one for one in waves if one["number"] == wave)

    def served_twice(self) -> set[str]:
        """Ids in the target of those whom the migration licensed there although it came to no end for them."""
        failed = (one for one in self.merger.travellers() if one.state is PersonState.FAILED)
        return {str(one.target_id) for one in failed if one.failed_in is not Phase.PREPARE}

    def await_rest(self) -> None:
        """Until nobody is under way any more."""
        until(lambda: not self.merger.states() & UNDER_WAY, "nobody under way", within=_PATIENCE)

    def failed(self, wave: int) -> list[Traveller]:
        return [one for one in self.merger.travellers(wave) if one.state is PersonState.FAILED]

    def await_states(self, wave: int, states: set[PersonState]) -> None:
        """Until everybody of a wave is in one of them."""
        until(lambda: self.merger.states(wave) <= states, lambda: f"wave {wave} {states}", within=_PATIENCE)

    def await_wave(self, wave: int, state: WaveState) -> None:
        self.merger.await_wave(wave, state, within=_PATIENCE)

    def await_state(self, state: MigrationState) -> None:
        self.merger.await_state(state, within=_PATIENCE)
