from celery import Celery

from provisioning.broker.queues import Queue
from tasks.app import Configuration, app


def configured(**known: object) -> Celery:
    """Our configuration with these settings instead of the environment's."""
    configuration = Configuration()
    vars(configuration)["settings"] = type("Known", (), known)()
    fresh = Celery("fresh", set_as_current=False)
    fresh.config_from_object(configuration)
    return fresh


class TestApplication:
    def test_has_the_task_that_carries_an_operation_and_one_per_round(self) -> None:
        app.loader.import_default_modules()
        ours = {name for name in app.tasks if not name.startswith("celery.")}
        assert ours == {
            "operations.advance",
            "sweeps.collect_orders",
            "sweeps.compare_orders",
            "sweeps.find_strays",
            "sweeps.purge_migrations",
            "sweeps.purge_tickets",
            "sweeps.purge_operations",
            "sweeps.purge_answers",
            "sweeps.purge_references",
            "sweeps.purge_webhooks",
            "sweeps.relay_outbox",
            "sweeps.send_webhooks",
            "sweeps.requeue_operations",
            "sweeps.seal_audit",
            "sweeps.serve_waiting",
            "sweeps.sweep_migrations",
            "sweeps.sweep_tickets",
            "sweeps.sweep_campaigns",
            "sweeps.check_campaigns",
        }

    def test_a_message_is_done_when_its_work_is_and_never_comes_back_from_a_killed_worker(self) -> None:
        conf = configured(redis_url=None).conf
        assert (conf.task_acks_late, conf.task_reject_on_worker_lost) == (True, False)

    def test_a_worker_takes_one_message_at_a_time(self) -> None:
        assert configured().conf.worker_prefetch_multiplier == 1

    def test_nothing_is_kept_of_results(self) -> None:
        conf = configured().conf
        assert (conf.result_backend, conf.task_ignore_result) == (None, True)

    def test_only_json_is_understood(self) -> None:
        assert list(configured().conf.accept_content) == ["json"]

    def test_rounds_go_to_their_own_queue(self) -> None:
        assert configured().conf.task_default_queue == Queue.SWEEPS

    def test_the_broker_is_the_redis_of_the_settings(self) -> None:
        class Url:
            def get_secret_value(self) -> str:
                return "unix:///run/v.sock?db=2"

        assert configured(redis_url=Url()).conf.broker_url == "redis+socket:///run/v.sock?virtual_host=2"

    def test_the_schedule_leaves_no_file(self) -> None:
        assert configured().conf.beat_scheduler == "celery.beat:Scheduler"
