from datetime import timedelta

import msgspec
import pytest

from config.limits import default_limits
from mappings.loader import digest_of, load_mappings
from provisioning.domain.configuration import ConfigurationKind
from provisioning.planning.configuration import describe_limits, describe_mappings

LIMITS = default_limits()


class TestDescribeMappings:
    def test_is_named_by_the_digest_of_the_files_and_says_how_much_each_holds(self) -> None:
        mappings = load_mappings()
        described = describe_mappings(mappings)
        assert (described.kind, described.digest) == (ConfigurationKind.MAPPINGS, mappings.digest)
        assert described.content["articles"].startswith(f"{len(mappings.articles):,} rows")

    def test_what_differs_is_seen_in_its_table_alone(self) -> None:
        before = load_mappings()
        renamed = msgspec.structs.replace(before.articles[0], supplier="another")
        after = msgspec.structs.replace(before, articles=(renamed, *before.articles[1:]))
        after = msgspec.structs.replace(after, digest=digest_of(after))
        [(name, ours, theirs)] = describe_mappings(before).differences(describe_mappings(after))
        assert (name, ours == theirs) == ("articles", False)


class TestDescribeLimits:
    @pytest.mark.parametrize("change", [{"guard_swaps": 251}, {"settle": timedelta(seconds=61)}, {"verify_waits": ()}])
    def test_every_number_counts(self, change: dict[str, object]) -> None:
        before, after = describe_limits(LIMITS), describe_limits(msgspec.structs.replace(LIMITS, **change))
        assert before.digest != after.digest
        assert [name for name, *_ in before.differences(after)] == [*change]

    def test_a_person_reads_numbers_and_durations(self) -> None:
        content = describe_limits(LIMITS).content
        assert content["guard_assignments"] == "1,000"
        assert content["tenant_window"] == "0:02:30"
        assert content["seats_poll"] == "0:01:00, 0:05:00, 0:15:00, 1:00:00"

    def test_the_same_limits_have_the_same_digest(self) -> None:
        assert describe_limits(LIMITS) == describe_limits(msgspec.structs.replace(LIMITS))
