"""What a person decides about a migration: go, wait, again, back, or not at all."""

from typing import Annotated

import msgspec
import typer

from provisioning.cli.command import command
from provisioning.cli.commands.migrations import Named
from provisioning.cli.migration_screen import render_forecast
from provisioning.cli.output import paragraph
from provisioning.cli.preflight_screen import render_preflight
from provisioning.cli.session import Session
from provisioning.domain.migration import Migration, Wave
from provisioning.domain.migration_lifecycle import MigrationState

_Wave = Annotated[int, typer.Option(min=1, help="Its number; the first is the pilot.")]
_FailedOnly = Annotated[bool, typer.Option("--failed-only", help="Only who failed on the way in; the others go on.")]
_Reason = Annotated[str, typer.Option(help="Why; it stays on record, and must not name anybody.")]

_UNEXPLAINED = (
    "But no wave begins yet: {people:,} people are in a situation that nobody said anything about. "
    "`provisioning migrations show` has them."
)


_NOTED = "Noted: what the wave still has to give may be given on the ground of this for a week."


def register(group: typer.Typer) -> None:
    """Add the decisions to the commands about migrations."""
    for name, function, example in (
        ("start", start, '--wave 2 --reason "the pilot works"'),
        ("check", check, "--wave 2"),
        ("pause", pause, '--reason "the tool stands still"'),
        ("resume", resume, '--reason "the tool goes on"'),
        ("abort", abort, '--reason "the boards do not merge"'),
        ("retry", retry, '--wave 2 --reason "seats arrived"'),
        ("rollback", rollback, '--wave 2 --reason "wrong schools"'),
        ("release", release, '--wave 1 --reason "mail works"'),
    ):
        shown = (f"provisioning migrations {name} 5f0c9a4e {example}",)
        command(group, name, examples=shown, ours=function is check)(function)


def start(session: Session, migration: Named, wave: _Wave, reason: _Reason = "") -> None:
    """Go: check both tenants, then prepare a wave's people.

    Each later wave needs a reason to go on. Every plan still waits for its approval.
    """
    begun = session.checked_services.start_wave(session.identity, migration, wave, reason)
    _tell(session, begun, "Its plans wait for approval; `provisioning migrations show` names them.")


def check(session: Session, migration: Named, wave: _Wave) -> None:
    """Say what is in the way of a wave.

    Both tenants are looked at, and nothing is written there. A start looks again by itself. What this finds holds for a
    week: when an operator looks at a wave that has begun and nothing is in its way, what waited for that goes on.
    """
    proof = session.checked_services.prove_wave(session.identity, migration, wave)
    blocks = [render_preflight(proof.found, session.wording), *([paragraph(_NOTED)] if proof.is_noted else [])]
    sheet = session.services.show_migrations.one(migration)
    blocks += render_forecast(sheet.forecast, session.wording, wave)
    people = sum(one.people for one in sheet.situations if one.is_unexplained)
    blocks += [paragraph(_UNEXPLAINED.format(people=people))] if people else []
    ahead = [one for one in sheet.forecast if one.wave == wave]
    found = {**msgspec.structs.asdict(proof.found), "is_noted": proof.is_noted, "forecast": ahead}
    session.show(found, "\n\n".join(blocks))


def pause(session: Session, migration: Named, reason: _Reason) -> None:
    """Begin nothing new; what was begun is read back."""
    _steer(session, migration, MigrationState.PAUSED, reason)


def resume(session: Session, migration: Named, reason: _Reason) -> None:
    """Let a paused migration go on where it was."""
    _steer(session, migration, MigrationState.RUNNING, reason)


def abort(session: Session, migration: Named, reason: _Reason) -> None:
    """Call it off for good; both tenants stay as they are.

    What a wave did already is undone by `provisioning migrations rollback`, before this. Exchange alone still comes on,
    for whoever's mailbox has moved.
    """
    _steer(session, migration, MigrationState.ABORTED, reason)


def retry(session: Session, migration: Named, wave: _Wave, reason: _Reason) -> None:
    """Try those of a wave again who failed, where they failed."""
    people = session.checked_services.retry_wave(session.identity, migration, wave, reason)
    session.tell({"people": people}, f"Tried again: {people:,} of wave {wave}.")


def rollback(
    session: Session, migration: Named, wave: _Wave, reason: _Reason, failed_only: _FailedOnly = False
) -> None:
    """Undo what a wave did, for who is still as we left them."""
    if failed_only:
        people = session.services.roll_back_failed(session.identity, migration, wave, reason)
        session.tell({"people": people}, f"Rolled back: {people:,} of wave {wave}. The plan waits for approval.")
        return
    back = session.services.roll_back_wave(session.identity, migration, wave, reason)
    _tell(session, back, "Its plans wait for approval; the old licence comes back before the new one goes.")


def release(session: Session, migration: Named, wave: _Wave, reason: _Reason) -> None:
    """Take the old licences of a wave away in the source.

    Of whoever's hold period is over; the plan waits for its own approval.
    """
    released = session.services.release_wave(session.identity, migration, wave, reason)
    _tell(session, released, "Its plans wait for approval; `provisioning migrations show` names them.")


def _steer(session: Session, migration: str, goal: MigrationState, reason: str) -> None:
    steered: Migration = session.services.steer_migration(session.identity, migration, goal, reason)
    session.tell(steered, f"Migration {steered.definition.name} is {session.wording.of_migration(steered.state)}.")


def _tell(session: Session, wave: Wave, after: str) -> None:
    session.tell(wave, f"Wave {wave.number}: {session.wording.of_migration(wave.state)}. {after}")
