"""Every field of a campaign file and what belongs in it: for the manual, and for the reader itself."""

from collections.abc import Mapping

from provisioning.domain.calendar import REGIONS
from provisioning.domain.campaign import SelectedBy
from provisioning.intake.fields import fields_in

MOST_CANARIES, MOST_WIDENING = 1_000, 100
_OR_LEFT_OUT = ", may be left out"

FIELDS: Mapping[str, str] = {
    "name": "what people call the campaign",
    "asked_by": "who decided it: a reference such as a letter's number, no name or address of a person",
    "why": "in plain words, for the boards that are told",
    "products[].from": "a product that people hold: its part number or id",
    "products[].to": "what they get in its place; left out: what remaps.csv says on the day it begins, exceptions too",
    "products[].along": "add-on: what it becomes in the same call (itself: it stays), by part number or id"
    f"{_OR_LEFT_OUT}",
    "tenants.by": f"how they are found: {', '.join(SelectedBy)}; left out: {SelectedBy.MAPPING}",
    "tenants.agreements": f"ids of agreements on record, with by: {SelectedBy.AGREEMENT}",
    "tenants.tenants": f"domains or ids of tenants, with by: {SelectedBy.LIST}",
    "tenants.organisations": f"codes of boards, schools or locations, with by: {SelectedBy.LIST}",
    "tenants.except": f"a domain, tenant id or code: why it is left out{_OR_LEFT_OUT}",
    "begins_at": "a moment as 2027-07-19 20:00, Dutch time, before which nobody begins",
    "window.region": f"only in school holidays of {', '.join(REGIONS)}{_OR_LEFT_OUT}",
    "window.from": f"from this hour of the Dutch day, 0 to 23{_OR_LEFT_OUT}",
    "window.until": f"until this hour, 1 to 24, or one of the next morning (from 22, until 6){_OR_LEFT_OUT}",
    "waves.canaries": f"so many tenants go first, 1 to {MOST_CANARIES:,}; left out: 10",
    "waves.widening": f"each wave is so many times the one before, 1 to {MOST_WIDENING}; left out: 3",
    "error_budget.tenants": "share of a wave's tenants that may fail, as 2% or 0.02; left out: 2%",
    "error_budget.people": "share of a wave's people for whom it may go wrong; left out: 2%",
    "error_budget.always": "reasons that stop it at once, wherever they turn up; left out: those below",
}


def fields_of(part: str = "") -> dict[str, str]:
    """What the whole file holds or, with a part's name (products, tenants …), what each object there holds."""
    return fields_in(FIELDS, part)
