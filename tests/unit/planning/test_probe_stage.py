from typing import Any

import msgspec
import pytest

from provisioning.domain.ids import GroupId, ServicePlanId, SkuId, SubjectId
from provisioning.domain.observation import Product, ProductPlan, SeatCount
from provisioning.planning.probe import LICENCES, Ask, Probe
from provisioning.planning.probe_people import Cast
from provisioning.planning.probe_stage import Stage, filled, obstacle, set_stage
from provisioning.planning.probes import OUT_OF_REACH, PROBES

USER, GROUP = SubjectId("user"), GroupId("group")
MCOEV, MCOSTANDARD = "4828c8ec-dc2e-4779-b502-87ac9ce28ab7", "0feaeb32-d00e-4d66-bd5a-43b5b83db82c"
ENTERPRISE, STANDARD = "63038b2c-28d0-45f6-bc36-33062963b498", "0a4983bb-d3e5-4a09-95d8-b2d0127b3df5"


def product(name: str, *plans: str, scope: str = "User") -> Product:
    rows = tuple(ProductPlan(ServicePlanId(plan), plan) for plan in plans)
    return Product(sku_id=SkuId(name), part_number=name, scope=scope, plans=rows)


def count(name: str, **units: int) -> SeatCount:
    nothing = dict.fromkeys(("enabled", "warning", "suspended", "locked_out", "consumed"), 0)
    return SeatCount(sku_id=SkuId(name), part_number=name, capability="", plan_ids=frozenset(), **{**nothing, **units})


def stage(*pairs: tuple[Product, SeatCount], chosen: str | None = None, group: GroupId | None = None) -> Stage:
    counts = {one.sku_id: seats for one, seats in pairs}
    cast = Cast(user=USER, group=group)
    return set_stage(cast, "https://graph", counts, [one for one, _ in pairs], SkuId(chosen) if chosen else None)


class TestTheStage:
    def test_gives_and_takes_a_product_with_a_free_seat(self) -> None:
        found = stage(
            (product("full", "x"), count("full", enabled=1, consumed=1)), (product("free"), count("free", enabled=1))
        )
        assert (found.words["sku"], found.words["exhausted"]) == ("free", "full")

    def test_takes_the_product_that_was_asked_for(self) -> None:
        found = stage((product("a"), count("a", enabled=1)), (product("b"), count("b", enabled=1)), chosen="b")
        assert found.words["sku"] == "b"

    def test_does_not_take_another_one_instead(self) -> None:
        found = stage((product("a"), count("a", enabled=1)), chosen="b")
        assert "sku" not in found.words
        assert found.absent["sku"].startswith("product b has no free seat")

    @pytest.mark.parametrize(
        ("word", "units"),
        [
            ("exhausted", {"enabled": 2, "consumed": 2}),
            ("exhausted", {"enabled": 2, "consumed": 3}),
            ("graced", {"enabled": 1, "consumed": 1, "warning": 1}),
            ("graced", {"warning": 1}),
            ("suspended", {"suspended": 1}),
            ("locked", {"locked_out": 1}),
        ],
    )
    def test_knows_products_that_give_nothing_by_why(self, word: str, units: dict[str, int]) -> None:
        found = stage((product("a"), count("a", **units)))
        troubled = {"exhausted", "graced", "suspended", "locked"}
        assert troubled & found.words.keys() == {word}

    def test_never_touches_what_belongs_to_the_company(self) -> None:
        assert "sku" not in stage((product("a", scope="Company"), count("a", enabled=5))).words

    def test_finds_a_plan_that_needs_others(self) -> None:
        found = stage((product("a", MCOEV, MCOSTANDARD, "z"), count("a", enabled=1)))
        assert (found.words["needy"], found.words["pillars"]) == ("a", (MCOSTANDARD,))
        assert found.words["plan"] == "z"

    def test_finds_two_products_that_exclude_each_other(self) -> None:
        found = stage(
            (product("a", STANDARD), count("a", enabled=1)), (product("b", ENTERPRISE), count("b", enabled=1))
        )
        assert (found.words["clash"], found.words["rival"]) == ("b", "a")

    def test_names_a_product_that_is_not_owned(self) -> None:
        assert stage().words["unowned"]

    def test_says_why_a_word_is_absent(self) -> None:
        absent = stage().absent
        assert {"sku", "exhausted", "graced", "group", "needy", "clash", "popular"} <= absent.keys()

    def test_can_be_copied_to_another_graph(self) -> None:
        copied = stage(group=GROUP).copied(SubjectId("other"), "https://twin")
        assert (copied.words["user"], copied.words["group"], copied.words["graph"]) == ("other", GROUP, "https://twin")


class TestAnObstacle:
    PROBE = Probe(name="p", row="1", question="?", ask=Ask(method="POST", path="/users/<user>", body=["<sku>"]))

    @pytest.mark.parametrize(
        ("changes", "permissions", "why"),
        [
            pytest.param({}, {LICENCES}, None, id="none"),
            pytest.param({}, set(), f"the tenant has not consented to {LICENCES}", id="a permission is missing"),
            pytest.param({"lacks": "X"}, {LICENCES, "X"}, "the tenant has consented to X", id="one is too many"),
            pytest.param(
                {"first": (Ask(method="GET", path="/groups/<group>"),)}, {LICENCES}, "no group was named", id="a word"
            ),
            pytest.param({"ask": Ask(method="GET", path="<next>")}, {LICENCES}, None, id="known only on the way"),
        ],
    )
    def test_is_told(self, changes: dict[str, Any], permissions: set[str], why: str | None) -> None:
        probe = msgspec.structs.replace(self.PROBE, **changes)
        assert obstacle(probe, stage((product("a"), count("a", enabled=1))), permissions) == why


class TestFilling:
    def test_puts_words_in_addresses_and_bodies(self) -> None:
        ask = Ask(
            method="POST", path="/users/<user>/x", body={"add": [{"sku": "<sku>", "off": "<pillars>"}], "n": None}
        )
        done = filled(ask, {"user": "u", "sku": "s", "pillars": ("a", "b")})
        assert (done.path, done.body) == ("/users/u/x", {"add": [{"sku": "s", "off": ["a", "b"]}], "n": None})

    def test_reaches_into_a_batch(self) -> None:
        batch = Ask(method="POST", path="/$batch", items=(Ask(method="GET", path="/users/<user>"),))
        assert filled(batch, {"user": "u"}).items[0].path == "/users/u"


class TestTheList:
    def test_names_every_row_of_the_catalogue_of_errors(self) -> None:
        rows = {probe.row for probe in (*PROBES, *OUT_OF_REACH)}
        assert {f"3.4 #{number}" for number in range(1, 20)} <= rows

    def test_calls_no_two_the_same(self) -> None:
        names = [probe.name for probe in (*PROBES, *OUT_OF_REACH)]
        assert len(set(names)) == len(names)

    def test_ends_by_putting_back(self) -> None:
        assert not PROBES[-1].leaves

    def test_fits_into_sixty_writes_with_room_to_put_back(self) -> None:
        assert sum(probe.writes for probe in PROBES) <= 45
