"""What Microsoft can move, and what it never can (S28, S31)."""

import pytest

from provisioning.domain.ids import OrganisationId
from provisioning.domain.reasons import Reason
from provisioning.domain.records import VolumeLicence
from provisioning.domain.ticket_wishes import RemapAgreement
from provisioning.planning.whole_agreement import obstacle


def licence(number: str, customer: str = "PCN1") -> VolumeLicence:
    return VolumeLicence(
        record_id=number, organisation_id=OrganisationId("41000"), agreement_id="a", public_customer_number=customer
    )


@pytest.mark.parametrize(
    ("asked", "seats", "expected"),
    [
        pytest.param(("L1", "L2"), None, None, id="all of the customer number"),
        pytest.param(("L1", "L2", "L9"), None, None, id="one that we do not know, too"),
        pytest.param(("L1",), None, Reason.NOT_ALL_LICENSE_IDS, id="one of two"),
        pytest.param(("L1", "L2"), 40, Reason.PART_OF_LICENSE_ID, id="a part of the seats"),
    ],
)
def test_whole_or_not_at_all(asked: tuple[str, ...], seats: int | None, expected: Reason | None) -> None:
    wish = RemapAgreement(
        public_customer_number="PCN1", licence_ids=asked, from_tenant="a.example", to_tenant="b.example", seats=seats
    )
    assert obstacle(wish, [licence("L1"), licence("L2"), licence("L3", "PCN2")]) is expected
