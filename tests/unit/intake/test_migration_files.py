"""Migration files: what each field may be, and every mistake told at once under its path."""

import copy
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mappings.loader import load_mappings
from provisioning.domain.catalogue import Audience, Mappings
from provisioning.domain.errors import InputError
from provisioning.domain.migration import (
    MAY_GO_ALONG,
    MatchRule,
    ProductPair,
    Situation,
    Treatment,
    WaveDefinition,
    Window,
)
from provisioning.domain.migration_file import IdentityPair, MigrationFile, Side
from provisioning.intake.migration_fields import FIELDS, fields_of
from provisioning.intake.migration_files import parse_migration, read_migration
from provisioning.intake.problems import FileRefusedError, Problem

OURS = load_mappings()
BY_NAME = {sku.part_number: sku.sku_id for sku in OURS.skus.values()}
A3_STAFF, A1_PUPIL = BY_NAME["M365EDU_A3_FACULTY"], BY_NAME["STANDARDWOFFPACK_STUDENT"]
A1_PLUS = "STANDARDWOFFPACK_IW_FACULTY"  # retired on 1 August 2024

SMALL: dict[str, Any] = {
    "name": "Merger",
    "asked_by": "letter 2027-031",
    "source": {"tenant": "oost.example", "holder": "40001"},
    "target": {"tenant": "samen.example", "holder": "40002"},
    "people": {"everyone": True},
    "products": [{"from": "M365EDU_A3_FACULTY"}],
    "waves": [{"name": "pilot"}],
    "identity": {"rules": ["employee_id"]},
}
NOTHING = object()


def with_(path: str, value: Any, file: dict[str, Any] = SMALL) -> dict[str, Any]:
    """The small file with one field changed, added or (NOTHING) taken away; a number counts from 0."""
    tree: Any = copy.deepcopy(file)
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    inner = tree
    for step in steps:
        inner = inner[step] if isinstance(step, int) else inner.setdefault(step, {})
    if value is NOTHING:
        del inner[last]
    elif isinstance(last, int) and last == len(inner):
        inner.append(value)
    else:
        inner[last] = value
    return tree  # type: ignore[no-any-return]


def read(tree: Any, mappings: Mappings = OURS) -> MigrationFile:
    return parse_migration("m.json", msgspec.json.encode(tree), mappings)


def problems_of(tree: Any, mappings: Mappings = OURS) -> list[str]:
    with pytest.raises(FileRefusedError) as refused:
        read(tree, mappings)
    return [str(problem) for problem in refused.value.problems]


class TestTheSmallestFile:
    def test_has_these_defaults(self) -> None:
        assert read(SMALL) == MigrationFile(
            name="Merger",
            asked_by="letter 2027-031",
            source=Side(tenant="oost.example", holder="40001"),
            target=Side(tenant="samen.example", holder="40002"),
            people='{"everyone":true}',
            products=(ProductPair(source_sku=A3_STAFF, target_sku=A3_STAFF, audience=Audience.FACULTY),),
            waves=(WaveDefinition(number=1, name="pilot", selector='{"everyone":true}'),),
            rules=(MatchRule.EMPLOYEE_ID,),
            hold_period=timedelta(days=30),
            failure_threshold=0.05,
            window=Window(),
            moves_mailboxes=True,
        )

    def test_is_the_same_in_yaml(self) -> None:
        assert parse_migration("m.yaml", yaml.safe_dump(SMALL).encode(), OURS) == read(SMALL)

    @pytest.mark.parametrize("field", sorted(SMALL))
    def test_needs_each_of_its_fields(self, field: str) -> None:
        told = problems_of(with_(field, NOTHING))
        assert told
        assert all(problem.startswith(field) for problem in told)
        assert any("missing" in problem or "empty" in problem for problem in told)

    @pytest.mark.parametrize("field", ["plan_mapping", "treatments", "window", "hold_days", "failure_threshold"])
    def test_takes_null_for_a_field_that_is_left_out(self, field: str) -> None:
        assert read(with_(field, None)) == read(SMALL)


