"""A request that comes twice under one key is carried out once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from provisioning.bootstrap import Services
from provisioning.domain.actors import Role
from provisioning.domain.errors import UnavailableError
from provisioning.domain.worklist import Stop
from provisioning.web.app import create_app
from tests.factories import NOW, orders, tenancy
from tests.integration.web.conftest import Asker

KEY = {"Idempotency-Key": "a-key-of-the-client"}
STOP = {"scope": "all", "reason": "odd receipts"}


def stops_written(services: Services) -> int:
    with services.open_uow() as uow:
        return sum(event.kind == "writes.stopped" for event in uow.audit.list_by())


def kept(services: Services) -> list[Any]:
    with services.engine.connect() as connection:
        return list(connection.execute(text("SELECT actor, key, status, body FROM kept_answers")))


class TestTwice:
    def test_gets_the_first_answer_and_changes_nothing_more(self, services: Services, operator: Asker) -> None:
        first = operator.post("/api/v1/stops", STOP, headers=KEY)
        operator.post("/api/v1/stops/resume", {"scope": "all"})
        again = operator.post("/api/v1/stops", STOP, headers=KEY)
        assert first.status_code == again.status_code == 200
        assert again.json() == first.json()
        assert again.headers["idempotency-replayed"] == "true"
        assert "idempotency-replayed" not in first.headers
        with services.open_uow() as uow:
            assert uow.stops.list_all() == []

    def test_with_another_body_is_refused(self, operator: Asker) -> None:
        operator.post("/api/v1/stops", STOP, headers=KEY)
        answer = operator.post("/api/v1/stops", STOP | {"scope": "kind:remap"}, headers=KEY)
        assert answer.status_code == 422
        assert "another request" in answer.json()["detail"]

    def test_to_another_place_is_refused(self, operator: Asker) -> None:
        operator.post("/api/v1/stops", STOP, headers=KEY)
        assert operator.post("/api/v1/stops/resume", {"scope": "all"}, headers=KEY).status_code == 422

    def test_the_same_key_of_somebody_else_is_another_key(self, operator: Asker, asker: Callable[..., Asker]) -> None:
        operator.post("/api/v1/stops", STOP, headers=KEY)
        other = asker("person:night", Role.OPERATOR)
        assert other.post("/api/v1/stops/resume", {"scope": "all"}, headers=KEY).status_code == 200

    def test_without_a_key_is_twice(self, services: Services, operator: Asker) -> None:
        operator.post("/api/v1/stops", STOP)
        assert operator.post("/api/v1/stops", STOP).status_code == 200
        assert kept(services) == []

    @pytest.mark.parametrize("key", ["", "x" * 201, "tab\there"])
    def test_a_key_that_is_none_is_refused(self, operator: Asker, key: str) -> None:
        answer = operator.post("/api/v1/stops", STOP, headers={"Idempotency-Key": key})
        assert answer.status_code == 422

    def test_a_refusal_changed_nothing_so_its_key_is_free(self, services: Services, operator: Asker) -> None:
        assert operator.post("/api/v1/tenants", {"domain": "nobody.example"}, headers=KEY).status_code == 422
        assert kept(services) == []
        assert operator.post("/api/v1/stops", STOP, headers=KEY).status_code == 200

    def test_what_broke_off_stays_unknown_and_is_not_repeated(self, services: Services, operator: Asker) -> None:
        class Away:
            def __call__(self, *_: object) -> Stop:
                raise UnavailableError("The database was lost while it was written.")

        vars(services)["stop_writes"] = Away()
        assert operator.post("/api/v1/stops", STOP, headers=KEY).status_code == 503
        del vars(services)["stop_writes"]
        answer = operator.post("/api/v1/stops", STOP, headers=KEY)
        assert (answer.status_code, answer.headers["retry-after"]) == (409, "5")
        assert stops_written(services) == 0


class TestAtTheSameMoment:
    def test_the_work_is_done_once(self, services: Services, token_of: Callable[..., str]) -> None:
        """Two threads, each with a client and connections of its own."""
        token, together = token_of("person:duty", Role.OPERATOR), Barrier(2)
        works = []
        stop_writes = services.stop_writes

        def slowly(*given: Any) -> Stop:
            works.append(given)
            return stop_writes(*given)

        vars(services)["stop_writes"] = slowly

        def ask(_number: int) -> int:
            asker = Asker(TestClient(create_app(services)), token)
            together.wait()
            return int(asker.post("/api/v1/stops", STOP, headers=KEY).status_code)

        with ThreadPoolExecutor(2) as threads:
            statuses = sorted(threads.map(ask, range(2)))
        assert len(works) == 1
        assert statuses in ([200, 200], [200, 409])  # the second came after the answer, or before it
        assert stops_written(services) == 1

    def test_of_two_claims_one_waits_for_the_other(self, services: Services) -> None:
        claimed = []
        with services.open_uow() as first:
            assert first.answers.claim("person:duty", "k", "d", NOW) is None

            def second() -> None:
                with services.open_uow() as uow:
                    claimed.append(uow.answers.claim("person:duty", "k", "d", NOW))

            with ThreadPoolExecutor(1) as thread:
                waiting = thread.submit(second)
                assert not waiting.done()
                first.commit()
                waiting.result(timeout=10)
        assert claimed[0].status is None


class TestWhatIsKept:
    def test_is_never_a_token(self, services: Services, asker: Callable[..., Asker]) -> None:
        admin, body = asker("person:admin", Role.ADMIN), {"actor": "client:new", "roles": ["shop"]}
        made = admin.post("/api/v1/actors", body, headers=KEY).json()
        again = admin.post("/api/v1/actors", body, headers=KEY)
        assert made["token"]
        assert again.json() == made | {"token": None}
        assert made["token"] not in repr(kept(services))

    def test_is_nobodys_address(self, services: Services, operator: Asker) -> None:
        line = orders.shop_line(subjects=("somebody@school.example",), organisation_code="41AA")
        with services.open_uow() as uow:
            uow.organisations.save([tenancy.organisation(organisation_id="41AA")])
            uow.orders.receive(line, NOW)
            uow.commit()
        path = f"/api/v1/orders/{line.key.order_number}/cancel"
        answer = operator.post(path, {"reason": "typed twice"}, headers=KEY)
        assert answer.json()["shop"]["subjects"] == ["somebody@school.example"]
        assert "somebody" not in repr(kept(services))
        assert operator.post(path, {"reason": "typed twice"}, headers=KEY).json()["state"] == "cancelled"

    def test_goes_after_a_day(self, services: Services, operator: Asker) -> None:
        operator.post("/api/v1/stops", STOP, headers=KEY)
        assert services.purge_answers() == 0
        with services.engine.begin() as connection:
            connection.execute(text("DELETE FROM kept_answers"))
        with services.open_uow() as uow:
            uow.answers.claim("person:duty", "old", "d", services.clock.wall() - timedelta(hours=25))
            uow.commit()
        assert services.purge_answers() == 1
        assert kept(services) == []
