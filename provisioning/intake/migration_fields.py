"""Every field of a migration file and what belongs in it: for help texts, for the manual, and for the reader itself."""

from collections.abc import Mapping

from provisioning.domain.calendar import REGIONS
from provisioning.domain.catalogue import Audience
from provisioning.domain.migration import MAY_GO_ALONG, MatchRule, Situation, Treatment
from provisioning.intake.fields import fields_in

LEAST_HOLD_DAYS, MOST_HOLD_DAYS = 30, 365  # Microsoft keeps a mailbox 30 days after its licence went: M8 of the trade

_OR_LEFT_OUT = ", may be left out"
_SIDE = {
    "tenant": "a domain of the tenant, or its id",
    "holder": "the code of the board, school or location in whose name its licences stand",
}

FIELDS: Mapping[str, str] = {
    "name": "what people call the migration",
    **{f"source.{name}": told for name, told in _SIDE.items()},
    **{f"target.{name}": told for name, told in _SIDE.items()},
    "asked_by": "who at the boards asked: a reference such as a letter's number, no name or address of a person",
    "people": "a selector over the source: who goes",
    "products[].from": "a product held in the source: its part number or id",
    "products[].to": "the product in the target; left out: the same one",
    "products[].audience": f"for whom: {', '.join(Audience)}; any, or left out: as the product that they get",
    "plan_mapping": "service plan of a source product: service plan of the target product that takes its place, by name"
    f" or id, where names and services differ{_OR_LEFT_OUT}",
    "waves[].name": "what people call the wave; the first is the pilot",
    "waves[].people": "a selector over the source; left out: everybody who is in no earlier wave",
    "waves[].at_most": f"so many people at most; the others fall to later waves{_OR_LEFT_OUT}",
    "waves[].not_before": f"a moment as 2027-07-19 08:00, Dutch time, before which it cannot start{_OR_LEFT_OUT}",
    "identity.file": f"a CSV file with columns source and target, beside this one{_OR_LEFT_OUT}",
    "identity.rules": f"how others are found, in this order: {', '.join(MatchRule)}{_OR_LEFT_OUT}",
    "treatments": f"situation: {' or '.join(Treatment)}, for {', '.join(_s for _s in Situation if _s != 'matched')};"
    f" {Treatment.TAKE_ALONG} only for {' and '.join(sorted(MAY_GO_ALONG))}{_OR_LEFT_OUT}",
    "hold_days": f"days between Exchange on in the target and the release of the source, {LEAST_HOLD_DAYS} to"
    f" {MOST_HOLD_DAYS}; left out: {LEAST_HOLD_DAYS}",
    "failure_threshold": (
        "share of a wave's people whose failure pauses it, as 5% or 0.05, counted anew after each resume; left out: 5%"
    ),
    "window.region": f"only in school holidays of {', '.join(REGIONS)}{_OR_LEFT_OUT}",
    "window.from": f"from this hour of the Dutch day, 0 to 23{_OR_LEFT_OUT}",
    "window.until": f"until this hour, 1 to 24, or one of the next morning (from 22, until 6){_OR_LEFT_OUT}",
    "approvers": "who alone approves its plans: a list of handles as person:finance, as `provisioning actors list` has"
    f" them{_OR_LEFT_OUT}",
    "moves_mailboxes": "whether Microsoft's cross-tenant jobs move them, which needs the add-on for user migration;"
    " left out: true",
}


def fields_of(part: str = "") -> dict[str, str]:
    """What the whole file holds or, with a part's name (source, waves …), what each object there holds."""
    return fields_in(FIELDS, part)
