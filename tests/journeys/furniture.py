"""Schools and boards to order for: register, membership, tenant with people, binding, policy, and the shop's row."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from io import StringIO
from itertools import count
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import msgspec

from provisioning.cli.app import run
from provisioning.cli.session import Session
from provisioning.domain.actors import ANONYMOUS, Identity, Role
from provisioning.domain.events import Event
from provisioning.domain.ids import LineKey, OrganisationId, TenantId
from provisioning.domain.lifecycle import OPERATION_ENDS, LineState, OperationState, SubjectState
from provisioning.domain.operation import Operation
from provisioning.domain.order import OrderLine, ShopLine
from provisioning.domain.reasons import Reason
from provisioning.domain.records import Declaration, Membership
from provisioning.domain.tenancy import (
    Organisation,
    OrganisationKind,
    Tenant,
)
from provisioning.local.world import APP, LocalWorld
from tests.journeys import customers
from tests.journeys.customers import A1, A3, A3_STAFF, ROLES, Customer, Groups, Traits
from tests.journeys.patience import until


@dataclass
class Town:
    """Many customers in one world; each journey has its own, so that they share nothing but the machines."""

    world: LocalWorld
    customers: list[Customer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.services = self.world.services()
        self.control = self.world.sandbox.control
        self._numbers = count(1)

    def pass_time(self, span: timedelta) -> None:
        """So much time passes at once, in the twin and in the service; workers begin anew behind it.

        Only in a world of the journey's own: for everybody in it the span is gone.
        """
        self.services.close()
        self.world.skip(span.total_seconds())
        self.services = self.world.services()
        self.world.await_workers()

    # ── customers ────────────────────────────────────────────────────────────────────────────────────────

    def school(self, people: int = 12, **wishes: Any) -> Customer:
        """A school of its own; see `_settle` for what may be wished."""
        code = self.next_code()
        return self._settle(code, {code: people}, **wishes)

    def next_code(self) -> OrganisationId:
        return OrganisationId(customers.school_code(next(self._numbers)))

    def move_in(self, code: OrganisationId, host: Customer) -> None:
        """Another school, of nobody's board, that uses the host's tenant too."""
        binding = customers.binding(host.tenant, code)
        with self.services.open_uow() as uow:
            uow.organisations.save([customers.organisation(code, None)])
            uow.tenants.add_binding(binding)
            uow.tenants.confirm_binding(
                binding.binding_id, customers.SECOND, self.services.clock.now(), customers.FACTS
            )
            uow.commit()

    def board(self, sizes: Sequence[int], **wishes: Any) -> Customer:
        """A board with one school per size, that orders for all of them."""
        schools = {self.next_code(): size for size in sizes}
        return self._settle(OrganisationId(f"4{next(self._numbers):04}"), schools, **wishes)

    def _settle(
        self,
        code: OrganisationId,
        sizes: Mapping[OrganisationId, int],
        *,
        seats: int | None = 500,
        lag: float = 0.0,
        holds: str | None = A1,
        disabled_plans: Sequence[str] = (),
        location: str | None = "NL",
        policy: Mapping[str, Any] | None = None,
        roles: Sequence[str] | None = ROLES,
        is_proven: bool = True,
        traits: Traits = lambda _customer, _school, _number: {},
        others: Sequence[Mapping[str, Any]] = (),
        groups: Groups = lambda _customer: (),
        more_seats: Sequence[Mapping[str, Any]] = (),
    ) -> Customer:
        """A tenant with people in the twin, and everything that the service must know to deliver there."""
        tenant = TenantId(str(uuid4()))
        began = self.control.health()["ledger"]
        domain = f"t{tenant[:8]}.example"
        staff = {one: [customers.person_id(tenant, one, n) for n in range(size)] for one, size in sizes.items()}
        customer = Customer(code, tenant, domain, staff, began, lag)
        held = [{"skuId": holds, "disabledPlans": list(disabled_plans)}] if holds else []
        users = [
            customers.staff_member(customer, one, number, location, held) | traits(customer, one, number)
            for one, size in sizes.items()
            for number in range(size)
        ]
        subscriptions = [{"skuId": A1, "totalLicenses": 500_000}, *more_seats]
        if seats is not None:
            subscriptions.append({"id": customers.seats_id(tenant), "skuId": A3, "totalLicenses": seats})
        seeded = {
            "id": tenant,
            "domains": [domain, f"t{tenant[:8]}.onmicrosoft.com"],
            "consents": [] if roles is None else [{"app": APP, "roles": list(roles)}],
            "subscriptions": subscriptions,
            "users": [*users, *({"userPrincipalName": f"{one['id']}@{domain}", **one} for one in others)],
            "groups": list(groups(customer)),
        }
        self.control.seed({"tenants": [seeded]}, reset=False)
        self.control.set_lag(lag, tenant)
        self._register(customer)
        self._bind(customer, {"usage_location": "NL"} if policy is None else policy, is_proven=is_proven)
        self.customers.append(customer)
        return customer

    def _register(self, customer: Customer) -> None:
        code, schools, now = customer.code, list(customer.staff), self.services.clock.now()
        is_board = schools != [code]
        with self.services.open_uow() as uow:
            uow.organisations.save(customers.organisation(one, code if is_board else None) for one in schools)
            if is_board:
                board = Organisation(organisation_id=code, kind=OrganisationKind.BOARD, name=code, board_number=code)
                uow.organisations.save([board])
                uow.organisations.add_relations(customers.under(code, one) for one in schools)
                declaration = Declaration(
                    record_id=f"declaration {code}",
                    organisation_id=code,
                    signed_on=customers.LONG_AGO,
                    participants=tuple(schools),
                )
                uow.records.save([declaration], now)
            uow.records.save([Membership(record_id=f"member {code}", organisation_id=code, status="active")], now)
            uow.commit()

    def _bind(self, customer: Customer, policy: Mapping[str, Any], *, is_proven: bool) -> None:
        now, tenant = self.services.clock.now(), customer.tenant
        with self.services.open_uow() as uow:
            uow.tenants.save(
                Tenant(
                    tenant_id=tenant,
                    initial_domain=f"t{tenant[:8]}.onmicrosoft.com",
                    verified_domains=(customer.domain,),
                )
            )
            for school in customer.staff:
                binding = customers.binding(tenant, school)
                uow.tenants.add_binding(binding)
                uow.tenants.confirm_binding(binding.binding_id, customers.SECOND, now, customers.FACTS)
            uow.tenants.add_policy(customers.policy(tenant, policy))
            if is_proven:
                uow.tenants.note_proven(tenant, now)
            uow.commit()

    # ── orders ───────────────────────────────────────────────────────────────────────────────────────────

    def order(self, customer: Customer, quantity: int | str, article: str = A3_STAFF, **columns: Any) -> LineKey:
        """The shop writes a row; what happens next is the service's business."""
        line = self.line(customer.code, quantity, article, **columns)
        self.services.order_desk.submit([line])
        return line.key

    def line(self, code: str, quantity: int | str, article: str = A3_STAFF, **columns: Any) -> ShopLine:
        now = self.services.clock.now()
        key = columns.pop("key", None) or LineKey("orders", f"B{uuid4().hex[:10]}", "1")
        year = {"starts_on": now.date(), "ends_on": now.date() + timedelta(days=400)} if article == A3_STAFF else {}
        return ShopLine(
            **{
                "key": key,
                "status": "placed",
                "placed_at": now,
                "changed_at": now,
                "organisation_code": code,
                "actor": code,
                "article_code": article,
                "quantity": quantity,
                "digest": "",
                **year,
                **columns,
            }
        )

    def correct(self, key: LineKey, **columns: Any) -> None:
        """The shop changes its row."""
        line = self.find(key)
        assert line is not None
        changed = {"changed_at": self.services.clock.now(), **columns}
        self.services.order_desk.submit([msgspec.structs.replace(line.shop, **changed)])

    def command(self, *words: str) -> str:
        """What the command prints when an operator types it; in this process, for an interpreter takes two seconds."""
        printed, said = StringIO(), StringIO()
        with (
            patch.dict(os.environ, {**self.world.environment, "PROVISIONING_TOKEN": self._token}),
            redirect_stdout(printed),
            redirect_stderr(said),
        ):
            code = run(words, Session(self.world.services))
        assert code == 0, said.getvalue()
        return printed.getvalue()

    @cached_property
    def _token(self) -> str:
        """An operator's, given by the first administrator."""
        add = self.services.add_actor
        admin = Identity(actor=add(ANONYMOUS, "person:admin", {Role.ADMIN}).actor, roles=frozenset({Role.ADMIN}))
        return add(admin, "person:duty", {Role.OPERATOR}).token

    # ── looking ──────────────────────────────────────────────────────────────────────────────────────────

    def find(self, key: LineKey) -> OrderLine | None:
        with self.services.open_uow() as uow:
            return uow.orders.find(key)

    def operations(self, key: LineKey) -> list[Operation]:
        """Of one line, the oldest first."""
        with self.services.open_uow() as uow:
            return sorted(uow.operations.list_by(line=key), key=lambda one: one.created_at)

    def await_line(self, key: LineKey, *states: LineState, within: float = 45.0) -> OrderLine:
        def look() -> OrderLine | None:
            line = self.find(key)
            return line if line and line.state in states else None

        return until(look, lambda: f"line {states}, {self._story(key)}", within=within)

    def await_held(self, key: LineKey, reason: Reason, within: float = 45.0) -> None:
        def look() -> bool:
            line = self.find(key)
            return bool(line and line.state is LineState.HELD and line.reason is reason)

        until(look, lambda: f"line held for {reason}, {self._story(key)}", within=within)

    def await_operation(self, key: LineKey, *states: OperationState, within: float = 45.0) -> Operation:
        """The line's latest operation, once it is in one of the states."""

        def look() -> Operation | None:
            latest = (self.operations(key) or [None])[-1]
            return latest if latest and latest.state in states else None

        return until(look, lambda: f"operation {states}, {self._story(key)}", within=within)

    def await_end(self, key: LineKey, within: float = 45.0) -> Operation:
        return self.await_operation(key, *OPERATION_ENDS, within=within)

    def people(self, operation: Operation) -> dict[str, tuple[SubjectState, Reason | None]]:
        """What the operation's list says of each person."""
        with self.services.open_uow() as uow:
            listed = uow.journal.subjects(operation.operation_id)
        return {subject.subject_id: (subject.state, subject.reason) for subject in listed}

    def count(self, operation: Operation) -> Counter[SubjectState]:
        return Counter(state for state, _ in self.people(operation).values())

    def per_school(self, operation: Operation) -> Counter[OrganisationId | None]:
        with self.services.open_uow() as uow:
            return Counter(subject.organisation_id for subject in uow.journal.subjects(operation.operation_id))

    def _story(self, key: LineKey) -> str:
        line = self.find(key)
        told = [
            (one.state, one.reason, one.waits, one.lost_attempts, one.due_at, self.services.clock.now())
            for one in self.operations(key)
        ]
        return f"{line and (line.state, line.reason)} {told}"

    def holders(self, customer: Customer, sku: str) -> set[str]:
        """Who holds the product now, past all replicas."""
        return {person for person in customer.people if sku in self.skus_of(customer, person)}

    def skus_of(self, customer: Customer, person: str) -> set[str]:
        assignments = self.control.user(customer.tenant, person)["licenseAssignmentStates"]
        return {row["skuId"] for row in assignments}

    def writes(self, customer: Customer) -> int:
        """How often Graph accepted a write of ours there."""
        return len(list(self.control.ledger(customer.began, tenant=customer.tenant, app=APP)))

    def last_word(self, customer: Customer) -> Event:
        """The latest audit line about the customer."""
        with self.services.open_uow() as uow:
            return uow.audit.list_by(organisation=customer.code, limit=1)[0]

    def set_seats(self, customer: Customer, number: int) -> None:
        self.control.change_subscription(customer.tenant, customers.seats_id(customer.tenant), totalLicenses=number)