class TestValues:
    @pytest.mark.parametrize(
        ("path", "value", "field", "meant"),
        [
            pytest.param(
                "source.tenant", " Oost.Example ", "source", Side(tenant="oost.example", holder="40001"), id="dom"
            ),
            pytest.param("source.holder", 40001, "source", Side(tenant="oost.example", holder="40001"), id="a number"),
            pytest.param("source.holder", "00xx", "source", Side(tenant="oost.example", holder="00XX"), id="a school"),
            pytest.param("source.holder", "00XX01", "source", Side(tenant="oost.example", holder="00XX01"), id="place"),
            pytest.param("name", 2027, "name", "2027", id="a name that is a number"),
            pytest.param(
                "identity.rules",
                ["mail_nickname", "IMMUTABLE_ID"],
                "rules",
                (MatchRule.MAIL_NICKNAME, MatchRule.IMMUTABLE_ID),
                id="rules keep their order",
            ),
            pytest.param("identity", {"file": "people.csv"}, "identity_file", "people.csv", id="a map alone"),
            pytest.param(
                "treatments",
                {"guest": "leave_out", "disabled": "take_along"},
                "treatments",
                {Situation.GUEST: Treatment.LEAVE_OUT, Situation.DISABLED: Treatment.TAKE_ALONG},
                id="treatments",
            ),
            pytest.param("hold_days", 30, "hold_period", timedelta(days=30), id="the least"),
            pytest.param("hold_days", 365, "hold_period", timedelta(days=365), id="the most"),
            pytest.param("failure_threshold", 0.02, "failure_threshold", 0.02, id="a share"),
            pytest.param("failure_threshold", "0,02", "failure_threshold", 0.02, id="with a Dutch comma"),
            pytest.param("failure_threshold", "2%", "failure_threshold", 0.02, id="a percentage"),
            pytest.param("failure_threshold", "2,5 %", "failure_threshold", 0.025, id="with a comma and a blank"),
            pytest.param("failure_threshold", 0, "failure_threshold", 0.0, id="the first failure pauses"),
            pytest.param(
                "window", {"from": 22, "until": "6:00"}, "window", Window(from_hour=22, until_hour=6), id="a night"
            ),
            pytest.param("window", {"region": "Zuid"}, "window", Window(region="zuid"), id="a region"),
            pytest.param("window", {"from": "18:00"}, "window", Window(from_hour=18), id="an evening"),
            pytest.param(
                "approvers",
                ["person:finance", " Person:B.Oost "],
                "approvers",
                ("person:finance", "person:b.oost"),
                id="who approves",
            ),
            pytest.param("moves_mailboxes", False, "moves_mailboxes", False, id="no mailboxes"),
        ],
    )
    def test_mean_what_they_say(self, path: str, value: Any, field: str, meant: object) -> None:
        assert getattr(read(with_(path, value)), field) == meant


