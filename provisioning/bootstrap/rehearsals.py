"""The use cases around a rehearsal: what it is played from, and what comes of its promises."""

from functools import cached_property

from provisioning.bootstrap.migrations import Migrations
from provisioning.bootstrap.tenants import Tenants
from provisioning.services.compare_rehearsal import CompareRehearsal
from provisioning.services.prepare_rehearsal import PrepareRehearsal


class Rehearsals(Migrations, Tenants):
    @cached_property
    def prepare_rehearsal(self) -> PrepareRehearsal:
        return PrepareRehearsal(
            open_uow=self.open_uow,
            gateway=self.gateway,
            clock=self.clock,
            resolve=self.create_migration.resolve,
            take_snapshot=self.take_snapshot,
        )

    @cached_property
    def compare_rehearsal(self) -> CompareRehearsal:
        return CompareRehearsal(open_uow=self.open_uow, show_plan=self.show_plan)
