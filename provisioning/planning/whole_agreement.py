"""What Microsoft can move: all License IDs of a customer number, each with all of its seats (M1; S28, S31)."""

from collections.abc import Iterable

from provisioning.domain.reasons import Reason
from provisioning.domain.records import VolumeLicence
from provisioning.domain.ticket_wishes import RemapAgreement

WAYS_OUT = ("order_anew", "move_the_school")  # what a board can ask in its place


def obstacle(wish: RemapAgreement, known: Iterable[VolumeLicence]) -> Reason | None:
    """Why this can never be done as asked. `known`: License IDs on record, of this customer number or others."""
    if wish.seats is not None:
        return Reason.PART_OF_LICENSE_ID
    under_it = {one.record_id for one in known if one.public_customer_number == wish.public_customer_number}
    return Reason.NOT_ALL_LICENSE_IDS if under_it - set(wish.licence_ids) else None
