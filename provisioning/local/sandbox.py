"""The twin as a process of this machine: start it, talk to it, stop it."""

import contextlib
import json
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import httpx

from provisioning.local.errors import EnginesError
from provisioning.local.processes import tied

READY_WITHIN = 30.0  # seconds; planting a large seed takes a while on a busy machine
STOPPED_WITHIN = 10.0


class SandboxControl:
    """The control API, one method per thing to do; every refusal raises with the sandbox's own sentence."""

    def __init__(self, root: str, token: str, tls: ssl.SSLContext) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._client = httpx.Client(base_url=root, headers=headers, verify=tls)

    def request(self, method: str, path: str, content: Any = None, seconds: float = 60, **options: Any) -> Any:
        options = {name: value for name, value in options.items() if value is not None}
        response = self._client.request(method, path, json=content, params=options, timeout=seconds)
        if response.is_error:
            raise ValueError(f"{method} {path}: {response.status_code} {response.json()['error']}")
        return response.json()

    def close(self) -> None:
        self._client.close()

    def health(self) -> Any:
        return self.request("GET", "/health")

    def seed(self, seed: dict[str, Any], *, reset: bool = True) -> Any:
        return self.request("POST", "/seed", seed, reset="true" if reset else None)

    def seed_profile(self, profile: str, *, reset: bool = True, **wanted: int) -> Any:
        """A generated world: `board`, or `sector` with `tenants=`, `users=` and `random_seed=`."""
        return self.request(
            "POST", "/seed/profile", {"profile": profile, **wanted}, reset="true" if reset else None, seconds=600
        )

    def read_seed(self) -> Any:
        """The world as it is, to be planted again; the ledger is not part of it."""
        return self.request("GET", "/seed")

    def reset(self) -> None:
        self.request("POST", "/reset")

    def register_app(self, app: str, **registration: Any) -> None:
        self.request("POST", "/apps", {"id": app, **registration})

    def grant_consent(self, tenant: str, app: str, roles: list[str] | None = None, **more: Any) -> Any:
        return self.request("POST", "/consents", {"tenant": tenant, "app": app, "roles": roles or [], **more})

    def withdraw_consent(self, tenant: str, app: str, roles: list[str] | None = None) -> Any:
        return self.request("DELETE", "/consents", tenant=tenant, app=app, roles=",".join(roles) if roles else None)

    def add_subscription(self, tenant: str, **subscription: Any) -> Any:
        return self.request("POST", "/subscriptions", {"tenant": tenant, "subscription": subscription})

    def change_subscription(self, tenant: str, subscription: str, **change: Any) -> Any:
        return self.request("PATCH", "/subscriptions", {"tenant": tenant, "id": subscription, "change": change})

    def end_subscription(self, tenant: str, subscription: str, at: float) -> Any:
        """Its state ends at this moment of the sandbox, in Unix seconds."""
        moment = datetime.fromtimestamp(at, UTC).isoformat()
        return self.request("PATCH", "/subscriptions", _change(tenant, subscription, nextLifecycleDateTime=moment))

    def set_durations(self, tenant: str, subscription: str, **days: float) -> Any:
        """`graceDays=`, `suspendedDays=` of this one."""
        return self.request("PATCH", "/subscriptions", _change(tenant, subscription, **days))

    def renew_subscription(self, tenant: str, subscription: str, **renewal: Any) -> Any:
        return self.request("POST", "/subscriptions/renew", _change(tenant, subscription, **renewal))

    def move_subscription(self, tenant: str, subscription: str, to: str, **move: Any) -> Any:
        return self.request("POST", "/subscriptions/move", _change(tenant, subscription, to=to, **move))

    def subscriptions(self, tenant: str) -> Any:
        return self.request("GET", "/subscriptions", tenant=tenant)["value"]

    def user(self, tenant: str, user: str) -> Any:
        """The present state of a person, past all replicas."""
        return self.request("GET", "/users", tenant=tenant, user=user)

    def add_user(self, tenant: str, **user: Any) -> Any:
        return self.request("POST", "/users", {"tenant": tenant, "user": user})

    def change_user(self, tenant: str, user: str, **changes: Any) -> Any:
        return self.request("PATCH", "/users", {"tenant": tenant, "user": {"id": user, **changes}})

    def delete_user(self, tenant: str, user: str) -> None:
        self.request("DELETE", "/users", tenant=tenant, user=user)

    def put_group(self, tenant: str, **group: Any) -> Any:
        return self.request("PUT", "/groups", {"tenant": tenant, "group": group})

    def add_fault(self, kind: str, **fault: Any) -> Any:
        return self.request("POST", "/faults", {"kind": kind, **fault})

    def faults(self) -> Any:
        return self.request("GET", "/faults")["value"]

    def clear_faults(self, fault: str | None = None) -> None:
        self.request("DELETE", "/faults", id=fault)

    def set_lag(self, seconds: float, tenant: str | None = None) -> None:
        self.request("PUT", "/lag", {"seconds": seconds, "tenant": tenant})

    def set_clock(self, **change: float) -> Any:
        """`factor=` sandbox seconds per second; `advance=` seconds to jump."""
        return self.request("PUT", "/clock", change)

    def clock(self) -> Any:
        return self.request("GET", "/clock")

    def set_switches(self, **switches: Any) -> Any:
        return self.request("PUT", "/switches", switches)

    def set_quotas(self, shape: str | None = None, **limits: dict[str, float]) -> Any:
        """`app_tenant_writes={"capacity": 10, "window": 60}` and so on."""
        return self.request("PUT", "/quotas", {"shape": shape, "limits": limits})

    def reset_quotas(self) -> None:
        self.request("POST", "/quotas/reset")

    def fill_quotas(self) -> None:
        self.request("POST", "/quotas/fill")

    def drain_quotas(self) -> None:
        self.request("POST", "/quotas/drain")

    def load_quota(self, tenant: str, writes: float) -> None:
        self.request("POST", "/quotas/load", {"tenant": tenant, "writes": writes})

    def add_load(self, tenant: str, writes_per_second: float, **more: Any) -> Any:
        """A stream of foreign writes: `until=` moment, `for` seconds, `limits=` names of quotas that it eats from."""
        return self.request("POST", "/quotas/load", {"tenant": tenant, "writes_per_second": writes_per_second, **more})

    def loads(self) -> Any:
        return self.request("GET", "/quotas/load")["value"]

    def clear_loads(self, load: str | None = None) -> None:
        self.request("DELETE", "/quotas/load", id=load)

    def counters(self) -> Any:
        return self.request("GET", "/counters")

    def reset_counters(self) -> None:
        self.request("DELETE", "/counters")

    def ledger(self, since: int = 0, **filters: Any) -> Iterator[dict[str, Any]]:
        """All entries after a sequence number, page by page; filters: tenant, user, app, changed."""
        following: int | None = since
        while following is not None:
            page = self.request("GET", "/ledger", since=following, **filters)
            yield from page["value"]
            following = page["next"]

    def state_at(self, tenant: str, user: str, at: float | str | None = None) -> Any:
        return self.request("GET", "/ledger/state", tenant=tenant, user=user, at=at)["state"]

    def writes_per_user(self, tenant: str) -> Any:
        return self.request("GET", "/ledger/writes", tenant=tenant)["value"]

    def gaps(self, tenant: str, families: list[list[str]], **question: Any) -> Any:
        return self.request("POST", "/ledger/gaps", {"tenant": tenant, "families": families, **question})["value"]