class TestMistakes:
    @pytest.mark.parametrize(
        ("path", "value", "told"),
        [
            pytest.param("nmae", "x", "nmae: there is no such field; do you mean name?", id="a field misspelt"),
            pytest.param("colour", "x", "colour: there is no such field; there are name, source", id="a field unknown"),
            pytest.param(
                "waves.0.people_", {}, "waves[1].people_: there is no such field; do you mean people?", id="in"
            ),
            pytest.param("name", "", "name: should be a text of 1 to 200 visible", id="an empty name"),
            pytest.param("name", "a\nb", "name: should be a text", id="a name of two lines"),
            pytest.param("name", ["a"], "name: should be a text", id="a name that is a list"),
            pytest.param("name", True, "name: should be a text", id="a name that is true"),
            pytest.param("asked_by", "a@b.example", "asked_by: is an address", id="a person's address is not kept"),
            pytest.param(
                "source", "oost.example", "source: should be an object with the fields tenant, holder", id="s"
            ),
            pytest.param("source.tenant", "oost", "source.tenant: 'oost' is neither a domain", id="no domain"),
            pytest.param("source.tenant", "https://oost.example", "is neither a domain", id="an address"),
            pytest.param("target.tenant", "OOST.example", "target.tenant: is the source's tenant too", id="one tenant"),
            pytest.param("target.holder", "4000123", "target.holder: '4000123' is no code of a board", id="no holder"),
            pytest.param(
                "people", {"domein": "x"}, "people: The selector has a part that cannot be read", id="selector"
            ),
            pytest.param("people", "everyone", "people: A selector is an object", id="a selector that is a word"),
            pytest.param("people", {"group": ""}, 'people: "group" takes a text', id="a selector without its value"),
            pytest.param("people", {"include": ["robots"], "everyone": True}, 'people: "include" takes', id="include"),
            pytest.param("products", [], "products: is empty", id="no products"),
            pytest.param("products", {"from": "x"}, "products: should be a list", id="a product that is no list"),
            pytest.param("products.0", "A3", "products[1]: should be an object with the fields from, to", id="a word"),
            pytest.param(
                "products.0.from",
                "M365EDU_A3_FACULTI",
                "products[1].from: 'M365EDU_A3_FACULTI' is no product of skus.csv; do you mean M365EDU_A3_FACULTY?",
                id="a product misspelt",
            ),
            pytest.param(
                "products.0.from", "99999999-9999-4999-8999-999999999999", "is no product of", id="unknown id"
            ),
            pytest.param(
                "products.0.to", A1_PLUS, "products[1].to: STANDARDWOFFPACK_IW_FACULTY is retired", id="retired"
            ),
            pytest.param("products.0.audience", "staff", "products[1].audience: 'staff' is not known", id="audience"),
            pytest.param("products.1", {"from": A3_STAFF}, "products[2].from: is in products[1] already", id="twice"),
            pytest.param(
                "plan_mapping",
                {"EXCHANGE_S_ENTERPRICE": "MCOSTANDARD"},
                "plan_mapping.EXCHANGE_S_ENTERPRICE: "
                "'EXCHANGE_S_ENTERPRICE' is no service plan of M365EDU_A3_FACULTY; do you mean EXCHANGE_S_EN",
                id="a plan misspelt",
            ),
            pytest.param(
                "plan_mapping", {"MCOSTANDARD": 5}, "plan_mapping.MCOSTANDARD: should lead from", id="no plan"
            ),
            pytest.param("plan_mapping", ["MCOSTANDARD"], "plan_mapping: should be an object", id="plans as a list"),
            pytest.param("waves", [], "waves: is empty", id="no waves"),
            pytest.param("waves.0.at_most", 0, "waves[1].at_most: should be a whole number from 1", id="nobody"),
            pytest.param(
                "waves.0.at_most", "25", "waves[1].at_most: should be a whole number", id="a number in quotes"
            ),
            pytest.param("waves.0.at_most", True, "waves[1].at_most: should be a whole number", id="true is no number"),
            pytest.param("waves.0.people", {"ids": []}, 'waves[1].people: "ids" takes a list', id="a wave's selector"),
            pytest.param(
                "waves.0.not_before", "maandag", "waves[1].not_before: 'maandag' is no moment", id="no moment"
            ),
            pytest.param(
                "waves.1", {"name": "pilot"}, "waves[2].name: 'pilot' is an earlier wave's name", id="one name"
            ),
            pytest.param("identity", {}, "identity: is missing; name a file, rules or both", id="nobody can be found"),
            pytest.param(
                "identity.rules",
                ["employee"],
                "identity.rules[1]: 'employee' is not known; do you mean employee_id?",
                id="a rule misspelt",
            ),
            pytest.param(
                "identity.rules", ["employee_id", "employee_id"], "identity.rules: names a rule twice", id="rule"
            ),
            pytest.param(
                "treatments",
                {"guests": "leave_out"},
                "treatments.guests: 'guests' is not known; do you mean guest?",
                id="a situation misspelt",
            ),
            pytest.param(
                "treatments", {"matched": "leave_out"}, "treatments.matched: 'matched' is not known", id="fine"
            ),
            pytest.param(
                "treatments",
                {"guest": "skip"},
                "treatments.guest: 'skip' is not known; there are leave_out, take_along",
                id="no treatment",
            ),
            pytest.param("hold_days", 29, "hold_days: should be a whole number from 30 to 365", id="released too soon"),
            pytest.param("hold_days", 366, "hold_days: should be a whole number from 30 to 365", id="never released"),
            pytest.param("failure_threshold", 5, "failure_threshold: '5' is no share below 100 %", id="five what"),
            pytest.param("failure_threshold", "100%", "failure_threshold: '100%' is no share", id="everybody"),
            pytest.param("failure_threshold", "few", "failure_threshold: 'few' is no share", id="a word"),
            pytest.param("failure_threshold", -0.1, "failure_threshold: '-0.1' is no share", id="less than nobody"),
            pytest.param("failure_threshold", True, "failure_threshold: 'True' is no share", id="true"),
            pytest.param("window.region", "oost", "window.region: 'oost' is no region", id="no region"),
            pytest.param("window.region", "nord", "do you mean noord?", id="a region misspelt"),
            pytest.param("window.from", "18:30", "window.from: '18:30' is no whole hour", id="half an hour"),
            pytest.param("window.until", 25, "window.until: '25' is no whole hour", id="25 o'clock"),
            pytest.param("window.from", 24, "window.from: 24 is the end of a day; write 0", id="from 24"),
            pytest.param("window", {"from": 8, "until": 8}, "window.until: is the hour it begins, 8", id="no hours"),
            pytest.param(
                "approvers",
                ["Mrs Finance"],
                "approvers[1]: 'Mrs Finance' is no handle of a person; write it as person:finance",
                id="a name of a person",
            ),
            pytest.param("approvers", ["client:shop"], "approvers[1]: 'client:shop' is no handle", id="a client"),
            pytest.param("approvers", ["person:a", "person:a"], "approvers[2]: 'person:a' is named", id="named twice"),
            pytest.param("approvers", "person:a", "approvers: should be a list", id="one that is no list"),
            pytest.param("moves_mailboxes", "yes", "moves_mailboxes: should be true or false", id="a word for true"),
        ],
    )
    def test_are_told_under_the_path_of_the_field(self, path: str, value: Any, told: str) -> None:
        assert any(told in problem for problem in problems_of(with_(path, value)))

    @pytest.mark.parametrize("situation", sorted(set(Situation) - {Situation.MATCHED}))
    def test_only_who_has_an_account_can_be_taken_along(self, situation: Situation) -> None:
        tree = with_("treatments", {situation: "take_along"})
        if situation in MAY_GO_ALONG:
            assert read(tree).treatments == {situation: Treatment.TAKE_ALONG}
        else:
            (told,) = problems_of(tree)
            assert told.startswith(f"treatments.{situation}: cannot be taken along, only already_licensed and disabled")

    def test_are_all_told_at_once(self) -> None:
        tree = with_("waves.0.at_most", 0) | {"hold_days": 1, "people": {}, "colour": 1, "products": [{"form": "x"}]}
        assert [problem.split(": ", 1)[0] for problem in problems_of(tree)] == [
            "colour", "people", "products[1].form", "products[1].from", "waves[1].at_most", "hold_days",
        ]  # fmt: skip

    @pytest.mark.parametrize("name", ["\x1b[2Jwipe", "half\\ud800"])
    def test_never_steer_a_terminal_nor_break_it(self, name: str) -> None:
        text = msgspec.json.encode(SMALL | {"NAME": 1}).decode().replace("NAME", name.replace("\x1b", "\\u001b"))
        with pytest.raises(FileRefusedError) as refused:
            parse_migration("m.json", text.encode(), OURS)
        assert str(refused.value).replace("\n", "").isprintable()
        assert str(refused.value).encode()

    @pytest.mark.parametrize(
        "written",
        [
            pytest.param('{"ids": ["\\ud800"]}', id="half a character"),
            pytest.param('{"ids": [' + "9" * 40 + "]}", id="a number beyond all numbers"),
            pytest.param('{"everyone": 1e999}', id="and one that is infinite"),
        ],
    )
    def test_in_a_selector_are_told_whatever_they_are(self, written: str) -> None:
        text = msgspec.json.encode(SMALL | {"people": "SELECTOR"}).decode().replace('"SELECTOR"', written)
        with pytest.raises(FileRefusedError, match="people: "):
            parse_migration("m.json", text.encode(), OURS)

    def test_in_yaml_a_name_that_is_none_is_told(self) -> None:
        text = yaml.safe_dump(SMALL).replace("everyone: true", "everyone: true\n  ~: x\n  5: x")
        with pytest.raises(FileRefusedError, match="people: "):
            parse_migration("m.yaml", text.encode(), OURS)

    @pytest.mark.parametrize("tree", [[], "merger", 5, None])
    def test_of_a_file_that_is_no_object_are_one(self, tree: Any) -> None:
        (told,) = problems_of(tree)
        assert told.startswith("the file: should be an object with the fields name, source")

    def test_of_the_text_itself_are_told_with_line_and_column(self) -> None:
        with pytest.raises(InputError, match="line 2, column 9"):
            parse_migration("m.yaml", b"name: Merger\nsource: : x\n", OURS)

    def test_a_field_that_is_there_twice_is_told_with_its_line(self) -> None:
        with pytest.raises(FileRefusedError, match="line 2, name: is there twice"):
            parse_migration("m.yaml", b"name: Merger\nname: Other\n", OURS)


