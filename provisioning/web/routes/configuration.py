"""The mappings and limits in force: who proposed them, who approved them."""

from datetime import datetime

from provisioning.domain.configuration import ConfigurationKind, ConfigurationVersion
from provisioning.domain.errors import InputError
from provisioning.services.paging import Page, cut
from provisioning.services.show_configuration import ConfigurationSheet
from provisioning.web.calls import Because, Named, PageWanted, Person, Text
from provisioning.web.routing import router as routes_about

router = routes_about("configuration")


class Proposal(Because):
    """Those of a kind that this process loaded, or an earlier version by its digest."""

    kind: ConfigurationKind | None = None
    earlier: Text | None = None


@router.get("")
def show(caller: Person) -> list[ConfigurationSheet]:
    """What is in force, what waits, and what is loaded here."""
    return caller.services.show_configuration()


@router.get("/versions")
def versions(caller: Person, wanted: PageWanted) -> Page[ConfigurationVersion]:
    """Every version, oldest first."""
    return cut(sorted(caller.services.show_configuration.versions(), key=_place), wanted, _Place, _place)


@router.post("")
def propose(caller: Person, proposal: Proposal) -> ConfigurationVersion:
    """Propose other mappings or limits, or earlier ones. Nothing changes until a second person approves it."""
    service = caller.services.propose_configuration
    if (proposal.kind is None) is (proposal.earlier is None):
        raise InputError("Say what to propose: a kind, or the digest of an earlier version.")
    if proposal.earlier is not None:
        return service.again(caller.identity, proposal.earlier, proposal.reason)
    sheets = caller.services.show_configuration()
    loaded = next(one.loaded for one in sheets if one.kind is proposal.kind)
    return service(caller.identity, loaded, proposal.reason)


@router.post("/{digest}/approve")
def approve(caller: Person, digest: Named) -> ConfigurationVersion:
    """Put a proposal in force. It takes an approver who did not propose it."""
    return caller.services.approve_configuration(caller.identity, digest)


@router.post("/{digest}/reject")
def reject(caller: Person, digest: Named) -> ConfigurationVersion:
    """Take a proposal off the list. What is in force stays."""
    return caller.services.reject_configuration(caller.identity, digest)


@router.post("/mappings/rollback")
def rollback(caller: Person, because: Because) -> ConfigurationVersion:
    """Bring back the mappings of before, at once and alone; another person reviews it."""
    return caller.services.roll_back_configuration(caller.identity, because.reason)


@router.post("/{digest}/review")
def review(caller: Person, digest: Named) -> ConfigurationVersion:
    """Say that one looked at what somebody brought back alone."""
    return caller.services.review_configuration(caller.identity, digest)


_Place = tuple[datetime, str, str]


def _place(version: ConfigurationVersion) -> _Place:
    return version.proposed_at, version.kind, version.digest
