import json
from base64 import b64decode
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis
from structlog.testing import capture_logs

from provisioning.broker.dispatch import CeleryDispatcher
from provisioning.domain.ids import OperationId
from provisioning.domain.operation import Lane
from provisioning.local.engines import Engines

OPERATION = OperationId("6a0f3c0e-0000-4000-8000-000000000001")
LIFETIME = timedelta(seconds=5)


class TestAdvance:
    @pytest.mark.parametrize(("lane", "queue"), [(Lane.ORDER, "orders"), (Lane.BULK, "bulk")])
    def test_sends_the_id_and_nothing_else_to_the_queue_of_the_lane(
        self, engines: Engines, redis: Redis, lane: Lane, queue: str
    ) -> None:
        CeleryDispatcher(engines.redis_url, LIFETIME).advance(OPERATION, lane)
        message = json.loads(redis.lpop(queue))
        args, kwargs, _ = json.loads(b64decode(message["body"]))
        assert message["headers"]["task"] == "operations.advance"
        assert (args, kwargs) == ([OPERATION], {})

    def test_a_message_nobody_took_in_time_is_void(self, engines: Engines, redis: Redis) -> None:
        CeleryDispatcher(engines.redis_url, LIFETIME).advance(OPERATION, Lane.ORDER)
        assert json.loads(redis.lpop("orders"))["headers"]["expires"] is not None

    def test_without_a_broker_it_says_so_and_goes_on(self, tmp_path: Path) -> None:
        with capture_logs() as lines:
            CeleryDispatcher(f"unix://{tmp_path}/nobody.sock", LIFETIME).advance(OPERATION, Lane.ORDER)
        assert [(line["event"], line["operation_id"]) for line in lines] == [("dispatch.unreachable", OPERATION)]
