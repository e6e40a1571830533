"""What a person decides about a migration: go, wait, again, back, or not at all."""

import msgspec

from provisioning.domain.migration import Migration, Wave
from provisioning.domain.migration_lifecycle import MigrationState
from provisioning.web.calls import Because, Body, Named, Person, Reason
from provisioning.web.routes.migrations import WaveNumber
from provisioning.web.routing import router as routes_about

router = routes_about("migrations")


class Go(Body):
    """Each wave after the pilot needs a reason to go on."""

    reason: Reason = ""


class Back(Because):
    """`failed_only`: only who failed on the way in; the others go on."""

    failed_only: bool = False


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    people: int


@router.post("/{migration}/waves/{wave}/start")
def start(caller: Person, migration: Named, wave: WaveNumber, go: Go) -> Wave:
    """Go: check both tenants, then prepare a wave's people. Every plan still waits for its approval."""
    return caller.services.start_wave(caller.identity, migration, wave, go.reason)


@router.post("/{migration}/pause")
def pause(caller: Person, migration: Named, because: Because) -> Migration:
    """Begin nothing new; what was begun is read back."""
    return caller.services.steer_migration(caller.identity, migration, MigrationState.PAUSED, because.reason)


@router.post("/{migration}/resume")
def resume(caller: Person, migration: Named, because: Because) -> Migration:
    """Let a paused migration go on where it was."""
    return caller.services.steer_migration(caller.identity, migration, MigrationState.RUNNING, because.reason)


@router.post("/{migration}/abort")
def abort(caller: Person, migration: Named, because: Because) -> Migration:
    """Call it off for good; both tenants stay as they are."""
    return caller.services.steer_migration(caller.identity, migration, MigrationState.ABORTED, because.reason)


@router.post("/{migration}/waves/{wave}/retry")
def retry(caller: Person, migration: Named, wave: WaveNumber, because: Because) -> Tried:
    """Try those of a wave again who failed, where they failed."""
    return Tried(people=caller.services.retry_wave(caller.identity, migration, wave, because.reason))


@router.post("/{migration}/waves/{wave}/rollback")
def rollback(caller: Person, migration: Named, wave: WaveNumber, back: Back) -> Wave | Tried:
    """Undo what a wave did, for who is still as we left them. Its plans wait for approval."""
    if back.failed_only:
        return Tried(people=caller.services.roll_back_failed(caller.identity, migration, wave, back.reason))
    return caller.services.roll_back_wave(caller.identity, migration, wave, back.reason)


@router.post("/{migration}/waves/{wave}/release")
def release(caller: Person, migration: Named, wave: WaveNumber, because: Because) -> Wave:
    """Take the old licences of a wave away in the source, of whoever's hold period is over."""
    return caller.services.release_wave(caller.identity, migration, wave, because.reason)
