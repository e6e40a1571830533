"""Orders over HTTP: in, in pages, and refused in words."""

from collections.abc import Callable
from typing import Any

import pytest

from provisioning.bootstrap import Services
from provisioning.domain.actors import Role
from tests.factories import NOW, orders, tenancy
from tests.integration.web.conftest import Asker

LINE = {"line_number": "1", "organisation_code": "41AA", "article_code": "MS-BP-A3-MED", "quantity": 3}


def order(number: str = "2026-1", **fields: Any) -> dict[str, Any]:
    return {"orders": [{"order_number": number, "lines": [LINE | fields]}]}


def received(services: Services, *numbers: str) -> None:
    with services.open_uow() as uow:
        uow.organisations.save([tenancy.organisation(organisation_id="41AA")])
        for number in numbers:
            uow.orders.receive(orders.shop_line(key=orders.line_key(order_number=number)), NOW)
        uow.commit()


class TestSubmit:
    def test_whole_orders_reach_the_order_database(self, services: Services, shop: Asker) -> None:
        assert shop.post("/api/v1/orders", order()).json() == {"submitted": 1}
        (line,) = services.order_source.changed_since(None)
        assert (line.key.order_number, line.quantity, line.actor) == ("2026-1", 3, "client:webshop")

    def test_are_collected_and_then_seen_by_whoever_brought_them_in(
        self, services: Services, shop: Asker, asker: Callable[..., Asker]
    ) -> None:
        shop.post("/api/v1/orders", order())
        services.collect_orders()
        (line,) = shop.get("/api/v1/orders").json()["items"]
        assert line["shop"]["key"]["order_number"] == "2026-1"
        assert shop.get("/api/v1/orders/2026-1").json() == [line]
        assert asker("client:other", Role.SHOP).get("/api/v1/orders").json()["items"] == []

    def test_one_client_does_not_write_over_the_lines_of_another(
        self, services: Services, shop: Asker, asker: Callable[..., Asker]
    ) -> None:
        shop.post("/api/v1/orders", order())
        other = asker("client:other", Role.SHOP).post("/api/v1/orders", order(quantity=900))
        assert other.status_code == 409
        assert "webshop" not in other.text
        (line,) = services.order_source.changed_since(None)
        assert line.quantity == 3

    def test_its_own_line_is_corrected(self, services: Services, shop: Asker) -> None:
        shop.post("/api/v1/orders", order())
        assert shop.post("/api/v1/orders", order(quantity=4)).json() == {"submitted": 1}
        (line,) = services.order_source.changed_since(None)
        assert line.quantity == 4

    def test_one_mistake_and_nothing_is_taken_and_each_mistake_is_named(self, services: Services, shop: Asker) -> None:
        wrong = {"orders": [order()["orders"][0], {"order_number": "", "lines": [LINE | {"quantity": "many"}]}]}
        answer = shop.post("/api/v1/orders", wrong)
        assert answer.status_code == 422
        assert answer.json()["type"] == "urn:licence-provisioning:problem:wrong-input"
        assert {one["field"] for one in answer.json()["errors"]} >= {"order 2, line 1, order_number"}
        assert list(services.order_source.changed_since(None)) == []

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"orders": {}}', b'{"orders": []}', b"\xff\xfe", b"\x00"])
    def test_what_is_no_order_is_said_to_be_none(self, shop: Asker, content: bytes) -> None:
        answer = shop.send("POST", "/api/v1/orders", content=content)
        assert answer.status_code in {400, 422}
        assert answer.json()["detail"]

    def test_a_board_that_is_a_shop_too_orders_for_itself_only(
        self, services: Services, asker: Callable[..., Asker]
    ) -> None:
        with services.open_uow() as uow:
            uow.organisations.save(tenancy.organisation(organisation_id=code) for code in ("41000", "41AA"))
            uow.organisations.add_relations([tenancy.relation("41000", "41AA")])
            uow.commit()
        board = asker("client:board", Role.BOARD, Role.SHOP, board="41000")
        refused = board.post("/api/v1/orders", order(organisation_code="42BB"))
        assert refused.status_code == 422
        assert list(services.order_source.changed_since(None)) == []
        assert board.post("/api/v1/orders", order()).json() == {"submitted": 1}

    def test_a_board_may_not(self, asker: Callable[..., Asker]) -> None:
        board = asker("client:board", Role.BOARD, board="41000")
        answer = board.post("/api/v1/orders", order())
        assert answer.status_code == 403
        assert answer.json()["detail"].startswith("client:board may not submit orders")


