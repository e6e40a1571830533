"""A migration is played on copies of both tenants before it is done; its plans are held against that later."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from provisioning.cli.command import command
from provisioning.cli.output import SHORT, paragraph, to_json
from provisioning.cli.progress import track
from provisioning.cli.rehearsal_reports import REPORTS, read_report, reports_in
from provisioning.cli.session import Session
from provisioning.cli.text_files import new_private_file
from provisioning.domain.errors import ConfigurationError, InputError
from provisioning.domain.migration import Phase

if TYPE_CHECKING:
    from provisioning.bootstrap import Services
    from provisioning.domain.migration_file import MigrationFile
    from provisioning.planning.rehearsal import Circumstances, Rehearsal
    from provisioning.services.take_snapshot import Snapshot

_FASTEST = 10_000.0
_GOALS = (Phase.PREPARE, Phase.ENABLE, Phase.RELEASE)
# rules of the real installation that a rehearsal has to go by
_RULES = ("mappings_folder", "tenant_writes", "app_writes", "guard_assignments", "guard_swaps")
_NEVER = "a report is never overwritten"


def register(group: typer.Typer) -> None:
    """Among the commands about migrations."""
    command(
        group,
        "rehearse",
        examples=(
            "provisioning migrations rehearse merger.yaml",
            "provisioning migrations rehearse 5f0c9a4e --late 0.1 --refuse 0.1",
            "provisioning migrations rehearse --compare dddd0001",
        ),
        ours=True,
    )(rehearse)


def rehearse(
    session: Session,
    migration: Annotated[str | None, typer.Argument(metavar="FILE|MIGRATION", help="A file, or an id.")] = None,
    *,
    until: Annotated[str, typer.Option(metavar="PHASE", help="One of: prepare, enable, release.")] = Phase.RELEASE,
    folder: Annotated[Path, typer.Option(help="Of reports; its world lives there.")] = REPORTS,
    late: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of mailboxes that come last.")] = 0.0,
    refuse: Annotated[float, typer.Option(min=0.0, max=0.9, help="Share of calls that Graph refuses.")] = 0.0,
    seats_short: Annotated[int, typer.Option(min=0, help="Seats taken out of each target product.")] = 0,
    lag: Annotated[float, typer.Option(min=0.0, help="Longest replica delay, in seconds.")] = 0.0,
    clock_factor: Annotated[float, typer.Option(min=2.0, max=_FASTEST, help="How much faster time goes.")] = 60.0,
    keep: Annotated[bool, typer.Option("--keep", help="Leave its world in the folder.")] = False,
    compare: Annotated[str | None, typer.Option(metavar="OPERATION", help="Compare its plan instead.")] = None,
    report: Annotated[
        Path | None, typer.Option("--with", metavar="REPORT", help="Its JSON; else the last one kept.")
    ] = None,
) -> int:
    """Play a migration on copies of both tenants.

    Both are read, nothing is written there. The copies know people by pseudonyms
    alone; the report, for its owner alone, has their ids. Exit code 1 when it did
    not go through, or a compared plan is not as it was rehearsed.
    """
    if compare or report:
        return _compare(session, compare, report, folder)
    if migration is None:
        raise InputError("Name a file or a migration to rehearse, or --compare OPERATION --with REPORT.")
    from provisioning.planning.rehearsal import Circumstances

    circumstances = Circumstances(
        until=_goal(until),
        late=late,
        refusals=refuse,
        seats_short=seats_short,
        lag_seconds=lag,
        clock_factor=clock_factor,
    )
    played = _play(session, migration, folder, circumstances, kept=keep)
    files = _keep(session, played, folder)
    text = _text(session, played)
    session.show(played, f"{text}\n\n{paragraph(f'Kept in {files[0]} and {files[1].name}.')}")
    return int(not played.went_through)


def _goal(text: str) -> Phase:
    if text not in _GOALS:
        raise InputError(f"{text!r} is no phase to rehearse up to: choose {', '.join(_GOALS)}.")
    return Phase(text)


def _play(session: Session, named: str, folder: Path, circumstances: "Circumstances", *, kept: bool) -> "Rehearsal":
    try:
        from provisioning.cli.by_hand import type_in
        from provisioning.local.rehearsal import RehearsalOptions, require_engines, run_rehearsal
    except ModuleNotFoundError as error:
        sentence = f"A rehearsal needs the extra `local` of this package: {error.name} is not installed."
        raise ConfigurationError(sentence) from None
    require_engines()  # before a tenant is read in vain
    asked = _asked(session, named)
    services = session.checked_services
    _require_files_in_force(services)
    script = services.prepare_rehearsal(session.identity, asked, _tracked)
    settings = {name: value for name in _RULES if (value := getattr(services.settings, name)) is not None}
    options = RehearsalOptions(folder=folder, circumstances=circumstances, kept=kept, settings=settings)
    return run_rehearsal(script, options, lambda told: _say(session, told), type_in)


def _require_files_in_force(services: "Services") -> None:
    """Its world reads mapping files: with others than those in force it would play another piece."""
    from mappings.loader import load_mappings

    folder = services.mappings_folder
    if load_mappings(folder).digest != services.mappings.digest:
        raise InputError(
            f"The mapping files in {folder} are not those in force ({services.mappings.digest[:8]}), and a rehearsal "
            "reads files. Name a folder that has them: PROVISIONING_MAPPINGS_FOLDER."
        )


def _asked(session: Session, named: str) -> "MigrationFile | str":
    """A file where there is one, or else what names a migration."""
    file = Path(named)
    if not file.is_file():
        if file.suffix:
            raise InputError(f"There is no file {named}.")
        return named
    from provisioning.intake.migration_files import read_migration

    return read_migration(file, session.services.mappings)


def _tracked(snapshot: "Snapshot") -> Iterable[bytes]:
    return track(snapshot, f"Reading people of {snapshot.domain}")


def _say(session: Session, told: str) -> None:
    """On standard error, so that whoever waits sees it go on."""
    if not session.speech.as_json:
        typer.echo(paragraph(told), err=True)


def _keep(session: Session, played: "Rehearsal", folder: Path) -> tuple[Path, Path]:
    """The report as JSON and as text, for its owner alone."""
    stem = f"rehearsal-{played.taken_at:%Y%m%d-%H%M%S}"
    files = folder / f"{stem}.json", folder / f"{stem}.txt"
    for file, text in zip(files, (to_json(played), _text(session, played)), strict=True):
        with new_private_file(file, _NEVER) as written:
            written.write(f"{text}\n".encode())
    return files


def _text(session: Session, played: "Rehearsal") -> str:
    from provisioning.planning.rehearsal_text import render_rehearsal

    return render_rehearsal(played, session.wording.why, session.wording.name)


def _compare(session: Session, operation: str | None, report: Path | None, folder: Path) -> int:
    if operation is None:
        raise InputError(
            "A plan is compared with a report: --compare OPERATION, and --with REPORT or the last one kept."
        )
    from provisioning.planning.rehearsal_text import render_differences

    compare = session.services.compare_rehearsal
    played = read_report(report) if report else compare.choose(operation, list(reports_in(folder)))
    found = compare(operation, played)
    part = found.part
    tried = (
        f"Operation {found.operation_id[:SHORT]}, {part.phase.replace('_', ' ')} of wave {part.wave}, beside what was "
        f"rehearsed at {played.taken_at:%Y-%m-%d %H:%M} UTC"
    )
    text = render_differences(found.differences, tried)
    if not found.is_same_migration:
        text += f"\n{paragraph('The migration was rehearsed from another file than it was created from.')}"
    session.show(found, text)
    return int(not found.is_as_rehearsed)
