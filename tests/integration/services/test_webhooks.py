"""From a fact to a message that was taken: once, in order, and never lost."""

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from config.limits import default_limits
from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.actors import Identity, Role
from provisioning.domain.errors import InputError, NotAllowedError
from provisioning.domain.ids import Actor, OrganisationId
from provisioning.domain.reasons import Reason
from provisioning.domain.webhook import Answer, Attempted, Endpoint, Message
from provisioning.domain.worklist import Intent, Owner, Topic
from provisioning.services.application_incident import OURSELVES
from provisioning.services.purge_webhooks import PurgeWebhooks
from provisioning.services.resend_webhooks import ResendWebhooks
from provisioning.services.send_webhooks import SendWebhooks
from provisioning.services.show_webhooks import ShowWebhooks
from provisioning.services.spread_facts import SpreadFacts
from tests.factories import NOW
from tests.factories.tickets import BOARD
from tests.fakes import FakeClock
from tests.integration.services.ticket_scene import Desk

Open = Callable[[], SqlUnitOfWork]
LIMITS = default_limits()
DESK = Endpoint(name="desk", url="https://desk.example", topics=("ticket_*",))
SHOP = Endpoint(name="shop", url="https://shop.example", topics=("order_*", "glass_*"))
ADMIN = Identity(actor=Actor("person:admin"), roles=frozenset({Role.ADMIN}))
AN_HOUR, A_DAY = timedelta(hours=1), timedelta(days=1)


