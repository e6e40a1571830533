"""The command with services over rows in memory: what it prints, and with which exit code it ends."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from io import StringIO
from typing import Any

import msgspec
import pytest

from config.limits import default_limits
from mappings.loader import OURS, load_mappings
from provisioning.cli.app import TREE, run
from provisioning.cli.session import Session
from provisioning.domain.actors import ANONYMOUS, Identity
from provisioning.domain.campaign import CampaignMember, MemberKey
from provisioning.domain.errors import InputError
from provisioning.domain.ids import LineKey, MigrationId, OrganisationId
from provisioning.domain.migration import EvidenceSource, Migration, Wave
from provisioning.domain.migration_lifecycle import MigrationState, WaveState
from provisioning.domain.order import OrderLine
from provisioning.domain.rights import Action, may, require
from provisioning.planning.campaign_readiness import Readiness
from provisioning.planning.configuration import describe_limits, describe_mappings
from provisioning.planning.preflight import Preflight
from provisioning.services.add_actor import AddActor
from provisioning.services.add_tenant import AddTenant
from provisioning.services.approve_campaign import ApproveCampaign
from provisioning.services.approve_configuration import ApproveConfiguration
from provisioning.services.approve_plan import ApprovePlan
from provisioning.services.approve_policy import ApprovePolicy
from provisioning.services.assess import Assess
from provisioning.services.bind_tenant import BindTenant
from provisioning.services.browse import Browse
from provisioning.services.browse_tickets import BrowseTickets
from provisioning.services.cancel_line import CancelLine
from provisioning.services.check_campaign import CheckCampaign
from provisioning.services.choose_members import ExcludeMembers, IncludeMembers, RetryLeftovers
from provisioning.services.compare_rehearsal import CompareRehearsal
from provisioning.services.confirm_binding import ConfirmBinding
from provisioning.services.consent_url import ConsentApplication, ConsentUrl
from provisioning.services.create_campaign import CreateCampaign
from provisioning.services.diagnose import Diagnose, Instruments
from provisioning.services.export_audit import ExportAudit
from provisioning.services.foretell_migration import ForetellMigration
from provisioning.services.foretell_work import ForetellWork
from provisioning.services.import_organisations import ImportedOrganisations
from provisioning.services.import_records import ImportedRecords
from provisioning.services.list_actors import ListActors
from provisioning.services.list_events import ListEvents
from provisioning.services.list_notices import ListNotices
from provisioning.services.mappings_impact import MappingsImpact
from provisioning.services.match_again import MatchAgain
from provisioning.services.measure_quota import MeasureQuota
from provisioning.services.measure_service import MeasureService
from provisioning.services.open_gate import GateOpened
from provisioning.services.propose_configuration import ProposeConfiguration
from provisioning.services.prove_wave import Proof
from provisioning.services.reject_configuration import RejectConfiguration
from provisioning.services.reject_plan import RejectPlan
from provisioning.services.report_migration import ReportMigration
from provisioning.services.resume_writes import ResumeWrites
from provisioning.services.retry_operation import RetryOperation
from provisioning.services.review_configuration import ReviewConfiguration
from provisioning.services.review_plan import ReviewPlan
from provisioning.services.revoke_actor import RevokeActor
from provisioning.services.roll_back_configuration import RollBackConfiguration
from provisioning.services.set_policy import SetPolicy
from provisioning.services.set_selector import SetSelector
from provisioning.services.show_campaigns import ShowCampaigns
from provisioning.services.show_configuration import ShowConfiguration
from provisioning.services.show_migrations import ShowMigrations
from provisioning.services.show_operations import ShowOperations
from provisioning.services.show_orders import ShowOrders
from provisioning.services.show_organisations import ShowOrganisations
from provisioning.services.show_plan import ShowPlan
from provisioning.services.show_tenants import ShowTenants
from provisioning.services.show_tickets import ShowTickets
from provisioning.services.show_to import ShowTo
from provisioning.services.show_worklist import ShowWorklist
from provisioning.services.steer_campaign import StartCampaign, SteerCampaign
from provisioning.services.stop_writes import StopWrites
from provisioning.services.withdraw_evidence import GateClosed
from tests.unit.services.fakes_access import NOW, FakeClock, FakeDispatcher, FakeGateway, FakeGauge, World
from tests.unit.services.test_confirm_binding import KEY, MAPPINGS
from tests.unit.services.test_export_audit import FakeArchive

APPLICATION = ConsentApplication(
    login_url="https://login.example", client_id="app", redirect_url="https://us.example", key=KEY
)

RULES = load_mappings()  # read once: that takes longer than most commands
LOADED = (describe_mappings(msgspec.structs.replace(MAPPINGS, digest="f" * 64)), describe_limits(default_limits()))


def all_ready(members: Sequence[CampaignMember]) -> dict[MemberKey, Readiness]:
    """What a look at a sound tenant finds."""
    return {one.key: Readiness(checked_at=NOW) for one in members}


class CreatedMigration(msgspec.Struct, frozen=True, kw_only=True):
    """What creating a migration answers."""

    migration: Migration
    unknown: tuple[str, ...] = ()
    unread: str | None = None


class FakeServices:
    """The real services over a World; the identity is whoever the test says it is."""

    def __init__(self, world: World, identity: Identity = ANONYMOUS) -> None:
        self.identity = identity
        self.world = world
        self.submitted: list[Any] = []
        self.released: list[tuple[LineKey, str]] = []
        self.closed = 0
        self.clock, self.gateway, self.dispatcher = FakeClock(), FakeGateway(), FakeDispatcher()
        self.archive = FakeArchive([OrganisationId("41234"), OrganisationId("49999")])
        self.gauge = FakeGauge()
        self.instruments = Instruments()
        self._rows = {"open_uow": world.open}
        self._timed = {**self._rows, "clock": self.clock}
        self._sent = {**self._timed, "dispatcher": self.dispatcher}
        self._of_people_and_tenants()
        self._of_operations()
        self._of_oversight()
        self._of_what_is_shown()
        self._of_configuration()
        self._of_migrations()
        self._of_campaigns()

    def _of_people_and_tenants(self) -> None:
        timed = self._timed
        self.add_actor = AddActor(**timed, has_owner_access=lambda: False)
        self.revoke_actor = RevokeActor(**timed)
        self.list_actors = ListActors(**self._rows)
        self.add_tenant = AddTenant(**timed, gateway=self.gateway)
        self.show_tenants = ShowTenants(**timed)
        self.bind_tenant = BindTenant(**timed)
        self.set_selector = SetSelector(**timed)
        self.confirm_binding = ConfirmBinding(
            **timed, gateway=self.gateway, mappings=MAPPINGS, consent_key=lambda: KEY, release_held=lambda _: None
        )
        self.consent_url = ConsentUrl(**timed, application=APPLICATION)
        self.set_policy = SetPolicy(**timed, mappings=MAPPINGS)
        self.approve_policy = ApprovePolicy(**self._sent)
        self.show_organisations = ShowOrganisations(**timed)

    def _of_operations(self) -> None:
        rows, timed, sent = self._rows, self._timed, self._sent
        self.foretell_work = ForetellWork(**timed, gauge=self.gauge, limits=default_limits())
        self.show_operations = ShowOperations(**rows, foretell=self.foretell_work)
        self.retry_operation = RetryOperation(**sent)
        self.assess = Assess(**timed, mappings=RULES, limits=default_limits())
        self.show_plan = ShowPlan(**timed, foretell=self.foretell_work)
        self.compare_rehearsal = CompareRehearsal(**rows, show_plan=self.show_plan)
        self.approve_plan = ApprovePlan(**sent)
        self.review_plan = ReviewPlan(**timed)
        self.reject_plan = RejectPlan(**timed)
        self.show_orders = ShowOrders(**rows)
        self.cancel_line = CancelLine(**timed)

    def _of_oversight(self) -> None:
        timed = self._timed
        self.stop_writes = StopWrites(**timed)
        self.resume_writes = ResumeWrites(**timed)
        self.show_worklist = ShowWorklist(**timed, limits=default_limits())
        self.measure_service = MeasureService(**timed, worklist=self.show_worklist, credentials=list)
        self.measure_quota = MeasureQuota(**timed, gauge=self.gauge, limits=default_limits())
        self.list_notices = ListNotices(**self._rows)
        self.list_events = ListEvents(**self._rows)
        self.export_audit = ExportAudit(**timed, archive=self.archive)

    def _of_what_is_shown(self) -> None:
        timed = self._timed
        self.show_to = ShowTo(
            browse=Browse(**timed),
            browse_tickets=BrowseTickets(**timed, works={}),
            list_events=self.list_events,
            list_notices=self.list_notices,
            show_operations=self.show_operations,
            show_orders=self.show_orders,
            show_tickets=ShowTickets(**timed, works={}, mappings=MAPPINGS),
        )

    def _of_configuration(self) -> None:
        timed = self._timed
        self.show_configuration = ShowConfiguration(open_uow=self.world.open, loaded=LOADED)
        self.propose_configuration = ProposeConfiguration(**timed)
        self.approve_configuration = ApproveConfiguration(**timed)
        self.reject_configuration = RejectConfiguration(**timed)
        self.roll_back_configuration = RollBackConfiguration(**timed)
        self.review_configuration = ReviewConfiguration(**timed)
        self.mappings_impact = MappingsImpact(**timed)
        self.mappings_folder = OURS

    def _of_migrations(self) -> None:
        self.mappings = MAPPINGS
        self.decided: list[tuple[Any, ...]] = []  # about migrations: what, of which, and with what
        self.in_the_way = ""  # of a wave that is started
        prospects = ForetellMigration(
            **self._timed, gauge=FakeGauge(), limits=default_limits(), holidays=lambda: MAPPINGS.school_holidays
        )
        self.show_migrations = ShowMigrations(
            **self._timed, foretell=self.foretell_work, prospects=prospects, skus=lambda: MAPPINGS.skus
        )
        self.report_migration = ReportMigration(**self._timed, mappings=MAPPINGS)
        self.match_again = MatchAgain(open_uow=self.world.open, match=self._matched)

    def _of_campaigns(self) -> None:
        """The real ones; only Graph is left out."""
        timed, ruled = self._timed, {"mappings": RULES}
        limited = {**timed, "limits": default_limits()}
        self.show_campaigns = ShowCampaigns(**limited, **ruled)
        self.create_campaign = CreateCampaign(**timed, **ruled, remap_for=lambda *_: None)
        self.check_campaign = CheckCampaign(**limited, look=lambda _campaign, members: all_ready(members))
        self.approve_campaign = ApproveCampaign(**limited, **ruled)
        self.start_campaign = StartCampaign(**timed, **ruled)
        self.steer_campaign = SteerCampaign(**timed, **ruled)
        self.exclude_members = ExcludeMembers(**timed)
        self.include_members = IncludeMembers(**timed)
        self.retry_leftovers = RetryLeftovers(**timed, **ruled)

    def authenticate(self, token: str | None) -> Identity:
        return self.identity

    def submit_orders(self, lines: Sequence[Any], identity: Identity) -> int:
        """As the service does, without an order database."""
        require(identity, Action.SUBMIT_ORDERS)
        self.submitted.extend(lines)
        return len(lines)

    def release_line(self, key: LineKey, identity: Identity, because: str) -> OrderLine:
        """As the service does, without the rules of the trade."""
        require(identity, Action.RELEASE_ORDER)
        self.released.append((key, because))
        return next(line for line in self.world.held if line.shop.key == key)

    def import_records(self, identity: Identity, records: Sequence[Any]) -> ImportedRecords:
        """As the service does, without a database."""
        require(identity, Action.IMPORT_RECORDS)
        return ImportedRecords(changed=len(records), lines=0, parts=0)

    def import_organisations(
        self, identity: Identity, organisations: Sequence[Any], relations: Sequence[Any]
    ) -> ImportedOrganisations:
        """As the service does, without a database."""
        require(identity, Action.IMPORT_ORGANISATIONS)
        return ImportedOrganisations(changed=len(organisations), relations=len(relations), moved=(), lines=0)

    def create_migration(self, identity: Identity, asked: Any) -> Any:
        """As the service does, with the migration that is there already; somebody of the map is unknown."""
        require(identity, Action.CREATE_MIGRATION)
        self.decided.append(("create", asked.name))
        return CreatedMigration(migration=next(iter(self.world.migrations.values())), unknown=("a@x → b@y",))

    def start_wave(self, identity: Identity, named: str, number: int, reason: str) -> Wave:
        """As the service does, without looking at two tenants."""
        if self.in_the_way:
            raise InputError(self.in_the_way)
        return self._decide(identity, ("start", named, number, reason), number, WaveState.PREPARING)

    def prove_wave(self, identity: Identity, named: str, number: int) -> Proof:
        """Two tenants in which nothing is in the way."""
        found = Preflight(findings=(), checked_at=self.clock.now())
        return Proof(found=found, is_noted=may(identity, Action.STEER_MIGRATION))

    def release_wave(self, identity: Identity, named: str, number: int, reason: str) -> Wave:
        return self._decide(identity, ("release", named, number, reason), number, WaveState.RELEASING)

    def roll_back_failed(self, identity: Identity, named: str, number: int, reason: str) -> int:
        self._decide(identity, ("rollback failed", named, number, reason), number, WaveState.GATED)
        return 3

    def roll_back_wave(self, identity: Identity, named: str, number: int, reason: str) -> Wave:
        return self._decide(identity, ("rollback", named, number, reason), number, WaveState.ROLLING_BACK)

    def retry_wave(self, identity: Identity, named: str, number: int, reason: str) -> int:
        self._decide(identity, ("retry", named, number, reason), number, WaveState.GATED)
        return 7

    def steer_migration(self, identity: Identity, named: str, goal: MigrationState, reason: str) -> Migration:
        require(identity, Action.STEER_MIGRATION)
        self.decided.append((goal, named, reason))
        return msgspec.structs.replace(next(iter(self.world.migrations.values())), state=goal)

    def open_gate(
        self,
        identity: Identity,
        named: str,
        people: Sequence[str],
        source: EvidenceSource,
        reference: str,
        completed: Mapping[str, datetime],
    ) -> GateOpened:
        require(identity, Action.OPEN_GATE)
        self.decided.append(("gate", named, tuple(people), source, reference))
        return GateOpened(
            migration=next(iter(self.world.migrations.values())),
            ready=len(people),
            known_before=1,
            unknown=("nobody@school.nl",),
            unlicensed=("early@school.nl",),
            not_yet=tuple(completed),
            long_ago=("old@school.nl",),
        )

    def withdraw_evidence(self, identity: Identity, named: str, people: Sequence[str], reason: str) -> GateClosed:
        require(identity, Action.OPEN_GATE)
        self.decided.append(("withdraw", named, tuple(people), reason))
        migration = next(iter(self.world.migrations.values()))
        late, unknown = ("late@school.nl",), ("nobody@school.nl",)
        return GateClosed(migration=migration, withdrawn=len(people), without=2, too_late=late, unknown=unknown)

    def _decide(self, identity: Identity, decision: tuple[Any, ...], number: int, state: WaveState) -> Wave:
        require(identity, Action.STEER_MIGRATION)
        self.decided.append(decision)
        wave = next(wave for (_, each), wave in self.world.waves.items() if each == number)
        return msgspec.structs.replace(wave, state=state)

    def _matched(self, migration: MigrationId) -> Migration:
        self.decided.append(("match", migration))
        return self.world.migrations[migration]

    def close(self) -> None:
        self.closed += 1

    @property
    def diagnose(self) -> Diagnose:
        return Diagnose(**self._timed, instruments=self.instruments, limits=default_limits())


@dataclass
class Answer:
    """What one run printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def told(self) -> str:
        """What was said on standard error, wherever the lines were broken."""
        return " ".join(self.err.split())

    @property
    def fits(self) -> bool:
        return all(len(line) <= 80 for line in self.out.splitlines())


