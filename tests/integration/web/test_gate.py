"""Who is let in, how often, and what stands around every answer."""

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from provisioning.bootstrap import Services
from provisioning.database.realm import Realm, claim_realm
from provisioning.domain.actors import Role
from provisioning.domain.errors import UnavailableError
from provisioning.web.access import SECURITY_HEADERS
from provisioning.web.app import create_app, routes_of
from tests.factories import NOW
from tests.integration.web.conftest import Asker, MakeServices


class TestTokens:
    def test_nothing_behind_the_gate_answers_without_one(self, client: TestClient) -> None:
        for route in routes_of(client.app):
            if route.path.startswith("/api/v1"):
                for method in route.methods:
                    answer = client.request(method, route.path)
                    assert answer.status_code == 401, route.path
                    assert answer.headers["www-authenticate"].startswith("Bearer")

    def test_what_does_not_exist_is_not_told_to_strangers(self, client: TestClient) -> None:
        assert client.get("/api/v1/nothing").status_code == 401

    def test_an_unknown_one_is_refused_in_the_words_of_the_command_line(self, client: TestClient) -> None:
        answer = client.get("/api/v1/orders", headers={"Authorization": "Bearer wrong"})
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"].startswith("This token is unknown or was revoked")

    @pytest.mark.parametrize("header", ["Basic abc", "Bearer", "Bearer  ", "token-of-person:duty"])
    def test_only_bearer_tokens_are_taken(self, client: TestClient, operator: Asker, header: str) -> None:
        assert operator.get("/api/v1/orders").status_code == 200
        assert client.get("/api/v1/orders", headers={"Authorization": header}).status_code == 401

    def test_a_revoked_one_is_refused_at_once(self, asker: Callable[..., Asker]) -> None:
        admin, gone = asker("person:admin", Role.ADMIN), asker("person:gone", Role.AUDITOR)
        assert gone.get("/api/v1/worklist").status_code == 200
        assert admin.post("/api/v1/actors/person:gone/revoke").json() == {"revoked": "person:gone"}
        assert gone.get("/api/v1/worklist").status_code == 401


