"""The page: whole in itself, harmless, and with everybody on it."""

from html.parser import HTMLParser

import pytest

from provisioning.domain.migration import Phase, Situation
from provisioning.domain.migration_lifecycle import PersonState
from provisioning.domain.reasons import Reason
from provisioning.planning.migration_page import to_html
from provisioning.words.catalogue import Language
from tests.unit.planning.migration_reports import person, report, tongue

P = PersonState
VOID = {"meta"}
EVIL = '<script>alert(1)</script> "onload=x & </td>'


class Page(HTMLParser):
    """What a browser sees: elements, their attributes, and the text of each cell."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def page(*people: object, language: Language = Language.DUTCH, **changes: object) -> Page:
    return Page(to_html(report(*people, **changes), tongue(language)))  # type: ignore[arg-type]


class TestPage:
    def test_closes_what_it_opens(self) -> None:
        assert page(person("anne"), person("bram", wave=0)).open == []

    def test_runs_and_fetches_nothing(self) -> None:
        seen = page(person("anne"))
        assert not {"script", "link", "img", "iframe", "form"} & set(seen.elements)
        assert seen.attributes <= {"lang", "charset", "http-equiv", "content", "class"}
        assert "url(" not in to_html(report(person("anne")), tongue())

    def test_prints_on_a4_with_the_heads_of_tables_on_each_sheet(self) -> None:
        text = to_html(report(person("anne")), tongue())
        assert "@page { size: A4" in text
        assert "thead { display: table-header-group }" in text

    @pytest.mark.parametrize("place", ["name", "asked_by", "wave_name"])
    def test_texts_of_others_are_texts(self, place: str) -> None:
        seen = page(person("anne"), **{place: EVIL})
        assert "script" not in seen.elements
        assert any(EVIL in text for text in seen.text)

    def test_has_everybody_with_what_happened_to_them(self) -> None:
        failed = person("anne", state=P.FAILED, failed_in=Phase.ENABLE, reason=Reason.NOT_AS_WE_LEFT)
        guest = person("bram", state=P.LEFT_OUT, situation=Situation.GUEST)
        seen = page(failed, guest)
        assert {"anne", "anne2", "p-anne", "bram", "mislukt"} <= set(seen.text)
        assert f"mail aanzetten: {tongue().why(Reason.NOT_AS_WE_LEFT)}" in seen.text
        assert "gast" in seen.text

    def test_shows_no_ids_to_who_may_not_see_them(self) -> None:
        seen = page(person("anne"), with_ids=False)
        assert "p-anne" in seen.text
        assert not {"anne", "anne2"} & set(seen.text)

    @pytest.mark.parametrize("language", Language)
    def test_speaks_the_readers_language(self, language: Language) -> None:
        text = to_html(report(person("anne")), tongue(language))
        assert f'<html lang="{language}">' in text
        assert tongue(language).words.how_many in text
