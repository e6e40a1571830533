from datetime import timedelta
from typing import Any

import pytest

from provisioning.domain.errors import ConflictError, StaleLeaseError
from provisioning.domain.ids import Actor, GroupId, Pseudonym, SubjectId
from provisioning.domain.operation import Lane
from provisioning.domain.worklist import Lease, Stop
from provisioning.planning.calibration import MOST_WRITES
from provisioning.planning.probe import Ask, Probe
from provisioning.planning.probe_people import Cast, Interrupted, Standing
from provisioning.planning.probe_stage import NOBODY, filled
from provisioning.planning.probes import PROBES
from provisioning.ports import Grant
from provisioning.services.probe_run import Waits
from provisioning.services.probe_watch import Unwatched, Watched
from tests.unit.services.fakes_access import NOW, TENANT, FakeClock, World

CAST = Cast(user=SubjectId("u"), group=GroupId("g"))
WRITE = Ask(method="POST", path="/users/u/assignLicense")


class FakeQuota:
    def __init__(self, *grants: Grant) -> None:
        self.grants = list(grants)
        self.lanes: list[Lane] = []

    def take(self, tenant: object, writes: int, lane: Lane) -> Grant:
        self.lanes.append(lane)
        return self.grants.pop(0) if self.grants else Grant(writes=writes)


class FakeJournal:
    def __init__(self) -> None:
        self.lines: list[tuple[str, Any]] = []

    def asking(self, probe: str, call_id: str, ask: Ask) -> None:
        self.lines.append(("asking", call_id))

    def answered(self, call_id: str, status: int) -> None:
        self.lines.append(("answered", status))


class Post:
    """A watch with everything around it."""

    def __init__(self, *grants: Grant) -> None:
        self.world, self.quota, self.journal = World(), FakeQuota(*grants), FakeJournal()
        self.pauses: list[timedelta] = []
        self.is_lease_lost = False
        self.watch = Watched(
            open_uow=self._open,
            quota=self.quota,
            clock=FakeClock(),
            journal=self.journal,
            waits=Waits(pause=self.pauses.append, settle=timedelta(0), gap=timedelta(0), horizon=timedelta(0)),
            lease=Lease(name="tenant:t", holder="me", fence=1, expires_at=NOW),
            actor=Actor("person:duty"),
            subject=Pseudonym("p_x"),
            left=Interrupted(tenant=TENANT, cast=CAST, before=Standing()),
        )

    def _open(self) -> Any:
        return _Opened(self)


class _Opened:
    def __init__(self, post: Post) -> None:
        self._post, self._opened = post, post.world.open()

    def __enter__(self) -> Any:
        uow = self._opened.__enter__()
        uow.stops.blocking = lambda *_: next(iter(self._post.world.stops), None)
        uow.leases.check = self._check
        return uow

    def __exit__(self, *exc: object) -> None:
        self._opened.__exit__(*exc)

    def _check(self, _: Lease) -> None:
        if self._post.is_lease_lost:
            raise StaleLeaseError("lost")


class TestBeforeAWrite:
    def test_it_is_counted_and_journalled(self) -> None:
        post = Post()
        post.watch.before("p", WRITE, "c-1")
        assert (post.watch.writes, post.journal.lines) == (1, [("asking", "c-1")])
        assert post.quota.lanes == [Lane.BULK]

    @pytest.mark.parametrize(
        "ask",
        [
            Ask(method="POST", path="/users/other/assignLicense"),
            Ask(method="PATCH", path="/users/u2"),
            Ask(method="POST", path="/groups"),
            Ask(method="DELETE", path="/groups/other/members/u/$ref"),
            Ask(method="POST", path="/$batch", items=(WRITE, Ask(method="PATCH", path="/users/other"))),
        ],
        ids=["somebody else", "a longer id", "a new group", "another group", "inside a batch"],
    )
    def test_nobody_else_is_ever_written_to(self, ask: Ask) -> None:
        post = Post()
        with pytest.raises(ConflictError, match="would write to somebody else"):
            post.watch.before("p", ask, "c-1")
        assert (post.watch.writes, post.journal.lines) == (0, [])

    @pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
    def test_every_probe_of_ours_may_be_sent(self, probe: Probe) -> None:
        words = {word: word for word in (*probe.words, "next")} | {"user": "u", "group": "g", "nobody": NOBODY}
        post = Post()
        for ask in (*probe.first, probe.ask):
            post.watch.before("p", filled(ask, words), "c-1")

    def test_a_stop_forbids_it(self) -> None:
        post = Post()
        post.world.stops.append(Stop(scope="all", reason="x", stopped_by=Actor("person:a"), stopped_at=NOW))
        with pytest.raises(ConflictError, match="Writes are stopped for all"):
            post.watch.before("p", WRITE, "c-1")
        assert (post.watch.writes, post.journal.lines) == (0, [])

    def test_a_lost_lease_forbids_it(self) -> None:
        post = Post()
        post.is_lease_lost = True
        with pytest.raises(StaleLeaseError):
            post.watch.before("p", WRITE, "c-1")
        assert post.journal.lines == []

    def test_quota_is_waited_for(self) -> None:
        post = Post(Grant(writes=0, after=timedelta(seconds=3)))
        post.watch.before("p", WRITE, "c-1")
        assert post.pauses == [timedelta(seconds=3)]

    def test_the_sixty_first_is_never_sent(self) -> None:
        post = Post()
        for number in range(MOST_WRITES):
            post.watch.before("p", WRITE, f"c-{number}")
        with pytest.raises(ConflictError, match="60 writes are used"):
            post.watch.before("p", WRITE, "c-60")
        assert post.watch.writes == MOST_WRITES

    def test_no_probe_is_begun_that_could_not_be_undone(self) -> None:
        post = Post()
        for number in range(50):
            post.watch.before("p", WRITE, f"c-{number}")
        assert post.watch.room_for(2) is None
        assert post.watch.room_for(3) == "60 writes are the most, and 50 are used"


class TestAfterAWrite:
    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (200, "probe.accepted"),
            (204, "probe.accepted"),
            (400, "probe.refused"),
            (503, "probe.unknown"),
            (None, "probe.unknown"),
        ],
    )
    def test_one_line_is_on_record(self, status: int | None, kind: str) -> None:
        post = Post()
        post.watch.after("p", WRITE, "c-1", status)
        [event] = post.world.events
        assert (event.kind, event.correlation, event.subject, event.tenant) == (kind, "c-1", "p_x", TENANT)
        assert event.details == {"probe": "p", "method": "POST"}
        assert post.journal.lines == [("answered", status or 0)]


class TestAtTheTwin:
    def test_nothing_is_watched(self) -> None:
        watch = Unwatched()
        watch.before("p", WRITE, "c")
        watch.after("p", WRITE, "c", None)
        assert watch.room_for(1_000) is None
