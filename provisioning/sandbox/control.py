"""The control API under /_sandbox: seed, change, disturb and question the twin. JSON in, JSON out, bearer token.

Every refusal of its own is `{"error": sentence}` with status 400, 401, 404 or 405.
"""

import hmac
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from provisioning.sandbox import (
    control_delta,
    control_directory,
    control_groups,
    control_ledger,
    control_load,
    control_settings,
    control_subscriptions,
)
from provisioning.sandbox.background import catch_up, retry_errored
from provisioning.sandbox.errors import AbsentError
from provisioning.sandbox.wire import Request, Response, encode
from provisioning.sandbox.world import World

PREFIX = "/_sandbox"
Operation = Callable[[World, Request], Any]

OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("GET", "health"): control_settings.health,
    ("GET", "seed"): control_settings.read_seed_of_now,
    ("POST", "seed"): control_settings.seed,
    ("POST", "seed/profile"): control_settings.seed_profile,
    ("POST", "reset"): control_settings.reset,
    ("GET", "clock"): control_settings.read_clock,
    ("PUT", "clock"): control_settings.change_clock,
    ("PUT", "lag"): control_settings.change_lag,
    ("GET", "switches"): control_settings.read_switches,
    ("PUT", "switches"): control_settings.change_switches,
    ("GET", "quotas"): control_settings.read_quotas,
    ("PUT", "quotas"): control_settings.change_quotas,
    ("POST", "quotas/reset"): control_settings.reset_quotas,
    ("POST", "quotas/fill"): control_settings.fill_quotas,
    ("POST", "quotas/drain"): control_settings.drain_quotas,
    ("GET", "quotas/load"): control_load.list_loads,
    ("POST", "quotas/load"): control_load.add_load,
    ("DELETE", "quotas/load"): control_load.clear_loads,
    ("GET", "faults"): control_settings.list_faults,
    ("POST", "faults"): control_settings.add_fault,
    ("DELETE", "faults"): control_settings.clear_faults,
    ("GET", "counters"): control_settings.read_counters,
    ("DELETE", "counters"): control_settings.reset_counters,
    ("POST", "apps"): control_directory.register,
    ("POST", "consents"): control_directory.grant_consent,
    ("DELETE", "consents"): control_directory.withdraw_consent,
    ("GET", "subscriptions"): control_subscriptions.list_all,
    ("POST", "subscriptions"): control_subscriptions.add,
    ("PATCH", "subscriptions"): control_subscriptions.change,
    ("POST", "subscriptions/renew"): control_subscriptions.renew,
    ("POST", "subscriptions/move"): control_subscriptions.move,
    ("GET", "users"): control_directory.read_user,
    ("POST", "users"): control_directory.add_user,
    ("PATCH", "users"): control_directory.change_user,
    ("DELETE", "users"): control_directory.delete_user,
    ("POST", "users/purge"): control_delta.purge_user,
    ("PUT", "schools"): control_delta.put_school,
    ("GET", "groups"): control_groups.read_groups,
    ("PUT", "groups"): control_groups.put_group,
    ("PATCH", "groups"): control_groups.change_group,
    ("DELETE", "groups"): control_groups.delete_group,
    ("GET", "ledger"): control_ledger.list_entries,
    ("GET", "ledger/state"): control_ledger.state_at,
    ("GET", "ledger/writes"): control_ledger.writes_per_user,
    ("GET", "ledger/repeats"): control_ledger.repeats,
    ("POST", "ledger/gaps"): control_ledger.gaps,
}


class Control:
    def __init__(self, world: World, token: str) -> None:
        self._world = world
        self._token = token.encode()

    def answer(self, request: Request) -> Response:
        if not hmac.compare_digest(request.bearer.encode(), self._token):
            return _refusal(401, "The control API needs its bearer token, found in the file control-token.")
        name = request.path.removeprefix(PREFIX).strip("/")
        operation = OPERATIONS.get((request.method, name))
        if operation is None:
            return self._unknown(name)
        now = self._world.clock.now()
        catch_up(self._world, now)
        for tenant in self._world.tenants.values():
            retry_errored(self._world, tenant, now)
        try:
            return _answer(200, operation(self._world, request))
        except AbsentError as error:
            return _refusal(404, str(error))
        except (ValueError, msgspec.MsgspecError) as error:
            return _refusal(400, str(error))

    def _unknown(self, name: str) -> Response:
        if any(known == name for _, known in OPERATIONS):
            return _refusal(405, f"{PREFIX}/{name} does not take this method.")
        return _refusal(404, f"{PREFIX}/{name} does not exist.")


def _answer(status: int, content: Any) -> Response:
    return Response(status, encode(content), {"Content-Type": "application/json"})


def _refusal(status: int, sentence: str) -> Response:
    return _answer(status, {"error": sentence})
