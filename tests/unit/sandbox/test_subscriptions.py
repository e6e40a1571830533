import pytest

from provisioning.sandbox.subscriptions import Change, PrepaidUnits, Subscription, prepaid_units


def subscription(total: int = 10, status: str = "Enabled", **more: object) -> Subscription:
    required = {"id": "s", "commerceSubscriptionId": "c", "skuId": "k", "createdDateTime": "2025-01-01T00:00:00Z"}
    return Subscription(totalLicenses=total, status=status, **required, **more)  # type: ignore[arg-type]


class TestLife:
    def test_changes_happen_in_order_of_time(self) -> None:
        held = subscription()
        held.schedule(Change(at=20, status="Suspended"))
        held.schedule(Change(at=10, status="Warning", totalLicenses=4))
        held.advance(10)
        assert (held.status, held.totalLicenses) == ("Warning", 4)
        held.advance(25)
        assert (held.status, held.totalLicenses) == ("Suspended", 4)

    def test_it_is_there_from_its_moment_until_deleted(self) -> None:
        held = subscription(appears_at=5)
        assert (held.is_visible(4), held.is_visible(5)) == (False, True)
        held.status = "Deleted"
        assert not held.is_visible(5)


class TestPrepaidUnits:
    def test_sums_by_state(self) -> None:
        held = [subscription(3), subscription(4), subscription(5, "Warning"), subscription(6, "LockedOut")]
        assert prepaid_units(held) == PrepaidUnits(enabled=7, warning=5, lockedOut=6)

    @pytest.mark.parametrize(
        ("units", "status"),
        [
            (PrepaidUnits(enabled=1, suspended=999), "Enabled"),
            (PrepaidUnits(warning=1, suspended=1), "Warning"),
            (PrepaidUnits(suspended=1), "Suspended"),
            (PrepaidUnits(lockedOut=1), "LockedOut"),
        ],
    )
    def test_capability_is_the_best_state(self, units: PrepaidUnits, status: str) -> None:
        assert units.capabilityStatus == status
