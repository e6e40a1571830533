"""One deed of a second person through each of its doors: a command, a path of the API, a statement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from provisioning.domain.campaign import Campaign
from provisioning.domain.configuration import INSTALLED, ConfigurationKind, ConfigurationVersion
from provisioning.domain.ids import SYSTEM, Actor
from provisioning.domain.operation import Operation
from provisioning.domain.ticket import Ticket
from tests.factories import NOW
from tests.factories import campaigns as make_campaigns
from tests.factories.tickets import SCHOOL
from tests.integration.web.four_eyes_scene import HASH, OTHER, SELF, Scene


@dataclass(frozen=True)
class Attempt:
    """The same deed through each door. `sql`: one statement, as the service's own role could write it."""

    words: Sequence[str]
    path: str
    body: Any
    sql: str
    values: Mapping[str, Any]


def of_plan(scene: Scene, operation: Operation) -> Attempt:
    with scene.services.open_uow() as uow:
        record = uow.plans.current(operation.operation_id)
    assert record is not None
    return Attempt(
        ("plans", "approve", operation.operation_id, record.digest),
        f"plans/{operation.operation_id}/approve",
        {"digest": record.digest},
        "UPDATE plans SET approved_by = :me, approved_at = drawn_at WHERE operation_id = :one",
        {"one": operation.operation_id},
    )


def of_ticket(_scene: Scene, ticket: Ticket) -> Attempt:
    return Attempt(
        ("tickets", "approve", ticket.ticket_id, ticket.digest or ""),
        f"tickets/{ticket.ticket_id}/approve",
        {"digest": ticket.digest},
        "UPDATE tickets SET approved_by = :me, approved_at = created_at, state = 'running' WHERE ticket_id = :one",
        {"one": ticket.ticket_id},
    )


def of_campaign(campaign: Campaign) -> Attempt:
    forged = make_campaigns.approval(campaign, approved_by=SELF)
    return Attempt(
        ("campaigns", "approve", campaign.campaign_id, "--digest", campaign.digest),
        f"campaigns/{campaign.campaign_id}/approve",
        {"digest": campaign.digest},
        "UPDATE campaigns SET approval = CAST(:given AS jsonb), state = 'approved' WHERE campaign_id = :one",
        {"one": campaign.campaign_id, "given": msgspec.json.encode(forged).decode()},
    )


def of_binding(scene: Scene, binding: str) -> Attempt:
    return Attempt(
        ("tenants", "confirm", SCHOOL, scene.tenant.tenant_id),
        f"tenants/{scene.tenant.tenant_id}/confirm",
        {"organisation": SCHOOL},
        "UPDATE bindings SET confirmed_by = :me, confirmed_at = now(), evidence = '{a,b}' WHERE binding_id = :one",
        {"one": binding},
    )


def of_policy(scene: Scene, digest: str) -> Attempt:
    return Attempt(
        ("tenants", "policy", scene.tenant.tenant_id, "--approve", digest),
        f"tenants/{scene.tenant.tenant_id}/policy/approve",
        {"digest": digest},
        "UPDATE policies SET approved_by = :me, approved_at = now() WHERE digest = :one",
        {"one": digest},
    )


def of_version(scene: Scene, kind: ConfigurationKind) -> Attempt:
    scene.version(kind, approved=False)
    return Attempt(
        ("configuration", "approve", HASH),
        f"configuration/{HASH}/approve",
        None,
        "UPDATE configuration_versions SET approved_by = :me, approved_at = now() WHERE digest = :one",
        {"one": HASH},
    )


def of_rollback(scene: Scene) -> Attempt:
    """They brought earlier mappings back by themselves."""
    plain = {"kind": ConfigurationKind.MAPPINGS, "content": {}, "proposed_at": NOW}
    first = ConfigurationVersion(digest=HASH, reason=INSTALLED, proposed_by=SYSTEM, **plain)
    second = ConfigurationVersion(digest="0" * 64, reason="next year", proposed_by=Actor("person:third"), **plain)
    again = ConfigurationVersion(digest=HASH, reason="prices were wrong", proposed_by=SELF, **plain)
    with scene.services.open_uow() as uow:
        uow.configuration.install(first)
        uow.configuration.propose(second)
        uow.configuration.approve(second.kind, second.digest, OTHER, NOW)
        uow.configuration.restore(again, second.digest)
        uow.commit()
    return Attempt(
        ("configuration", "review", HASH),
        f"configuration/{HASH}/review",
        None,
        "UPDATE configuration_versions SET reviewed_by = :me, reviewed_at = now() WHERE restores IS NOT NULL",
        {},
    )


def of_broken_glass(scene: Scene) -> Attempt:
    operation = scene.plan()
    with scene.services.open_uow() as uow:
        record = uow.plans.current(operation.operation_id)
        assert record is not None
        uow.plans.approve(record.plan_id, SELF, record.digest, NOW, "exams today")
        uow.commit()
    return Attempt(
        ("plans", "review", operation.operation_id),
        f"plans/{operation.operation_id}/review",
        None,
        "UPDATE plans SET reviewed_by = :me, reviewed_at = now() WHERE operation_id = :one",
        {"one": operation.operation_id},
    )
