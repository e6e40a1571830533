"""What a person decides about a campaign: yes, go, wait, again, without these, or not at all."""

from typing import Annotated

from pydantic import Field

from provisioning.domain.campaign import Campaign, CampaignState
from provisioning.services.choose_members import Changed
from provisioning.web.calls import Because, Body, Caller, Named, Person, Text
from provisioning.web.routing import router as routes_about

router = routes_about("campaigns")

_MOST_NAMED = 5_000


class Approval(Body):
    """`digest`: as the campaign shows it, at least 8 characters."""

    digest: Text


class Whom(Because):
    """`tenants`: domains or ids. `holders`: codes of holders or boards."""

    tenants: Annotated[list[Text], Field(max_length=_MOST_NAMED)] = []
    holders: Annotated[list[Text], Field(max_length=_MOST_NAMED)] = []


@router.post("/{campaign}/approve")
def approve(caller: Person, campaign: Named, approval: Approval) -> Campaign:
    """Let it happen, as a second person: this list, by these rules. Boards are told."""
    return caller.services.approve_campaign(caller.identity, campaign, approval.digest)


@router.post("/{campaign}/start")
def start(caller: Person, campaign: Named) -> Campaign:
    """Go: canaries first, at the campaign's moment."""
    return caller.services.start_campaign(caller.identity, campaign)


@router.post("/{campaign}/pause")
def pause(caller: Person, campaign: Named, because: Because) -> Campaign:
    """Begin nothing new, write nothing more; what was written is read back."""
    return _steer(caller, campaign, CampaignState.PAUSED, because)


@router.post("/{campaign}/resume")
def resume(caller: Person, campaign: Named, because: Because) -> Campaign:
    """Let it go on after a pause, or after it stopped by itself; what went wrong so far counts as seen."""
    return _steer(caller, campaign, CampaignState.RUNNING, because)


@router.post("/{campaign}/abort")
def abort(caller: Person, campaign: Named, because: Because) -> Campaign:
    """Call it off for good; what was begun is read back and stays."""
    return _steer(caller, campaign, CampaignState.CALLED_OFF, because)


@router.post("/{campaign}/exclude")
def exclude(caller: Person, campaign: Named, whom: Whom) -> Changed:
    """Take tenants out of it; what was begun there is read back."""
    chosen = (whom.tenants, whom.holders)
    return caller.services.exclude_members(caller.identity, campaign, whom.reason, *chosen)


@router.post("/{campaign}/include")
def include(caller: Person, campaign: Named, whom: Whom) -> Changed:
    """Put back who was excluded; who was never in it cannot be."""
    chosen = (whom.tenants, whom.holders)
    return caller.services.include_members(caller.identity, campaign, whom.reason, *chosen)


@router.post("/{campaign}/retry")
def retry(caller: Person, campaign: Named, because: Because) -> Changed:
    """Try whoever is left again; what is held goes on."""
    return caller.services.retry_leftovers(caller.identity, campaign, because.reason)


def _steer(caller: Caller, campaign: str, goal: CampaignState, because: Because) -> Campaign:
    return caller.services.steer_campaign(caller.identity, campaign, goal, because.reason)
