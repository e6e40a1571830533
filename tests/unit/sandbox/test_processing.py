"""The queue of a tenant: first come, first served, at a pace."""

from provisioning.sandbox.processing import Queue


def due_times(queue: Queue) -> list[tuple[float, str | None]]:
    return [(job.due, job.user) for job in queue.jobs]


class TestQueue:
    def test_the_first_is_due_after_the_delay_and_the_others_at_the_pace(self) -> None:
        queue = Queue()
        queue.add("g", ["a", "b"], 20.0, 0.5)
        assert due_times(queue) == [(20.0, "a"), (20.5, "b")]

    def test_who_comes_later_is_served_later(self) -> None:
        queue = Queue()
        queue.add("g", ["a", "b", "c"], 20.0, 10.0)
        queue.add("h", ["d"], 25.0, 10.0)
        assert due_times(queue)[-1] == (50.0, "d")

    def test_nothing_is_given_out_before_it_is_due(self) -> None:
        queue = Queue()
        queue.add("g", ["a"], 20.0, 1.0)
        assert queue.next_due(19.9) is None
        job = queue.next_due(20.0)
        assert job is not None
        assert (job.group, job.user) == ("g", "a")
        assert queue.next_due(99.0) is None

    def test_a_group_is_pending_until_its_last_person(self) -> None:
        queue = Queue()
        assert not queue.is_pending("g")
        queue.add("g", ["a", "b"], 0.0, 1.0)
        queue.next_due(5.0)
        assert queue.is_pending("g")
        queue.next_due(5.0)
        assert not queue.is_pending("g")

    def test_a_rule_is_no_licence(self) -> None:
        queue = Queue()
        queue.add("g", [None], 0.0, 1.0, is_rule=True)
        assert not queue.is_pending("g")
