"""The use cases of migrations: what workers do with them, and what people decide about them."""

from functools import cached_property

from provisioning.bootstrap.operations import Operations
from provisioning.services.advance_migration import AdvanceMigration
from provisioning.services.check_wave import CheckWave
from provisioning.services.create_migration import CreateMigration
from provisioning.services.match_again import MatchAgain
from provisioning.services.match_migration import MatchMigration
from provisioning.services.open_gate import OpenGate
from provisioning.services.prove_wave import ProveWave, RetryProven
from provisioning.services.retry_wave import RetryWave, RollBackFailed, RollBackWave
from provisioning.services.start_wave import ReleaseWave, StartWave
from provisioning.services.steer_migration import SteerMigration
from provisioning.services.sweep_migrations import SweepMigrations
from provisioning.services.withdraw_evidence import WithdrawEvidence


class Migrations(Operations):
    @cached_property
    def create_migration(self) -> CreateMigration:
        return CreateMigration(
            open_uow=self.open_uow, gateway=self.gateway, clock=self.clock, match=self.match_migration
        )

    @cached_property
    def match_migration(self) -> MatchMigration:
        return MatchMigration(open_uow=self.open_uow, gateway=self.gateway, clock=self.clock, mappings=self.mappings)

    @cached_property
    def match_again(self) -> MatchAgain:
        return MatchAgain(open_uow=self.open_uow, match=self.match_migration)

    @cached_property
    def check_wave(self) -> CheckWave:
        return CheckWave(
            open_uow=self.open_uow,
            gateway=self.gateway,
            clock=self.clock,
            mappings=self.mappings,
            limits=self.limits,
        )

    @cached_property
    def start_wave(self) -> StartWave:
        return StartWave(open_uow=self.open_uow, clock=self.clock, check=self.check_wave.require)

    @cached_property
    def release_wave(self) -> ReleaseWave:
        return ReleaseWave(open_uow=self.open_uow, clock=self.clock)

    @cached_property
    def steer_migration(self) -> SteerMigration:
        return SteerMigration(open_uow=self.open_uow, clock=self.clock)

    @cached_property
    def open_gate(self) -> OpenGate:
        return OpenGate(open_uow=self.open_uow, gateway=self.gateway, clock=self.clock)

    @cached_property
    def prove_wave(self) -> ProveWave:
        return ProveWave(open_uow=self.open_uow, clock=self.clock, check=self.check_wave)

    @cached_property
    def withdraw_evidence(self) -> WithdrawEvidence:
        return WithdrawEvidence(open_uow=self.open_uow, gateway=self.gateway, clock=self.clock)

    @cached_property
    def retry_wave(self) -> RetryProven:
        retry = RetryWave(open_uow=self.open_uow, clock=self.clock)
        return RetryProven(open_uow=self.open_uow, prove=self.prove_wave, retry=retry)

    @cached_property
    def roll_back_wave(self) -> RollBackWave:
        return RollBackWave(open_uow=self.open_uow, clock=self.clock)

    @cached_property
    def roll_back_failed(self) -> RollBackFailed:
        return RollBackFailed(open_uow=self.open_uow, clock=self.clock)

    @cached_property
    def advance_migration(self) -> AdvanceMigration:
        return AdvanceMigration(
            open_uow=self.open_uow, clock=self.clock, dispatcher=self.dispatcher, limits=self.limits
        )

    @cached_property
    def sweep_migrations(self) -> SweepMigrations:
        return SweepMigrations(
            open_uow=self.open_uow, clock=self.clock, limits=self.limits, advance=self.advance_migration
        )