class TestProducts:
    @pytest.mark.parametrize("word", ["m365edu_a3_faculty", A3_STAFF, A3_STAFF.upper()])
    def test_are_found_by_part_number_or_id(self, word: str) -> None:
        assert read(with_("products.0.from", word)).products[0].source_sku == A3_STAFF

    def test_a_retired_one_may_be_left_behind(self) -> None:
        pair = {"from": A1_PLUS, "to": "M365EDU_A3_FACULTY"}
        assert read(with_("products.0", pair)).products[0].source_sku == BY_NAME[A1_PLUS]

    def test_a_retired_one_cannot_be_kept(self) -> None:
        assert any("is retired" in problem for problem in problems_of(with_("products.0", {"from": A1_PLUS})))

    @pytest.mark.parametrize(("one", "other"), [("faculty", "student"), ("faculty", "faculty"), ("any", "student")])
    def test_no_product_of_the_source_leads_to_two(self, one: str, other: str) -> None:
        """Whoever holds it would get the first, whatever audience they are of."""
        pairs = [{"from": A1_PUPIL, "audience": audience} for audience in (one, other)]
        (told,) = problems_of(with_("products", pairs))
        assert told.startswith("products[2].from: is in products[1] already, and whoever holds it gets one product; ")

    @pytest.mark.parametrize(
        ("written", "expected"),
        [
            pytest.param({}, Audience.FACULTY, id="left out, as the product they get"),
            pytest.param({"audience": "any"}, Audience.FACULTY, id="any says no more than that"),
            pytest.param({"audience": "student"}, Audience.STUDENT, id="what the file says is so"),
        ],
    )
    def test_are_for_whom_the_file_says_or_else_the_product(self, written: dict[str, str], expected: Audience) -> None:
        pair = {"from": A1_PUPIL, "to": A3_STAFF, **written}
        assert read(with_("products.0", pair)).products[0].audience is expected

    def test_a_part_number_of_two_products_asks_for_the_id(self) -> None:
        twin = msgspec.structs.replace(OURS.skus[A1_PUPIL], part_number="M365EDU_A3_FACULTY")
        mappings = msgspec.structs.replace(OURS, skus={**OURS.skus, A1_PUPIL: twin})
        (told,) = problems_of(SMALL, mappings)
        assert told.startswith("products[1].from: 'M365EDU_A3_FACULTY' names 2 products; write its id:")


