"""By what people are found again in another tenant, as the sandbox shows it."""

from typing import Any

import pytest

from provisioning.domain.errors import ActionRequiredError, RetryableError
from provisioning.domain.ids import TenantId
from provisioning.domain.migration import MatchRule
from provisioning.graph.gateway import GraphGateway
from tests.conformance import school
from tests.sandbox_process import SandboxProcess

OLD_BOARD = TenantId("88888888-8888-4888-8888-888888888888")
FIRST, SECOND, THIRD = (f"88888888-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))


def user(user_id: str, name: str, **known: Any) -> dict[str, Any]:
    return {"id": user_id, "userPrincipalName": f"{name}@oud.example", **known}


@pytest.fixture
def old_board(sandbox: SandboxProcess) -> TenantId:
    """People with keys of all kinds, and one with none; 1,000 more of them, so that it takes two pages."""
    sandbox.control.seed(
        {
            "apps": [],
            "tenants": [
                {
                    "id": OLD_BOARD,
                    "domains": ["oud.example"],
                    "consents": [{"app": school.APP, "roles": school.ROLES}],
                    "users": [
                        user(FIRST, "een", employeeId="7001", onPremisesImmutableId="Zm9v", mailNickname="Een.Eerste"),
                        user(SECOND, "twee", employeeId="7002"),
                        user(THIRD, "drie"),
                    ],
                    "population": [{"count": 1000, "prefix": "leerling"}],
                }
            ],
        },
        reset=False,
    )
    return OLD_BOARD


def keys(gateway: GraphGateway, tenant: TenantId, rule: MatchRule) -> dict[str, str]:
    """Of the three who are told apart."""
    found = gateway.read_match_keys(tenant, rule)
    return {one: key for one, key in found.items() if one in {FIRST, SECOND, THIRD}}


class TestReadMatchKeys:
    def test_by_employee_id(self, gateway: GraphGateway, old_board: TenantId) -> None:
        assert keys(gateway, old_board, MatchRule.EMPLOYEE_ID) == {FIRST: "7001", SECOND: "7002"}

    def test_by_immutable_id(self, gateway: GraphGateway, old_board: TenantId) -> None:
        assert keys(gateway, old_board, MatchRule.IMMUTABLE_ID) == {FIRST: "Zm9v"}

    def test_by_mail_nickname_which_everybody_has(self, gateway: GraphGateway, old_board: TenantId) -> None:
        assert keys(gateway, old_board, MatchRule.MAIL_NICKNAME) == {FIRST: "Een.Eerste", SECOND: "twee", THIRD: "drie"}
        assert len(gateway.read_match_keys(old_board, MatchRule.MAIL_NICKNAME)) == 1003

    def test_a_page_that_stays_away_leaves_nobody(
        self, sandbox: SandboxProcess, gateway: GraphGateway, old_board: TenantId
    ) -> None:
        sandbox.control.add_fault("unavailable", tenant=old_board, route="users", after=1)
        with pytest.raises(RetryableError):
            gateway.read_match_keys(old_board, MatchRule.MAIL_NICKNAME)

    def test_a_missing_permission_needs_a_person(
        self, sandbox: SandboxProcess, gateway: GraphGateway, tenant: TenantId
    ) -> None:
        sandbox.control.withdraw_consent(tenant, school.APP, ["User.Read.All", "User.ReadWrite.All"])
        with pytest.raises(ActionRequiredError):
            gateway.read_match_keys(tenant, MatchRule.EMPLOYEE_ID)
