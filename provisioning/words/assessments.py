"""An assessment in one language and one form: the only thing that commands, pages and messages need of it."""

from enum import StrEnum

import msgspec

from provisioning.planning.assessment import Assessment
from provisioning.planning.assessment_page import to_page
from provisioning.planning.assessment_text import to_text
from provisioning.planning.assessment_words import Tongue
from provisioning.words.catalogue import Language, Words


class Form(StrEnum):
    TEXT = "text"  # eighty columns
    PAGE = "page"  # one HTML document
    JSON = "json"  # the value itself, for programs: the same in each language


def render_assessment(assessment: Assessment, language: Language, form: Form) -> str:
    """The whole assessment. A board's own is in Dutch, whatever language is asked for."""
    if form is Form.JSON:
        return msgspec.json.encode(assessment).decode()
    tongue = tongue_of(Language.DUTCH if assessment.for_board else language)
    return to_page(assessment, tongue) if form is Form.PAGE else to_text(assessment, tongue)


def tongue_of(language: Language) -> Tongue:
    """How a language speaks of assessments."""
    words = Words(language)
    return Tongue(words.assessment, words.why_and_how, words.state, words.of_ticket, words.ticket_note)
