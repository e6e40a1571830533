"""Who had a hand in a binding or a policy, and that their names change no digest of what it says."""

from hashlib import sha256

import msgspec
import pytest

from provisioning.domain.ids import ServicePlanId, SkuId
from provisioning.domain.tenancy import Binding, Policy, SkuPolicy, without_authors
from tests.factories import tenancy

_PLANS = frozenset(map(ServicePlanId, "zyxcba"))
_MADE = (
    tenancy.binding("41000", "t"),
    tenancy.policy("t", skus={SkuId("b"): SkuPolicy(_PLANS, _PLANS), SkuId("a"): SkuPolicy()}),
)


@pytest.mark.parametrize("made", _MADE, ids=lambda made: type(made).__name__)
class TestAuthors:
    def test_whoever_wrote_it_has_a_hand_in_it_once(self, made: Binding | Policy) -> None:
        shared = msgspec.structs.replace(made, authors=("person:another", made.created_by))
        assert made.hands == (made.created_by,)
        assert shared.hands == (made.created_by, "person:another")

    def test_leave_what_it_says_as_it_was(self, made: Binding | Policy) -> None:
        shared = msgspec.structs.replace(made, authors=("person:another",))
        assert without_authors(shared) == without_authors(made)

    def test_were_not_in_digests_that_were_approved_before(self, made: Binding | Policy) -> None:
        """Such a digest was of all fields in their order; an approval that rests on it stands."""
        written = msgspec.json.encode(made, order="deterministic").replace(b'"authors":[],', b"")
        assert sha256(without_authors(made)).hexdigest() == sha256(written).hexdigest()
