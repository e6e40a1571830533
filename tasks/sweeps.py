"""The service's own rounds. Each holds a lease while it lasts: two schedulers do no harm, no round overtakes itself."""

from collections.abc import Callable
from typing import Any

import structlog

from provisioning import bootstrap
from provisioning.bootstrap import Services
from tasks.app import app
from tasks.base import ProvisioningTask
from tasks.rounds import only_one
from tasks.schedule import task_name

_log = structlog.get_logger(__name__)


def _round(work: Callable[[Services], int]) -> Any:
    """A task that makes this round, alone, and says in the log how many things it did, if any."""
    name = work.__name__

    def run() -> None:
        services = bootstrap.services()
        services.watch_clock()
        with only_one(services.open_uow, services.clock, name, services.holder) as is_ours:
            if is_ours and (done := work(services)):
                _log.info("sweep.done", sweep=name, done=done)

    return app.task(base=ProvisioningTask, name=task_name(name))(run)


@_round
def requeue_operations(services: Services) -> int:
    """Operations whose time has come are told to a worker."""
    return services.sweep_operations()


@_round
def collect_orders(services: Services) -> int:
    """New and changed lines come in from the shop."""
    if not services.has_shop:
        return 0
    collected = services.collect_orders()
    return collected.new + collected.corrected + collected.too_late + collected.judged


@_round
def compare_orders(services: Services) -> int:
    """Every night all keys of open lines are compared: late commits and clock trouble lose nothing."""
    if not services.has_shop:
        return 0
    compared = services.compare_orders()
    return compared.late + compared.changed + compared.vanished + compared.judged_again


@_round
def sweep_migrations(services: Services) -> int:
    """Migrations whose time has come are looked at: what their operations came to, and what is next."""
    return services.sweep_migrations()


@_round
def sweep_tickets(services: Services) -> int:
    """Tickets whose time has come are brought as far as they go by themselves."""
    return services.sweep_tickets()


@_round
def sweep_campaigns(services: Services) -> int:
    """Campaigns whose time has come are looked at: what their operations came to, and who begins next."""
    return services.sweep_campaigns()


@_round
def check_campaigns(services: Services) -> int:
    """Tenants of campaigns that are still to begin are looked at again when the last look is old."""
    return services.check_campaign.round()


@_round
def find_strays(services: Services) -> int:
    """Seats that were ordered for one tenant and seem to be in another."""
    return services.find_strays()


@_round
def relay_outbox(services: Services) -> int:
    """What is to be told becomes notices."""
    return services.relay_outbox()


@_round
def send_webhooks(services: Services) -> int:
    """Facts become messages to whoever wants to hear them, and messages leave."""
    return services.spread_facts() + services.send_webhooks()


@_round
def seal_audit(services: Services) -> int:
    """Recorded events get their place in the signed log."""
    return services.seal_audit() if services.has_signing_key else 0


@_round
def serve_waiting(services: Services) -> int:
    """People on a waiting list get the seats that came free."""
    return services.serve_waiting()


@_round
def purge_references(services: Services) -> int:
    """Names from orders that nobody needs any more are forgotten."""
    return services.purge_references()


@_round
def purge_answers(services: Services) -> int:
    """Answers kept for requests that come twice go after a day."""
    return services.purge_answers()


@_round
def purge_operations(services: Services) -> int:
    """What is left of operations that ended long ago goes; the audit log stays."""
    return services.purge_operations()


@_round
def purge_migrations(services: Services) -> int:
    """The people of migrations that ended long ago go, as those of operations do."""
    return services.purge_migrations()


@_round
def purge_tickets(services: Services) -> int:
    """What people wrote beside the fields of tickets goes when it is old."""
    return services.purge_tickets()


@_round
def purge_webhooks(services: Services) -> int:
    """Messages that were taken long ago go."""
    return services.purge_webhooks()
