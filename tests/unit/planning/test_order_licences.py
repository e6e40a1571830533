"""M4: an add-on on another License ID than its base; R4: a device for which none was ordered."""

from datetime import date
from typing import Any

import pytest

from provisioning.domain.ids import TenantId
from provisioning.domain.lifecycle import LineState
from provisioning.domain.order import LedgerEntry
from provisioning.domain.reasons import Reason
from provisioning.domain.records import Agreement, Record, RecordKind, VolumeLicence
from provisioning.planning.order_cures import BY_LEDGER, BY_RECORD
from provisioning.planning.order_rules import judge
from tests.factories.trade import (
    OTHER_TENANT,
    PHONE,
    SCHOOL,
    STAFF,
    STAFF_AGAIN,
    TENANT,
    binding,
    context,
    entry,
    order_line,
    tenant,
)

ACCEPTED = (LineState.ACCEPTED, None)
BESIDE = (LineState.HELD, Reason.ADDON_OTHER_LICENSE_ID)
DEVICE = "MS-M365-A1-DEV"


def licence(name: str, tenant_id: TenantId | None, agreement: str = "a1") -> VolumeLicence:
    return VolumeLicence(
        record_id=name,
        organisation_id=SCHOOL,
        agreement_id=agreement,
        public_customer_number="P1",
        tenant_id=tenant_id,
    )


def agreement(name: str, **fields: Any) -> Agreement:
    plain = {"supplier": "microsoft", "licence_form": "group", "processing": "agreed"}
    return Agreement(record_id=name, organisation_id=SCHOOL, starts_on=date(2026, 1, 1), **plain | fields)


def ordered_elsewhere(*records: Record, base: LedgerEntry | None = None, article: str = PHONE) -> tuple[str, Any]:
    """An add-on for the school's second tenant, while its base is in the first, with these on record."""
    both = {SCHOOL: (binding(), binding(tenant=OTHER_TENANT, is_transition=True))}
    known = context(*records, entries=(base or entry(),), bindings=both, hinted=tenant(OTHER_TENANT, "second.example"))
    judgement = judge(order_line(article_code=article, quantity=5, tenant_hint="second.example"), known)
    return judgement.state, judgement.reason


class TestAnAddOnBesideItsBase:
    @pytest.mark.parametrize(
        ("records", "expected"),
        [
            pytest.param((licence("L1", TENANT), licence("L2", OTHER_TENANT)), BESIDE, id="each tenant has its own"),
            pytest.param((licence("L1", TENANT),), ACCEPTED, id="the add-on's is not known"),
            pytest.param((licence("L2", OTHER_TENANT),), ACCEPTED, id="the base's is not known"),
            pytest.param((licence("L1", None), licence("L2", None)), ACCEPTED, id="neither has a tenant yet"),
            pytest.param((), ACCEPTED, id="nothing is on record"),
        ],
    )
    def test_is_held_when_both_are_known(self, records: tuple[Record, ...], expected: tuple[str, Any]) -> None:
        assert ordered_elsewhere(*records) == expected

    def test_says_which_they_are(self) -> None:
        both = {SCHOOL: (binding(), binding(tenant=OTHER_TENANT, is_transition=True))}
        known = context(
            licence("L1", TENANT),
            licence("L2", OTHER_TENANT),
            entries=(entry(),),
            bindings=both,
            hinted=tenant(OTHER_TENANT, "second.example"),
        )
        judgement = judge(order_line(article_code=PHONE, quantity=5, tenant_hint="second.example"), known)
        assert judgement.details == {"addon": "L2", "base": "L1"}
        assert (judgement.entries, judgement.parts) == ((), ())

    @pytest.mark.parametrize(
        "base",
        [
            pytest.param(entry(tenant_id=OTHER_TENANT), id="the base is there"),
            pytest.param(entry(STAFF_AGAIN, tenant_id=OTHER_TENANT), id="its renewal is"),
        ],
    )
    def test_where_its_base_is_it_may_go(self, base: LedgerEntry) -> None:
        assert ordered_elsewhere(licence("L1", TENANT), licence("L2", OTHER_TENANT), base=base) == ACCEPTED

    def test_a_base_is_no_add_on(self) -> None:
        known = (licence("L1", TENANT), licence("L2", OTHER_TENANT))
        far = entry(ends_on=date(2026, 6, 30))  # last year's
        assert ordered_elsewhere(*known, base=far, article=STAFF) == ACCEPTED


class TestTwoLicenseIdsInOneTenant:
    LICENCES = (licence("L1", TENANT, "a1"), licence("L2", TENANT, "a2"))

    @pytest.mark.parametrize(
        "agreements",
        [
            pytest.param((), id="of agreements that nobody recorded"),
            pytest.param((agreement("a1"), agreement("a2")), id="of two agreements that may carry both"),
            pytest.param((agreement("a1"), agreement("a2", licence_form="school")), id="one is in another form"),
            pytest.param((agreement("a1"), agreement("a2", supplier="another")), id="one is with another supplier"),
        ],
    )
    def test_are_no_reason_to_hold(self, agreements: tuple[Agreement, ...]) -> None:
        known = context(*self.LICENCES, *agreements, entries=(entry(),))
        assert judge(order_line(article_code=PHONE, quantity=5), known).state is LineState.ACCEPTED


class TestWhatCures:
    @pytest.mark.parametrize("kind", [RecordKind.VOLUME_LICENCE, RecordKind.AGREEMENT])
    def test_a_record(self, kind: RecordKind) -> None:
        assert Reason.ADDON_OTHER_LICENSE_ID in BY_RECORD[kind]

    def test_a_base_in_the_add_ons_tenant(self) -> None:
        assert Reason.ADDON_OTHER_LICENSE_ID in BY_LEDGER


class TestDevices:
    @pytest.mark.parametrize(
        ("devices", "expected"),
        [
            pytest.param((), ACCEPTED, id="none named"),
            pytest.param(("cart-1", "cart-2"), ACCEPTED, id="fewer than ordered"),
            pytest.param(("cart-1", "cart-2", "cart-3"), ACCEPTED, id="as many as ordered"),
            pytest.param(("cart-1", "Cart-1 ", "cart-2", "cart-3", ""), ACCEPTED, id="one of them twice"),
            pytest.param(
                ("cart-1", "cart-2", "cart-3", "cart-4"), (LineState.REJECTED, Reason.DEVICE_NOT_ORDERED), id="one more"
            ),
        ],
    )
    def test_no_more_of_them_than_licences(self, devices: tuple[str, ...], expected: tuple[str, Any]) -> None:
        judgement = judge(order_line(article_code=DEVICE, quantity=3, subjects=devices), context())
        assert (judgement.state, judgement.reason) == expected

    def test_people_are_no_devices(self) -> None:
        names = tuple(f"person-{number}@school.example" for number in range(4))
        assert judge(order_line(quantity=3, subjects=names), context()).state is LineState.ACCEPTED
