from datetime import timedelta

import msgspec
import pytest

from provisioning.domain.errors import UnavailableError
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import ConsentState
from provisioning.domain.worklist import Owner, WorkItem
from provisioning.services.diagnose import Credential
from provisioning.services.measure_service import MeasureService, ServiceMeasure
from tests.factories import tenancy
from tests.unit.services.fakes_access import NOW, FakeClock, World

A_DAY = timedelta(days=1)


def item(reason: Reason, minutes: int) -> WorkItem:
    return WorkItem(
        subject=f"{reason} {minutes}", reason=reason, owner=Owner.ADMIN, since=NOW - timedelta(minutes=minutes)
    )


def measured(world: World, *items: WorkItem, credentials: tuple[Credential, ...] = ()) -> ServiceMeasure:
    measure = MeasureService(
        open_uow=world.open, clock=FakeClock(), worklist=lambda: list(items), credentials=lambda: credentials
    )
    return measure()


class TestMeasureService:
    def test_counts_the_work_list_by_reason_and_says_how_old_the_oldest_is(self) -> None:
        found = measured(World(), item(Reason.SKU_UNKNOWN, 5), item(Reason.SKU_UNKNOWN, 90), item(Reason.POISON, 1))
        assert found.worklist == {Reason.SKU_UNKNOWN: 2, Reason.POISON: 1}
        assert found.oldest == {Reason.SKU_UNKNOWN: 5400.0, Reason.POISON: 60.0}

    def test_counts_tenants_by_consent(self) -> None:
        world = World()
        for state in (ConsentState.GRANTED, ConsentState.GRANTED, ConsentState.NONE):
            tenant = tenancy.tenant(consent=state)
            world.tenants[tenant.tenant_id] = tenant
        assert measured(world).consent == {"granted": 2, "none": 1}

    def test_says_how_long_each_certificate_is_valid_and_not_where_it_is(self) -> None:
        found = measured(World(), credentials=(Credential("The certificate /etc/us.pem", NOW + 9 * A_DAY),))
        assert found.credentials_left == (9 * A_DAY,)
        assert b"us.pem" not in msgspec.json.encode(found)

    def test_nothing_is_nothing(self) -> None:
        found = measured(World())
        assert (found.worklist, found.consent, found.verified_per_minute) == ({}, {}, 0.0)

    def test_without_the_database_it_says_so(self) -> None:
        def away() -> list[WorkItem]:
            raise UnavailableError("The database does not answer.")

        measure = MeasureService(open_uow=World().open, clock=FakeClock(), worklist=away, credentials=tuple)
        with pytest.raises(UnavailableError):
            measure()