class SandboxProcess:
    """`python -m provisioning.sandbox` in a folder; also a context manager that starts and stops it."""

    graph_url: str
    authority: str
    ca_file: Path
    control: SandboxControl

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, folder: Path, **options: Any) -> Self:
        """Options are the command's own: `clock_factor=60`, `switch=["shuffle_batch=false"]`."""
        command = tied([sys.executable, "-m", "provisioning.sandbox", "--folder", str(folder), *_arguments(options)])
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder / "sandbox.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stderr=log, start_new_session=True)  # noqa: S603  our own interpreter
        address = self._await_address(folder / "address.json")
        self.graph_url, self.authority = address["graph"], address["authority"]
        self.ca_file = folder / "ca.pem"
        token = (folder / "control-token").read_text()
        self.control = SandboxControl(address["control"], token, self.tls())
        return self

    def tls(self) -> ssl.SSLContext:
        """A context that trusts this sandbox alone."""
        return ssl.create_default_context(cafile=str(self.ca_file))

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("The sandbox was not started.")
        return self._process

    @property
    def pid(self) -> int:
        return self._running.pid

    @property
    def is_running(self) -> bool:
        return self._running.poll() is None

    def stop(self) -> int:
        """Ask the process to end and return its exit status; a process that lingers is killed."""
        with contextlib.suppress(AttributeError):  # it may never have come up
            self.control.close()
        self._running.send_signal(signal.SIGTERM)
        try:
            self._running.wait(timeout=STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            self._running.kill()
            self._running.wait()
        return self._running.returncode

    def _await_address(self, file: Path) -> dict[str, str]:
        deadline, pause = time.monotonic() + READY_WITHIN, threading.Event()
        process = self._running
        while time.monotonic() < deadline and process.poll() is None:
            if file.exists() and (address := json.loads(file.read_bytes()))["pid"] == process.pid:
                return dict(address)
            pause.wait(0.02)
        process.kill()
        process.wait()
        raise EnginesError(f"The twin of Graph did not start. {self._log.read_text().strip()}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _change(tenant: str, subscription: str, **more: Any) -> dict[str, Any]:
    return {"tenant": tenant, "id": subscription, **more}


def _arguments(options: dict[str, Any]) -> Iterator[str]:
    for name, value in options.items():
        for one in value if isinstance(value, list) else [value]:
            yield from (f"--{name.replace('_', '-')}", str(one))
