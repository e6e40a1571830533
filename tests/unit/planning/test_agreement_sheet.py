"""The sheet for Microsoft's support: everything that it asks for, in both languages, and nothing that runs."""

import msgspec
import pytest

from provisioning.domain.ids import SkuId
from provisioning.domain.observation import Subscription
from provisioning.planning.agreement_sheet import CaseSheet, Product, to_html, to_text
from provisioning.words.catalogue import Language, Words

SHEET = CaseSheet(
    reference="desk/2027-0142",
    case_number=None,
    public_customer_number="12345678",
    licence_ids=("V1111111", "V2222222"),
    programs=("EES",),
    wrong=("school.onmicrosoft.example", "1111"),
    right=("board.onmicrosoft.example", "2222"),
    products=(Product(SkuId("a3"), "M365EDU_A3_FACULTY", 40),),
    purchases=(Subscription(subscription_id="s1", sku_id=SkuId("a3"), status="Enabled", total=40),),
)
ASKED_FOR = (
    "desk/2027-0142",
    "12345678",
    "V1111111, V2222222",
    "EES",
    "school.onmicrosoft.example (1111)",
    "board.onmicrosoft.example (2222)",
    "M365EDU_A3_FACULTY (a3): 40",
    "s1: 40, Enabled",
)


@pytest.mark.parametrize("language", Language)
class TestSheet:
    def test_says_all_that_support_asks_for(self, language: Language) -> None:
        words = Words(language).case
        for rendered in (to_text(SHEET, words), to_html(SHEET, words)):
            for fact in ASKED_FOR:
                assert fact in rendered

    def test_asks_for_the_confirmation_of_whoever_is_named_in_the_agreement(self, language: Language) -> None:
        assert "online services manager" in to_text(SHEET, Words(language).case).lower()

    def test_leaves_no_brace_unfilled(self, language: Language) -> None:
        assert "{" not in to_text(SHEET, Words(language).case)

    def test_is_a_whole_page_in_its_language(self, language: Language) -> None:
        page = to_html(SHEET, Words(language).case)
        assert page.startswith(f'<!doctype html>\n<html lang="{language}">')
        assert "<script" not in page

    def test_what_a_record_smuggles_in_is_shown_as_text(self, language: Language) -> None:
        evil = msgspec.structs.replace(SHEET, licence_ids=("<script>alert(1)</script>",))
        page = to_html(evil, Words(language).case)
        assert "<script>" not in page
        assert "&lt;script&gt;" in page
