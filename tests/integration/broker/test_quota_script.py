"""The script and its model agree, to the last bit, whatever happens in whatever order."""

from collections.abc import Sequence

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from config.limits import default_limits
from provisioning.broker.quota import SCRIPT, script_rules
from provisioning.domain.ids import TenantId
from provisioning.domain.operation import Lane
from provisioning.planning import quota
from provisioning.planning.quota import NEVER, Bucket, Quota, Sizes

SIZES = Sizes.of(default_limits())
# A bucket that is soon crowded, so that the line is walked as often as the free road.
NARROW = Sizes(msgspec.structs.replace(SIZES.app, burst=90.0, reserve=9.0, rate=25.0), SIZES.tenant, 20)
TENANTS = [TenantId(name) for name in "abcd"]


class Take(msgspec.Struct, frozen=True):
    writes: int
    lane: Lane


class Close(msgspec.Struct, frozen=True):
    is_app: bool
    seconds: float


class Slow(msgspec.Struct, frozen=True):
    pass


Act = Take | Close | Slow
ACTS = st.one_of(
    st.builds(Take, st.integers(1, 400), st.sampled_from(Lane)),
    st.builds(Take, st.integers(1, 400), st.sampled_from(Lane)),
    st.builds(Close, st.booleans(), st.floats(0, 30)),
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
        own = self._own.get(tenant, Quota(self._app.app, Bucket(0.0, self._born)))
        seen = Quota(self._app.app, own.tenant, self._app.line_at, own.turn_at)
        after, answer = self._apply(seen, act, now)
        self._app = self._own[tenant] = after
        return answer

    def _apply(self, seen: Quota, act: Act, now: float) -> tuple[Quota, tuple[int, float]]:
        match act:
            case Take(writes, lane):
                after, taken = quota.take(seen, self._sizes, writes, lane, now)
                return after, (taken.writes, taken.after)
            case Close(is_app, seconds):
                until = now + seconds
                if is_app:
                    return msgspec.structs.replace(seen, app=seen.app.closed(until)), (0, seconds)
                return msgspec.structs.replace(seen, tenant=seen.tenant.closed(until)), (0, seconds)
            case Slow():
                return quota.pressed(seen, 1.2, self._sizes, now), (0, self._sizes.tenant.window)


def words_of(act: Act, sizes: Sizes) -> Sequence[str | float]:
    match act:
        case Take(writes, lane):
            return "take", writes, int(lane is Lane.BULK)
        case Close(is_app, seconds):
            return "close", int(is_app), repr(seconds)
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

    def test_forgets_a_tenant_once_its_bucket_is_full_again(self, redis: Redis) -> None:
        script, rules = redis.register_script(SCRIPT), script_rules(SIZES)
        keys = ["{quota}:app", "{quota}:tenant:a"]
        script(keys=keys, args=[rules, "1000", "take", 1, 0])
        assert 0 < redis.pttl(keys[1]) <= 5_000
        assert redis.pttl(keys[0]) == -1

    def test_remembers_a_closed_tenant_until_it_is_open_and_full(self, redis: Redis) -> None:
        script, rules = redis.register_script(SCRIPT), script_rules(SIZES)
        keys = ["{quota}:app", "{quota}:tenant:a"]
        script(keys=keys, args=[rules, "1000", "close", 0, 60])
        assert 60_000 < redis.pttl(keys[1]) <= 65_000

    def test_the_model_has_no_turn_to_begin_with(self) -> None:
        assert Quota.empty(0.0).turn_at == NEVER
