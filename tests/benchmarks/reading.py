"""Decoding what Graph shows, and planning from it: one process, no engine, so its CPU time is the whole time."""

import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from statistics import median

import httpx
import msgspec

from provisioning.graph import wire
from provisioning.graph.people import decode_people
from provisioning.graph.requests import PAGE_SIZE
from provisioning.local.sandbox import SandboxProcess
from provisioning.planning.deliver import plan_deliver
from provisioning.sandbox.profiles import BOARD_APP, BOARD_SECRET, BOARD_TENANT
from tests.benchmarks.rows import SEED, Row, Rows, at_most
from tests.engines import temporary_folder
from tests.factories.scenes import deliver_scene

_TIMES = 15
_PEOPLE = 100_000
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes there, kibibytes here
_MEGABYTE = 1e6


def decode() -> Rows:
    """A full page of a school board, from bytes to people."""
    page = _page()
    decoder = msgspec.json.Decoder(wire.Page)
    taken = []
    for _ in range(_TIMES):
        started = time.process_time()
        people = decode_people(decoder.decode(page).value)
        taken.append(time.process_time() - started)
    note = f"median of {_TIMES}, {len(people)} people in {len(page) / 1_000:,.0f} kB"
    yield Row(name="decode one page of users", value=1_000 * median(taken), unit="ms", bound=at_most(15), note=note)


def _page() -> bytes:
    with temporary_folder() as folder, SandboxProcess().start(folder, profile="board", random_seed=SEED) as twin:
        form = {"client_id": BOARD_APP, "client_secret": BOARD_SECRET, "grant_type": "client_credentials"}
        with httpx.Client(verify=twin.tls()) as client:
            token_url = f"https://{twin.authority}/{BOARD_TENANT}/oauth2/v2.0/token"
            answer = client.post(token_url, data=form | {"scope": "https://graph.microsoft.com/.default"})
            token = answer.raise_for_status().json()["access_token"]
            wanted = {"$select": ",".join(wire.USER_FIELDS), "$top": str(PAGE_SIZE)}
            headers = {"Authorization": f"Bearer {token}"}
            return client.get(f"{twin.graph_url}/users", params=wanted, headers=headers).raise_for_status().content


class Planned(msgspec.Struct, frozen=True):
    """Sizes are the most memory that the process ever held, in bytes."""

    seconds: float
    steps: int
    size_before: int
    size: int


def plan() -> Rows:
    """A board of 100,000 people, in a process of its own that never did anything else."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        planned = process.submit(plan_once, _PEOPLE).result()
    note = f"{_PEOPLE:,} people, {planned.steps:,} steps"
    yield Row(name="plan 100,000 people: time", value=planned.seconds, unit="s", bound=at_most(1), note=note)
    note = f"peak of the whole process; {planned.size_before / _MEGABYTE:.0f} MB before, with everybody observed"
    size = planned.size / _MEGABYTE
    yield Row(name="plan 100,000 people: memory", value=size, unit="MB", bound=at_most(250), note=note)


def plan_once(people: int) -> Planned:
    scene = deliver_scene(people, seed=SEED)
    before, started = _peak(), time.process_time()
    drawn = plan_deliver(scene)
    return Planned(time.process_time() - started, len(drawn.steps), before, _peak())


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT
