"""What assessments say: in both languages the same, for boards in plain Dutch, word for word as people approved it."""

import re
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest

from mappings.loader import load_mappings
from provisioning.domain.ticket import TicketKind
from provisioning.planning.assessment import Assessment, Feasibility
from provisioning.planning.assessment_facts import Fact, FactKind
from provisioning.planning.assessment_sections import sections
from provisioning.planning.assessment_words import AssessmentWords
from provisioning.words.assessments import Form, render_assessment, tongue_of
from provisioning.words.catalogue import Language, Words
from tests.unit.planning.assessments import OF_BOARD, assess, short_for_board, short_of_seats

GOLDEN = Path(__file__).parent / "golden"
JARGON = re.compile(r"\b(tenant|SKU|service ?plan|License ID|PCN|Graph|digest|selector|policy|remap)", re.IGNORECASE)
_MOST, _USUAL = 30, 20  # words in a sentence


class TestRender:
    @pytest.mark.parametrize(
        ("made", "language", "file"),
        [
            pytest.param(short_for_board(), Language.DUTCH, "assessment-board.nl.txt", id="a board in Dutch"),
            pytest.param(short_of_seats(), Language.DUTCH, "assessment-operator.nl.txt", id="an operator in Dutch"),
            pytest.param(short_of_seats(), Language.ENGLISH, "assessment-operator.en.txt", id="an operator in English"),
        ],
    )
    def test_is_word_for_word(self, made: Assessment, language: Language, file: str) -> None:
        assert render_assessment(made, language, Form.TEXT) == (GOLDEN / file).read_text("utf-8")

    @pytest.mark.parametrize("form", [Form.TEXT, Form.PAGE])
    def test_a_board_reads_dutch_whatever_is_asked(self, form: Form) -> None:
        made = short_for_board()
        assert render_assessment(made, Language.ENGLISH, form) == render_assessment(made, Language.DUTCH, form)

    @pytest.mark.parametrize("language", Language)
    def test_json_is_the_value_itself(self, language: Language) -> None:
        made = short_of_seats()
        assert msgspec.json.decode(render_assessment(made, language, Form.JSON), type=Assessment) == made


class TestBothLanguages:
    SAID: ClassVar = {language: msgspec.to_builtins(Words(language).assessment) for language in Language}

    def test_fill_in_the_same(self) -> None:
        places = [
            {name: sorted(re.findall(r"{\w*}", str(text))) for name, text in said.items() if name != "facts"}
            | {kind: sorted(re.findall(r"{\w*}", str(fact))) for kind, fact in said["facts"].items()}
            for said in self.SAID.values()
        ]
        assert places[0] == places[1]

    @pytest.mark.parametrize("language", Language)
    def test_have_words_for_everything(self, language: Language) -> None:
        words = Words(language).assessment
        assert words.facts.keys() == set(FactKind)
        assert words.verdicts.keys() == set(Feasibility)
        assert words.changes.keys() == set(TicketKind)
        assert words.language == language
        known = {plan.family for sku in load_mappings().skus.values() for plan in sku.plans if plan.family}
        assert words.families.keys() == known

    @pytest.mark.parametrize("language", Language)
    def test_services_are_told_apart_and_fit_a_line(self, language: Language) -> None:
        names = list(Words(language).assessment.families.values())
        assert len(set(names)) == len(names)
        assert all(len(name) <= 50 for name in names)

    def test_a_service_of_tomorrow_is_shown_as_it_is_called(self) -> None:
        assert tongue_of(Language.DUTCH).service("brand_new") == "brand new"

    @pytest.mark.parametrize("language", Language)
    @pytest.mark.parametrize("kind", FactKind)
    def test_each_fact_is_told_in_whole_sentences(self, language: Language, kind: FactKind) -> None:
        fact = Fact(kind=kind, people=3, names=("Naam",), instead=("Ander",), services=("teams",))
        attention = sections(assess(facts=(fact,)), tongue_of(language))[1]
        [line] = attention.lines
        assert line[0].isupper()
        assert line.endswith(".")
        assert not re.search(r"[{}]|\bNone\b|[A-Z]+_[A-Z]+", line)


def _texts() -> list[str]:
    """Everything that a board may read, headings too."""
    words: AssessmentWords = Words(Language.DUTCH).assessment
    plain = [text for text in msgspec.structs.asdict(words).values() if isinstance(text, str)]
    facts = [text for fact in words.facts.values() for text in (fact.what, fact.todo)]
    return [*plain, *facts, *words.verdicts.values(), *words.changes.values()]


def lengths() -> list[tuple[int, str]]:
    """Words in each sentence, with every name filled in as one word."""
    whole = [text for text in _texts() if text.endswith((".", "?"))]
    return [(len(sentence.split()), sentence) for text in whole for sentence in re.split(r"(?<=[.?:])\s+", text)]


class TestReadability:
    """Language level B1: short sentences, common words."""

    def test_no_sentence_is_long(self) -> None:
        assert [sentence for count, sentence in lengths() if count > _MOST] == []

    def test_on_average_they_are_short(self) -> None:
        counts = [count for count, _ in lengths()]
        assert sum(counts) / len(counts) <= _USUAL / 2  # well within it: nobody reads a page of twenties

    def test_nor_is_one_of_a_whole_text(self) -> None:
        told = [part for made in _for_boards() for part in sections(made, tongue_of(Language.DUTCH))]
        said = [sentence for part in told for line in part.lines for sentence in re.split(r"[.?:]\s", line)]
        assert said
        assert [sentence for sentence in said if len(sentence.split()) > _MOST] == []

    def test_there_is_no_jargon(self) -> None:
        said = [re.sub(r"{\w+}", "", text) for text in (*_texts(), *Words(Language.DUTCH).assessment.families.values())]
        assert [found for text in said for found in JARGON.findall(text)] == []


def _for_boards() -> list[Assessment]:
    facts = tuple(Fact(kind=kind, people=1_234, names=("L1", "L2"), instead=("A1",)) for kind in FactKind)
    return [short_for_board(), assess(facts=facts, reader=OF_BOARD)]
