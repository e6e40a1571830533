"""A token of one board never returns a byte of another's: over every route that there is."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from provisioning.bootstrap import Services
from provisioning.domain.actors import Role
from provisioning.domain.ticket import TicketKind
from provisioning.web.app import routes_of
from tests.factories import NOW
from tests.factories import tickets as make_tickets
from tests.factories.operations import A1, A3
from tests.integration.web.conftest import Asker
from tests.integration.web.landscape import Settled, names_of, settle

NOBODYS = "00000000-9999-4999-8999-000000000000"  # without letters: a code is told in capitals


@pytest.fixture
def ours(services: Services) -> Settled:
    return settle(services, "aamark", "41000", "41AA")


@pytest.fixture
def theirs(services: Services) -> Settled:
    return settle(services, "bbmark", "42000", "42BB")


@pytest.fixture
def board(client: TestClient, ours: Settled, theirs: Settled) -> Asker:  # noqa: ARG001  # both are there
    return Asker(client, ours.token)


def nothings() -> dict[str, str]:
    return dict.fromkeys(names_of_parameters(), NOBODYS) | {"wave": "1"}


def names_of_parameters() -> set[str]:
    others = {"organisation", "actor", "order_number", "reference", "endpoint", "sender"}
    return set(Settled.__annotations__) | others


def described(client: TestClient) -> Iterator[tuple[APIRoute, str, dict[str, Any]]]:
    """Every route behind the gate with its method and what the description says of it."""
    document = client.get("/api/openapi.json").json()
    for route in routes_of(client.app):
        for method in sorted(route.methods):
            if route.path.startswith("/api/v1"):
                yield route, method, document["paths"][route.path_format][method.lower()]


def path_of(route: APIRoute, names: Mapping[str, str]) -> str:
    return route.path_format.format(**{name: names[name] for name in route.param_convertors})


def queries(operation: dict[str, Any], names: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Without a filter, and with each filter that can name something."""
    yield {}
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "query" and parameter["name"] in names:
            yield {parameter["name"]: names[parameter["name"]]}


def body_of(document: dict[str, Any], schema: dict[str, Any], names: Mapping[str, str]) -> Any:
    """Something that the route takes, naming what is another's wherever a field can."""
    if "$ref" in schema:
        return body_of(document, document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], names)
    if "anyOf" in schema:
        return body_of(document, schema["anyOf"][0], names)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        return {
            name: names.get(name) or body_of(document, part, names)
            for name, part in schema.get("properties", {}).items()
        }
    if kind == "array":
        return [body_of(document, schema["items"], names)]
    return {"integer": 1, "boolean": False}.get(kind, "2026-09-01" if schema.get("format") == "date" else "a reason")


def contents(document: dict[str, Any], operation: dict[str, Any], names: Mapping[str, str]) -> Any:
    content = operation.get("requestBody", {}).get("content", {})
    return body_of(document, content["application/json"]["schema"], names) if content else None


