"""Where a story is played: the services of a running world, the twin's control, and ways to wait for what comes."""

import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import httpx
import msgspec

from provisioning.bootstrap import Services
from provisioning.domain.ids import LineKey
from provisioning.domain.lifecycle import OPERATION_ENDS, LineState, OperationState, SubjectState
from provisioning.domain.operation import Operation, StepKind
from provisioning.domain.order import OrderLine
from provisioning.domain.reasons import Reason
from provisioning.intake.order_files import read_orders
from provisioning.local.cast import Cast
from provisioning.local.errors import StoryError
from provisioning.local.narrator import Narrator
from provisioning.local.sandbox import SandboxProcess
from provisioning.local.world import APP
from provisioning.words.catalogue import Language, Words

EXAMPLE = Path(__file__).parent / "example"
WORDS = Words(Language.ENGLISH)
_LOOK_EVERY = 0.1  # seconds
_STAYS = OPERATION_ENDS | {OperationState.HELD}
_REFUSED = frozenset({LineState.REJECTED, LineState.RECORDED_ONLY, LineState.CANCELLED})
_SERVED = frozenset({SubjectState.VERIFIED, SubjectState.ALREADY_RIGHT})


def name_of(code: SubjectState | StepKind) -> str:
    """What a state of a person or a kind of step is called."""
    return WORDS.step(code) if isinstance(code, StepKind) else WORDS.detail(code)


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where an order line and its latest operation are now."""

    line: OrderLine | None = None
    operation: Operation | None = None
    people: int = 0
    served: int = 0

    @property
    def state(self) -> LineState | OperationState | None:
        """Of the operation once there is one: the line only says that it is accepted."""
        if self.operation is not None:
            return self.operation.state
        return self.line.state if self.line else None

    @property
    def reason(self) -> Reason | None:
        if self.operation is not None:
            return self.operation.reason
        return self.line.reason if self.line else None

    @property
    def stays(self) -> bool:
        """Whether nothing will move it any more but a person; a held line may yet be judged again."""
        if self.operation is not None:
            return self.operation.state in _STAYS
        return self.line is not None and self.line.state in _REFUSED

    @property
    def sentence(self) -> str:
        if self.state is None:
            return "on its way from the shop"
        why = f": {WORDS.reason(self.reason).what}" if self.reason else ""
        return f"{WORDS.detail(self.state)}{why}"

    @property
    def progress(self) -> str:
        return f"{self.served} of {self.people} people proved" if self.people else ""


class Stage:
    """`patience`: real seconds a scene may take before the story gives up."""

    def __init__(
        self, services: Services, sandbox: SandboxProcess, cast: Cast, narrator: Narrator, patience: float
    ) -> None:
        self.services = services
        self.sandbox = sandbox
        self.twin = sandbox.control
        self.cast = cast
        self.narrator = narrator
        self.began = services.clock.now()
        self._patience = patience

    def submit(self, name: str) -> int:
        """Put an example file into the order database as the shop; how many lines are new there."""
        lines = read_orders(EXAMPLE / f"order-{name}.csv", self.services.clock.now())
        return self.services.submit_orders(lines, self.cast.shop)

    def standing(self, order: str) -> Standing:
        key = LineKey(self.services.order_desk.name, order, "1")
        with self.services.open_uow() as uow:
            line, operations = uow.orders.find(key), uow.operations.list_by(line=key)
            if not operations:
                return Standing(line=line)
            latest = max(operations, key=lambda operation: operation.created_at)
            counts = uow.journal.subject_counts(latest.operation_id)
        served = sum(people for state, people in counts.items() if state in _SERVED)
        return Standing(line=line, operation=latest, people=sum(counts.values()), served=served)

    def follow(self, order: str, goals: Collection[LineState | OperationState]) -> Standing:
        """Tell each state of the order until it is in one of `goals`. Raises StoryError when it does not come."""
        told, standing = "", Standing()
        with self.narrator.live(f"order {order}") as update:

            def look() -> bool:
                nonlocal told, standing
                standing = self.standing(order)
                update(f"order {order}: {standing.sentence} {standing.progress}")
                if standing.sentence != told:
                    told = standing.sentence
                    self.narrator.step(f"order {order}: {told}")
                return standing.state in goals or standing.stays

            self.wait(look, lambda: f"order {order} is {standing.sentence}, not {' or '.join(goals)}")
        if standing.state not in goals:
            raise StoryError(f"Order {order} is {standing.sentence}, not {' or '.join(goals)}.")
        return standing

    def wait(self, happened: Callable[[], bool], otherwise: Callable[[], str]) -> None:
        """Look until it is so. Raises StoryError with the sentence when patience ends."""
        deadline, pause = time.monotonic() + self._patience, threading.Event()
        while not happened():
            if time.monotonic() > deadline:
                raise StoryError(f"After {self._patience:.0f} seconds {otherwise()}.")
            pause.wait(_LOOK_EVERY)

    def grant_consent(self, organisation: str, domain: str) -> str:
        """The school's administrator follows our link and agrees; the address on which the browser came back."""
        link = self.services.consent_url(self.cast.operator, organisation, domain)
        answer = httpx.get(link, verify=self.sandbox.tls())
        return answer.headers["Location"]

    def writes(self, domain: str) -> list[dict[str, Any]]:
        """What we wrote to the tenant so far, as the twin's ledger has it."""
        tenant = self.services.show_tenants.one(domain).tenant
        return list(self.twin.ledger(tenant=tenant.tenant_id, app=APP))
