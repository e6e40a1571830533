import asyncio

import kombu
import redis
import redis.asyncio
from celery import Celery

from provisioning.local.engines import Engines


class TestRedisUrl:
    def test_suits_redis(self, engines: Engines) -> None:
        with redis.Redis.from_url(engines.redis_url) as client:
            assert client.ping()

    def test_suits_redis_on_a_loop(self, engines: Engines) -> None:
        async def ping() -> bool:
            async with redis.asyncio.Redis.from_url(engines.redis_url) as client:
                return bool(await client.ping())

        assert asyncio.run(ping())

    def test_keeps_nothing_on_disk_and_throws_nothing_out(self, engines: Engines) -> None:
        with redis.Redis.from_url(engines.redis_url) as client:
            settings = client.config_get("save", "appendonly", "maxmemory-policy")
        assert settings == {"save": "", "appendonly": "no", "maxmemory-policy": "noeviction"}


class TestBrokerUrl:
    def test_carries_a_task_of_celery(self, engines: Engines) -> None:
        app = Celery(broker=engines.broker_url)
        sent = app.send_task("orders.apply_plan", ["an id"], queue="probe")
        with kombu.Connection(engines.broker_url) as connection, connection.SimpleQueue("probe") as queue:
            message = queue.get(timeout=10)
            message.ack()
        app.close()
        assert message.headers["id"] == sent.id
        assert message.headers["task"] == "orders.apply_plan"
        assert message.payload[0] == ["an id"]

    def test_is_the_same_database_as_the_other(self, engines: Engines) -> None:
        with kombu.Connection(engines.broker_url) as connection, connection.SimpleQueue("seen") as queue:
            queue.put("word")
        with redis.Redis.from_url(engines.redis_url) as client:
            assert client.llen("seen") == 1
