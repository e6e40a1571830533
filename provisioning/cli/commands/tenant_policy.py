"""A tenant's policy: shown, proposed, approved."""

from datetime import datetime
from typing import Annotated

import typer

from provisioning.cli.command import command
from provisioning.cli.output import paragraph, sheet, short
from provisioning.cli.session import Session
from provisioning.domain.ids import GroupId
from provisioning.domain.tenancy import AssignmentMode, Policy

Named = Annotated[str, typer.Argument(help="A domain, or at least the first 4 characters of its id.")]


def register(group: typer.Typer) -> None:
    """Among the commands about tenants."""
    command(
        group,
        "policy",
        examples=(
            "provisioning tenants policy school.nl --mode direct --asked-by ticket-12",
            "provisioning tenants policy school.nl --disable SKU=SWAY --asked-by t-13",
            "provisioning tenants policy school.nl --approve 9c1f22ab",
        ),
    )(policy)


def policy(
    session: Session,
    tenant: Named,
    *,
    approve: Annotated[str | None, typer.Option(metavar="DIGEST", help="Put a proposal in force.")] = None,
    asked_by: Annotated[str, typer.Option(help="Who at the school asked: a reference, no name.")] = "",
    mode: Annotated[AssignmentMode | None, typer.Option(help="How licences are given.")] = None,
    group_id: Annotated[str | None, typer.Option("--group", help="The group that carries them.")] = None,
    managed_by: Annotated[str | None, typer.Option(help="us, customer or mixed.")] = None,
    usage_location: Annotated[str | None, typer.Option(metavar="CC", help="For people who have none.")] = None,
    priority: Annotated[list[str] | None, typer.Option(help="Who gets scarce seats first; repeat.")] = None,
    disable: Annotated[list[str] | None, typer.Option(metavar="SKU=PLAN,PLAN", help="Plans that stay off.")] = None,
    begin: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], metavar="YYYY-MM-DD")] = None,
) -> None:
    """Show a tenant's policy, propose another, or approve one.

    Without options it is shown.
    """
    from provisioning.services.set_policy import PolicyChange

    if approve:
        approved = session.services.approve_policy(session.identity, tenant, approve)
        session.tell(approved, f"In force from {approved.valid_from}.")
        return
    change = PolicyChange(
        asked_by=asked_by,
        valid_from=begin.date() if begin else None,
        assignment_mode=mode,
        group_id=GroupId(group_id) if group_id else None,
        managed_by=managed_by,
        usage_location=usage_location,
        seat_priority=tuple(priority) if priority else None,
        disabled_plans=dict(_plans(text) for text in disable or ()),
    )
    if change == PolicyChange(asked_by=""):
        _show(session, tenant)
        return
    proposed = session.services.set_policy(session.identity, tenant, change)
    session.show(proposed, told_proposal(proposed))


def _show(session: Session, tenant: str) -> None:
    session.require_ours()
    found = session.services.show_tenants.one(tenant)
    blocks = [sheet(policy_facts(found.policy)), *map(told_proposal, found.proposals)]
    session.show(found.policy, "\n\n".join(blocks))


def policy_facts(policy: Policy) -> list[tuple[str, str]]:
    """What is in force, for people."""
    off = sum(len(sku.disabled_plans) for sku in policy.skus.values())
    return [
        ("Assignment", policy.assignment_mode),
        ("Managed by", policy.managed_by),
        ("Usage location", policy.usage_location or "not set: people without one are left out"),
        ("Plans kept off", f"{off} in {len(policy.skus)} products"),
        ("Policy approved by", policy.approved_by or "nobody: it is the default"),
    ]


def told_proposal(policy: Policy) -> str:
    """Who wants it, and how a second person puts it in force."""
    return paragraph(
        f"Proposed by {policy.created_by} from {policy.valid_from}, asked by {policy.asked_by}: "
        f"digest {short(policy.digest)}.\nA second person puts it in force:\n"
        f"  provisioning tenants policy {short(policy.tenant_id)} --approve {short(policy.digest)}"
    )


def _plans(text: str) -> tuple[str, list[str]]:
    sku, _, plans = text.partition("=")
    return sku, [plan for plan in plans.split(",") if plan.strip()]
