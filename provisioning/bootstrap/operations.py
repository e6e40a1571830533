"""The use cases of operations: what workers do with them, and what people decide about them."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property

from provisioning.bootstrap.orders import Orders
from provisioning.database.engine import measure_skew
from provisioning.domain.campaign import CampaignApproval
from provisioning.domain.ids import CampaignId
from provisioning.domain.lifecycle import OPERATION_WAITS, OperationState
from provisioning.domain.migration import Window
from provisioning.execution.executor import Executor
from provisioning.planning.window import next_opening
from provisioning.ports import UnitOfWork
from provisioning.services.advance_operation import AdvanceOperation, Work
from provisioning.services.apply_plan import ApplyPlan
from provisioning.services.approve_plan import ApprovePlan
from provisioning.services.assess import Assess
from provisioning.services.expire_approval import ExpireApproval
from provisioning.services.finish_operation import FinishOperation
from provisioning.services.foretell_migration import ForetellMigration
from provisioning.services.foretell_work import ForetellWork
from provisioning.services.keep_in_step import KeepInStep, either
from provisioning.services.only_in_force import only_in_force
from provisioning.services.plan_leftovers import PlanLeftovers, or_leftover
from provisioning.services.plan_operation import PlanOperation
from provisioning.services.plan_part import PlanPart
from provisioning.services.prepare_operation import PrepareOperation
from provisioning.services.prepare_part import PreparePart
from provisioning.services.reject_plan import RejectPlan
from provisioning.services.report_migration import ReportMigration
from provisioning.services.resume_writes import ResumeWrites
from provisioning.services.retry_operation import RetryOperation
from provisioning.services.review_plan import ReviewPlan
from provisioning.services.serve_waiting import ServeWaiting
from provisioning.services.show_migrations import ShowMigrations
from provisioning.services.show_operations import ShowOperations
from provisioning.services.show_plan import ShowPlan
from provisioning.services.stop_writes import StopWrites
from provisioning.services.sweep_operations import SweepOperations
from provisioning.services.tenant_trouble import TenantTrouble
from provisioning.services.validate_again import ValidateAgain
from provisioning.services.verify_operation import VerifyOperation
from provisioning.services.watch_clock import WatchClock


class Operations(Orders):
    @cached_property
    def advance_operation(self) -> AdvanceOperation:
        return AdvanceOperation(
            open_uow=self.open_uow,
            dispatcher=self.dispatcher,
            clock=self.clock,
            limits=self.limits,
            holder=self.holder,
            work=self._work,
        )

    @property
    def _work(self) -> Mapping[OperationState, Work]:
        """What each state asks for."""
        return {
            OperationState.NEW: self._prepared,
            **dict.fromkeys(OPERATION_WAITS, self._prepared),
            OperationState.PLANNING: self._planned,
            OperationState.AWAITING_APPROVAL: self.keep_in_step(self.expire_approval),
            OperationState.APPLYING: self.keep_in_step(self.apply_plan),
            OperationState.VERIFYING: self.verify_operation,
        }

    @property
    def _prepared(self) -> Work:
        ordinary = or_leftover(self.prepare_operation, self.prepare_part)
        return self.keep_in_step(self._only_in_force(either(ordinary, self.prepare_part)))

    @property
    def _planned(self) -> Work:
        ordinary = or_leftover(self.plan_operation, self.plan_leftovers)
        return self.keep_in_step(self._only_in_force(either(ordinary, self.plan_part)))

    def _only_in_force(self, work: Work) -> Work:
        return only_in_force(work, self.check_configuration, self.open_uow, self.clock)

    @cached_property
    def prepare_operation(self) -> PrepareOperation:
        return PrepareOperation(
            open_uow=self.open_uow,
            gateway=self.gateway,
            clock=self.clock,
            limits=self.limits,
            trouble=self.tenant_trouble,
            validate_again=self.validate_again,
        )

    @cached_property
    def validate_again(self) -> ValidateAgain:
        return ValidateAgain(gather=self.gather_order, clock=self.clock)

    @cached_property
    def plan_operation(self) -> PlanOperation:
        return PlanOperation(
            open_uow=self.open_uow,
            gateway=self.gateway,
            clock=self.clock,
            limits=self.limits,
            mappings=self.mappings,
            trouble=self.tenant_trouble,
            finish=self.finish_operation,
            campaign_approval=self.campaign_approval,
        )

    def campaign_approval(self, _uow: UnitOfWork, _campaign: CampaignId) -> CampaignApproval | None:
        """None is on record while campaigns are not: every plan of theirs is approved by itself."""
        return None

    @cached_property
    def prepare_part(self) -> PreparePart:
        return PreparePart(open_uow=self.open_uow, gateway=self.gateway, clock=self.clock, trouble=self.tenant_trouble)

    @cached_property
    def plan_part(self) -> PlanPart:
        return PlanPart(
            open_uow=self.open_uow,
            gateway=self.gateway,
            clock=self.clock,
            limits=self.limits,
            mappings=self.mappings,
            trouble=self.tenant_trouble,
            finish=self.finish_operation,
        )

    @cached_property
    def plan_leftovers(self) -> PlanLeftovers:
        return PlanLeftovers(
            open_uow=self.open_uow,
            gateway=self.gateway,
            clock=self.clock,
            limits=self.limits,
            mappings=self.mappings,
            trouble=self.tenant_trouble,
            finish=self.finish_operation,
        )

    @cached_property
    def keep_in_step(self) -> KeepInStep:
        return KeepInStep(
            open_uow=self.open_uow,
            clock=self.clock,
            limits=self.limits,
            finish=self.finish_operation,
            opening=self._opening,
        )

    def _opening(self, window: Window, moment: datetime) -> datetime | None:
        return next_opening(window, self.mappings.school_holidays, moment)

    @cached_property
    def expire_approval(self) -> ExpireApproval:
        return ExpireApproval(open_uow=self.open_uow, clock=self.clock)

    @cached_property
    def apply_plan(self) -> ApplyPlan:
        return ApplyPlan(
            open_uow=self.open_uow,
            gateway=self.gateway,
            quota=self.quota,
            clock=self.clock,
            limits=self.limits,
            mappings=self.mappings,
            executor=self.executor,
            trouble=self.tenant_trouble,
            unapproved=self.check_configuration,
        )

    @cached_property
    def verify_operation(self) -> VerifyOperation:
        return VerifyOperation(
            open_uow=self.open_uow,
            gateway=self.gateway,
            clock=self.clock,
            limits=self.limits,
            executor=self.executor,
            trouble=self.tenant_trouble,
            finish=self.finish_operation,
        )

    @cached_property
    def executor(self) -> Executor:
        return Executor(
            open_uow=self.open_uow,
            gateway=self.gateway,
            clock=self.clock,
            limits=self.limits,
            check_clock=self.watch_clock,
        )

    @cached_property
    def watch_clock(self) -> WatchClock:
        return WatchClock(
            measure=lambda: measure_skew(self.engine, self.clock),
            open_uow=self.open_uow,
            clock=self.clock,
            limits=self.limits,
            machine=self.machine,
        )

    @cached_property
    def finish_operation(self) -> FinishOperation:
        return FinishOperation(self.clock)

    @cached_property
    def tenant_trouble(self) -> TenantTrouble:
        return TenantTrouble(self.open_uow, self.clock, self.limits)

    @cached_property
    def sweep_operations(self) -> SweepOperations:
        return SweepOperations(open_uow=self.open_uow, dispatcher=self.dispatcher, clock=self.clock, limits=self.limits)

    @cached_property
    def serve_waiting(self) -> ServeWaiting:
        return ServeWaiting(open_uow=self.open_uow, gateway=self.gateway, dispatcher=self.dispatcher, clock=self.clock)

    @cached_property
    def show_operations(self) -> ShowOperations:
        return ShowOperations(open_uow=self.open_uow, foretell=self.foretell_work)

    @cached_property
    def show_migrations(self) -> ShowMigrations:
        return ShowMigrations(
            open_uow=self.open_uow,
            clock=self.clock,
            foretell=self.foretell_work,
            skus=lambda: self.mappings.skus,
            prospects=self.foretell_migration,
        )

    @cached_property
    def foretell_migration(self) -> ForetellMigration:
        return ForetellMigration(
            open_uow=self.open_uow,
            gauge=self.quota_gauge,
            clock=self.clock,
            limits=self.limits,
            holidays=lambda: self.mappings.school_holidays,
        )

    @cached_property
    def report_migration(self) -> ReportMigration:
        return ReportMigration(open_uow=self.open_uow, clock=self.clock, mappings=self.mappings)

    @cached_property
    def show_plan(self) -> ShowPlan:
        return ShowPlan(open_uow=self.open_uow, clock=self.clock, foretell=self.foretell_work)

    @cached_property
    def assess(self) -> Assess:
        return Assess(open_uow=self.open_uow, clock=self.clock, mappings=self.mappings, limits=self.limits)

    @cached_property
    def foretell_work(self) -> ForetellWork:
        return ForetellWork(open_uow=self.open_uow, gauge=self.quota_gauge, clock=self.clock, limits=self.limits)

    @cached_property
    def approve_plan(self) -> ApprovePlan:
        return ApprovePlan(open_uow=self.open_uow, clock=self.clock, dispatcher=self.dispatcher)

    @cached_property
    def reject_plan(self) -> RejectPlan:
        return RejectPlan(open_uow=self.open_uow, clock=self.clock)

    @cached_property
    def review_plan(self) -> ReviewPlan:
        return ReviewPlan(open_uow=self.open_uow, clock=self.clock)

    @cached_property
    def retry_operation(self) -> RetryOperation:
        return RetryOperation(open_uow=self.open_uow, clock=self.clock, dispatcher=self.dispatcher)

    @cached_property
    def stop_writes(self) -> StopWrites:
        return StopWrites(open_uow=self.open_uow, clock=self.clock)

    @cached_property
    def resume_writes(self) -> ResumeWrites:
        return ResumeWrites(open_uow=self.open_uow, clock=self.clock)
