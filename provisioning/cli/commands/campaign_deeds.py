"""What a person decides about a campaign: yes, go, wait, again, without these, or not at all."""

from typing import TYPE_CHECKING, Annotated

import typer

from provisioning.cli.command import command
from provisioning.cli.commands.campaigns import Named
from provisioning.cli.session import Session
from provisioning.domain.campaign import Campaign, CampaignState

if TYPE_CHECKING:
    from provisioning.services.choose_members import Changed

_Reason = Annotated[str, typer.Option(help="Why; it stays on record, and must not name anybody.")]
_Tenants = Annotated[list[str] | None, typer.Option("--tenant", help="Its domain or id. Repeat for more.")]
_Holders = Annotated[list[str] | None, typer.Option("--holder", help="Code of a holder or board. Repeat for more.")]
_Digest = Annotated[str, typer.Option(help="As `campaigns show` says it; at least 8 characters.")]


def register(group: typer.Typer) -> None:
    """Add the decisions to the commands about campaigns."""
    for name, function, example in (
        ("approve", approve, "--digest 0b1c2d3e"),
        ("start", start, ""),
        ("pause", pause, '--reason "the helpdesk is closed"'),
        ("resume", resume, '--reason "the group is repaired"'),
        ("exclude", exclude, "--tenant a.example --reason merges"),
        ("include", include, "--tenant a.example --reason stays"),
        ("retry", retry, '--reason "seats arrived"'),
        ("abort", abort, '--reason "the contract was extended"'),
    ):
        command(group, name, examples=(f"provisioning campaigns {name} 5f0c9a4e {example}".rstrip(),))(function)


def approve(session: Session, campaign: Named, digest: _Digest) -> None:
    """Let it happen, as a second person: this list, by these rules.

    The plans of its operations need no other approval as long as they stay within it. Boards are told.
    """
    approved = session.services.approve_campaign(session.identity, campaign, digest)
    until = f"{approved.approval.valid_until:%Y-%m-%d %H:%M} UTC" if approved.approval else ""
    _tell(session, approved, f"The approval holds until {until}; `provisioning campaigns start` begins it.")


def start(session: Session, campaign: Named) -> None:
    """Go: canaries first, at the campaign's moment."""
    _tell(session, session.services.start_campaign(session.identity, campaign), "")


def pause(session: Session, campaign: Named, reason: _Reason) -> None:
    """Begin nothing new, write nothing more.

    What was written is read back.
    """
    _steer(session, campaign, CampaignState.PAUSED, reason)


def resume(session: Session, campaign: Named, reason: _Reason) -> None:
    """Let it go on after a pause, or after it stopped by itself.

    What went wrong so far counts as seen: its budget for errors begins anew.
    """
    _steer(session, campaign, CampaignState.RUNNING, reason)


def abort(session: Session, campaign: Named, reason: _Reason) -> None:
    """Call it off for good; what was begun is read back and stays."""
    _steer(session, campaign, CampaignState.CALLED_OFF, reason)


def exclude(
    session: Session, campaign: Named, reason: _Reason, tenant: _Tenants = None, holder: _Holders = None
) -> None:
    """Take tenants out of it; what was begun there is read back."""
    changed = session.services.exclude_members(session.identity, campaign, reason, tenant or (), holder or ())
    _changed(session, changed, "excluded")


def include(
    session: Session, campaign: Named, reason: _Reason, tenant: _Tenants = None, holder: _Holders = None
) -> None:
    """Put back who was excluded; who was never in it cannot be."""
    changed = session.services.include_members(session.identity, campaign, reason, tenant or (), holder or ())
    _changed(session, changed, "included again")


def retry(session: Session, campaign: Named, reason: _Reason) -> None:
    """Try whoever is left again; what is held goes on."""
    _changed(session, session.services.retry_leftovers(session.identity, campaign, reason), "tried again")


def _steer(session: Session, campaign: str, goal: CampaignState, reason: str) -> None:
    _tell(session, session.services.steer_campaign(session.identity, campaign, goal, reason), "")


def _changed(session: Session, changed: "Changed", done: str) -> None:
    session.tell(changed, f"{changed.members:,} {done} in {changed.campaign.definition.name}.")


def _tell(session: Session, campaign: Campaign, more: str) -> None:
    told = f"{campaign.definition.name} is now {session.wording.of_campaign(campaign.state)}."
    session.tell(campaign, f"{told} {more}".strip())
