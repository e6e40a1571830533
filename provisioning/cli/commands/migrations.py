"""Migrations: from the file to the closing statement."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from provisioning.cli.command import command, noun, one_of
from provisioning.cli.migration_screen import person_columns, render_sheet, row_columns
from provisioning.cli.output import paragraph
from provisioning.cli.session import Session
from provisioning.cli.text_files import new_private_file
from provisioning.cli.watching import screen
from provisioning.cli.watching import watch as keep_watching
from provisioning.domain.migration import Situation
from provisioning.domain.migration_lifecycle import MigrationState, PersonState

group = noun("People of one tenant who go to another, wave by wave.")

Named = Annotated[str, typer.Argument(metavar="MIGRATION", help="Its id, or at least the first 4 characters.")]
_STATES = typer.Option(metavar="STATE", help=f"{one_of(MigrationState)} Repeat for more.")
_PEOPLE_STATES = typer.Option(metavar="STATE", help=f"Of these people only. {one_of(PersonState)} Repeat for more.")
_SITUATIONS = typer.Option(metavar="CODE", help=f"In this situation only. {one_of(Situation)} Repeat for more.")
_SHOWN = 10  # names on a screen; --json has all


@command(group, "create", examples=("provisioning migrations create merger.yaml",))
def create(session: Session, file: Annotated[Path, typer.Argument(help="YAML or JSON.")]) -> None:
    """Prepare a migration from a file, and match its people.

    Both tenants are read; nothing is written. All of the file, or nothing.
    """
    from provisioning.intake.migration_files import read_migration

    asked = read_migration(file, session.services.mappings)
    made = session.checked_services.create_migration(session.identity, asked)
    told = [
        f"Rows of the map that name nobody: {len(made.unknown):,}: {some(made.unknown)}." if made.unknown else "",
        f"Nobody is matched yet: {made.unread} `provisioning migrations match` tries again." if made.unread else "",
    ]
    found = session.services.show_migrations.one(made.migration.migration_id)
    text = render_sheet(found, session.wording, session.services.clock.now())
    session.show(made, "\n\n".join([text, *map(paragraph, filter(None, told))]))


@command(group, "match", examples=("provisioning migrations match 5f0c9a4e",))
def match(session: Session, migration: Named) -> None:
    """Match its people anew, until the first wave begins."""
    matched = session.checked_services.match_again(session.identity, migration)
    found = session.services.show_migrations.one(matched.migration_id)
    session.show(found, render_sheet(found, session.wording, session.services.clock.now()))


@command(group, "list", examples=("provisioning migrations list --state running",), ours=True)
def list_all(session: Session, state: Annotated[list[MigrationState] | None, _STATES] = None) -> None:
    """Migrations and where they stand."""
    rows = session.services.show_migrations(state or ())
    session.show_rows(rows, row_columns(session.wording), "There is no such migration.")


@command(
    group,
    "show",
    examples=(
        "provisioning migrations show 5f0c9a4e",
        "provisioning migrations show 5f0c9a4e --people --wave 2 --state failed",
        "provisioning migrations show 5f0c9a4e --situation disputed",
    ),
    ours=True,
)
def show(
    session: Session,
    migration: Named,
    people: Annotated[bool, typer.Option("--people", help="Its people, one a line.")] = False,
    wave: Annotated[int | None, typer.Option(min=0, help="Of this wave only; 0: of none.")] = None,
    state: Annotated[list[PersonState] | None, _PEOPLE_STATES] = None,
    situation: Annotated[list[Situation] | None, _SITUATIONS] = None,
) -> None:
    """One migration: situations, waves, and what waits for whom.

    With --people, or an option that chooses among them, its people. Operators see their ids, others what the audit log
    calls them.
    """
    shown = session.services.show_migrations
    if people or wave is not None or state or situation:
        rows = shown.people(session.identity, migration, wave, state or (), situation or ())
        session.show_rows(rows, person_columns(session.wording), "There is nobody like that.")
        return
    found = shown.one(migration)
    session.show(found, render_sheet(found, session.wording, session.services.clock.now()))


@command(group, "watch", examples=("provisioning migrations watch 5f0c9a4e",), ours=True)
def watch(
    session: Session,
    migration: Named,
    every: Annotated[float, typer.Option(min=0.2, help="Seconds between looks.")] = 2.0,
) -> None:
    """Follow it until it is over, with its rate and its end.

    Live in a terminal; elsewhere a few lines, or one of JSON, whenever something changed. Ctrl-C ends the watching
    alone.
    """
    services = session.services
    with screen(session.speech, session.wording, services.clock.now) as display:
        keep_watching(lambda: services.show_migrations.one(migration), display, lambda: time.sleep(every))


@command(
    group,
    "report",
    examples=(
        "provisioning migrations report 5f0c9a4e",
        "provisioning migrations report 5f0c9a4e --csv people.csv --html report.html",
        "provisioning migrations report 5f0c9a4e --statement slotverklaring.txt",
    ),
    ours=True,
)
def report(
    session: Session,
    migration: Named,
    csv: Annotated[Path | None, typer.Option(help="A new file: a line for each person.")] = None,
    html: Annotated[Path | None, typer.Option(help="A new file: one page to print.")] = None,
    statement: Annotated[Path | None, typer.Option(help="A new file: the closing statement, in Dutch.")] = None,
) -> None:
    """What happened to whom, when, and who let it.

    Without a file the statement is printed. Files name people by id when an operator makes them; only their owner may
    read them.
    """
    from provisioning.planning.migration_page import to_html
    from provisioning.planning.migration_report import to_csv
    from provisioning.planning.migration_statement import to_statement

    made = session.services.report_migration(session.identity, migration)
    tongue, boards = session.wording.tongue, session.wording.tongue_of_boards
    made_of = ((csv, to_csv(made, tongue.why)), (html, to_html(made, tongue)), (statement, to_statement(made, boards)))
    files = [(path, text) for path, text in made_of if path]
    if not files:
        session.show(made, to_statement(made, tongue))
        return
    _write(files)
    written = [str(path) for path, _ in files]
    session.tell({"written": written}, f"Written: {', '.join(written)}.")


def _write(files: Sequence[tuple[Path, str]]) -> None:
    """All of them, or none."""
    with ExitStack() as stack:
        for path, text in files:
            file = stack.enter_context(new_private_file(path, "a report is never written over another file"))
            file.write(text.encode())


def some(names: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
