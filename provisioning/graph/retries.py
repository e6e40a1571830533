"""Patience within one call: for reads and token requests only. Writes are never repeated here."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    stop_before_delay,
    wait_exponential_jitter,
)

from provisioning.domain.errors import RetryableError

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]

TRIES = 3
_BACKOFF = wait_exponential_jitter(multiplier=0.2, max=2, jitter=0.2)


async def with_patience(work: Callable[[], Awaitable[T]], patience: timedelta, sleep: Sleep = asyncio.sleep) -> T:
    """What `work` returns, trying at most three times and only while `patience` lasts; else its RetryableError."""

    async def attempt() -> T:  # tenacity awaits only what it recognises as a coroutine function
        return await work()

    retrying = AsyncRetrying(
        stop=stop_after_attempt(TRIES) | stop_before_delay(patience),
        wait=_as_told_or_backing_off,
        retry=retry_if_exception_type(RetryableError),
        sleep=sleep,
        reraise=True,
    )
    return await retrying(attempt)


def _as_told_or_backing_off(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    after = error.after if isinstance(error, RetryableError) else None
    return after.total_seconds() if after else _BACKOFF(state)
