"""Everything that waits for a person."""

from datetime import datetime

from provisioning.domain.worklist import Owner, WorkItem
from provisioning.services.paging import Page, cut
from provisioning.web.calls import PageWanted, Person
from provisioning.web.routing import router as routes_about

router = routes_about("worklist")


@router.get("")
def list_all(caller: Person, wanted: PageWanted, owner: Owner | None = None) -> Page[WorkItem]:
    """The oldest first."""
    return cut(caller.services.show_worklist(owner), wanted, tuple[datetime, str, str], _place)


def _place(item: WorkItem) -> tuple[datetime, str, str]:
    return item.since, item.subject, item.reason