class TestPages:
    def test_follow_each_other_to_the_end(self, services: Services, operator: Asker) -> None:
        received(services, *(f"n-{number:02d}" for number in range(7)))
        seen, query = [], {"limit": 3}
        while True:
            answer = operator.get("/api/v1/orders", params=query)
            page = answer.json()
            seen += [line["shop"]["key"]["order_number"] for line in page["items"]]
            if page["next"] is None:
                assert "link" not in answer.headers
                break
            assert answer.headers["link"] == f'<?limit=3&cursor={page["next"]}>; rel="next"'
            query = {"limit": 3, "cursor": page["next"]}
        assert seen == [f"n-{number:02d}" for number in range(7)]

    def test_are_not_disturbed_by_what_comes_in_meanwhile(self, services: Services, operator: Asker) -> None:
        received(services, "n-1", "n-3", "n-4")
        first = operator.get("/api/v1/orders", params={"limit": 2}).json()
        received(services, "n-2", "n-5")
        second = operator.get("/api/v1/orders", params={"limit": 2, "cursor": first["next"]}).json()
        assert [line["shop"]["key"]["order_number"] for line in second["items"]] == ["n-4", "n-5"]

    def test_are_of_the_states_that_are_asked_for(self, services: Services, operator: Asker) -> None:
        received(services, "n-1")
        assert operator.get("/api/v1/orders?state=held&state=rejected").json()["items"] == []
        assert len(operator.get("/api/v1/orders?state=received").json()["items"]) == 1
        answer = operator.get("/api/v1/orders?state=lost")
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "query.state.0"

    @pytest.mark.parametrize(
        "query", ["limit=0", "limit=201", "limit=x", "cursor=nonsense", "cursor=WzFd", "cursor=%00"]
    )
    def test_that_nobody_gave_out_are_refused(self, operator: Asker, query: str) -> None:
        assert operator.get(f"/api/v1/orders?{query}").status_code in {400, 422}


class TestDeeds:
    def test_cancel_takes_a_line_back(self, services: Services, operator: Asker) -> None:
        received(services, "n-1")
        answer = operator.post("/api/v1/orders/n-1/cancel", {"reason": "typed twice"})
        assert answer.json()["state"] == "cancelled"
        again = operator.post("/api/v1/orders/n-1/cancel", {"reason": "typed twice"})
        assert again.status_code == 422
        assert "has ended already" in again.json()["detail"]

    def test_release_is_for_what_is_held(self, services: Services, operator: Asker) -> None:
        received(services, "n-1")
        answer = operator.post("/api/v1/orders/n-1/release", {"reason": "no duplicate"})
        assert answer.status_code == 422
        assert "only a held line can be released" in answer.json()["detail"]

    def test_an_order_that_is_not_there_is_not_found(self, operator: Asker) -> None:
        for answer in (
            operator.get("/api/v1/orders/9999"),
            operator.post("/api/v1/orders/9999/cancel", {"reason": "x"}),
        ):
            assert answer.status_code == 404
            assert "There is no order 9999" in answer.json()["detail"]

    def test_a_field_that_nobody_knows_is_named(self, operator: Asker) -> None:
        answer = operator.post("/api/v1/orders/1/cancel", {"reason": "x", "force": True})
        assert answer.status_code == 422
        assert [one["field"] for one in answer.json()["errors"]] == ["body.force"]

    def test_a_get_decides_nothing(self, operator: Asker) -> None:
        assert operator.get("/api/v1/orders/1/cancel").status_code == 405
