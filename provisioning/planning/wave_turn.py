"""Where a wave stands, by where its people stand; and which way leads back for each of them. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from provisioning.domain.migration import Phase, Traveller
from provisioning.domain.migration_lifecycle import UNDER_WAY, PersonState, WaveState

_TO_PREPARE = frozenset({PersonState.WAITING, PersonState.PREPARING})
_TO_ENABLE = frozenset({PersonState.PREPARED, PersonState.ENABLING})
_NOT_THROUGH = _TO_PREPARE | _TO_ENABLE | {PersonState.ENABLED}
_TO_ROLL_BACK = UNDER_WAY | {PersonState.WAITING}


def following_state(state: WaveState, own: Sequence[Traveller], hold: timedelta, now: datetime) -> WaveState:
    """Where a wave with these people is next; left out ones are none of them. `hold`: until a source is released."""
    standings = {one.state for one in own}
    match state:
        case WaveState.PREPARING if not standings & _TO_PREPARE:
            return WaveState.GATED
        case WaveState.GATED if not standings & (_TO_PREPARE | _TO_ENABLE):
            return WaveState.HOLDING
        case WaveState.HOLDING if standings & (_TO_PREPARE | _TO_ENABLE):
            return WaveState.GATED
        case WaveState.HOLDING if standings != {PersonState.FAILED} and not standings & (_NOT_THROUGH | UNDER_WAY):
            return WaveState.DONE  # nobody is in it; or whoever was left was tried again, and failed again
        case WaveState.RELEASING if not any(_to_release(one, hold, now) for one in own):
            return WaveState.HOLDING if standings & (_NOT_THROUGH | UNDER_WAY) else WaveState.DONE
        case WaveState.ROLLING_BACK if not (standings & _TO_ROLL_BACK or any(map(way_back, own))):
            return WaveState.ROLLED_BACK
        case _:
            return state


def _to_release(traveller: Traveller, hold: timedelta, now: datetime) -> bool:
    return traveller.state is PersonState.RELEASING or is_released_next(traveller, hold, now)


def is_released_next(traveller: Traveller, hold: timedelta, now: datetime) -> bool:
    """Whether everything has been on in the target for so long that the source may let them go."""
    until = traveller.held_until(hold)
    return traveller.state is PersonState.ENABLED and until is not None and until <= now


def way_back(traveller: Traveller) -> Phase | None:
    """The old licence comes back before the new one goes."""
    match traveller.state:
        case PersonState.RELEASED:
            return Phase.UNDO_SOURCE
        case PersonState.WAITING if traveller.operation_id is not None:  # what failed may have landed all the same
            return Phase.UNDO_TARGET
        case PersonState.PREPARED | PersonState.ENABLED:
            return Phase.UNDO_TARGET
        case PersonState.ROLLING_BACK if traveller.operation_id is None:
            return Phase.UNDO_TARGET
        case PersonState.FAILED if traveller.failed_in in {Phase.PREPARE, Phase.ENABLE}:
            return Phase.UNDO_TARGET
        case PersonState.FAILED if traveller.failed_in is Phase.RELEASE:
            return Phase.UNDO_SOURCE
        case _:
            return None