class FakeSender:
    """Answers as it is told; `taken` is what the other side has."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.tried: list[Message] = []

    def send(self, endpoint: Endpoint, message: Message, at: object) -> Attempted:
        self.tried.append(message)
        return Attempted(answer=self.answers.get(endpoint.name, Answer.TAKEN), status=None)

    def types(self) -> list[str]:
        return [msgspec.json.decode(one.body)["type"] for one in self.tried]

    def close(self) -> None:
        pass


class Post:
    """The round that tells, over one database."""

    desk: Desk

    def __init__(self, open_uow: Open) -> None:
        self.open_uow = open_uow
        self.clock = FakeClock(NOW)
        self.sender = FakeSender()
        self.endpoints = [DESK, SHOP]

    def spread(self) -> int:
        return SpreadFacts(open_uow=self.open_uow, clock=self.clock, endpoints=self.endpoints)()

    def send(self) -> int:
        send = SendWebhooks(
            open_uow=self.open_uow, clock=self.clock, limits=LIMITS, endpoints=self.endpoints, sender=self.sender
        )
        return send()

    def tell(self, *topics: Topic, organisation: str = BOARD) -> None:
        """Facts that are gathered into notices."""
        with self.open_uow() as uow:
            uow.outbox.add(
                Intent(topic=topic, organisation_id=OrganisationId(organisation), reference="r", at=self.clock.now())
                for topic in topics
            )
            uow.commit()
        with self.open_uow() as uow:
            uow.outbox.relay(self.clock.now() + AN_HOUR, timedelta(0), 50, timedelta(minutes=10))
            uow.commit()

    def standing(self) -> dict[str, tuple[int, int, int]]:
        shown = ShowWebhooks(open_uow=self.open_uow, endpoints=self.endpoints)()
        return {one.name: (one.delivered, one.waiting, one.given_up) for one in shown}


@pytest.fixture
def post(open_uow: Open) -> Post:
    return Post(open_uow)


@pytest.fixture
def answered(open_uow: Open, post: Post) -> Post:
    """A ticket was received, and what is missing asked back."""
    post.desk = Desk(open_uow)
    post.desk.submit(given={})
    return post


class TestAnswers:
    def test_each_goes_to_the_desk_once_and_in_order(self, answered: Post) -> None:
        assert answered.spread() == 2
        assert (answered.send(), answered.send()) == (1, 1)
        assert answered.sender.types() == ["ticket.received", "ticket.asked_back"]
        assert (answered.spread(), answered.send()) == (0, 0)
        assert answered.standing() == {"desk": (2, 0, 0), "shop": (0, 0, 0)}

    def test_one_that_is_not_taken_holds_up_those_behind_it(self, answered: Post) -> None:
        answered.spread()
        answered.sender.answers["desk"] = Answer.REFUSED
        answered.send()
        answered.sender.answers.clear()
        assert answered.send() == 0
        answered.clock.forward(LIMITS.webhook_waits[0])
        assert (answered.send(), answered.send()) == (1, 1)
        assert answered.sender.types() == ["ticket.received", "ticket.received", "ticket.asked_back"]
        assert len({one.message_id for one in answered.sender.tried}) == 2

    def test_a_killed_round_sends_again_under_the_same_id(self, answered: Post) -> None:
        """The message left, and the worker died before it wrote that down."""
        answered.spread()
        with answered.open_uow() as uow:
            [head] = uow.webhooks.heads(NOW, "desk", 50)
        answered.sender.send(DESK, head, NOW)
        answered.send()
        assert [one.message_id for one in answered.sender.tried] == [head.message_id] * 2

    def test_two_rounds_at_once_make_each_message_once(self, answered: Post) -> None:
        with answered.open_uow() as first, answered.open_uow() as second:
            facts = first.webhooks.untold(NOW.date(), OURSELVES, 50)
            assert (len(facts), second.webhooks.untold(NOW.date(), OURSELVES, 50)) == (2, [])
        assert answered.spread() == 2
        assert answered.standing()["desk"] == (0, 2, 0)

    def test_a_fact_that_nobody_wants_to_hear_is_told_to_nobody_and_not_kept(self, answered: Post) -> None:
        answered.endpoints = []
        assert (answered.spread(), answered.spread()) == (2, 0)
        assert answered.standing() == {}

    def test_messages_hold_ids_codes_and_numbers(self, answered: Post) -> None:
        answered.spread()
        answered.send()
        told = msgspec.json.decode(answered.sender.tried[0].body)["data"]
        assert told.keys() == {"organisation_id", "ticket_id", "reference", "sequence", "details"}
        assert (told["organisation_id"], told["sequence"]) == (BOARD, 1)


class TestNotices:
    def test_a_digest_is_told_when_its_day_is_over(self, post: Post) -> None:
        post.tell(Topic.ORDER_COMPLETED, Topic.ORDER_COMPLETED, Topic.ORDER_HELD)
        assert post.spread() == 0
        post.clock.forward(A_DAY)
        assert (post.spread(), post.send()) == (2, 2)
        told = {one["type"]: one["data"]["facts"] for one in map(_decoded, post.sender.tried)}
        assert told == {"order.completed": 2, "order.held": 1}
        assert (post.spread(), post.send()) == (0, 0)

    def test_what_alarms_ourselves_does_not_wait_but_what_follows_does(self, post: Post) -> None:
        post.tell(Topic.GLASS_BROKEN, organisation=OURSELVES)
        assert post.spread() == 1
        post.tell(Topic.GLASS_BROKEN, organisation=OURSELVES)
        assert post.spread() == 0
        post.clock.forward(A_DAY)
        assert post.spread() == 1
        post.send()
        post.send()
        assert [one["data"]["facts"] for one in map(_decoded, post.sender.tried)] == [1, 2]


class TestGivenUp:
    @pytest.fixture
    def lost(self, answered: Post) -> Post:
        answered.spread()
        answered.sender.answers["desk"] = Answer.GONE
        answered.send()
        return answered

    def test_is_on_the_work_list_of_the_administrator(self, lost: Post) -> None:
        with lost.open_uow() as uow:
            [item] = [one for one in uow.worklist.items(NOW) if one.subject.startswith("webhook")]
        assert (item.subject, item.reason, item.owner) == ("webhook desk", Reason.WEBHOOK_GIVEN_UP, Owner.ADMIN)

    def test_is_sent_again_when_a_person_says_so_before_what_came_after(self, lost: Post) -> None:
        again = ResendWebhooks(open_uow=lost.open_uow, clock=lost.clock)
        assert again(ADMIN, "desk") == 1
        lost.sender.answers.clear()
        lost.send()
        lost.send()
        assert lost.sender.types()[1:] == ["ticket.received", "ticket.asked_back"]
        with pytest.raises(InputError, match="No message to desk was given up"):
            again(ADMIN, "desk")

    def test_takes_a_right(self, lost: Post) -> None:
        nobody = Identity(actor=Actor("person:x"), roles=frozenset({Role.AUDITOR}))
        with pytest.raises(NotAllowedError):
            ResendWebhooks(open_uow=lost.open_uow, clock=lost.clock)(nobody, "desk")


class TestSilence:
    def test_a_silent_endpoint_is_tried_once_a_round_and_the_others_go_on(self, answered: Post) -> None:
        answered.desk.submit(reference="D-2", given={})
        answered.endpoints = [DESK, msgspec.structs.replace(DESK, name="archive")]
        answered.spread()
        answered.sender.answers["desk"] = Answer.SILENT
        answered.send()
        assert [one.endpoint for one in answered.sender.tried] == ["desk", "archive", "archive"]


class TestPurge:
    def test_only_what_was_taken_long_ago_goes(self, answered: Post) -> None:
        answered.spread()
        answered.send()
        with answered.open_uow() as uow:
            assert uow.webhooks.receive("desk", "msg_1", NOW)
            assert not uow.webhooks.receive("desk", "msg_1", NOW)
            assert uow.webhooks.receive("other", "msg_1", NOW)
            uow.commit()
        purge = PurgeWebhooks(open_uow=answered.open_uow, clock=answered.clock, limits=LIMITS)
        answered.clock.forward(LIMITS.webhooks_kept)
        assert purge() == 0
        answered.clock.forward(timedelta(seconds=1))
        assert purge() == 3
        assert answered.standing()["desk"] == (0, 1, 0)


def _decoded(message: Message) -> dict[str, dict[str, object]]:
    decoded: dict[str, dict[str, object]] = msgspec.json.decode(message.body)
    return decoded
