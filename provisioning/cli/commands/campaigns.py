"""Campaigns: one remap for many tenants, from the file to the report."""

import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from provisioning.cli.campaign_screen import lines, member_columns, render_readiness, render_sheet, row_columns
from provisioning.cli.command import command, noun, one_of
from provisioning.cli.progress import track
from provisioning.cli.session import Session
from provisioning.cli.text_files import new_private_file
from provisioning.domain.campaign import CampaignState, MemberState
from provisioning.domain.errors import InputError
from provisioning.domain.ids import OrganisationId

if TYPE_CHECKING:
    from provisioning.planning.campaign_report import CampaignReport

group = noun("One remap for many tenants, wave by wave.")

Named = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="Its id, or at least the first 4 characters.")]
_STATES = typer.Option(metavar="STATE", help=f"{one_of(CampaignState)} Repeat for more.")
_MEMBER_STATES = typer.Option(metavar="STATE", help=f"Tenants in this state. {one_of(MemberState)} Repeat for more.")


@command(group, "create", examples=("provisioning campaigns create sector.yaml",))
def create(session: Session, file: Annotated[Path, typer.Argument(help="YAML or JSON.")]) -> None:
    """Prepare a campaign from a file.

    Its tenants are found and put in waves. No tenant is read and nothing is written. All of the file, or nothing.
    """
    from provisioning.intake.campaign_files import read_campaign

    asked = read_campaign(file, session.services.mappings)
    made = session.services.create_campaign(session.identity, asked)
    found = session.services.show_campaigns.one(made.campaign.campaign_id)
    session.show(made, render_sheet(found, session.wording))


@command(group, "list", examples=("provisioning campaigns list --state running",), ours=True)
def list_all(session: Session, state: Annotated[list[CampaignState] | None, _STATES] = None) -> None:
    """Campaigns and where they stand."""
    session.show_rows(
        session.services.show_campaigns(state or ()), row_columns(session.wording), "There is no such campaign."
    )


@command(
    group,
    "show",
    examples=(
        "provisioning campaigns show 5f0c9a4e",
        "provisioning campaigns show 5f0c9a4e --readiness",
        "provisioning campaigns show 5f0c9a4e --members --state failed",
        "provisioning campaigns show 5f0c9a4e --follow",
    ),
    ours=True,
)
def show(
    session: Session,
    campaign: Named,
    readiness: Annotated[bool, typer.Option("--readiness", help="What is in whose way, worst first.")] = False,
    unready: Annotated[bool, typer.Option("--unready", help="The same, without what is only worth knowing.")] = False,
    members: Annotated[bool, typer.Option("--members", help="Its tenants, one a line.")] = False,
    state: Annotated[list[MemberState] | None, _MEMBER_STATES] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Look again until it is over; Ctrl-C ends that.")] = False,
    every: Annotated[float, typer.Option(min=0.2, help="Seconds between looks.")] = 2.0,
) -> None:
    """One campaign: its waves, its readiness and its night."""
    shown = session.services.show_campaigns
    if readiness or unready:
        rows = shown.readiness(campaign, unready_only=unready)
        session.show(rows, render_readiness(rows, session.wording) or "Nothing is in anybody's way.")
    elif members or state:
        session.show_rows(
            shown.members(campaign, state or ()), member_columns(session.wording), "There is nobody like that."
        )
    elif follow:
        _follow(session, campaign, every)
    else:
        found = shown.one(campaign)
        session.show(found, render_sheet(found, session.wording))


def _follow(session: Session, campaign: str, every: float) -> None:
    """A few lines, or one of JSON, whenever something changed."""
    services, before = session.services, None
    while True:
        found = services.show_campaigns.one(campaign)
        standing = (found.campaign, found.waves)
        if standing != before:
            text = "\n".join(lines(found, session.wording, services.clock.now()))
            session.speech.show_next(found, text)
        if found.is_over:
            return
        before = standing
        time.sleep(every)


@command(group, "check", examples=("provisioning campaigns check 5f0c9a4e",))
def check(session: Session, campaign: Named) -> int:
    """Look at every tenant that waits: would its remap succeed?

    Tenants are read and nothing is written. Broken off, it goes on where it was. Exit 1 when somebody is not ready.
    """
    checked = session.checked_services.check_campaign(
        session.identity, campaign, lambda looks, total: track(looks, "Tenants", total)
    )
    told = f"{checked.tenants:,} tenants looked at; {checked.unready:,} not ready."
    told += f" {checked.left:,} are being looked at elsewhere." if checked.left else ""
    more = " `provisioning campaigns show --readiness` has the list." if checked.unready else ""
    session.tell(checked, told + more)
    return 1 if checked.unready else 0


@command(
    group,
    "report",
    examples=(
        "provisioning campaigns report 5f0c9a4e",
        "provisioning campaigns report 5f0c9a4e --csv tenants.csv --html report.html",
        "provisioning campaigns report 5f0c9a4e --board 41234",
    ),
    ours=True,
)
def report(
    session: Session,
    campaign: Named,
    csv: Annotated[Path | None, typer.Option(help="A new file: a line for each tenant and product.")] = None,
    html: Annotated[Path | None, typer.Option(help="A new file: one page to print.")] = None,
    board: Annotated[str | None, typer.Option(help="Its code: what this board is to know, in Dutch.")] = None,
) -> None:
    """What it came to, and who is left with which reason. Nobody is named."""
    from provisioning.planning.campaign_report import to_csv, to_html, to_text

    made, tongue = session.services.show_campaigns.report(campaign), session.wording.tongue_of_campaigns
    if board is not None:
        _write_to(session, made, board)
        return
    files = [(path, text) for path, text in ((csv, to_csv(made, tongue)), (html, to_html(made, tongue))) if path]
    if not files:
        session.show(made, to_text(made, tongue))
        return
    with ExitStack() as stack:
        for path, text in files:
            file = stack.enter_context(new_private_file(path, "a report is never written over another file"))
            file.write(text.encode())
    written = [str(path) for path, _ in files]
    session.tell({"written": written}, f"Written: {', '.join(written)}.")


def _write_to(session: Session, made: "CampaignReport", board: str) -> None:
    from provisioning.planning.campaign_letter import to_letter

    letter = to_letter(made, OrganisationId(board.strip()), session.wording.tongue_of_campaigns_for_boards)
    if not letter:
        raise InputError(f"{board} is no board of this campaign; `campaigns show --members` lists who is in it.")
    session.show({"board": board, "letter": letter}, letter)
