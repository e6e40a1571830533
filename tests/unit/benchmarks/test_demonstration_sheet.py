from typing import Any

import msgspec
import pytest

from provisioning.domain.lifecycle import OperationState
from provisioning.local import witness
from tests.benchmarks.demonstration_sheet import Demonstration, Kill, TenantSheet, table, with_promises

WELL = witness.Testimony(changes=400, claims=400, repeats=0)
TWICE = msgspec.structs.replace(WELL, written_twice=("a-request",))
TORN = msgspec.structs.replace(WELL, unclaimed=("a-request",))
GOOD = TenantSheet(
    name="school-01",
    tenant_id="t1",
    state=OperationState.COMPLETED,
    ordered=400,
    people=400,
    verified=400,
    waiting=0,
    others=0,
    holders=400,
    listed_right=True,
    testimony=WELL,
    done_after=101.4,
)
SHORT = msgspec.structs.replace(
    GOOD,
    name="school-02",
    state=OperationState.PARTIALLY_COMPLETED,
    ordered=360,
    verified=360,
    waiting=40,
    holders=360,
)
CLOSED = msgspec.structs.replace(
    GOOD, name="school-03", state=OperationState.AWAITING_CONSENT, verified=0, holders=0, done_after=None
)
KILL = Kill(
    at_share=0.4,
    in_doubt=(20, 20),
    untouched=5_000,
    goes_on_after=6.2,
    others_after=8.0,
    locked_after=31.5,
    settled_after=62.8,
)


def shown(*tenants: TenantSheet, **kill: Any) -> Demonstration:
    return with_promises(
        Demonstration(
            tenants=tenants or (GOOD, SHORT, CLOSED),
            kill=msgspec.structs.replace(KILL, **kill),
            short="school-02",
            closed="school-03",
            taken=113.0,
            calls=10_664,
            refused=1_104,
            least=91.4,
            settle_within=80.0,
            lease=30.0,
            round_of_turns=4.3,
        )
    )


def broken(of: Demonstration) -> list[str]:
    return [promise.told for promise in of.promises if not promise.kept]


class TestPromises:
    def test_a_good_day_keeps_them_all(self) -> None:
        assert (shown().is_kept, broken(shown())) == (True, [])

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            pytest.param({"verified": 399}, "every list adds up", id="somebody is missing"),
            pytest.param({"listed_right": False}, "who is called verified holds", id="the list is not true"),
            pytest.param({"testimony": TORN}, "each change has one line", id="a change without a line"),
            pytest.param({"others": 1, "verified": 399}, "everybody reached an end", id="somebody is left in between"),
            pytest.param({"state": OperationState.VERIFYING}, "and holds up nobody", id="a tenant is not done"),
            pytest.param(
                {"testimony": msgspec.structs.replace(WELL, written_twice=("r",))},
                "no change is made twice",
                id="twice",
            ),
        ],
    )
    def test_a_broken_one_is_named(self, change: dict[str, Any], told: str) -> None:
        found = shown(msgspec.structs.replace(GOOD, **change), SHORT, CLOSED)
        assert not found.is_kept
        assert any(promise.startswith(told) for promise in broken(found)), broken(found)

    @pytest.mark.parametrize(
        ("figure", "kept", "lost"),
        [
            ("goes_on_after", 10.0, 10.1),
            ("others_after", 14.3, 14.4),
            ("locked_after", 40.0, 40.1),
            ("settled_after", 80.0, 80.1),
            ("in_doubt", (160,), (160, 161)),
        ],
    )
    def test_both_sides_of_each_bound(self, figure: str, kept: Any, lost: Any) -> None:
        assert shown(**{figure: kept}).is_kept
        assert len(broken(shown(**{figure: lost}))) == 1

    @pytest.mark.parametrize(
        "change",
        [{"waiting": 39, "verified": 361, "holders": 361}, {"state": OperationState.COMPLETED}],
        ids=["number", "state"],
    )
    def test_who_has_no_seat_is_on_the_waiting_list(self, change: dict[str, Any]) -> None:
        assert broken(shown(GOOD, msgspec.structs.replace(SHORT, **change), CLOSED))

    @pytest.mark.parametrize("change", [{"holders": 1}, {"state": OperationState.HELD}])
    def test_nothing_is_written_without_consent(self, change: dict[str, Any]) -> None:
        assert broken(shown(GOOD, SHORT, msgspec.structs.replace(CLOSED, **change)))


class TestTable:
    def test_it_fits_eighty_columns(self) -> None:
        assert max(map(len, table(shown()))) <= 80

    def test_it_has_a_line_for_each_tenant_and_each_promise(self) -> None:
        lines = list(table(shown()))
        assert len([line for line in lines if line.startswith("school-")]) == 3
        assert len([line for line in lines if line.startswith(("ok ", "NO "))]) == len(shown().promises)

    def test_what_is_wrong_stands_out(self) -> None:
        lines = list(table(shown(msgspec.structs.replace(GOOD, listed_right=False), SHORT, CLOSED)))
        assert next(line for line in lines if line.startswith("school-01")).endswith("NO")
        assert [line for line in lines if line.startswith("NO ")]

    def test_it_says_against_whom(self) -> None:
        assert "Against the twin of Graph" in " ".join(table(shown()))


class TestJson:
    def test_programs_get_the_same(self) -> None:
        found = msgspec.json.decode(msgspec.json.encode(shown()))
        assert [promise["kept"] for promise in found["promises"]] == [True] * len(shown().promises)
        assert found["kill"]["settled_after"] == 62.8
