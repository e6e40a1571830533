"""What one language says in assessments, and how it speaks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from provisioning.domain.catalogue import Audience
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.reasons import Reason
from provisioning.domain.ticket import TicketKind, TicketState
from provisioning.planning.assessment import Feasibility
from provisioning.planning.assessment_facts import FactKind


class FactWords(msgspec.Struct, frozen=True):
    """What is the case, and what to do or to ask instead."""

    what: str
    todo: str


class AssessmentWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words in braces are filled in. `families` call services what people call them."""

    language: str  # as HTML names it
    thousands: str
    title: str
    ticket: str
    changes: Mapping[TicketKind, str]
    for_board: str
    looked: str
    standing: str
    refused: str
    no_plans: str
    verdicts: Mapping[Feasibility, str]
    facts: Mapping[FactKind, FactWords]
    families: Mapping[str, str]
    in_short: str
    about: str
    gets: str
    has_it: str
    stays: str
    in_domain: str
    counts: str
    counts_caption: str
    column_school: str
    column_licence: str
    column_before: str
    column_after: str
    all_schools: str
    no_school: str
    seats: str
    needed: str
    enough: str
    missing: str
    order: str
    order_unlisted: str
    awaited: str
    tenant_seats: str
    services: str
    services_caption: str
    column_service: str
    column_gained: str
    column_lost: str
    no_services: str
    plans_caption: str
    column_plan: str
    switched_off: str
    kept_off: str
    not_carried: str
    switched_on: str
    nothing_off: str
    column_holder: str
    holders_caption: str
    moving_caption: str
    column_losing: str
    column_present: str
    column_ready: str
    moving: str
    come_back: str
    stop_only: str
    stay_off: str
    lacking: str
    stay_behind: str
    not_ready: str
    microsoft_moves: str
    audiences: Mapping[Audience, str]
    who_belongs: str
    claimed_by_others: str
    in_two_audiences: str
    column_audience: str
    column_coming: str
    column_going: str
    selection_caption: str
    selected: str
    licensed: str
    needed_for_all: str
    bought_there: str
    left_there: str
    nothing_bought: str
    held: str
    held_why: str
    held_unknown: str
    nobody_held: str
    held_caption: str
    held_more: str
    column_why: str
    column_who: str
    duration: str
    minutes: str
    no_minutes: str
    writes: str
    attention: str
    nothing_to_know: str
    afterwards: str
    board_next: str
    going_next: str
    ended_next: str
    board_impossible: str
    approve_next: str
    approve_ticket: str
    breach: str


@dataclass(frozen=True)
class Tongue:
    """How one language speaks of assessments. `why`: what is the case and what to do; `state`: one of the five.

    `ticket`: where a ticket stands; `note`: a sentence that is read with it.
    """

    words: AssessmentWords
    why: Callable[[Reason], str]
    state: Callable[[OperationState], str]
    ticket: Callable[[TicketState], str]
    note: Callable[[str], str]

    def number(self, number: int) -> str:
        return f"{number:,}".replace(",", self.words.thousands)

    def service(self, family: str) -> str:
        """A service as people call it; one that nobody wrote a name for as it is called."""
        return self.words.families.get(family, family.replace("_", " "))
