"""How facts become messages, and when a message is sent again."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from provisioning.domain.ids import OrganisationId
from provisioning.domain.webhook import Answer, Attempted, Endpoint, Fact, Message
from provisioning.planning.webhooks import after_attempt, messages_of
from tests.factories import NOW

BOARD = OrganisationId("41234")
WAITS = (timedelta(seconds=5), timedelta(minutes=5))


def fact(**fields: Any) -> Fact:
    values = {
        "source": "answer/7",
        "subject": "ticket/t1",
        "topic": "ticket_partially_completed",
        "organisation_id": BOARD,
        "at": NOW,
        "content": {"ticket_id": "t1", "sequence": 3, "details": {"people": "12"}},
    }
    return Fact(**values | fields)


def endpoint(name: str = "desk", *topics: str, organisations: frozenset[str] = frozenset()) -> Endpoint:
    return Endpoint(
        name=name,
        url="https://desk.example/hooks",
        topics=topics or ("ticket_*",),
        organisations=frozenset(map(OrganisationId, organisations)),
    )


def message(attempts: int = 0) -> Message:
    [made] = messages_of(fact(), [endpoint()])
    return msgspec.structs.replace(made, attempts=attempts)


class TestWants:
    @pytest.mark.parametrize(
        ("topics", "is_wanted"),
        [
            pytest.param(("ticket_*",), True, id="a pattern"),
            pytest.param(("ticket_partially_completed",), True, id="the topic itself"),
            pytest.param(("order_*", "ticket_p*"), True, id="one of several"),
            pytest.param(("order_*",), False, id="another"),
            pytest.param(("TICKET_*",), False, id="another spelling"),
        ],
    )
    def test_a_topic(self, topics: tuple[str, ...], *, is_wanted: bool) -> None:
        assert endpoint("desk", *topics).wants("ticket_partially_completed", BOARD) is is_wanted

    def test_only_its_organisations(self) -> None:
        assert endpoint(organisations=frozenset({"41234"})).wants("ticket_completed", BOARD)
        assert not endpoint(organisations=frozenset({"42000"})).wants("ticket_completed", BOARD)


class TestMessagesOf:
    def test_one_for_each_endpoint_that_wants_it(self) -> None:
        made = messages_of(fact(), [endpoint("desk"), endpoint("shop", "order_*"), endpoint("archive", "*")])
        assert [one.endpoint for one in made] == ["desk", "archive"]
        assert len({one.message_id for one in made}) == 2

    def test_the_same_fact_has_the_same_id_for_ever(self) -> None:
        again = fact(at=NOW + timedelta(days=1))
        assert messages_of(fact(), [endpoint()])[0].message_id == messages_of(again, [endpoint()])[0].message_id

    def test_another_fact_has_another(self) -> None:
        [one], [other] = messages_of(fact(), [endpoint()]), messages_of(fact(source="answer/8"), [endpoint()])
        assert one.message_id != other.message_id

    def test_says_what_happened_when_and_about_whom(self) -> None:
        assert msgspec.json.decode(message().body) == {
            "type": "ticket.partially_completed",
            "timestamp": NOW.isoformat(),
            "data": {"organisation_id": "41234", "ticket_id": "t1", "sequence": 3, "details": {"people": "12"}},
        }

    def test_is_due_at_once(self) -> None:
        assert (message().due_at, message().attempts) == (NOW, 0)


class TestAfterAttempt:
    @pytest.mark.parametrize("answer", [Answer.REFUSED, Answer.SILENT])
    def test_waits_longer_each_time_and_gives_up_in_the_end(self, answer: Answer) -> None:
        waits = [after_attempt(message(tries), Attempted(answer=answer), NOW, WAITS) for tries in range(3)]
        assert [one.due_at for one in waits] == [NOW + WAITS[0], NOW + WAITS[1], None]
        assert [one.given_up_at for one in waits] == [None, None, NOW]

    def test_what_was_taken_has_ended(self) -> None:
        after = after_attempt(message(), Attempted(answer=Answer.TAKEN, status=204), NOW, WAITS)
        assert (after.due_at, after.delivered_at, after.attempts, after.answered) == (None, NOW, 1, 204)

    def test_who_wants_no_more_is_not_asked_again(self) -> None:
        after = after_attempt(message(), Attempted(answer=Answer.GONE, status=410), NOW, WAITS)
        assert (after.due_at, after.given_up_at) == (None, NOW)
