"""Where tickets, campaigns and their tenants may go, and that nobody gets stuck."""

from collections.abc import Mapping
from enum import StrEnum

import pytest

from provisioning.domain.campaign import (
    CAMPAIGN_ENDS,
    CAMPAIGN_TRANSITIONS,
    MEMBER_ENDS,
    MEMBER_TRANSITIONS,
    CampaignState,
    MemberState,
    advance_campaign,
    advance_member,
)
from provisioning.domain.errors import TransitionError
from provisioning.domain.ticket import TICKET_ENDS, TICKET_TRANSITIONS, TicketState, advance_ticket
from tests.factories import tickets

Table = Mapping[StrEnum, frozenset[StrEnum]]
TABLES = [
    pytest.param(TICKET_TRANSITIONS, TicketState.RECEIVED, TICKET_ENDS, id="ticket"),
    pytest.param(CAMPAIGN_TRANSITIONS, CampaignState.NEW, CAMPAIGN_ENDS, id="campaign"),
    pytest.param(MEMBER_TRANSITIONS, MemberState.WAITING, MEMBER_ENDS, id="member"),
]


def reachable(table: Table, start: StrEnum) -> set[StrEnum]:
    found, left = {start}, [start]
    while left:
        new = table[left.pop()] - found
        found |= new
        left += new
    return found


class TestTables:
    @pytest.mark.parametrize(("table", "start", "ends"), TABLES)
    def test_every_state_has_a_row_and_is_reached(self, table: Table, start: StrEnum, ends: frozenset[StrEnum]) -> None:
        assert set(table) == set(type(start)) == reachable(table, start)

    @pytest.mark.parametrize(("table", "start", "ends"), TABLES)
    def test_every_state_comes_to_an_end(self, table: Table, start: StrEnum, ends: frozenset[StrEnum]) -> None:
        assert [state for state in table if not reachable(table, state) & ends] == []


class TestAdvance:
    def test_a_ticket_is_not_carried_out_before_somebody_decided(self) -> None:
        with pytest.raises(TransitionError, match="from assessing to running"):
            advance_ticket(TicketState.ASSESSING, TicketState.RUNNING)

    def test_a_campaign_does_not_run_unapproved(self) -> None:
        with pytest.raises(TransitionError, match="from new to running"):
            advance_campaign(CampaignState.NEW, CampaignState.RUNNING)

    def test_a_tenant_that_was_excluded_does_not_run(self) -> None:
        with pytest.raises(TransitionError, match="from excluded to running"):
            advance_member(MemberState.EXCLUDED, MemberState.RUNNING)

    def test_what_is_allowed_is_given_back(self) -> None:
        assert advance_ticket(TicketState.RECEIVED, TicketState.ASSESSING) is TicketState.ASSESSING
        assert advance_campaign(CampaignState.NEW, CampaignState.APPROVED) is CampaignState.APPROVED
        assert advance_member(MemberState.WAITING, MemberState.RUNNING) is MemberState.RUNNING


@pytest.mark.parametrize(
    ("authors", "last"),
    [
        (("client:desk",), "client:desk"),
        (("client:desk", "person:a"), "person:a"),
        (("person:a", "person:b", "client:desk"), "person:b"),
    ],
)
def test_one_name_for_all_authors_is_a_person_s_if_there_is_one(authors: tuple[str, ...], last: str) -> None:
    assert tickets.ticket(requested_by=authors[0], authors=authors).last_person == last
