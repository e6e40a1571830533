"""G5.2, G5.6 for groups: what the index of advanced queries and other copies know of them later."""

import httpx
import pytest

from tests.conformance.reading import EVENTUAL, ids
from tests.conformance.school import A1, GROUP, INHERITING, OUTER, PUPIL, TENANT, user_id
from tests.sandbox_process import SandboxControl

pytestmark = pytest.mark.usefixtures("nested")


class TestG52Index:
    """Advanced queries on groups read the index too: which groups there are, and who is in them."""

    @pytest.fixture(autouse=True)
    def _late(self, control: SandboxControl) -> None:
        control.set_switches(index_extra_lag_seconds=60)

    def test_g5_2_10_who_joined_shows_later_in_the_index(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.change_group(TENANT, GROUP, join=[PUPIL])
        cast = f"/groups/{GROUP}/members/microsoft.graph.user"
        advanced = {"$count": "true", "$select": "id"}
        assert PUPIL in ids(graph.get(f"/groups/{GROUP}/members"))
        assert PUPIL not in ids(graph.get(cast, params=advanced, headers=EVENTUAL))
        control.set_clock(advance=61)
        assert PUPIL in ids(graph.get(cast, params=advanced, headers=EVENTUAL))

    def test_g5_2_10_a_group_s_licences_show_later_in_the_index(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        control.change_group(TENANT, OUTER, assignedLicenses=[{"skuId": A1}])
        wanted = {"$filter": f"assignedLicenses/any(x:x/skuId eq {A1})", "$count": "true"}
        assert ids(graph.get("/groups", params={"$filter": wanted["$filter"]})) == [OUTER]
        assert ids(graph.get("/groups", params=wanted, headers=EVENTUAL)) == []
        control.set_clock(advance=61)
        assert ids(graph.get("/groups", params=wanted, headers=EVENTUAL)) == [OUTER]


class TestG56ByIds:
    def test_g5_6_a_copy_that_does_not_know_a_group_does_not_name_it(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        control.set_lag(300)
        fresh = user_id("fresh")
        control.put_group(TENANT, id=fresh, displayName="Vers")
        body = {"ids": [fresh, INHERITING]}
        assert ids(graph.post("/directoryObjects/getByIds", json=body)) == [INHERITING]
        control.set_clock(advance=301)
        assert ids(graph.post("/directoryObjects/getByIds", json=body)) == [fresh, INHERITING]
