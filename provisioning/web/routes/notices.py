"""What organisations were told."""

from provisioning.domain.worklist import Notice
from provisioning.services.paging import Page
from provisioning.web.calls import Anybody, Filter, PageWanted
from provisioning.web.routing import router as routes_about

router = routes_about("notices")


@router.get("")
def list_all(caller: Anybody, wanted: PageWanted, organisation: Filter = None) -> Page[Notice]:
    """One for each organisation, topic and day, the latest first."""
    return caller.services.browse.notices(caller.identity, wanted, organisation)
