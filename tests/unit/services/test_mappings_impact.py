import msgspec
import pytest

from provisioning.domain.campaign import CampaignState
from provisioning.domain.configuration import ConfigurationKind, ConfigurationVersion
from provisioning.domain.errors import InputError
from provisioning.domain.ids import Actor, OrganisationId
from provisioning.planning.configuration import describe_mappings, pack_mappings
from provisioning.planning.mappings_impact import Holders, OpenLines
from provisioning.services.mappings_impact import MappingsImpact
from tests.factories.remaps import OURS, mappings_with, remap, sku
from tests.unit.services.campaign_scene import a_campaign
from tests.unit.services.fakes_access import NOW, FakeClock, World

C = CampaignState
A1, A3 = sku("STANDARDWOFFPACK_FACULTY"), sku("M365EDU_A3_FACULTY")
OTHER = mappings_with(remap(A1, A3))
BOARD = OrganisationId("41234")


def proposed(world: World) -> None:
    described = describe_mappings(OTHER)
    version = ConfigurationVersion(
        kind=ConfigurationKind.MAPPINGS,
        digest=described.digest,
        content=described.content,
        reason="next year",
        proposed_by=Actor("person:duty"),
        proposed_at=NOW,
    )
    world.configurations.append(version)


@pytest.fixture
def world() -> World:
    world = World()
    world.holders = [(A1, Holders(organisation_id=BOARD, people=4)), (A3, Holders(organisation_id=BOARD, people=9))]
    world.open_lines = [("MS-BP-A3-MED", OpenLines(organisation_id=BOARD, accepted=1, held=1))]
    return world


class TestMappingsImpact:
    def test_counts_whom_the_difference_touches_and_nobody_else(self, world: World) -> None:
        impact = MappingsImpact(open_uow=world.open, clock=FakeClock())(mappings_with(*OURS.remaps), OURS)
        assert impact.organisations == ()
        added = mappings_with(*OURS.remaps, remap(A1, A3))
        (one,) = MappingsImpact(open_uow=world.open, clock=FakeClock())(OURS, added).organisations
        assert (one.people, one.lines_accepted) == (4, 0)

    @pytest.mark.parametrize(
        ("state", "stops"), [(C.NEW, 0), (C.APPROVED, 1), (C.RUNNING, 1), (C.PAUSED, 1), (C.COMPLETED, 0)]
    )
    def test_counts_campaigns_whose_approval_rests_on_what_differs(
        self, world: World, state: CampaignState, stops: int
    ) -> None:
        a_campaign(world, state)
        impact = MappingsImpact(open_uow=world.open, clock=FakeClock())
        assert impact(OURS, mappings_with(*OURS.remaps, remap(A1, A3))).campaigns == stops
        holidays = msgspec.structs.replace(OURS, school_holidays=OURS.school_holidays[1:], digest="h")
        assert impact(OURS, holidays).campaigns == 0

    def test_what_was_kept_of_a_proposal_is_found_by_its_digest(self, world: World) -> None:
        proposed(world)
        world.contents[ConfigurationKind.MAPPINGS, OTHER.digest] = pack_mappings(OTHER)
        assert MappingsImpact(open_uow=world.open, clock=FakeClock()).kept(OTHER.digest[:8]) == OTHER

    def test_what_was_not_kept_is_told(self, world: World) -> None:
        proposed(world)
        impact = MappingsImpact(open_uow=world.open, clock=FakeClock())
        with pytest.raises(InputError, match="are not kept"):
            impact.kept(OTHER.digest[:8])
        with pytest.raises(InputError, match="No version"):
            impact.kept("ffffffff")