class TestPlanMapping:
    PLANS: ClassVar = {plan.name: plan.plan_id for plan in OURS.skus[A3_STAFF].plans}

    def test_is_by_the_names_of_the_mappings_however_it_is_written(self) -> None:
        tree = with_("plan_mapping", {self.PLANS["EXCHANGE_S_ENTERPRISE"].upper(): "sharepointenterprise_edu"})
        assert read(tree).plan_mapping == {"EXCHANGE_S_ENTERPRISE": "SHAREPOINTENTERPRISE_EDU"}

    def test_the_same_plan_by_name_and_by_id_is_told(self) -> None:
        tree = with_("plan_mapping", dict.fromkeys(["TEAMS1", self.PLANS["TEAMS1"]], "EXCHANGE_S_ENTERPRISE"))
        assert any("TEAMS1 is there twice" in problem for problem in problems_of(tree))

    def test_a_product_whose_plans_nobody_wrote_down_allows_any_name(self) -> None:
        bare = msgspec.structs.replace(OURS.skus[A3_STAFF], plans=())
        mappings = msgspec.structs.replace(OURS, skus={**OURS.skus, A3_STAFF: bare})
        assert read(with_("plan_mapping", {"NEW_PLAN": "OTHER"}), mappings).plan_mapping == {"NEW_PLAN": "OTHER"}