def calls(client: TestClient, names: Mapping[str, str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    document = client.get("/api/openapi.json").json()
    for route, method, operation in described(client):
        for query in queries(operation, names):
            yield method, path_of(route, names), {"params": query, "json": contents(document, operation, names)}


class TestTheTableOfRoutes:
    def test_every_parameter_of_a_path_is_known_here(self, client: TestClient, theirs: Settled) -> None:
        """A new route cannot be forgotten: its parameter has to be given a value of another board's."""
        used = {name for route in routes_of(client.app) for name in route.param_convertors}
        assert used <= names_of(theirs).keys()

    def test_nothing_else_than_reading_and_posting_is_offered(self, client: TestClient) -> None:
        assert {method for route in routes_of(client.app) for method in route.methods} == {"GET", "POST"}


class TestAnotherBoards:
    def test_not_a_byte_of_it_is_in_any_answer(self, client: TestClient, board: Asker, theirs: Settled) -> None:
        names = names_of(theirs)
        for method, path, options in calls(client, names):
            answer = board.send(method, path, **options)
            told = answer.text + repr(dict(answer.headers))
            for sent in names.values():  # a refusal may repeat what was asked for
                told = told.replace(sent, "") if len(sent) > 1 else told
            found = [mark for mark in theirs.strings if mark in told]
            assert found == [], f"{method} {path} {options['params']}: {answer.text}"
            assert answer.status_code < 500, path

    def test_is_as_if_it_did_not_exist(self, client: TestClient, board: Asker, theirs: Settled) -> None:
        """Not even the status tells that there is something."""
        names, nothing = names_of(theirs), nothings() | {"digest": NOBODYS}
        pairs = zip(calls(client, names), calls(client, nothing), strict=True)
        for (method, path, options), (_, elsewhere, others) in pairs:
            one, other = board.send(method, path, **options), board.send(method, elsewhere, **others)
            assert one.status_code == other.status_code, f"{method} {path}"
            assert _blank(one.text, names) == _blank(other.text, nothing), f"{method} {path}"

    def test_nothing_of_it_is_changed(
        self, services: Services, client: TestClient, board: Asker, theirs: Settled
    ) -> None:
        def events() -> int:
            with services.open_uow() as uow:
                return len(uow.audit.list_by())

        before = events()
        for method, path, options in calls(client, names_of(theirs)):
            if method == "POST":
                assert board.send(method, path, **options).status_code in {403, 404, 422}, path
        assert events() == before

    def test_its_cursor_leads_nowhere_else(self, operator: Asker, board: Asker, theirs: Settled) -> None:
        for noun in ("orders", "operations", "tickets", "notices", "audit"):
            cursor = operator.get(f"/api/v1/{noun}", params={"limit": 1}).json()["next"]
            answer = board.get(f"/api/v1/{noun}", params={"cursor": cursor})
            assert answer.status_code == 200
            assert not [mark for mark in theirs.strings if mark in answer.text]


def wishes_about(other: Settled, own: Settled) -> Iterator[tuple[TicketKind, dict[str, Any]]]:
    """Every kind of ticket, with what is another's wherever a field takes a code, a tenant or a number."""
    domain, mine = f"{other.mark}.onmicrosoft.example", f"{own.mark}.onmicrosoft.example"
    yield TicketKind.CHANGE_SKU, {"organisations": [own.school, other.school], "from_sku": A1, "to_sku": A3}
    yield TicketKind.CHANGE_SKU, {"organisations": [other.school], "from_sku": A1, "to_sku": A3}
    yield TicketKind.REMAP_HOLDER, {"from_holders": [other.school], "to_holder": own.board}
    yield TicketKind.REMAP_HOLDER, {"from_holders": [own.school], "to_holder": other.board}
    agreement = {"public_customer_number": f"PCN-{other.mark}", "licence_ids": [f"L-{other.mark}"]}
    yield TicketKind.REMAP_AGREEMENT, agreement | {"from_tenant": domain, "to_tenant": mine}
    yield TicketKind.REMAP_AGREEMENT, agreement | {"from_tenant": mine, "to_tenant": domain}
    people = {"people": {"everyone": True}, "products": {A3: A3}}
    schools = {"school": other.school, "to_board": own.board}
    yield TicketKind.MOVE_SCHOOL, schools | people | {"from_tenant": domain, "to_tenant": mine}
    yield TicketKind.MOVE_SCHOOL, schools | people | {"school": own.school, "from_tenant": mine, "to_tenant": domain}
    yield TicketKind.REBIND, {"organisation": own.school, "tenant": domain}
    yield TicketKind.REBIND, {"organisation": other.school, "tenant": mine}
    yield TicketKind.SERVICE_PLAN_POLICY, {"tenant": domain, "sku_id": A3, "off": ["YAMMER_EDU"]}


def sent_in(value: Any) -> Iterator[str]:
    """Every text in what was sent, the longest first when sorted: an answer may repeat it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from (*sent_in(name), *sent_in(part))
    elif isinstance(value, list):
        for part in value:
            yield from sent_in(part)


class TestItsTicketAboutAnothers:
    """The way in that no route closes: a ticket of one's own that names what is another's."""

    FORMS = ("application/json", "text/html", "text/plain")

    @pytest.mark.parametrize("spoken_for", [False, True], ids=["by nobody", "by a mandated contact"])
    def test_tells_nothing_of_it_but_what_was_sent(
        self, services: Services, board: Asker, ours: Settled, theirs: Settled, spoken_for: bool
    ) -> None:
        if spoken_for:
            with services.open_uow() as uow:
                mandate = make_tickets.mandate(ours.board, record_id="m", actor="contact-1")
                uow.records.save([mandate, make_tickets.declaration(ours.school, board=ours.board)], NOW)
                uow.commit()
        sent: set[str] = set()
        read: set[int] = set()
        for number, (kind, wish) in enumerate(wishes_about(theirs, ours)):
            form = {"source": "board", "reference": f"probe {number}", "kind": kind, "organisation": ours.board}
            brought = board.post("/api/v1/tickets", form | {"requester": "contact-1", "wish": wish})
            shown = [brought, board.get("/api/v1/tickets"), board.get("/api/v1/notices"), board.get("/api/v1/audit")]
            assert brought.status_code == 200, brought.text
            sent |= {one for one in (*sent_in(form), *sent_in(wish)) if len(one) > 3}
            path = f"/api/v1/tickets/{brought.json()[0]['ticket']['ticket_id']}"
            assessments = list(self._assessments(board, path))
            read |= {answer.status_code for answer in assessments}
            shown += [board.get(path), *assessments]
            for answer in shown:
                assert answer.status_code < 500, answer.text
                told = answer.text
                for one in sorted(sent, key=len, reverse=True):
                    told = told.replace(one, "")
                found = [mark for mark in theirs.strings if mark in told]
                assert found == [], f"{kind} {wish}: {answer.text}"
        assert (200 in read) is spoken_for  # what was looked through is not all refusals

    def _assessments(self, board: Asker, path: str) -> Iterator[Any]:
        return (board.get(f"{path}/assessment", headers={"Accept": form}) for form in self.FORMS)


class TestItsOwn:
    def test_is_shown(self, board: Asker, ours: Settled) -> None:
        (line,) = board.get("/api/v1/orders").json()["items"]
        assert line["shop"]["key"]["order_number"] == ours.order
        assert board.get(f"/api/v1/orders/{ours.order}").json() == [line]
        (operation,) = board.get("/api/v1/operations").json()["items"]
        assert operation["operation_id"] == ours.operation
        shown = board.get(f"/api/v1/operations/{ours.operation[:8]}").json()
        assert shown["people"]["planned" if "planned" in shown["people"] else next(iter(shown["people"]))] == 2
        assert len(board.get("/api/v1/audit").json()["items"]) == 2
        assert board.get("/api/v1/audit", params={"operation": ours.operation}).json()["items"]

    def test_is_shown_of_tickets_as_far_as_boards_may_know(self, board: Asker, ours: Settled) -> None:
        (ticket,) = board.get("/api/v1/tickets").json()["items"]
        assert (ticket["ticket_id"], ticket["reference"]) == (ours.ticket, ours.reference)
        shown = board.get(f"/api/v1/tickets/{ours.ticket[:8]}")
        assert shown.json()["ticket"] == ticket
        assert [one["topic"] for one in shown.json()["answers"]] == ["ticket_received"]
        for kept in ("secret of", "person:", "authors", "requested_by"):
            assert kept not in shown.text

    def test_names_nobody_of_its_people_by_id(self, board: Asker, ours: Settled) -> None:
        assert "named" not in board.get(f"/api/v1/operations/{ours.operation}").text

    def test_what_people_of_ours_decide_is_not_there_for_it(self, board: Asker, ours: Settled) -> None:
        for path in (f"plans/{ours.operation}", f"tenants/{ours.tenant}", "worklist", "actors", "configuration"):
            assert board.get(f"/api/v1/{path}").status_code == 404, path

    def test_a_second_school_is_seen_as_soon_as_it_stands_under_the_board(
        self, services: Services, board: Asker, ours: Settled, theirs: Settled
    ) -> None:
        from provisioning.domain.tenancy import Relation, RelationKind
        from tests.factories import TODAY

        with services.open_uow() as uow:
            uow.organisations.add_relations(
                [
                    Relation(
                        parent_id=ours.board, child_id=theirs.school, kind=RelationKind.HIERARCHICAL, valid_from=TODAY
                    )
                ]
            )
            uow.commit()
        assert len(board.get("/api/v1/orders").json()["items"]) == 2


class TestOtherClients:
    def test_a_shop_sees_what_it_brought_in_and_nothing_else(
        self, client: TestClient, services: Services, token_of: Any, ours: Settled, theirs: Settled
    ) -> None:
        shop = Asker(client, token_of(f"client:shop-{ours.mark}", Role.SHOP))
        (line,) = shop.get("/api/v1/orders").json()["items"]
        assert line["shop"]["key"]["order_number"] == ours.order
        (operation,) = shop.get("/api/v1/operations").json()["items"]
        assert operation["operation_id"] == ours.operation
        assert shop.get(f"/api/v1/orders/{theirs.order}").status_code == 404
        assert shop.get(f"/api/v1/operations/{theirs.operation}").status_code == 404
        assert shop.get("/api/v1/notices").json()["items"] == []
        assert shop.get("/api/v1/audit").json()["items"] == []

    @pytest.mark.parametrize("noun", ["orders", "operations", "tickets", "notices", "audit"])
    def test_a_desk_that_brought_nothing_in_sees_nothing(
        self, client: TestClient, token_of: Any, ours: Settled, noun: str
    ) -> None:
        desk = Asker(client, token_of("client:desk", Role.DESK))
        assert desk.get(f"/api/v1/{noun}").json() == {"items": [], "next": None}

    def test_a_desk_sees_the_tickets_that_it_brought_in_and_nothing_else(
        self, client: TestClient, token_of: Any, ours: Settled, theirs: Settled
    ) -> None:
        desk = Asker(client, token_of(f"client:desk-{ours.mark}", Role.DESK))
        (ticket,) = desk.get("/api/v1/tickets").json()["items"]
        assert ticket["reference"] == ours.reference
        assert desk.get(f"/api/v1/tickets/{ours.ticket}").json()["ticket"] == ticket
        for path in (theirs.ticket, f"{theirs.ticket}/complete"):
            answer = desk.send("POST" if path.endswith("complete") else "GET", f"/api/v1/tickets/{path}", json={})
            assert answer.status_code == 404


class TestPeopleOfOurs:
    @pytest.mark.parametrize(
        "noun", ["orders", "operations", "tickets", "audit", "notices", "organisations", "tenants"]
    )
    def test_see_both_boards(self, operator: Asker, ours: Settled, theirs: Settled, noun: str) -> None:
        told = operator.get(f"/api/v1/{noun}").text
        assert all(any(string in told for string in one.strings) for one in (ours, theirs))

    def test_read_every_route(self, client: TestClient, operator: Asker, ours: Settled) -> None:
        for route, method, operation in described(client):
            for query, path in product(queries(operation, names_of(ours)), [path_of(route, names_of(ours))]):
                if method == "GET":
                    answer = operator.get(path, params=query)
                    assert answer.status_code in {200, 403, 409}, f"{path} {query} {answer.text}"


def _blank(text: str, names: Mapping[str, str]) -> str:
    for sent in names.values():
        text = text.replace(sent, "…") if len(sent) > 1 else text
    return text
