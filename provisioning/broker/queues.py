"""The names that sender and worker agree on, so that nobody who sends has to import a worker's code."""

from enum import StrEnum

from provisioning.domain.operation import Lane

ADVANCE = "operations.advance"  # the one task that carries an operation's id


class Queue(StrEnum):
    ORDERS = "orders"  # what a school waits for
    BULK = "bulk"  # migrations and campaigns: yields to orders
    SWEEPS = "sweeps"  # the service's own rounds


QUEUE_OF = {Lane.ORDER: Queue.ORDERS, Lane.BULK: Queue.BULK}