class TestWaves:
    def test_are_numbered_in_the_order_of_the_file(self) -> None:
        waves = [{"name": "one", "people": {"domain": "a.example"}}, {"name": "two", "at_most": 5}, {"name": "three"}]
        assert [(w.number, w.selector, w.limit) for w in read(with_("waves", waves)).waves] == [
            (1, '{"domain":"a.example"}', None), (2, '{"everyone":true}', 5), (3, '{"everyone":true}', None),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            pytest.param("2027-07-19 08:00", datetime(2027, 7, 19, 6, tzinfo=UTC), id="summer"),
            pytest.param("2027-01-19T08:00", datetime(2027, 1, 19, 7, tzinfo=UTC), id="winter"),
            pytest.param("2027-07-19", datetime(2027, 7, 18, 22, tzinfo=UTC), id="a day begins at midnight"),
            pytest.param("2027-07-19T08:00Z", datetime(2027, 7, 19, 8, tzinfo=UTC), id="with its offset"),
            pytest.param("2027-10-31 02:30+01:00", datetime(2027, 10, 31, 1, 30, tzinfo=UTC), id="the second of two"),
            pytest.param("2027-10-31 03:00", datetime(2027, 10, 31, 2, tzinfo=UTC), id="after the clock went back"),
        ],
    )
    def test_begin_by_the_dutch_clock(self, written: str, meant: datetime) -> None:
        assert read(with_("waves.0.not_before", written)).waves[0].not_before == meant

    @pytest.mark.parametrize(
        ("written", "told"),
        [
            pytest.param("2027-10-31 02:30", "comes twice, the clock goes back; add +02:00 or +01:00", id="autumn"),
            pytest.param("2027-03-28 02:30", "does not exist, the clock goes forward", id="spring"),
        ],
    )
    def test_an_hour_that_is_doubtful_is_asked_about(self, written: str, told: str) -> None:
        (problem,) = problems_of(with_("waves.0.not_before", written))
        assert told in problem

    def test_do_not_begin_before_the_one_before_them(self) -> None:
        waves = [{"name": "one", "not_before": "2027-07-19"}, {"name": "two", "not_before": "2027-07-18"}]
        assert problems_of(with_("waves", waves)) == [
            "waves[2].not_before: is before the wave before it; exchange them or correct one."
        ]


class TestWindow:
    def test_by_a_region_without_known_holidays_is_told(self) -> None:
        none = msgspec.structs.replace(OURS, school_holidays=())
        (told,) = problems_of(with_("window", {"region": "noord"}), none)
        assert told == "window.region: school_holidays.csv has no holidays of noord; add them first."


