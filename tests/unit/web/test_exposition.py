"""What a scraper reads."""

from datetime import timedelta

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from provisioning.domain.operation import Lane
from provisioning.domain.reasons import Reason
from provisioning.planning.quota_reading import BucketReading
from provisioning.services.measure_quota import QueueMeasure, QuotaMeasure, TenantMeasure
from provisioning.services.measure_service import ServiceMeasure
from provisioning.web.exposition import exposition
from tests.unit.services.fakes_access import NOW, TENANT

BUCKET = BucketReading(left=0.12, closed_for=9.0, pace=19.4, refused=0.01)
BUSY = TenantMeasure(
    tenant_id=TENANT, operations=1, writes=9_200, done_at=NOW + timedelta(minutes=8), rate=19.6, bucket=BUCKET
)
MEASURE = QuotaMeasure(
    at=NOW,
    rate=114.3,
    reserve=70.0,
    app=BucketReading(left=0.712),
    granted=12_400,
    refused=31,
    writes=9_200,
    done_at=BUSY.done_at,
    tenants=(BUSY,),
    queues={Lane.ORDER: QueueMeasure(due=3, oldest=4.5), Lane.BULK: QueueMeasure()},
    held={Reason.POISON: 2},
)

Samples = dict[tuple[str, str], float]


def samples(measure: QuotaMeasure, service: ServiceMeasure | None = None) -> Samples:
    """As a scraper takes them in: by name and the value of the only label."""
    families = text_string_to_metric_families(exposition(measure, service))
    return {
        (sample.name.removeprefix("provisioning_"), next(iter(sample.labels.values()), "")): sample.value
        for family in families
        for sample in family.samples
    }


class TestExposition:
    def test_has_the_quota_of_the_application(self) -> None:
        seen = samples(MEASURE)
        names = ("quota_left", "quota_rate", "quota_reserve", "quota_granted", "quota_refused", "quota_writes")
        assert [seen[name, ""] for name in names] == [0.712, 114.3, 70.0, 12_400, 31, 9_200]

    def test_has_queues_by_lane_and_what_is_held_by_reason(self) -> None:
        seen = samples(MEASURE)
        assert (seen["operations_due", "order"], seen["operations_due", "bulk"]) == (3, 0)
        assert seen["operations_due_oldest_seconds", "order"] == 4.5
        assert seen["operations_held", "POISON"] == 2

    def test_has_each_tenant_with_work_by_its_id(self) -> None:
        seen = {name: value for (name, label), value in samples(MEASURE).items() if label == TENANT}
        assert seen == {
            "tenant_quota_writes": 9_200,
            "tenant_quota_done_seconds": 480,
            "tenant_quota_bucket_left": 0.12,
            "tenant_quota_closed_seconds": 9,
            "tenant_quota_slowed_seconds": 0,
            "tenant_quota_refused_ratio": 0.01,
            "tenant_quota_pace": 19.4,
        }

    def test_says_nothing_where_there_is_nothing_to_tell(self) -> None:
        unknown = msgspec.structs.replace(MEASURE, app=None, tenants=(msgspec.structs.replace(BUSY, bucket=None),))
        seen = samples(unknown)
        assert ("quota_left", "") not in seen
        assert ("tenant_quota_pace", TENANT) not in seen
        assert seen["tenant_quota_writes", TENANT] == 9_200

    def test_every_figure_explains_itself(self) -> None:
        families = list(text_string_to_metric_families(exposition(MEASURE)))
        assert all(family.documentation and family.type == "gauge" for family in families)


class TestTheServiceAsAWhole:
    MEASURE = ServiceMeasure(
        at=NOW,
        worklist={Reason.SKU_UNKNOWN: 3},
        oldest={Reason.SKU_UNKNOWN: 90.0},
        consent={"granted": 12, "none": 2},
        verified_per_minute=7.4,
        credentials_left=(timedelta(days=80), timedelta(days=-1)),
    )

    def test_has_the_work_list_by_reason_with_the_age_of_the_oldest(self) -> None:
        seen = samples(MEASURE, self.MEASURE)
        assert seen["worklist_items", "SKU_UNKNOWN"] == 3
        assert seen["worklist_oldest_seconds", "SKU_UNKNOWN"] == 90

    def test_has_consent_by_its_state(self) -> None:
        seen = samples(MEASURE, self.MEASURE)
        assert (seen["tenants_by_consent", "granted"], seen["tenants_by_consent", "none"]) == (12, 2)

    def test_has_how_many_people_are_verified_a_minute(self) -> None:
        assert samples(MEASURE, self.MEASURE)["verified_per_minute", ""] == 7.4

    def test_has_the_days_of_each_certificate_without_its_name(self) -> None:
        seen = samples(MEASURE, self.MEASURE)
        assert (seen["certificate_days_left", "1"], seen["certificate_days_left", "2"]) == (80, -1)
