from datetime import UTC, datetime, timedelta

import pytest

from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.errors import StaleLeaseError
from provisioning.domain.worklist import Lease
from tests.factories import NOW
from tests.integration.database.conftest import Open

HALF_A_MINUTE = timedelta(seconds=30)
EXPIRED = NOW + HALF_A_MINUTE
NAME = "tenant:x"


@pytest.fixture
def lease(open_uow: Open) -> Lease:
    with open_uow() as uow:
        taken = uow.leases.take(NAME, "worker-1", NOW, HALF_A_MINUTE)
        uow.commit()
    return taken


class TestTaking:
    def test_gives_the_name_until_it_expires(self, lease: Lease) -> None:
        assert (lease.name, lease.holder, lease.expires_at) == (NAME, "worker-1", EXPIRED)

    def test_is_not_possible_while_somebody_elses_is_alive(self, uow: SqlUnitOfWork, lease: Lease) -> None:
        assert uow.leases.take(NAME, "worker-2", EXPIRED - timedelta(microseconds=1), HALF_A_MINUTE) is None

    def test_raises_the_fence(self, uow: SqlUnitOfWork, lease: Lease) -> None:
        assert uow.leases.take(NAME, "worker-2", EXPIRED, HALF_A_MINUTE).fence == lease.fence + 1

    def test_ones_own_again_also_raises_it(self, uow: SqlUnitOfWork, lease: Lease) -> None:
        assert uow.leases.take(NAME, "worker-1", NOW, HALF_A_MINUTE).fence == lease.fence + 1

    def test_after_a_release_the_fence_goes_on(self, uow: SqlUnitOfWork, lease: Lease) -> None:
        uow.leases.release(lease)
        assert uow.leases.take(NAME, "worker-2", NOW, HALF_A_MINUTE).fence == lease.fence + 1

    def test_of_two_at_once_one_gets_it(self, open_uow: Open) -> None:
        with open_uow() as first, open_uow() as second:
            assert first.leases.take("tenant:y", "worker-1", NOW, HALF_A_MINUTE)
            first.commit()
            assert second.leases.take("tenant:y", "worker-2", NOW, HALF_A_MINUTE) is None


class TestHolding:
    def test_can_be_prolonged(self, uow: SqlUnitOfWork, lease: Lease) -> None:
        renewed = uow.leases.renew(lease, NOW + HALF_A_MINUTE / 2, HALF_A_MINUTE)
        assert (renewed.fence, renewed.expires_at) == (lease.fence, EXPIRED + HALF_A_MINUTE / 2)
        uow.leases.check(lease)

    @pytest.mark.parametrize("deed", ["check", "renew"])
    @pytest.mark.parametrize("loss", ["taken", "released"])
    def test_once_lost_it_is_said(self, uow: SqlUnitOfWork, lease: Lease, deed: str, loss: str) -> None:
        if loss == "taken":
            uow.leases.take(NAME, "worker-2", EXPIRED, HALF_A_MINUTE)
        else:
            uow.leases.release(lease)
        with pytest.raises(StaleLeaseError, match="no longer in force"):
            uow.leases.check(lease) if deed == "check" else uow.leases.renew(lease, NOW, HALF_A_MINUTE)

    def test_releasing_what_is_no_longer_ours_takes_it_from_nobody(self, uow: SqlUnitOfWork, lease: Lease) -> None:
        theirs = uow.leases.take(NAME, "worker-2", EXPIRED, HALF_A_MINUTE)
        uow.leases.release(lease)
        uow.leases.check(theirs)


class TestAlive:
    def test_are_those_of_the_prefix_that_the_database_s_clock_says_are_in_force(self, uow: SqlUnitOfWork) -> None:
        now = datetime.now(UTC)
        for name, since in (
            ("clock:b", now),
            ("clock:a", now),
            ("clock:old", now - timedelta(hours=1)),
            ("clockx", now),
        ):
            uow.leases.take(name, "worker-1", since, HALF_A_MINUTE)
        assert [lease.name for lease in uow.leases.alive("clock:")] == ["clock:a", "clock:b"]

    def test_a_released_one_is_not(self, uow: SqlUnitOfWork) -> None:
        uow.leases.release(uow.leases.take("clock:a", "worker-1", datetime.now(UTC), HALF_A_MINUTE))
        assert uow.leases.alive("clock:") == []
