"""The script and its model agree, to the last bit, whatever happens in whatever order."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from config.limits import default_limits
from provisioning.broker.quota import CLOSING, SCRIPT, script_rules
from provisioning.broker.quota_gauge import quota_of
from provisioning.domain.ids import TenantId
from provisioning.domain.operation import Lane
from provisioning.planning import quota
from provisioning.planning.quota import NEVER, Bucket, Quota, Scope, Sizes

SIZES = Sizes.of(default_limits())
# A bucket that is soon crowded, so that the line is walked as often as the free road.
NARROW = Sizes(msgspec.structs.replace(SIZES.app, burst=90.0, reserve=9.0, rate=25.0), SIZES.tenant, 20)
TENANTS = [TenantId(name) for name in "abcd"]
NAMES = {Scope.APP: "Application/Write/a/", Scope.TENANT: "Tenant_Application/Write/a/b", Scope.UNNAMED: None}


class Take(msgspec.Struct, frozen=True):
    writes: int
    lane: Lane


class Refuse(msgspec.Struct, frozen=True):
    scope: Scope
    seconds: float
    writes: int


class Slow(msgspec.Struct, frozen=True):
    pass


Act = Take | Refuse | Slow
ACTS = st.one_of(
    st.builds(Take, st.integers(1, 400), st.sampled_from(Lane)),
    st.builds(Take, st.integers(1, 400), st.sampled_from(Lane)),
    st.builds(Refuse, st.sampled_from(Scope), st.floats(1e-3, 30), st.integers(1, 20)),
    st.just(Slow()),
)
STORIES = st.lists(st.tuples(st.floats(-1, 8), st.sampled_from(TENANTS), ACTS), max_size=50)


class Model:
    """All tenants' buckets in Python."""

    def __init__(self, sizes: Sizes) -> None:
        self._sizes = sizes
        self._app: Quota | None = None
        self._own: dict[TenantId, Quota] = {}
        self._born = 0.0

    def act(self, tenant: TenantId, act: Act, now: float) -> tuple[int, float]:
        if self._app is None:
            self._app, self._born = Quota.empty(now), now
        after, answer = self._apply(self.seen(tenant), act, now)
        self._app = self._own[tenant] = after
        return answer

    def seen(self, tenant: TenantId) -> Quota:
        assert self._app is not None
        own = self._own.get(tenant, Quota(self._app.app, Bucket(0.0, self._born)))
        return msgspec.structs.replace(self._app, tenant=own.tenant, turn_at=own.turn_at, watch=own.watch)

    def _apply(self, seen: Quota, act: Act, now: float) -> tuple[Quota, tuple[int, float]]:
        match act:
            case Take(writes, lane):
                after, taken = quota.take(seen, self._sizes, writes, lane, now)
                return after, (taken.writes, taken.after)
            case Refuse(scope, seconds, writes):
                wait = timedelta(seconds=seconds)
                after = quota.refused(seen, self._sizes, NAMES[scope], wait, now, writes)
                return after, (0, wait.total_seconds())
            case Slow():
                return quota.pressed(seen, 1.2, self._sizes, now), (0, self._sizes.tenant.window)


def words_of(act: Act, sizes: Sizes) -> Sequence[str | float]:
    match act:
        case Take(writes, lane):
            return "take", writes, int(lane is Lane.BULK)
        case Refuse(scope, seconds, writes):
            return CLOSING[scope], repr(timedelta(seconds=seconds).total_seconds()), writes
        case Slow():
            return "slow", sizes.tenant.window


class TestScript:
    @given(story=STORIES, sizes=st.sampled_from([SIZES, NARROW]))
    @settings(
        max_examples=150,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],  # each example empties the store itself
    )
    def test_answers_as_the_model_does(
        self, redis: Redis, story: list[tuple[float, TenantId, Act]], sizes: Sizes
    ) -> None:
        redis.flushdb()
        script, rules, model = redis.register_script(SCRIPT), script_rules(sizes), Model(sizes)
        now = 1_000.0
        for pause, tenant, act in story:
            now += pause
            keys = ["{quota}:app", "{quota}:tenant:" + tenant]
            writes, after = script(keys=keys, args=[rules, repr(now), *words_of(act, sizes)])
            assert (writes, float(after)) == model.act(tenant, act, now)
            app, own = (quota_of(redis.get(key)) for key in keys)
            seen = model.seen(tenant)
            assert app
            assert own
            assert (app.app, app.line_at, app.granted, app.refused) == (
                seen.app,
                seen.line_at,
                seen.granted,
                seen.refused,
            )
            assert (own.tenant, own.turn_at, own.watch) == (seen.tenant, seen.turn_at, seen.watch)

    def test_forgets_a_tenant_a_window_after_it_was_heard_of(self, redis: Redis) -> None:
        script, rules = redis.register_script(SCRIPT), script_rules(SIZES)
        keys = ["{quota}:app", "{quota}:tenant:a"]
        script(keys=keys, args=[rules, "1000", "take", 1, 0])
        assert 150_000 < redis.pttl(keys[1]) <= 151_000
        assert redis.pttl(keys[0]) == -1

    def test_remembers_a_closed_tenant_until_it_is_open_and_full(self, redis: Redis) -> None:
        script, rules = redis.register_script(SCRIPT), script_rules(SIZES)
        keys = ["{quota}:app", "{quota}:tenant:a"]
        script(keys=keys, args=[rules, "1000", "close_tenant", 600, 1])
        assert 600_000 < redis.pttl(keys[1]) <= 605_000

    def test_what_another_release_wrote_is_as_good_as_lost(self, redis: Redis) -> None:
        script, rules = redis.register_script(SCRIPT), script_rules(SIZES)
        keys = ["{quota}:app", "{quota}:tenant:a"]
        redis.set(keys[0], b"x" * 40)
        assert script(keys=keys, args=[rules, "1000", "take", 1, 0])[0] == 0
        assert quota_of(redis.get(keys[0])) is not None

    def test_the_model_has_no_turn_to_begin_with(self) -> None:
        assert Quota.empty(0.0).turn_at == NEVER
