"""The use cases of tenants: added, bound, confirmed, and what their schools want."""

import time
from functools import cached_property

from provisioning.bootstrap.orders import Orders
from provisioning.domain.errors import ConfigurationError
from provisioning.planning.calibration import Report
from provisioning.services.add_tenant import AddTenant
from provisioning.services.approve_policy import ApprovePolicy
from provisioning.services.bind_tenant import BindTenant
from provisioning.services.calibrate import Calibrate
from provisioning.services.confirm_binding import ConfirmBinding
from provisioning.services.consent_url import ConsentApplication, ConsentUrl
from provisioning.services.probe_run import Waits
from provisioning.services.set_policy import SetPolicy
from provisioning.services.set_selector import SetSelector
from provisioning.services.show_tenants import ShowTenants
from provisioning.services.sign_report import sign_report
from provisioning.services.take_snapshot import TakeSnapshot


class Tenants(Orders):
    @cached_property
    def add_tenant(self) -> AddTenant:
        return AddTenant(open_uow=self.open_uow, gateway=self.gateway, clock=self.clock)

    @cached_property
    def bind_tenant(self) -> BindTenant:
        return BindTenant(open_uow=self.open_uow, clock=self.clock)

    @cached_property
    def confirm_binding(self) -> ConfirmBinding:
        return ConfirmBinding(
            open_uow=self.open_uow,
            gateway=self.gateway,
            clock=self.clock,
            mappings=self.mappings,
            consent_key=lambda: self._consent_key,
            release_held=self.judge_lines.binding_arrived,
        )

    @cached_property
    def set_selector(self) -> SetSelector:
        return SetSelector(open_uow=self.open_uow, clock=self.clock)

    @cached_property
    def set_policy(self) -> SetPolicy:
        return SetPolicy(open_uow=self.open_uow, clock=self.clock, mappings=self.mappings)

    @cached_property
    def approve_policy(self) -> ApprovePolicy:
        return ApprovePolicy(open_uow=self.open_uow, clock=self.clock, dispatcher=self.dispatcher)

    @cached_property
    def show_tenants(self) -> ShowTenants:
        return ShowTenants(open_uow=self.open_uow, clock=self.clock)

    @cached_property
    def take_snapshot(self) -> TakeSnapshot:
        return TakeSnapshot(
            open_uow=self.open_uow,
            reader=self.tenant_reader,
            clock=self.clock,
            application=lambda tenant: self.graph_settings.application_for(tenant).client_id,
        )

    @cached_property
    def calibrate(self) -> Calibrate:
        factor = self.settings.clock_factor
        waits = Waits(
            pause=lambda length: time.sleep(length.total_seconds() / factor),
            settle=self.limits.settle,
            gap=self.limits.removal_gap,
            horizon=self.limits.lag_horizon,
        )
        return Calibrate(
            open_uow=self.open_uow,
            reader=self.tenant_reader,
            prober=self.prober,
            take_snapshot=self.take_snapshot,
            quota=self.quota,
            clock=self.clock,
            limits=self.limits,
            waits=waits,
            holder=self.holder,
        )

    def sign_report(self, report: Report) -> str:
        """Raises ConfigurationError without the key of the audit log."""
        return sign_report(report, self.signer)

    @cached_property
    def consent_url(self) -> ConsentUrl:
        """Raises ConfigurationError where consent links cannot be made."""
        if self.settings.consent_redirect_url is None:
            raise ConfigurationError("PROVISIONING_CONSENT_REDIRECT_URL is missing: a consent link needs it.")
        application = ConsentApplication(
            login_url=self.settings.graph_authority,
            client_id=self.settings.graph_client_id,
            redirect_url=self.settings.consent_redirect_url,
            key=self._consent_key,
        )
        return ConsentUrl(open_uow=self.open_uow, clock=self.clock, application=application)

    @property
    def _consent_key(self) -> bytes:
        if self.settings.consent_key is None:
            raise ConfigurationError("PROVISIONING_CONSENT_KEY is missing: it signs what consent links carry.")
        return self.settings.consent_key.get_secret_value().encode()
