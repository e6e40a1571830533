"""Whole messages to a board, in both languages."""

import pytest

from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Topic
from provisioning.planning.whole_agreement import WAYS_OUT
from provisioning.words.answers import in_each_language
from provisioning.words.catalogue import Language

TOPICS = [topic for topic in Topic if topic.startswith("ticket_")]


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_has_a_message_in_every_language(topic: Topic) -> None:
    said = in_each_language(topic, None, (), ())
    assert said.keys() == set(Language)
    assert all(message.endswith(".") and "\n" not in message for message in said.values())
    assert len(set(said.values())) == len(Language)


def test_all_that_is_missing_stands_one_a_line_under_its_name() -> None:
    said = in_each_language(Topic.TICKET_ASKED_BACK, Reason.TICKET_INCOMPLETE, ("requester", "to_sku"), ())
    for message in said.values():
        first, *lines = message.split("\n")
        assert first.endswith(".")
        assert [line.rpartition(" ")[2] for line in lines] == ["(requester)", "(to_sku)"]
        assert all(line.startswith("- ") for line in lines)


def test_a_refusal_says_why_and_what_to_ask_instead() -> None:
    said = in_each_language(Topic.TICKET_REJECTED, Reason.PART_OF_LICENSE_ID, (), WAYS_OUT)
    assert said["nl"].startswith("Uw aanvraag kan niet worden uitgevoerd. Een License ID hoort bij één omgeving.")
    assert said["nl"].endswith("(move_school).")
    assert "You can order new licences for the other tenant." in said["en"]