class TestReadMigration:
    PERSON = "4f0c4b0e-6d0c-4f7e-9a57-1f1f2f3c4d5e"

    def write(self, folder: Path, tree: Any) -> Path:
        path = folder / "merger.yaml"
        path.write_text(yaml.safe_dump(tree), "utf-8")
        return path

    def test_reads_the_identity_map_beside_the_file(self, tmp_path: Path) -> None:
        (tmp_path / "people.csv").write_text(f"source,target\nann@oost.example,{self.PERSON}\n", "utf-8")
        path = self.write(tmp_path, with_("identity.file", "people.csv"))
        assert read_migration(path, OURS).identity == (IdentityPair("ann@oost.example", self.PERSON, 2),)

    def test_without_a_map_there_are_no_pairs(self, tmp_path: Path) -> None:
        assert read_migration(self.write(tmp_path, SMALL), OURS).identity == ()

    def test_a_map_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        path = self.write(tmp_path, with_("identity.file", "people.csv"))
        with pytest.raises(InputError, match=r"people\.csv cannot be read"):
            read_migration(path, OURS)

    def test_a_mistake_in_the_map_is_told_with_its_line(self, tmp_path: Path) -> None:
        (tmp_path / "people.csv").write_text("source,target\nann,bob\n", "utf-8")
        path = self.write(tmp_path, with_("identity.file", "people.csv"))
        with pytest.raises(FileRefusedError, match="line 2, source"):
            read_migration(path, OURS)

    def test_a_file_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"merger\.yaml cannot be read"):
            read_migration(tmp_path / "merger.yaml", OURS)

    def test_a_file_beyond_the_bound_is_not_read(self, tmp_path: Path) -> None:
        path = tmp_path / "merger.yaml"
        path.write_bytes(b"#" * 1_000_001)
        with pytest.raises(InputError, match="at most 1,000,000 can be meant"):
            read_migration(path, OURS)


class TestFieldsOf:
    def test_the_file_holds_every_part(self) -> None:
        assert list(fields_of()) == list(dict.fromkeys(path.replace("[]", "").split(".")[0] for path in FIELDS))

    def test_a_part_names_what_it_holds(self) -> None:
        assert fields_of()["waves"] == "a list of objects with name, people, at_most, not_before"
        assert fields_of()["window"] == "an object with region, from, until"
        assert list(fields_of("source")) == ["tenant", "holder"]

    @pytest.mark.parametrize("path", sorted(path for path, told in FIELDS.items() if "left out" in told))
    def test_what_may_be_left_out_may_be(self, path: str) -> None:
        whole = {
            "products": [{"from": A3_STAFF, "to": A3_STAFF, "audience": "any"}],
            "plan_mapping": {"TEAMS1": "TEAMS1"},
            "waves": [{"name": "pilot", "people": {"everyone": True}, "at_most": 5, "not_before": "2027-07-19"}],
            "identity": {"file": "people.csv", "rules": ["employee_id"]},
            "treatments": {"guest": "leave_out"},
            "hold_days": 30,
            "failure_threshold": "5%",
            "window": {"region": "noord", "from": 0, "until": 24},
            "approvers": ["person:finance"],
            "moves_mailboxes": True,
        }
        assert read(with_(path.replace("[]", ".0"), NOTHING, SMALL | whole)).name == "Merger"

    @pytest.mark.parametrize("path", sorted(path for path, told in FIELDS.items() if "left out" not in told))
    def test_what_may_not_is_missed(self, path: str) -> None:
        told = problems_of(with_(path.replace("[]", ".0"), NOTHING))
        assert [problem.split(": ")[0] for problem in told] == [path.replace("[]", "[1]")]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


class TestProperties:
    @given(st.sampled_from(sorted({path.replace("[]", ".0") for path in FIELDS} | set(SMALL))), VALUES)
    def test_any_value_in_any_field_is_read_or_explained(self, path: str, value: Any) -> None:
        told = explained(with_(path, value))
        assert all(problem.place and problem.sentence for problem in told)


def explained(tree: dict[str, Any]) -> Sequence[Problem]:
    try:
        read(tree)
    except FileRefusedError as refused:
        return refused.problems
    return ()
