"""The use cases of orders, and of the organisations and records they are judged by."""

from functools import cached_property

from provisioning.bootstrap.adapters import Adapters
from provisioning.services.cancel_line import CancelLine
from provisioning.services.check_configuration import CheckConfiguration
from provisioning.services.collect_orders import CollectOrders
from provisioning.services.compare_orders import CompareOrders
from provisioning.services.gather_order import GatherOrder
from provisioning.services.import_organisations import ImportOrganisations
from provisioning.services.judge_lines import JudgeLines
from provisioning.services.purge_references import PurgeReferences
from provisioning.services.release_line import ReleaseLine
from provisioning.services.serve_parts import ServeParts
from provisioning.services.show_orders import ShowOrders
from provisioning.services.show_organisations import ShowOrganisations
from provisioning.services.submit_orders import SubmitOrders


class Orders(Adapters):
    @cached_property
    def collect_orders(self) -> CollectOrders:
        return CollectOrders(
            open_uow=self.open_uow,
            source=self.order_source,
            judge=self.judge_lines,
            clock=self.clock,
            limits=self.limits,
        )

    @cached_property
    def compare_orders(self) -> CompareOrders:
        return CompareOrders(
            open_uow=self.open_uow,
            source=self.order_source,
            collect=self.collect_orders,
            judge=self.judge_lines,
            clock=self.clock,
        )

    @cached_property
    def judge_lines(self) -> JudgeLines:
        return JudgeLines(
            open_uow=self.open_uow,
            gather=self.gather_order,
            dispatcher=self.dispatcher,
            clock=self.clock,
            unapproved=self.check_configuration,
        )

    @cached_property
    def check_configuration(self) -> CheckConfiguration:
        return CheckConfiguration(open_uow=self.open_uow, clock=self.clock, loaded=self.loaded)

    @cached_property
    def gather_order(self) -> GatherOrder:
        return GatherOrder(self.mappings, self.limits, orders_from=self.settings.orders_from)

    @cached_property
    def release_line(self) -> ReleaseLine:
        return ReleaseLine(open_uow=self.open_uow, judge=self.judge_lines, clock=self.clock)

    @cached_property
    def cancel_line(self) -> CancelLine:
        return CancelLine(open_uow=self.open_uow, clock=self.clock)

    @cached_property
    def submit_orders(self) -> SubmitOrders:
        return SubmitOrders(open_uow=self.open_uow, desk=self.order_desk, clock=self.clock)

    @cached_property
    def show_orders(self) -> ShowOrders:
        return ShowOrders(open_uow=self.open_uow)

    @cached_property
    def import_organisations(self) -> ImportOrganisations:
        return ImportOrganisations(open_uow=self.open_uow, judge=self.judge_lines, clock=self.clock)

    @cached_property
    def serve_parts(self) -> ServeParts:
        return ServeParts(open_uow=self.open_uow, dispatcher=self.dispatcher, clock=self.clock)

    @cached_property
    def show_organisations(self) -> ShowOrganisations:
        return ShowOrganisations(open_uow=self.open_uow, clock=self.clock)

    @cached_property
    def purge_references(self) -> PurgeReferences:
        return PurgeReferences(open_uow=self.open_uow, clock=self.clock, limits=self.limits)
