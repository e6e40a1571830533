"""The page: whole in itself, harmless, and told to everybody, also who hears it read aloud."""

from html.parser import HTMLParser

import pytest

from provisioning.planning.assessment import Assessment
from provisioning.planning.assessment_page import to_page
from provisioning.planning.assessment_sections import sections, title_of
from provisioning.words.assessments import tongue_of
from provisioning.words.catalogue import Language
from tests.unit.planning.assessments import NORTH, OF_BOARD, SOUTH, assess, drawn, planned, short_for_board, some

VOID = {"meta"}
EVIL = '<script>alert(1)</script> "onload=x & </td>'
DUTCH = tongue_of(Language.DUTCH)


class Page(HTMLParser):
    """What a browser sees: elements with their attributes, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data.replace("\N{NO-BREAK SPACE}", " "))

    @property
    def tags(self) -> list[str]:
        return [tag for tag, _ in self.elements]


def page(made: Assessment | None = None, language: Language = Language.DUTCH) -> Page:
    return Page(to_page(made or short_for_board(), tongue_of(language)))


class TestPage:
    def test_closes_what_it_opens(self) -> None:
        assert page().open == []

    def test_runs_and_fetches_nothing(self) -> None:
        seen = page()
        assert not {"script", "link", "img", "iframe", "form", "a"} & set(seen.tags)
        names = {name for _, attributes in seen.elements for name in attributes}
        assert names <= {"lang", "charset", "http-equiv", "content", "name", "class", "scope", "rowspan"}
        assert "url(" not in to_page(short_for_board(), DUTCH)
        assert "default-src 'none'" in to_page(short_for_board(), DUTCH)

    @pytest.mark.parametrize("language", Language)
    def test_says_in_which_language_it_is(self, language: Language) -> None:
        assert ("html", {"lang": language}) in page(language=language).elements

    def test_has_one_title_and_a_heading_for_each_section(self) -> None:
        seen, made = page(), short_for_board()
        assert seen.tags.count("h1") == seen.tags.count("main") == seen.tags.count("title") == 1
        assert seen.tags.count("h2") == seen.tags.count("section") == len(sections(made, DUTCH))
        assert title_of(made, DUTCH) in seen.text

    def test_each_table_has_a_caption_and_each_heading_says_what_it_heads(self) -> None:
        seen = page()
        assert seen.tags.count("table") == seen.tags.count("caption") == seen.tags.count("thead") == 2
        scopes = [attributes.get("scope") for tag, attributes in seen.elements if tag == "th"]
        assert set(scopes) == {"col", "row", "rowgroup"}

    def test_a_school_is_named_once_for_all_its_products(self) -> None:
        seen = page()
        assert seen.text.count("De Linde (north)") == 1
        assert ("th", {"scope": "rowgroup", "rowspan": "2"}) in seen.elements

    def test_begins_with_whether_it_can_be(self) -> None:
        seen = page()
        assert ("p", {"class": "verdict"}) in seen.elements
        assert seen.text.count("Dit kan voor een deel van de mensen.") == 1

    def test_says_everything_that_the_text_says(self) -> None:
        text = " ".join(page().text)
        for section in sections(short_for_board(), DUTCH):
            assert all(line in text for line in (section.heading, *section.lines))
            assert all(cell in text for grid in section.grids for row in grid.rows for cell in row)

    @pytest.mark.parametrize("place", ["schools", "board", "domain", "breaches"])
    def test_texts_of_others_are_texts(self, place: str) -> None:
        names = {NORTH: EVIL if place == "schools" else "De Linde", SOUTH: "De Eik"}
        plan = planned(some(2))
        board = OF_BOARD.__class__(own=OF_BOARD.own, board=EVIL) if place == "board" else OF_BOARD.__class__()
        domain = EVIL if place == "domain" else "d"
        one = drawn(plan, domain=domain, breaches=(EVIL,) if place == "breaches" else ())
        made = assess(one, one, reader=board, schools=names)
        seen = page(made)
        assert "script" not in seen.tags
        assert any(EVIL in text for text in seen.text)

    def test_prints_on_a4_and_fits_a_phone(self) -> None:
        text = to_page(short_for_board(), DUTCH)
        assert "@page { size: A4" in text
        assert "thead { display: table-header-group }" in text
        assert "width=device-width" in text
        assert "overflow-wrap: anywhere" in text
