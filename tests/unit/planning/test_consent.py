from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.errors import ConfigurationError, InputError
from provisioning.domain.ids import OrganisationId, TenantId
from provisioning.planning.consent import (
    ConsentRequest,
    _signature,
    check_state,
    consent_link,
    read_returned,
    sign_state,
)

KEY = b"k" * 32
NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)
TENANT = TenantId("11111111-1111-4111-8111-111111111111")
REQUEST = ConsentRequest(organisation_id=OrganisationId("41234"), tenant_id=TENANT, expires_at=NOW + timedelta(days=30))


def returned(**changes: str | None) -> str:
    fields = {"admin_consent": "True", "tenant": TENANT, "state": sign_state(REQUEST, KEY)} | changes
    return "https://provisioning.example/consent?" + urlencode({k: v for k, v in fields.items() if v is not None})


class TestState:
    def test_what_was_signed_comes_back(self) -> None:
        assert check_state(sign_state(REQUEST, KEY), KEY, NOW) == REQUEST

    @pytest.mark.parametrize(
        ("after", "is_valid"),
        [(timedelta(days=30) - timedelta(seconds=1), True), (timedelta(days=30), False)],
        ids=["a second before its end", "at its end"],
    )
    def test_it_is_valid_until_it_expires(self, after: timedelta, is_valid: bool) -> None:
        state = sign_state(REQUEST, KEY)
        if is_valid:
            assert check_state(state, KEY, NOW + after) == REQUEST
        else:
            with pytest.raises(InputError, match="ended on 2026-08-31"):
                check_state(state, KEY, NOW + after)

    def test_another_key_does_not_open_it(self) -> None:
        with pytest.raises(InputError, match="a state that we signed"):
            check_state(sign_state(REQUEST, b"x" * 32), KEY, NOW)

    @given(place=st.integers(min_value=0), character=st.sampled_from("abcXYZ019-_.é"))
    def test_any_changed_character_is_noticed(self, place: int, character: str) -> None:
        state = sign_state(REQUEST, KEY)
        place %= len(state)
        forged = state[:place] + character + state[place + 1 :]
        if forged != state:
            with pytest.raises(InputError):
                check_state(forged, KEY, NOW)

    def test_a_signed_state_of_another_kind_is_refused(self) -> None:
        body = urlsafe_b64encode(b'{"other":1}').rstrip(b"=")
        with pytest.raises(InputError, match="of a kind that we do not know"):
            check_state(f"{body.decode()}.{_signature(body, KEY)}", KEY, NOW)

    def test_a_short_key_signs_nothing(self) -> None:
        with pytest.raises(ConfigurationError, match="PROVISIONING_CONSENT_KEY must have at least 32 bytes"):
            sign_state(REQUEST, b"short")


class TestConsentLink:
    def test_it_names_tenant_application_and_state(self) -> None:
        link = consent_link("https://login.example/", TENANT, "app", "https://us.example/back", "a.b")
        parts = urlsplit(link)
        assert (parts.netloc, parts.path) == ("login.example", f"/{TENANT}/adminconsent")
        assert parse_qs(parts.query) == {
            "client_id": ["app"],
            "redirect_uri": ["https://us.example/back"],
            "state": ["a.b"],
        }


class TestReadReturned:
    def test_a_granted_consent_names_our_request_and_the_tenant(self) -> None:
        consent = read_returned(returned(), KEY, NOW)
        assert (consent.request, consent.tenant_id) == (REQUEST, TENANT)

    def test_a_refusal_says_so(self) -> None:
        with pytest.raises(InputError, match="did not grant consent \\(permission_denied\\)"):
            read_returned(returned(admin_consent=None, error="permission_denied"), KEY, NOW)

    def test_a_consent_without_our_state_is_not_ours(self) -> None:
        with pytest.raises(InputError, match="a state that we signed"):
            read_returned(returned(state=None), KEY, NOW)
