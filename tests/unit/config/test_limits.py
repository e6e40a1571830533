from datetime import timedelta

import msgspec
import pytest

from config.limits import default_limits, limits_from
from config.settings import Settings
from provisioning.execution.backoff import after_refusal

LIMITS = default_limits()


class TestDefaultLimits:
    def test_rate_and_savings_fill_the_quota_and_do_not_exceed_it(self) -> None:
        assert LIMITS.quota_rate + LIMITS.quota_burst <= 1

    def test_a_lease_outlives_a_write_that_leaves_at_its_beginning(self) -> None:
        assert LIMITS.lease_duration >= LIMITS.write_timeout + LIMITS.max_clock_skew

    def test_a_lost_write_is_settled_after_its_time_out(self) -> None:
        assert LIMITS.settle > LIMITS.write_timeout

    def test_verification_waits_out_the_slowest_replica(self) -> None:
        assert LIMITS.verify_deadline > LIMITS.lag_horizon

    @pytest.mark.parametrize("waits", [LIMITS.seats_poll, LIMITS.verify_waits, LIMITS.failed_waits])
    def test_waits_grow(self, waits: tuple[timedelta, ...]) -> None:
        assert list(waits) == sorted(waits)

    def test_an_order_begins_with_what_came_when_nothing_more_is_on_its_way(self) -> None:
        assert LIMITS.seats_short_after >= timedelta(hours=24)  # M3: seats show within a day of the usage date

    def test_a_tenant_is_unreadable_for_longer_than_any_single_wait_before_somebody_is_told(self) -> None:
        assert LIMITS.unreadable_notice > after_refusal(1_000, None)

    def test_at_most_160_people_are_in_doubt_after_a_kill(self) -> None:
        assert LIMITS.chunk_people <= 160

    def test_nobody_loses_anything_without_approval(self) -> None:
        assert (LIMITS.guard_removals, LIMITS.guard_families_lost) == (0, 0)


class TestLimitsFrom:
    def test_an_installation_may_be_stricter(self) -> None:
        settings = Settings.model_construct(tenant_writes=1_000, app_writes=9_000, guard_assignments=50, guard_swaps=0)
        expected = msgspec.structs.replace(
            LIMITS, tenant_writes=1_000, app_writes=9_000, guard_assignments=50, guard_swaps=0
        )
        assert limits_from(settings) == expected

    def test_a_fast_clock_does_not_send_messages_again_sooner(self) -> None:
        settings = Settings.model_construct(clock_factor=60.0)
        assert limits_from(settings).requeue_after == timedelta(minutes=5)

    def test_nor_does_it_give_up_sooner_on_work_that_breaks_off(self) -> None:
        settings = Settings.model_construct(clock_factor=60.0)
        assert limits_from(settings).failed_waits[0] == timedelta(minutes=5)

    def test_the_defaults_of_settings_and_limits_agree(self) -> None:
        assert limits_from(Settings.model_construct()) == LIMITS
