"""The service's clock: the world's, or in a sandbox a faster one."""

from datetime import UTC, datetime

from config.settings import Settings


class WorldClock:
    """Both times are the world's."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def wall(self) -> datetime:
        return datetime.now(UTC)


class FastClock:
    """`now` is `origin + factor × elapsed`, the same in every process that knows the two."""

    def __init__(self, origin: datetime, factor: float) -> None:
        self._origin, self._factor = origin, factor

    def now(self) -> datetime:
        return self._origin + (self.wall() - self._origin) * self._factor

    def wall(self) -> datetime:
        return datetime.now(UTC)


def clock_from(settings: Settings) -> WorldClock | FastClock:
    """Settings let only a sandbox have its own time."""
    if settings.clock_origin is None:
        return WorldClock()
    return FastClock(settings.clock_origin, settings.clock_factor)
