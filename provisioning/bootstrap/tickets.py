"""The use cases of tickets: what boards ask, and what came of it."""

from functools import cached_property, partial

from provisioning.bootstrap.operations import Operations
from provisioning.bootstrap.tenants import Tenants
from provisioning.domain.ticket import TicketKind
from provisioning.services.advance_ticket import AdvanceTicket
from provisioning.services.agreement.draw_sheet import DrawSheet
from provisioning.services.agreement.find_strays import FindStrays
from provisioning.services.agreement.follow import FollowAgreement
from provisioning.services.agreement.note_case import NoteCase
from provisioning.services.approve_ticket import ApproveTicket
from provisioning.services.assess_ticket import AssessTicket
from provisioning.services.browse_tickets import BrowseTickets
from provisioning.services.close_ticket import CloseTicket
from provisioning.services.import_records import ImportRecords
from provisioning.services.purge_tickets import PurgeTickets
from provisioning.services.rebind.look import LookBeforeRebind
from provisioning.services.receive_webhook import ReceiveWebhook
from provisioning.services.show_tickets import ShowTickets
from provisioning.services.submit_tickets import SubmitTickets
from provisioning.services.sweep_tickets import SweepTickets
from provisioning.services.ticket_deeds import TicketDeeds
from provisioning.services.ticket_work import TicketWork, Works
from provisioning.services.ticket_work.change_sku import ChangeSkuWork
from provisioning.services.ticket_work.move_school import MoveSchoolWork
from provisioning.services.ticket_work.rebind import RebindWork
from provisioning.services.ticket_work.remap_agreement import RemapAgreementWork
from provisioning.services.ticket_work.remap_holder import RemapHolderWork
from provisioning.services.ticket_work.remap_of_ticket import remap_of_ticket
from provisioning.services.ticket_work.service_plan_policy import ServicePlanPolicyWork
from provisioning.words.answers import in_each_language


class Tickets(Operations, Tenants):
    @cached_property
    def ticket_works(self) -> Works:
        """One for each kind."""
        works: dict[TicketKind, TicketWork] = {
            TicketKind.CHANGE_SKU: ChangeSkuWork(
                mappings=self.mappings, begin_remap=partial(remap_of_ticket, self.mappings)
            ),
            TicketKind.REMAP_HOLDER: RemapHolderWork(clock=self.clock),
            TicketKind.REMAP_AGREEMENT: RemapAgreementWork(
                follow=self.follow_agreement, look=self.follow_agreement.at_once, limits=self.limits
            ),
            TicketKind.MOVE_SCHOOL: MoveSchoolWork(),
            TicketKind.REBIND: RebindWork(
                confirm=lambda identity, organisation, tenant, on: self.confirm_binding(
                    identity, organisation, tenant, on=on
                ),
                look=self.look_before_rebind,
            ),
            TicketKind.SERVICE_PLAN_POLICY: ServicePlanPolicyWork(mappings=self.mappings, clock=self.clock),
        }
        return works

    @cached_property
    def follow_agreement(self) -> FollowAgreement:
        return FollowAgreement(
            open_uow=self.open_uow,
            gateway=self.gateway,
            clock=self.clock,
            limits=self.limits,
            mappings=self.mappings,
            dispatcher=self.dispatcher,
        )

    @cached_property
    def look_before_rebind(self) -> LookBeforeRebind:
        return LookBeforeRebind(open_uow=self.open_uow, gateway=self.gateway, clock=self.clock, limits=self.limits)

    @cached_property
    def find_strays(self) -> FindStrays:
        return FindStrays(open_uow=self.open_uow, gateway=self.gateway, clock=self.clock, limits=self.limits)

    @cached_property
    def note_case(self) -> NoteCase:
        return NoteCase(open_uow=self.open_uow, clock=self.clock, deeds=self.ticket_deeds)

    @cached_property
    def draw_sheet(self) -> DrawSheet:
        return DrawSheet(open_uow=self.open_uow, clock=self.clock, mappings=self.mappings)

    @cached_property
    def ticket_deeds(self) -> TicketDeeds:
        return TicketDeeds(say=in_each_language)

    @cached_property
    def advance_ticket(self) -> AdvanceTicket:
        return AdvanceTicket(
            open_uow=self.open_uow,
            clock=self.clock,
            limits=self.limits,
            dispatcher=self.dispatcher,
            deeds=self.ticket_deeds,
            works=self.ticket_works,
        )

    @cached_property
    def submit_tickets(self) -> SubmitTickets:
        return SubmitTickets(
            open_uow=self.open_uow, clock=self.clock, deeds=self.ticket_deeds, advance=self.advance_ticket
        )

    @cached_property
    def receive_webhook(self) -> ReceiveWebhook:
        return ReceiveWebhook(open_uow=self.open_uow, clock=self.clock, submit=self.submit_tickets)

    @cached_property
    def approve_ticket(self) -> ApproveTicket:
        return ApproveTicket(
            open_uow=self.open_uow,
            clock=self.clock,
            dispatcher=self.dispatcher,
            deeds=self.ticket_deeds,
            works=self.ticket_works,
            advance=self.advance_ticket,
        )

    @cached_property
    def close_ticket(self) -> CloseTicket:
        return CloseTicket(open_uow=self.open_uow, clock=self.clock, deeds=self.ticket_deeds, works=self.ticket_works)

    @cached_property
    def show_tickets(self) -> ShowTickets:
        return ShowTickets(open_uow=self.open_uow, clock=self.clock, works=self.ticket_works, mappings=self.mappings)

    @cached_property
    def assess_ticket(self) -> AssessTicket:
        return AssessTicket(
            open_uow=self.open_uow,
            clock=self.clock,
            mappings=self.mappings,
            works=self.ticket_works,
            assess=self.assess,
        )

    @cached_property
    def browse_tickets(self) -> BrowseTickets:
        return BrowseTickets(open_uow=self.open_uow, clock=self.clock, works=self.ticket_works)

    @cached_property
    def sweep_tickets(self) -> SweepTickets:
        return SweepTickets(open_uow=self.open_uow, clock=self.clock, limits=self.limits, advance=self.advance_ticket)

    @cached_property
    def purge_tickets(self) -> PurgeTickets:
        return PurgeTickets(open_uow=self.open_uow, clock=self.clock, limits=self.limits)

    @cached_property
    def import_records(self) -> ImportRecords:
        return ImportRecords(
            open_uow=self.open_uow,
            judge=self.judge_lines,
            serve=self.serve_parts,
            clock=self.clock,
            judge_tickets=self.sweep_tickets.authority_arrived,
        )