class CommandLine:
    """Types commands into the program; every answer for people must fit eighty columns."""

    def __init__(self, world: World, captured: pytest.CaptureFixture[str]) -> None:
        self.world = world
        self.services = FakeServices(world)
        self.checked = 0
        self._captured = captured

    def as_person(self, identity: Identity) -> "CommandLine":
        self.services.identity = identity
        return self

    def __call__(self, *arguments: str) -> Answer:
        def check() -> None:
            self.checked += 1

        session = Session(lambda: self.services, check)  # type: ignore[arg-type,return-value]
        code = run(list(arguments), session)
        printed = self._captured.readouterr()
        return Answer(code, printed.out, printed.err)


def commands(group: Any = TREE, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command and group below this one."""
    yield path
    for name, below in getattr(group, "commands", {}).items():
        yield from commands(below, (*path, name))


EVERY_COMMAND = [path for path in commands() if path]


@cache
def help_of(path: tuple[str, ...]) -> Answer:
    """Rendered once, however much is asked about it."""

    def services() -> Any:
        raise AssertionError("help needs no services")

    with pytest.MonkeyPatch.context() as environment, redirect_stdout(StringIO()) as out:
        environment.setenv("COLUMNS", "80")
        code = run([*path, "--help"], Session(services))
    return Answer(code, out.getvalue(), "")
