"""The use cases of oversight: who may act, what happened, and whether everything is well."""

from dataclasses import replace
from functools import cached_property

from provisioning.audit.sealing import CheckpointRule
from provisioning.bootstrap.instruments import Measured
from provisioning.database.migrate import pending
from provisioning.services.add_actor import AddActor
from provisioning.services.approve_configuration import ApproveConfiguration
from provisioning.services.authenticate import Authenticate
from provisioning.services.browse import Browse
from provisioning.services.check_readiness import CheckReadiness
from provisioning.services.diagnose import Diagnose
from provisioning.services.export_audit import ExportAudit
from provisioning.services.forget_person import ForgetPerson
from provisioning.services.list_actors import ListActors
from provisioning.services.list_events import ListEvents
from provisioning.services.list_notices import ListNotices
from provisioning.services.mappings_impact import MappingsImpact
from provisioning.services.measure_service import MeasureService
from provisioning.services.only_once import OnlyOnce
from provisioning.services.propose_configuration import ProposeConfiguration
from provisioning.services.purge_answers import PurgeAnswers
from provisioning.services.purge_migrations import PurgeMigrations
from provisioning.services.purge_operations import PurgeOperations
from provisioning.services.purge_webhooks import PurgeWebhooks
from provisioning.services.reject_configuration import RejectConfiguration
from provisioning.services.relay_outbox import RelayOutbox
from provisioning.services.resend_webhooks import ResendWebhooks
from provisioning.services.review_configuration import ReviewConfiguration
from provisioning.services.revoke_actor import RevokeActor
from provisioning.services.roll_back_configuration import RollBackConfiguration
from provisioning.services.seal_audit import SealAudit
from provisioning.services.send_webhooks import SendWebhooks
from provisioning.services.show_configuration import ShowConfiguration
from provisioning.services.show_webhooks import ShowWebhooks
from provisioning.services.show_worklist import ShowWorklist
from provisioning.services.spread_facts import SpreadFacts


class Oversight(Measured):
    @cached_property
    def authenticate(self) -> Authenticate:
        return Authenticate(open_uow=self.open_uow, clock=self.clock)

    @cached_property
    def add_actor(self) -> AddActor:
        return AddActor(open_uow=self.open_uow, clock=self.clock, has_owner_access=self._has_owner_access)

    @cached_property
    def list_actors(self) -> ListActors:
        return ListActors(open_uow=self.open_uow)

    @cached_property
    def revoke_actor(self) -> RevokeActor:
        return RevokeActor(open_uow=self.open_uow, clock=self.clock)

    @cached_property
    def show_configuration(self) -> ShowConfiguration:
        return ShowConfiguration(open_uow=self.open_uow, loaded=self.loaded)

    @cached_property
    def propose_configuration(self) -> ProposeConfiguration:
        return ProposeConfiguration(open_uow=self.open_uow, clock=self.clock)

    @cached_property
    def approve_configuration(self) -> ApproveConfiguration:
        return ApproveConfiguration(open_uow=self.open_uow, clock=self.clock)

    @cached_property
    def reject_configuration(self) -> RejectConfiguration:
        return RejectConfiguration(open_uow=self.open_uow, clock=self.clock)

    @cached_property
    def roll_back_configuration(self) -> RollBackConfiguration:
        return RollBackConfiguration(open_uow=self.open_uow, clock=self.clock)

    @cached_property
    def review_configuration(self) -> ReviewConfiguration:
        return ReviewConfiguration(open_uow=self.open_uow, clock=self.clock)

    @cached_property
    def mappings_impact(self) -> MappingsImpact:
        return MappingsImpact(open_uow=self.open_uow, clock=self.clock)

    @cached_property
    def show_worklist(self) -> ShowWorklist:
        return ShowWorklist(open_uow=self.open_uow, clock=self.clock, limits=self.limits)

    @cached_property
    def list_notices(self) -> ListNotices:
        return ListNotices(open_uow=self.open_uow)

    @cached_property
    def relay_outbox(self) -> RelayOutbox:
        return RelayOutbox(open_uow=self.open_uow, clock=self.clock, limits=self.limits)

    @cached_property
    def spread_facts(self) -> SpreadFacts:
        return SpreadFacts(open_uow=self.open_uow, clock=self.clock, endpoints=self.webhooks.endpoints)

    @cached_property
    def send_webhooks(self) -> SendWebhooks:
        return SendWebhooks(
            open_uow=self.open_uow,
            clock=self.clock,
            limits=self.limits,
            endpoints=self.webhooks.endpoints,
            sender=self.message_sender,
        )

    @cached_property
    def show_webhooks(self) -> ShowWebhooks:
        return ShowWebhooks(open_uow=self.open_uow, endpoints=self.webhooks.endpoints)

    @cached_property
    def resend_webhooks(self) -> ResendWebhooks:
        return ResendWebhooks(open_uow=self.open_uow, clock=self.clock)

    @cached_property
    def purge_webhooks(self) -> PurgeWebhooks:
        return PurgeWebhooks(open_uow=self.open_uow, clock=self.clock, limits=self.limits)

    @cached_property
    def list_events(self) -> ListEvents:
        return ListEvents(open_uow=self.open_uow)

    @cached_property
    def export_audit(self) -> ExportAudit:
        return ExportAudit(open_uow=self.open_uow, clock=self.clock, archive=self.audit_archive)

    @cached_property
    def forget_person(self) -> ForgetPerson:
        return ForgetPerson(open_uow=self.open_uow, clock=self.clock)

    @cached_property
    def purge_migrations(self) -> PurgeMigrations:
        return PurgeMigrations(open_uow=self.open_uow, clock=self.clock, limits=self.limits)

    @cached_property
    def purge_operations(self) -> PurgeOperations:
        return PurgeOperations(open_uow=self.open_uow, clock=self.clock, limits=self.limits)

    @cached_property
    def seal_audit(self) -> SealAudit:
        return SealAudit(
            open_uow=self.open_uow,
            sink=self.checkpoint_sink,
            signer=self.signer,
            clock=self.clock,
            rule=CheckpointRule(self.limits.checkpoint_events, self.limits.checkpoint_interval),
        )

    @cached_property
    def browse(self) -> Browse:
        return Browse(open_uow=self.open_uow, clock=self.clock)

    @cached_property
    def only_once(self) -> OnlyOnce:
        return OnlyOnce(open_uow=self.open_uow, clock=self.clock)

    @cached_property
    def purge_answers(self) -> PurgeAnswers:
        return PurgeAnswers(open_uow=self.open_uow, clock=self.clock)

    @cached_property
    def measure_service(self) -> MeasureService:
        return MeasureService(
            open_uow=self.open_uow, clock=self.clock, worklist=self.show_worklist, credentials=self.credentials
        )

    @cached_property
    def check_readiness(self) -> CheckReadiness:
        return CheckReadiness(
            instruments=self.instruments,
            open_uow=self.open_uow,
            loaded=lambda: self.loaded,
            realm=self.settings.realm,
        )

    @cached_property
    def diagnose(self) -> Diagnose:
        # said of the sealer only where it could run: whoever types a command need not have the signing key
        sealer = self._check_sealer if self.has_signing_key else None
        instruments = replace(self.instruments, sealer=sealer)
        return Diagnose(instruments=instruments, open_uow=self.open_uow, clock=self.clock, limits=self.limits)

    def _check_sealer(self) -> None:
        self.seal_audit.check()

    def _has_owner_access(self) -> bool:
        """Whoever has the owner's database URL rules this installation already."""
        owner_url = self.settings.owner_database_url
        return owner_url is not None and not pending(owner_url.get_secret_value())
