"""Some at a time, until nothing is left."""

from provisioning.services.purging import purge_all


def test_goes_on_until_nothing_is_found() -> None:
    left, gone = [1, 2, 3, 4, 5], list[int]()

    def purge(one: int) -> None:
        left.remove(one)
        gone.append(one)

    assert purge_all(lambda: left[:2], purge) == 5
    assert (left, gone) == ([], [1, 2, 3, 4, 5])


def test_nothing_is_nothing() -> None:
    assert purge_all(list[int], lambda _: None) == 0
