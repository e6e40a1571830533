"""What a board is answered about its ticket: whole messages, in Dutch for the board and in English for operators."""

from collections.abc import Sequence

from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Topic
from provisioning.words.catalogue import Language, Words


def in_each_language(
    topic: Topic, reason: Reason | None, missing: Sequence[str], notes: Sequence[str]
) -> dict[str, str]:
    """The message by language: the topic's sentence, the reason's, what is missing one a line, and the notes."""
    return {language.value: _message(Words(language), topic, reason, missing, notes) for language in Language}


def _message(words: Words, topic: Topic, reason: Reason | None, missing: Sequence[str], notes: Sequence[str]) -> str:
    sentences = [words.topic(topic)]
    if reason is not None:
        sentence = words.reason(reason)
        sentences += [sentence.what, sentence.todo]
    sentences += [words.ticket_note(note) for note in notes]
    asked = [f"- {words.ticket_field(field)} ({field})" for field in missing]
    return "\n".join([" ".join(sentences), *asked])
