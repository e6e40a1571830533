"""Everything the service can do, as entry points see it: one attribute per use case, named as its file is.

Adding one is a property in the class of its area. Each is built when it is first asked for.
"""

from functools import cached_property

from provisioning.bootstrap.campaigns import Campaigns
from provisioning.bootstrap.oversight import Oversight
from provisioning.bootstrap.rehearsals import Rehearsals
from provisioning.bootstrap.tickets import Tickets
from provisioning.services.show_to import ShowTo


class Services(Campaigns, Rehearsals, Tickets, Oversight):
    @cached_property
    def show_to(self) -> ShowTo:
        return ShowTo(
            browse=self.browse,
            browse_tickets=self.browse_tickets,
            list_events=self.list_events,
            list_notices=self.list_notices,
            show_operations=self.show_operations,
            show_orders=self.show_orders,
            show_tickets=self.show_tickets,
        )

    def make_ready(self) -> None:
        """Build what the first task needs, so that it does not wait for it, and say which rules were loaded."""
        self.check_configuration()
        _ = self.advance_operation, self.sweep_operations