class TestRateLimit:
    @pytest.fixture
    def services(self, make_services: MakeServices) -> Services:
        return make_services(api_requests_per_minute=3)

    def test_says_how_much_is_left(self, operator: Asker) -> None:
        answer = operator.get("/api/v1/orders")
        assert answer.headers["ratelimit-limit"] == "3"
        assert answer.headers["ratelimit-remaining"] == "2"
        assert 0 < int(answer.headers["ratelimit-reset"]) <= 60

    def test_one_too_many_is_told_when_to_come_back(self, operator: Asker) -> None:
        answers = [operator.get("/api/v1/orders") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert 0 < int(answers[-1].headers["retry-after"]) <= 60
        assert answers[-1].json()["type"].endswith("too-often")

    def test_guessing_at_tokens_is_counted_and_hurts_nobody_who_has_one(
        self, client: TestClient, operator: Asker
    ) -> None:
        guesses = [Asker(client, f"guess {number}").get("/api/v1/orders") for number in range(5)]
        assert [answer.status_code for answer in guesses] == [401, 401, 401, 429, 429]
        assert 0 < int(guesses[-1].headers["retry-after"]) <= 60
        assert operator.get("/api/v1/orders").status_code == 200

    def test_counts_each_actor_alone(self, operator: Asker, shop: Asker) -> None:
        for _ in range(4):
            operator.get("/api/v1/orders")
        assert shop.get("/api/v1/orders").status_code == 200

    def test_lets_everybody_through_while_redis_is_away(self, services: Services, operator: Asker) -> None:
        class Away:
            def take(self, _actor: str) -> None:
                raise UnavailableError("Redis does not answer.")

        vars(services)["rate_limit"] = Away()
        assert [operator.get("/api/v1/orders").status_code for _ in range(5)] == [200] * 5


class TestSize:
    @pytest.fixture
    def services(self, make_services: MakeServices) -> Services:
        return make_services(api_body_bytes=10_000)

    def test_a_body_that_says_it_is_too_large_is_refused(self, operator: Asker) -> None:
        answer = operator.send("POST", "/api/v1/records", content=b"x" * 10_001)
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"

    def test_so_is_one_that_does_not_say_it_and_goes_on(self, operator: Asker) -> None:
        read = []

        def parts():  # noqa: ANN202
            for number in range(1000):
                read.append(number)
                yield b"x" * 1000

        answer = operator.send("POST", "/api/v1/records", content=parts())
        assert answer.status_code == 413

    def test_as_much_as_is_allowed_is_read(self, operator: Asker) -> None:
        answer = operator.send("POST", "/api/v1/records", content=b" " * 9_999)
        assert answer.status_code in {200, 422}


class TestHeaders:
    def test_are_on_every_answer(self, client: TestClient, operator: Asker) -> None:
        for answer in (client.get("/healthz"), client.get("/api/v1/orders"), operator.get("/api/v1/orders")):
            assert {name: answer.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
            assert answer.headers["x-request-id"]

    def test_no_other_site_may_ask_in_a_readers_name(self, client: TestClient) -> None:
        answer = client.options(
            "/api/v1/orders", headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
        )
        assert not [name for name in answer.headers if name.startswith("access-control")]


class TestFaults:
    def test_are_told_as_a_number_and_nothing_else(self, services: Services, operator: Asker) -> None:
        class Broken:
            def orders(self, *_: object) -> None:
                raise ZeroDivisionError("secret of the house")

        vars(services)["browse"] = Broken()
        answer = operator.get("/api/v1/orders")
        assert answer.status_code == 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert "secret" not in answer.text
        assert answer.headers["x-content-type-options"] == "nosniff"


class TestWatching:
    def test_alive_needs_no_token_and_nothing_else(self, make_services: MakeServices) -> None:
        services = make_services(database_url="postgresql+psycopg://nobody@localhost:1/none")
        client = TestClient(create_app(services))
        assert client.get("/healthz").json() == {"status": "alive"}

    def test_ready_when_every_part_is(self, services: Services, client: TestClient) -> None:
        assert [part["part"] for part in client.get("/readyz").json()["parts"] if part["lacking"]] == ["realm"]
        claim_realm(services.engine, Realm.SANDBOX, NOW)
        answer = client.get("/readyz")
        assert answer.status_code == 200, answer.text
        assert {part["part"] for part in answer.json()["parts"]} == {
            "database",
            "schema",
            "realm",
            "broker",
            "configuration",
        }

    def test_not_ready_says_what_is_lacking_and_no_secret(self, make_services: MakeServices) -> None:
        services = make_services(
            database_url="postgresql+psycopg://somebody:password@localhost:1/none", redis_url="redis://localhost:1/0"
        )
        answer = TestClient(create_app(services)).get("/readyz")
        assert answer.status_code == 503
        lacking = {part["part"] for part in answer.json()["parts"] if part["lacking"]}
        assert lacking == {"database", "broker"}
        assert "somebody" not in answer.text
        assert "localhost" not in answer.text

    def test_figures_are_for_people_of_ours(self, client: TestClient, operator: Asker, shop: Asker) -> None:
        assert client.get("/metrics").status_code == 401
        assert shop.get("/metrics").status_code == 403
        answer = operator.get("/metrics")
        assert answer.status_code == 200
        assert "provisioning_verified_per_minute 0.0" in answer.text

    def test_and_for_the_scraper(self, make_services: MakeServices) -> None:
        client = TestClient(create_app(make_services(scrape_token="s" * 32)))
        assert client.get("/metrics", headers={"Authorization": "Bearer " + "s" * 32}).status_code == 200
        assert client.get("/metrics", headers={"Authorization": "Bearer " + "x" * 32}).status_code == 401
        assert client.get("/api/v1/orders", headers={"Authorization": "Bearer " + "s" * 32}).status_code == 401

    def test_the_description_needs_no_token(self, client: TestClient) -> None:
        assert client.get("/api/openapi.json").json()["openapi"].startswith("3.1")
