"""What is kept of an answer names nobody and opens nothing; its form stays as described."""

from collections.abc import Iterator
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest

from provisioning.bootstrap import Services
from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import SubjectId
from provisioning.domain.migration import WaveDefinition
from provisioning.planning.preflight import Finding, Preflight, PreflightCheck
from provisioning.services.browse_tickets import in_short
from provisioning.services.create_migration import CreatedMigration
from provisioning.web.app import create_app, routes_of
from provisioning.web.kept import bare
from provisioning.web.openapi import answer_of
from provisioning.web.routes.actors import AddedActor
from provisioning.web.routes.migration_gate import GateAnswer, MistakeAnswer
from provisioning.web.routes.migrations import Proof
from provisioning.web.routes.tenants import ConsentLink
from provisioning.web.routes.tickets import TakenTicket
from tests.factories import NOW, guid, migrations, orders, tenancy, tickets
from tests.factories import operations as make
from tests.unit.bootstrap.test_services import settings

SOMEBODY, ADDRESS = SubjectId("5d1b0a52-0000-4000-8000-00000000abcd"), "somebody@school.example"
IDS = f'{{"ids":["{SOMEBODY}"]}}'


def a_migration() -> Any:
    asked = {
        "people": IDS,
        "identity": ((SOMEBODY, SubjectId(guid())),),
        "waves": (WaveDefinition(number=1, name="pilot", selector=IDS),),
    }
    return migrations.migration(guid(), guid(), asked=asked)


ASKED = tickets.ticket(requester=ADDRESS, given={"people": IDS, "selectors": {"faculty": IDS}, "school": "41000"})
FINDING = Finding(check=PreflightCheck.CONFLICTS, people=1, subjects=(SOMEBODY,))

ANSWERS = [
    in_short(ASKED),
    TakenTicket(ticket=in_short(ASKED), is_new=True),
    [TakenTicket(ticket=in_short(ASKED), is_new=True)],
    AddedActor(actor="client:new", token="secret-of-the-house", expires_at=NOW),  # type: ignore[arg-type]
    ConsentLink(url="https://login.example/?state=secret-of-the-house"),
    GateAnswer(
        ready=1,
        known_before=0,
        unknown=(ADDRESS,),
        unlicensed=(ADDRESS,),
        not_yet=(ADDRESS,),
        long_ago=(ADDRESS,),
        unready={ADDRESS: "Synced"},
    ),
    MistakeAnswer(withdrawn=1, without=0, too_late=(ADDRESS,), unknown=(ADDRESS,)),
    Proof(found=Preflight(findings=(FINDING,), checked_at=NOW), is_noted=True),
    orders.order_line(shop=orders.shop_line(subjects=(ADDRESS,), requester_reference=ADDRESS)),
    make.operation(guid(), wish=make.wish(named=(SOMEBODY,))),
    tenancy.binding("41000", guid(), selectors={Audience.FACULTY: IDS}),
    a_migration(),
    CreatedMigration(migration=a_migration(), unknown=(ADDRESS,)),
]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: type(answer).__name__)
class TestWhatIsKept:
    def test_names_nobody_and_opens_nothing(self, answer: Any) -> None:
        text = msgspec.json.encode(answer).decode()
        assert any(mark in text for mark in (SOMEBODY, ADDRESS, "secret-of-the-house"))
        kept = msgspec.json.encode(bare(answer)).decode()
        assert not [mark for mark in (SOMEBODY, ADDRESS, "secret-of-the-house") if mark in kept]

    def test_is_of_the_same_form(self, answer: Any) -> None:
        assert type(msgspec.json.decode(msgspec.json.encode(bare(answer)), type=type(answer))) is type(answer)


def kinds_in(kind: Any, seen: set[Any]) -> Iterator[Any]:
    """Every type that a value of this kind can hold."""
    if kind in seen:
        return
    seen.add(kind)
    yield kind
    if get_origin(kind) in {Union, UnionType} or get_args(kind):
        for part in get_args(kind):
            yield from kinds_in(part, seen)
    elif isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        for part in get_type_hints(kind).values():
            yield from kinds_in(part, seen)


def test_every_answer_to_a_post_that_can_hold_a_persons_id_is_known_here() -> None:
    known = {type(answer) for answer in ANSWERS}
    for route in routes_of(create_app(Services(settings()))):
        if "POST" in route.methods:
            for answer in {answer_of(route), *get_args(answer_of(route))}:
                assert SubjectId not in set(kinds_in(answer, set())) or answer in known, route.path


def test_what_a_ticket_asks_is_kept_as_far_as_it_is_about_nobody() -> None:
    assert bare(in_short(ASKED)).given == {"school": "41000"}


def test_anything_else_is_kept_as_it_is() -> None:
    assert bare(NOW) == NOW
