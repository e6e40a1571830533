"""The ending for people: tables of eighty columns."""

from provisioning.local.ending import AuditEnding, Ending, OrderEnding
from provisioning.local.narrator import Narrator, table
from provisioning.local.witness import Testimony


def show_ending(narrator: Narrator, ending: Ending) -> None:
    """Orders, work, seats, proof."""
    narrator.chapter("Orders and what came of them")
    rows = [(one.order, one.organisation, one.article, one.seats, _outcome(one)) for one in ending.orders]
    narrator.show(table(("Order", "For", "Article", "Seats", "Outcome"), rows, right=(3,)))
    narrator.chapter("What waits for a person")
    for item in ending.work:
        count = f" ({item.count} people)" if item.count > 1 else ""
        narrator.say(f"{item.subject}{count} — {item.owner}: {item.why} {item.todo}")
    if not ending.work:
        narrator.say("Nothing.")
    narrator.chapter("Seats per tenant")
    seats = [(one.domain, one.product, one.bought, one.enabled, one.used, one.waiting) for one in ending.seats]
    titles = ("Tenant", "Product", "Bought", "Enabled", "Used", "Waiting")
    narrator.show(table(titles, seats, right=(2, 3, 4, 5)))
    narrator.chapter("Proof")
    narrator.say(_of_audit(ending.audit))
    narrator.say(_of_witness(ending.witness))


def _outcome(order: OrderEnding) -> str:
    people = ", ".join(f"{number} {state}" for state, number in order.people.items())
    why = f" ({order.reason})" if order.reason else ""
    return f"{order.state}{why}" + (f": {people}" if people else "")


def _of_audit(audit: AuditEnding) -> str:
    if audit.is_sound:
        return f"Audit log, exported and verified with its public key alone: {audit.events:,} events, sound."
    return f"Audit log, {audit.events:,} events: NOT sound. {' '.join(audit.findings)}"


def _of_witness(witness: Testimony) -> str:
    told = (
        f"Microsoft's twin kept its own ledger: {witness.changes:,} writes changed something, the log claims "
        f"{witness.claims:,}, {witness.repeats:,} repeats changed nothing"
    )
    if witness.is_equal:
        return f"{told}: equal."
    differing = {
        "not in the log": witness.unclaimed,
        "not in the ledger": witness.unwritten,
        "claimed twice": witness.claimed_twice,
        "written twice": witness.written_twice,
    }
    named = "; ".join(f"{name}: {' '.join(requests)}" for name, requests in differing.items() if requests)
    return f"{told}: NOT equal. {named}."
