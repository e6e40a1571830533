"""Groups through the gateway, against the sandbox: what a school's group is, and who is in it."""

from provisioning.domain.groups import GroupLicence
from provisioning.domain.ids import GroupId, SkuId, TenantId
from provisioning.graph.gateway import GraphGateway
from tests.conformance import school
from tests.sandbox_process import SandboxProcess

GROUP = GroupId(school.GROUP)
NOWHERE = GroupId("00000000-0000-4000-8000-000000000000")


class TestReads:
    def test_a_school_group_with_its_licences_and_members(self, gateway: GraphGateway, tenant: TenantId) -> None:
        found = gateway.observe_groups(tenant, [GROUP, NOWHERE])
        group = found[GROUP]
        assert group
        assert found[NOWHERE] is None
        assert group.licence(SkuId(school.A3)) == GroupLicence(SkuId(school.A3))
        assert (group.is_security, group.takes_members, group.is_processing) == (True, True, False)
        assert group.members == {school.INHERITING, school.BOTH_WAYS}
        assert group.is_complete

    def test_groups_that_carry_licences_are_listed(
        self, sandbox: SandboxProcess, gateway: GraphGateway, tenant: TenantId
    ) -> None:
        for number in range(30):
            sandbox.control.put_group(
                tenant, id=f"0000000{number // 10}-0000-4000-8000-0000000000{number:02}", displayName="g"
            )
        assert gateway.list_licensed_groups(tenant) == {GROUP}

    def test_members_are_left_alone_when_nobody_asks(
        self, sandbox: SandboxProcess, gateway: GraphGateway, tenant: TenantId
    ) -> None:
        sandbox.control.add_fault("unavailable", tenant=tenant, route="groupMembers")
        bare = gateway.observe_groups(tenant, [GROUP], with_members=False)[GROUP]
        assert bare
        assert bare.image.licences
        assert (bare.members, bare.is_complete) == (frozenset(), False)

    def test_members_that_cannot_be_read_are_said_to_be_missing(
        self, sandbox: SandboxProcess, gateway: GraphGateway, tenant: TenantId
    ) -> None:
        sandbox.control.add_fault("unavailable", tenant=tenant, route="groupMembers")
        group = gateway.observe_groups(tenant, [GROUP])[GROUP]
        assert group
        assert not group.is_complete
