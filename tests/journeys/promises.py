"""What must hold after every journey, whatever happened on the way: the twin's ledger against our own record."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from provisioning.audit.sealing import CheckpointRule
from provisioning.domain.actors import Identity, Role
from provisioning.domain.events import Event
from provisioning.domain.ids import Actor, OperationId, SkuId
from provisioning.local.witness import compare
from provisioning.local.world import APP
from provisioning.services.verify_audit import verify_audit
from tasks.rounds import only_one
from tests.journeys.customers import Customer
from tests.journeys.furniture import Town
from tests.journeys.patience import until

_AUDITOR = Identity(actor=Actor("person:auditor"), roles=frozenset({Role.AUDITOR}))
Families = Mapping[str, tuple[str, ...]]  # family → its plans


def check_promises(
    town: Town,
    customer: Customer,
    *,
    people: Iterable[str] | None = None,
    goal: str | None = None,
    repeats: int | None = 0,
) -> None:
    """Witness, continuity, the list and the log. `people`: those selected; `repeats`: None allows any number."""
    selected = set(customer.people if people is None else people)
    written = list(town.control.ledger(customer.began, tenant=customer.tenant, app=APP))
    check_witness(town, customer, written, selected, repeats)
    check_continuity(town, customer, goal)
    check_list(town, customer, selected)
    check_log(town)


def check_witness(
    town: Town, customer: Customer, written: list[dict[str, Any]], selected: set[str], repeats: int | None
) -> None:
    """Each write that changed something has exactly one line that says so, and each such line a write."""
    testimony = compare(written, events_of(town, customer), app=APP)
    assert testimony.is_equal, testimony
    assert testimony.believed_absent == 0, testimony
    assert repeats is None or testimony.repeats <= repeats, testimony
    touched = {person for entry in written for person in _people_of(entry)}
    assert touched <= selected, "a write to somebody who was not selected"


def _people_of(entry: Mapping[str, Any]) -> list[str]:
    """Whom a write was about: of one to a group, those who joined and left."""
    return [entry["user"]] if entry["user"] else [*entry["added"], *entry["removed"]]


def check_continuity(town: Town, customer: Customer, goal: str | None) -> None:
    """Whoever had a service before, and has it in the goal, has it at every instant between.

    Whoever changed them: Microsoft, too, when it works off a group.
    """
    if goal is None:
        return
    before: dict[str, Any] = {}
    for entry in town.control.ledger(customer.began, tenant=customer.tenant):
        if entry["user"] and entry["before"]:
            before.setdefault(entry["user"], entry["before"])
    families, wanted = _families(town), set(_plans_of(town, goal).values())
    groups: defaultdict[frozenset[str], list[str]] = defaultdict(list)
    for person, state in before.items():
        groups[frozenset(enabled_families(town, state) & wanted)].append(person)
    for kept, people in groups.items():
        plans = [list(families[family]) for family in sorted(kept)]
        assert town.control.gaps(customer.tenant, plans, users=people) == []


def _plans_of(town: Town, sku: str) -> dict[str, str]:
    return {plan.plan_id: plan.family for plan in town.services.mappings.skus[SkuId(sku)].plans}


def _families(town: Town) -> Families:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for sku in town.services.mappings.skus.values():
        for plan in sku.plans:
            found[plan.family].add(plan.plan_id)
    return {family: tuple(sorted(plans)) for family, plans in found.items()}


def enabled_families(town: Town, state: Mapping[str, Any]) -> set[str]:
    return {
        family
        for held in state["licenseAssignmentStates"]
        if held["state"] == "Active"
        for plan, family in _plans_of(town, held["skuId"]).items()
        if plan not in held["disabledPlans"]
    }


def check_list(town: Town, customer: Customer, selected: set[str]) -> None:
    """The list of each operation that planned names everybody who was selected, once."""
    with town.services.open_uow() as uow:
        for operation in uow.operations.list_by(tenant=customer.tenant):
            listed = [str(subject.subject_id) for subject in uow.journal.subjects(operation.operation_id)]
            counted = sum(uow.journal.subject_counts(operation.operation_id).values())
            assert counted == len(listed) == len(set(listed))
            assert not listed or set(listed) == selected


def check_log(town: Town) -> None:
    """The audit log, sealed to its end and taken out of the house, verifies."""
    services = town.services

    def sealed() -> bool:
        with only_one(services.open_uow, services.clock, "seal_audit", "the journey") as is_ours:
            if is_ours:
                replace(services.seal_audit, rule=CheckpointRule(1, timedelta(0)))()
        return is_ours

    until(sealed, "the sealer's turn")
    verdict = verify_audit(services.export_audit(_AUDITOR), str(services.signer.verifier))
    assert verdict.is_sound, verdict


def events_of(town: Town, customer: Customer) -> list[Event]:
    """All audit lines of the customer's operations."""
    with town.services.open_uow() as uow:
        operations: list[OperationId] = [one.operation_id for one in uow.operations.list_by(tenant=customer.tenant)]
        return [event for one in operations for event in uow.audit.list_by(operation=one, limit=1_000_000)]
