"""The twin itself: whoever measures against it must know that it is never what they wait for.

Its CPU time is its own, read from the process; TLS is part of it, the client is not.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec
import psutil

from provisioning.graph import wire
from provisioning.graph.requests import PAGE_SIZE
from provisioning.local.sandbox import SandboxProcess
from provisioning.local.world import APP
from tests.benchmarks.rows import SEED, Row, Rows, at_least, at_most
from tests.benchmarks.school import A1, A3, School, open_quotas, seed_of
from tests.engines import temporary_folder

_PEOPLE = 10_000
_LISTINGS, _BATCH = 10, 20
_TENANTS, _PEOPLE_PER_TENANT = 3_000, 100
_SECRET = "benchmark"  # opens nothing but a twin
_MEGABYTE = 1e6
_SCHOOL = School(number=1, people=_PEOPLE)


class Twin:
    """A running twin, the CPU time that it spends, and one app that talks to it."""

    def __init__(self, process: SandboxProcess, client: httpx.Client) -> None:
        self.control = process.control
        self._client = client
        self._graph_url = process.graph_url
        self._process = psutil.Process(process.pid)

    def cpu_seconds(self) -> float:
        spent = self._process.cpu_times()
        return float(spent.user + spent.system)

    @property
    def megabytes(self) -> float:
        return float(self._process.memory_info().rss / _MEGABYTE)

    def list_users(self) -> Iterator[dict[str, Any]]:
        """Everybody of the school, with all that the service reads of a person."""
        link: str | None = f"{self._graph_url}/users?$top={PAGE_SIZE}&$select={','.join(wire.USER_FIELDS)}"
        while link:
            page = msgspec.json.decode(self._client.get(link).raise_for_status().content)
            yield from page["value"]
            link = page.get("@odata.nextLink")

    def swap(self, people: Sequence[str], add: str, remove: str) -> int:
        """One swap per person, in batches; how many were accepted."""
        accepted = 0
        for start in range(0, len(people), _BATCH):
            items = [_item(person, add, remove) for person in people[start : start + _BATCH]]
            answer = self._client.post(f"{self._graph_url}/$batch", content=msgspec.json.encode({"requests": items}))
            found = msgspec.json.decode(answer.raise_for_status().content)["responses"]
            accepted += sum(one["status"] == httpx.codes.OK for one in found)
        return accepted


def _item(person: str, add: str, remove: str) -> dict[str, Any]:
    return {
        "id": person,
        "method": "POST",
        "url": f"/users/{person}/assignLicense",
        "headers": {"Content-Type": "application/json", "client-request-id": person},
        "body": {"addLicenses": [{"skuId": add, "disabledPlans": []}], "removeLicenses": [remove]},
    }


@contextmanager
def _twin(lag: float = 0.0) -> Iterator[Twin]:
    with temporary_folder() as folder, SandboxProcess().start(folder, lag=lag, random_seed=SEED) as process:
        process.control.register_app(APP, secrets=[{"value": _SECRET}])
        process.control.seed(seed_of([_SCHOOL]), reset=False)
        process.control.set_quotas(**open_quotas())
        with httpx.Client(verify=process.tls(), timeout=60) as client:
            client.headers["Authorization"] = f"Bearer {_token(process, client)}"
            client.headers["Content-Type"] = "application/json"
            yield Twin(process, client)


def _token(process: SandboxProcess, client: httpx.Client) -> str:
    form = {"client_id": APP, "client_secret": _SECRET, "grant_type": "client_credentials"}
    url = f"https://{process.authority}/{_SCHOOL.tenant_id}/oauth2/v2.0/token"
    answer = client.post(url, data=form | {"scope": "https://graph.microsoft.com/.default"})
    token: str = answer.raise_for_status().json()["access_token"]
    return token


def twin_speed() -> Rows:
    """Listings and swaps, without lag and with copies that are all behind."""
    for lag in (0.0, 15.0):
        with _twin(lag) as twin:
            yield from _listing(twin, lag)
            yield from _swapping(twin, lag)


def _listing(twin: Twin, lag: float) -> Rows:
    before = twin.cpu_seconds()
    listed = sum(1 for _ in range(_LISTINGS) for _ in twin.list_users())
    spent = twin.cpu_seconds() - before
    note = f"{listed:,} people in pages of {PAGE_SIZE}, TLS included; {spent:.2f} s of the twin's own CPU"
    name = "twin: users listed per CPU second"
    yield Row(name=name, value=listed / spent, unit="users/s", bound=at_least(50_000), note=note, lag=lag)


def _swapping(twin: Twin, lag: float) -> Rows:
    people = [user["id"] for user in twin.list_users()]
    before, started = twin.cpu_seconds(), time.perf_counter()
    accepted = twin.swap(people, A3, A1) + twin.swap(people, A1, A3)
    taken, spent = time.perf_counter() - started, twin.cpu_seconds() - before
    if accepted < 2 * len(people):
        raise RuntimeError(f"Only {accepted:,} of {2 * len(people):,} swaps were accepted.")
    note = f"{accepted:,} in batches of {_BATCH}, TLS included; one client got {accepted / taken:,.0f} a second"
    name = "twin: inner writes per CPU second"
    yield Row(name=name, value=accepted / spent, unit="writes/s", bound=at_least(1_500), note=note, lag=lag)


def twin_size() -> Rows:
    """A sector of 300,000 people: how much memory it takes, and how long to make."""
    with _twin() as twin:
        before, started = twin.cpu_seconds(), twin.megabytes
        planted = twin.control.seed_profile(
            "sector", reset=False, tenants=_TENANTS, users=_PEOPLE_PER_TENANT, random_seed=SEED
        )
        spent, size = twin.cpu_seconds() - before, twin.megabytes
    note = f"{planted['users']:,} people in {planted['tenants']:,} tenants; {started:.0f} MB before"
    yield Row(name="twin: memory of a sector", value=size, unit="MB", bound=at_most(1_500), note=note)
    yield Row(name="twin: planting a sector", value=spent, unit="s", bound=at_most(60), note="of the twin's own CPU")
