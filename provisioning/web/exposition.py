"""The figures of the service as a scraper reads them: Prometheus' text format."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from provisioning.services.measure_quota import QuotaMeasure, TenantMeasure
from provisioning.services.measure_service import ServiceMeasure

_DAY = 86_400.0  # seconds

_TENANT_GAUGES = (
    ("writes", "Writes that are still to be sent in the tenant."),
    ("bucket_left", "Share of the tenant's savings of writes that is left."),
    ("closed_seconds", "How long Microsoft has us wait before the next write in the tenant."),
    ("slowed_seconds", "How long the tenant gets a tenth less."),
    ("pace", "Writes a second that the tenant gets while it waits for its own quota alone."),
    ("refused_ratio", "Share of the tenant's writes that Microsoft refused lately."),
    ("done_seconds", "Until everything that is under way in the tenant will have been sent."),
)


def exposition(measure: QuotaMeasure, service: ServiceMeasure | None = None) -> str:
    """One text for one look: quota, queues, what is held and waits. Tenants are named by id, people not at all."""
    registry = CollectorRegistry()
    registry.register(_Look(measure))
    if service is not None:
        registry.register(_Watch(service))
    return generate_latest(registry).decode()


class _Look(Collector):
    def __init__(self, measure: QuotaMeasure) -> None:
        self._measure = measure

    def collect(self) -> Iterator[Metric]:
        yield from self._application()
        yield from self._queues()
        yield from self._tenants()

    def _application(self) -> Iterator[Metric]:
        measure, app = self._measure, self._measure.app
        yield _gauge("quota_rate", "Writes a second that we allow ourselves over all tenants.", measure.rate)
        yield _gauge("quota_reserve", "Writes that bulk work leaves to orders.", measure.reserve)
        yield _gauge("quota_granted", "Writes granted since the store of the quota began.", measure.granted)
        yield _gauge("quota_refused", "Writes refused since the store of the quota began.", measure.refused)
        yield _gauge("quota_writes", "Writes that are still to be sent.", measure.writes)
        if app is not None:
            yield _gauge("quota_left", "Share of the application's savings of writes that is left.", app.left)
            yield _gauge("quota_closed_seconds", "How long nobody may write at all.", app.closed_for)

    def _queues(self) -> Iterator[Metric]:
        due = _family("operations_due", "Operations whose moment has come.", "lane")
        age = _family("operations_due_oldest_seconds", "For how long the oldest of them has been waiting.", "lane")
        held = _family("operations_held", "Operations that wait for a person.", "reason")
        for lane, queue in sorted(self._measure.queues.items()):
            due.add_metric([lane], queue.due)
            age.add_metric([lane], queue.oldest)
        for reason, number in sorted(self._measure.held.items()):
            held.add_metric([reason], number)
        yield from (due, age, held)

    def _tenants(self) -> Iterator[Metric]:
        families = {name: _family(f"tenant_quota_{name}", text, "tenant") for name, text in _TENANT_GAUGES}
        for tenant in self._measure.tenants:
            for name, value in self._figures(tenant).items():
                families[name].add_metric([tenant.tenant_id], value)
        yield from families.values()

    def _figures(self, tenant: TenantMeasure) -> dict[str, float]:
        """Those that there are: of a tenant nobody wrote in lately there is nothing to tell of its bucket."""
        left = (tenant.done_at - self._measure.at).total_seconds()
        figures = {"writes": float(tenant.writes), "done_seconds": left}
        bucket = tenant.bucket
        if bucket is None:
            return figures
        figures |= {"bucket_left": bucket.left, "closed_seconds": bucket.closed_for}
        figures |= {"slowed_seconds": bucket.slowed_for, "refused_ratio": bucket.refused}
        return figures if bucket.pace is None else figures | {"pace": bucket.pace}


class _Watch(Collector):
    def __init__(self, measure: ServiceMeasure) -> None:
        self._measure = measure

    def collect(self) -> Iterator[Metric]:
        yield from self._worklist()
        consent = _family("tenants_by_consent", "Tenants by the state of their consent.", "consent")
        for state, number in sorted(self._measure.consent.items()):
            consent.add_metric([state], number)
        yield consent
        told = "People a minute whose licences were read back as they should be, over the last five minutes."
        yield _gauge("verified_per_minute", told, self._measure.verified_per_minute)
        days = _family("certificate_days_left", "Until a certificate of ours is no longer valid.", "number")
        for number, left in enumerate(self._measure.credentials_left, start=1):
            days.add_metric([str(number)], left.total_seconds() / _DAY)
        yield days

    def _worklist(self) -> Iterator[Metric]:
        items = _family("worklist_items", "What waits for a person.", "reason")
        age = _family("worklist_oldest_seconds", "For how long the oldest of them has been waiting.", "reason")
        for reason, number in sorted(self._measure.worklist.items()):
            items.add_metric([reason], number)
            age.add_metric([reason], self._measure.oldest[reason])
        yield from (items, age)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"provisioning_{name}", text, value=value)


def _family(name: str, text: str, label: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"provisioning_{name}", text, labels=[label])
