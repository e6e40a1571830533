from datetime import datetime, timedelta
from threading import Event
from typing import Any

import pytest

from provisioning.domain.errors import StaleLeaseError, UnavailableError
from provisioning.domain.worklist import Lease
from provisioning.execution.leases import kept_alive
from tests.unit.execution.fakes import LEASE, Recorder, StandingClock

SHORT = timedelta(milliseconds=3)
PATIENCE = 10  # seconds; reached only when the lease is not renewed at all


class Renewals(Recorder):
    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self.renewed = Event()
        self._error = error

    def renew(self, lease: Lease, wall: datetime, duration: timedelta) -> Lease:
        self.renewed.set()
        if self._error:
            raise self._error
        return super().renew(lease, wall, duration)


class TestKeptAlive:
    def test_it_is_renewed_while_the_block_lasts_each_time_in_its_own_transaction(self) -> None:
        store = Renewals()
        with kept_alive(store.open, LEASE, StandingClock(), SHORT):
            assert store.renewed.wait(PATIENCE)
        assert store.names[:3] == ["renewed", "committed", "closed"]

    def test_after_the_block_nothing_is_renewed(self) -> None:
        store = Renewals()
        with kept_alive(store.open, LEASE, StandingClock(), SHORT):
            assert store.renewed.wait(PATIENCE)
        store.renewed.clear()
        assert not store.renewed.wait(0.05)

    def test_a_short_block_renews_nothing(self) -> None:
        store = Renewals()
        with kept_alive(store.open, LEASE, StandingClock(), timedelta(hours=1)):
            pass
        assert store.names == []

    @pytest.mark.parametrize("error", [StaleLeaseError("lost"), UnavailableError("away")], ids=["lost", "away"])
    def test_a_lease_that_cannot_be_kept_is_found_out_by_the_fence_not_here(self, error: Any) -> None:
        store = Renewals(error)
        with kept_alive(store.open, LEASE, StandingClock(), SHORT):
            assert store.renewed.wait(PATIENCE)
        assert "committed" not in store.names

    def test_the_block_s_own_error_comes_through(self) -> None:
        with pytest.raises(KeyError), kept_alive(Renewals().open, LEASE, StandingClock(), SHORT):
            raise KeyError
