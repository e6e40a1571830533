"""Tokens as azure-identity gets them from the sandbox's Entra."""

import logging
from pathlib import Path

import msgspec
import pytest

from provisioning.domain.errors import ActionRequiredError, RetryableError
from provisioning.domain.ids import TenantId
from provisioning.domain.reasons import Reason
from provisioning.graph.settings import Application, GraphSettings
from tests.conformance import school
from tests.conformance.credentials import Certificate
from tests.integration.graph.conftest import Connect
from tests.sandbox_process import SandboxProcess

NEIGHBOUR = TenantId(school.NEIGHBOUR)


def saved(certificate: Certificate, path: Path) -> str:
    path.write_bytes(certificate.bundle)
    return str(path)


def with_application(settings: GraphSettings, **credential: object) -> GraphSettings:
    return msgspec.structs.replace(settings, application=Application(client_id=school.APP, **credential))  # type: ignore[arg-type]  # by name


def token_requests(sandbox: SandboxProcess) -> int:
    total: dict[str, int] = sandbox.control.counters()["total"]
    return sum(count for name, count in total.items() if "token" in name)


@pytest.fixture(scope="module")
def certificates() -> tuple[Certificate, Certificate]:
    return Certificate(), Certificate()


class TestRotation:
    @pytest.mark.parametrize("registered", [0, 1])
    def test_two_certificates_are_valid_at_once(
        self,
        sandbox: SandboxProcess,
        settings: GraphSettings,
        connect: Connect,
        certificates: tuple[Certificate, Certificate],
        tmp_path: Path,
        registered: int,
    ) -> None:
        sandbox.control.register_app(school.APP, certificates=[certificates[registered].pem])
        paths = tuple(saved(each, tmp_path / f"{place}.pem") for place, each in enumerate(certificates))
        gateway = connect(with_application(settings, certificates=paths))
        assert gateway.observe_tenant(TenantId(school.TENANT)).tenant_id == school.TENANT

    def test_when_neither_is_registered_our_credential_is_wrong(
        self,
        sandbox: SandboxProcess,
        settings: GraphSettings,
        connect: Connect,
        certificates: tuple[Certificate, Certificate],
        tmp_path: Path,
    ) -> None:
        sandbox.control.register_app(school.APP, certificates=[])
        paths = tuple(saved(each, tmp_path / f"{place}.pem") for place, each in enumerate(certificates))
        with pytest.raises(ActionRequiredError) as caught:
            connect(with_application(settings, certificates=paths)).observe_tenant(TenantId(school.TENANT))
        assert (caught.value.reason, caught.value.credential) == (Reason.CREDENTIAL_REJECTED, True)


class TestRefusals:
    @pytest.mark.parametrize("secret", ["wrong", school.EXPIRED_SECRET])
    def test_a_wrong_or_expired_secret(self, settings: GraphSettings, connect: Connect, secret: str) -> None:
        with pytest.raises(ActionRequiredError) as caught:
            connect(with_application(settings, client_secret=secret)).observe_seats(TenantId(school.TENANT))
        assert (caught.value.reason, caught.value.credential) == (Reason.CREDENTIAL_REJECTED, True)

    @pytest.mark.parametrize(
        ("tenant", "reason"),
        [
            pytest.param(school.NEIGHBOUR, Reason.CONSENT_MISSING, id="a tenant that never consented"),
            pytest.param("00000000-1111-2222-3333-444444444444", Reason.TENANT_GONE, id="a tenant that is not there"),
        ],
    )
    def test_what_is_wrong_with_a_tenant(
        self, settings: GraphSettings, connect: Connect, tenant: str, reason: Reason
    ) -> None:
        with pytest.raises(ActionRequiredError) as caught:
            connect(settings).observe_seats(TenantId(tenant))
        assert (caught.value.reason, caught.value.credential) == (reason, False)

    def test_a_switched_off_application(
        self, sandbox: SandboxProcess, settings: GraphSettings, connect: Connect
    ) -> None:
        sandbox.control.grant_consent(school.TENANT, school.APP, enabled=False)
        with pytest.raises(ActionRequiredError) as caught:
            connect(settings).observe_seats(TenantId(school.TENANT))
        assert caught.value.reason is Reason.CONSENT_REVOKED

    def test_a_busy_entra_is_tried_three_times(
        self, sandbox: SandboxProcess, settings: GraphSettings, connect: Connect
    ) -> None:
        fault = sandbox.control.add_fault("token_error", code="90033")
        with pytest.raises(RetryableError):
            connect(settings).observe_seats(TenantId(school.TENANT))
        [after] = [each for each in sandbox.control.faults() if each["id"] == fault["id"]]
        assert after["hits"] == 3

    def test_a_hiccup_of_entra_is_not_noticed(
        self, sandbox: SandboxProcess, settings: GraphSettings, connect: Connect
    ) -> None:
        sandbox.control.add_fault("token_error", code="90055", times=1)
        assert connect(settings).observe_seats(TenantId(school.TENANT)).tenant_id == school.TENANT


class TestPermissions:
    def test_new_consent_is_seen_with_the_next_profile(
        self, sandbox: SandboxProcess, settings: GraphSettings, connect: Connect
    ) -> None:
        tenant = TenantId(school.TENANT)
        sandbox.control.withdraw_consent(tenant, school.APP, ["User.ReadWrite.All"])
        gateway = connect(settings)
        assert "User.ReadWrite.All" not in gateway.observe_tenant(tenant).permissions
        sandbox.control.grant_consent(tenant, school.APP, ["User.ReadWrite.All"])
        other_worker = connect(settings)
        assert "User.ReadWrite.All" in other_worker.observe_tenant(tenant).permissions

    def test_an_application_of_its_own(
        self, sandbox: SandboxProcess, settings: GraphSettings, connect: Connect
    ) -> None:
        sandbox.control.grant_consent(school.NEIGHBOUR, school.OTHER_APP, school.ROLES)
        own = Application(client_id=school.OTHER_APP, client_secret=school.SECRET)
        gateway = connect(msgspec.structs.replace(settings, overrides={NEIGHBOUR: own}))
        assert gateway.observe_tenant(NEIGHBOUR).tenant_id == NEIGHBOUR
        assert gateway.observe_tenant(TenantId(school.TENANT)).tenant_id == school.TENANT


class TestSecrecy:
    def test_no_log_shows_secret_person_or_directory(
        self, settings: GraphSettings, connect: Connect, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        tenant = TenantId(school.TENANT)
        gateway = connect(settings)
        gateway.observe_census(tenant)
        gateway.resolve_subjects(tenant, [f"with-a1@{school.DOMAIN}", "nobody@school.example"])
        with pytest.raises(ActionRequiredError) as caught:
            connect(with_application(settings, client_secret="not the secret")).observe_census(tenant)
        told = caplog.text + str(caught.value) + repr(caught.value.__cause__)
        for secret in (school.SECRET, "not the secret", "with-a1", "nobody@", "Een School", "Bearer ey"):
            assert secret not in told
