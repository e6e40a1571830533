"""Each command through its service: what a person reads, what a program gets, and that both are usable."""

import json
import sys
from datetime import timedelta
from pathlib import Path
from shutil import copytree, ignore_patterns
from types import ModuleType

import msgspec
import pytest

from mappings.loader import COLUMNS, OURS
from provisioning.audit.note import SignerKey, VerifierKey
from provisioning.cli.app import run
from provisioning.cli.session import Session
from provisioning.domain.configuration import INSTALLED, ConfigurationKind, ConfigurationVersion
from provisioning.domain.errors import ConfigurationError, UnavailableError
from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM, AttemptId, LineKey, OperationId, OrganisationId, SkuId, TenantId, TicketId
from provisioning.domain.lifecycle import LineState, OperationState
from provisioning.domain.operation import OperationKind
from provisioning.domain.order import LedgerCause, LedgerEntry
from provisioning.domain.reasons import Reason
from provisioning.domain.remap import RemapPart
from provisioning.domain.worklist import Notice, Owner, WorkItem
from provisioning.planning.configuration import pack_mappings
from provisioning.planning.mappings_impact import Holders
from provisioning.planning.quota_reading import BucketReading, QuotaReading
from provisioning.services.diagnose import Instruments
from tests.factories.remaps import mappings_with, remap, sku
from tests.unit.cli.fakes import LOADED, CommandLine
from tests.unit.services.fakes_access import (
    A3,
    ADMIN,
    APPROVER,
    AUDITOR,
    NOW,
    OPERATION,
    OPERATOR,
    SCHOOL,
    SECOND,
    TENANT,
    World,
    a_binding,
    an_operation,
)
from tests.unit.services.test_approve_plan import DIGEST, a_plan
from tests.unit.services.test_confirm_binding import held_line, returned_address
from tests.unit.services.test_export_audit import KEY

A1 = sku("STANDARDWOFFPACK_FACULTY")
LONG_ARTICLE = "AN-ARTICLE-CODE-OF-SOME-LENGTH-INDEED-1234567890"
SOMEBODY = "person:" + "x" * 63
LONG = OrganisationId("a-register-code-much-longer-than-any-register-would-print-it-0123456789")


def crowded(world: World) -> None:
    """Rows with the longest values of their kind, in every list."""
    crowd_with_work(world)
    crowd_with_customers(world)
    line = held_line(1_000_000, LONG_ARTICLE)
    world.held = [line, msgspec.structs.replace(line, reason=Reason.DUPLICATE_ORDER_SUSPECTED)]
    proposed = ConfigurationVersion(
        kind=ConfigurationKind.MAPPINGS,
        digest="b" * 64,
        content=dict.fromkeys(LOADED[0].content, "1,000,000,000 rows (ffffffff)"),
        reason="a reason that somebody took the time to write down in full, with all of its circumstances",
        proposed_by=SOMEBODY,
        proposed_at=NOW,
    )
    installed = msgspec.structs.replace(proposed, digest="a" * 64, proposed_by=SYSTEM, content=LOADED[0].content)
    world.configurations = [installed, proposed]
    world.actors = {"d": msgspec.structs.replace(ADMIN, actor=SOMEBODY, expires_at=NOW)}


def crowd_with_work(world: World) -> None:
    wish = msgspec.structs.replace(an_operation(world, OperationState.HELD).wish, holder_id=LONG)
    for number, state in enumerate(OperationState):
        an_operation(
            world,
            state,
            operation_id=OperationId(f"{number:08d}-0000-4000-8000-000000000000"),
            reason=Reason.DUPLICATE_ORDER_SUSPECTED,
            wish=wish,
        )
    happened = Event(
        at=NOW,
        actor="person:somebody-with-a-long-handle-of-sixty-characters-or-so",
        kind="operation.partially_completed",
        reason=Reason.USAGE_LOCATION_PROHIBITED,
        correlation=AttemptId("12345678-0000-4000-8000-000000000000"),
        operation=OPERATION,
    )
    told = Notice(
        organisation_id=LONG,
        topic="a_topic_with_a_long_name",
        day=NOW.date(),
        facts=1_000_000,
        first_at=NOW,
        last_at=NOW,
        references=tuple(f"{OPERATION}-{n}" for n in range(9)),
    )
    world.events, world.notices = [happened], [told]
    world.items = [
        WorkItem(subject=f"operation {OPERATION}", reason=reason, owner=Owner.OPERATOR, since=NOW) for reason in Reason
    ]


def crowd_with_customers(world: World) -> None:
    name = "A school with a name [that] goes on and on, as names of schools do " * 2
    for organisation in (SCHOOL, LONG):
        world.organisations[organisation] = msgspec.structs.replace(
            world.organisations[SCHOOL], organisation_id=organisation, name=name
        )
    a_binding(world, organisation_id=SCHOOL, binding_id="long", created_by=SOMEBODY)
    entry = LedgerEntry(
        holder_id=SCHOOL,
        tenant_id=TENANT,
        article_code=LONG_ARTICLE,
        sku_id=A3,
        delta=-1_234_567,
        effective_on=NOW.date(),
        ends_on=NOW.date(),
        cause=LedgerCause.ORDER_LINE,
        cause_ref="a-shop/2026-000000001042/00001",
    )
    world.ledger.append(entry)


LISTS = [
    ("operations", "list"),
    ("operations", "show", "77aa"),
    ("worklist",),
    ("notices", "list"),
    ("actors", "list"),
    ("audit", "list"),
    ("tenants", "list"),
    ("tenants", "show", "school.nl"),
    ("organisations", "list"),
    ("organisations", "show", SCHOOL),
    ("orders", "list"),
    ("orders", "show", "1042"),
    ("mappings", "check"),
    ("configuration", "show"),
    ("configuration", "versions"),
    ("doctor",),
]


class TestEveryList:
    @pytest.mark.parametrize("arguments", LISTS, ids=" ".join)
    def test_it_fits_eighty_columns_whatever_is_in_it(
        self, world: World, provisioning: CommandLine, arguments: tuple[str, ...]
    ) -> None:
        crowded(world)
        answer = provisioning(*arguments)
        assert (answer.code, answer.fits) == (0, True), answer.out

    @pytest.mark.parametrize("arguments", LISTS, ids=" ".join)
    def test_programs_get_json(self, world: World, provisioning: CommandLine, arguments: tuple[str, ...]) -> None:
        crowded(world)
        answer = provisioning(*arguments, "--json")
        assert answer.code == 0
        assert answer.json

    def test_an_id_that_is_shown_is_one_that_commands_accept(self, world: World, provisioning: CommandLine) -> None:
        crowded(world)
        for line in provisioning("operations", "list").out.splitlines()[1:]:
            shown = line.split()[0]
            if len(shown) == 8 and shown.isalnum():
                assert provisioning("operations", "show", shown).code == 0
        assert "operation 77aa1234 " in provisioning("worklist").out


class TestStop:
    def test_everything_stops_and_goes_on(self, world: World, provisioning: CommandLine) -> None:
        provisioning.as_person(OPERATOR)
        assert "Stopped: all." in provisioning("stop", "--all", "--reason", "odd receipts").out
        assert [stop.reason for stop in world.stops] == ["odd receipts"]
        assert provisioning("resume", "--all").out == "Resumed: all.\n"
        assert world.stops == []

    @pytest.mark.parametrize(
        ("option", "value", "scope"), [("--tenant", "school.nl", f"tenant:{TENANT}"), ("--kind", "remap", "kind:remap")]
    )
    def test_one_tenant_or_kind(
        self, world: World, provisioning: CommandLine, option: str, value: str, scope: str
    ) -> None:
        assert provisioning.as_person(OPERATOR)("stop", option, value).code == 0
        assert [stop.scope for stop in world.stops] == [scope]

    def test_without_a_token_it_says_what_is_needed(self, world: World, provisioning: CommandLine) -> None:
        answer = provisioning("stop", "--all")
        assert (answer.code, world.stops) == (1, [])
        assert "PROVISIONING_TOKEN" in answer.err


class TestDoctor:
    def test_all_well_is_zero(self, provisioning: CommandLine) -> None:
        provisioning.services.instruments = Instruments(broker=lambda: None)
        answer = provisioning("doctor")
        assert (answer.code, "OK" in answer.out) == (0, True)

    def test_the_quota_has_a_line_for_each_busy_tenant(self, world: World, provisioning: CommandLine) -> None:
        services = provisioning.services
        services.instruments = Instruments(measure_quota=services.measure_quota)
        crowded(world)
        an_operation(world, OperationState.APPLYING)
        world.writes = {OPERATION: 9_200}
        seen = BucketReading(left=0.0, closed_for=8.0, slowed_for=140.0, turn_in=3.0, pace=9.3, refused=0.25)
        services.gauge.reading = QuotaReading(app=BucketReading(left=0.7), tenants={TENANT: seen}, granted=12_000)
        answer = provisioning("doctor")
        assert (answer.code, answer.fits) == (0, True)
        told = " ".join(answer.out.split())
        assert "9,200 writes" in told
        assert "it gets 9.3 of 19.6 writes a second" in told
        figures = next(x["figures"] for x in provisioning("doctor", "--json").json if x["part"] == "quota")
        assert figures["tenants"][0]["bucket"]["slowed_for"] == 140.0

    def test_prints_figures_for_a_scraper(self, provisioning: CommandLine) -> None:
        answer = provisioning("metrics")
        assert answer.code == 0
        assert "# TYPE provisioning_quota_rate gauge" in answer.out.splitlines()

    def test_something_bad_is_one_and_says_what_to_do(self, provisioning: CommandLine) -> None:
        def away() -> None:
            raise UnavailableError("Redis does not answer.")

        provisioning.services.instruments = Instruments(broker=away, pending_migrations=lambda: ["0002"])
        answer = provisioning("doctor")
        assert answer.code == 1
        assert "Redis does not answer." in answer.out
        assert "provisioning db upgrade" in answer.out


class TestWorklist:
    def test_owner_and_reason_in_words(self, world: World, provisioning: CommandLine) -> None:
        world.items = [WorkItem(subject="order s/1/1", reason=Reason.SKU_UNKNOWN, owner=Owner.ADMIN, since=NOW)]
        out = provisioning("worklist").out
        assert "order s/1/1" in out
        assert "product" in out
        assert provisioning("worklist", "--owner", "shop").out == "Nothing waits for a person.\n"


class TestLanguage:
    def test_operators_choose_dutch_or_english(
        self, world: World, provisioning: CommandLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        an_operation(world, OperationState.AWAITING_SEATS)
        assert "awaiting seats" in provisioning("operations", "list").out
        monkeypatch.setenv("PROVISIONING_LANGUAGE", "nl")
        assert "wacht op" in provisioning("operations", "list").out

    def test_another_language_is_a_sentence(self, provisioning: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PROVISIONING_LANGUAGE", "fy")
        answer = provisioning("worklist")
        assert (answer.code, answer.err) == (1, "PROVISIONING_LANGUAGE is 'fy'; it can be nl or en.\n")

    @pytest.mark.parametrize("reason", Reason)
    def test_every_reason_says_what_to_do(
        self, world: World, provisioning: CommandLine, reason: Reason, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.items = [WorkItem(subject="order s/1/1", reason=reason, owner=Owner.SHOP, since=NOW)]
        said = []
        for language in ("nl", "en"):
            monkeypatch.setenv("PROVISIONING_LANGUAGE", language)
            said.append(provisioning("worklist"))
        assert all(answer.fits and answer.code == 0 for answer in said)
        assert said[0].out != said[1].out


class TestActors:
    def test_the_token_is_shown_once(self, world: World, provisioning: CommandLine) -> None:
        provisioning.as_person(ADMIN)
        made = provisioning("actors", "add", "person:duty", "--role", "operator", "--days", "30", "--json").json
        assert len(made["token"]) >= 43
        assert made["token"] not in provisioning("actors", "list", "--json").out
        assert made["expires_at"].startswith(f"{NOW + timedelta(days=30):%Y-%m-%d}")

    @pytest.mark.parametrize("days", ["0", "91", "999999999999"])
    def test_its_days_are_one_to_ninety(self, provisioning: CommandLine, days: str) -> None:
        provisioning.as_person(ADMIN)
        assert provisioning("actors", "add", "person:duty", "--role", "operator", "--days", days).code == 2

    def test_it_ends_when_it_is_revoked(self, world: World, provisioning: CommandLine) -> None:
        provisioning.as_person(ADMIN)
        provisioning("actors", "add", "client:shop", "--role", "shop")
        assert provisioning("actors", "revoke", "client:shop").code == 0
        assert world.actors == {}


class TestTenants:
    def test_from_unknown_to_confirmed(self, world: World, provisioning: CommandLine) -> None:
        world.tenants.clear()
        provisioning.as_person(OPERATOR)
        assert f"Tenant {TENANT}" in provisioning("tenants", "add", "school.nl").out
        bound = provisioning("tenants", "bind", SCHOOL, "school.nl", "--from", "2026-08-03").out
        assert "provisioning tenants confirm 41234 school.nl --on 2026-08-03" in bound
        assert provisioning("tenants", "confirm", SCHOOL, "school.nl").code == 1
        answer = provisioning.as_person(APPROVER)(
            "tenants", "confirm", SCHOOL, "school.nl", "--returned", returned_address()
        )
        assert answer.out == "Confirmed by person:ap, on the ground of signed consent and verified domain.\n"

    def test_before_microsoft_is_asked_the_realm_is_checked(self, provisioning: CommandLine) -> None:
        provisioning.as_person(OPERATOR)("tenants", "list")
        assert provisioning.checked == 0
        provisioning("tenants", "add", "school.nl")
        assert provisioning.checked == 1

    def test_selectors_come_from_the_line_or_from_a_file(
        self, world: World, provisioning: CommandLine, tmp_path: Path
    ) -> None:
        provisioning.as_person(OPERATOR)
        provisioning("tenants", "bind", SCHOOL, "school.nl", "--select", 'faculty={"domain":"school.nl"}')
        (tmp_path / "pupils.json").write_text('{"group":"g1"}')
        provisioning("tenants", "select", SCHOOL, "school.nl", "student", f"@{tmp_path / 'pupils.json'}")
        assert world.bindings[0].selectors == {"faculty": '{"domain":"school.nl"}', "student": '{"group":"g1"}'}

    @pytest.mark.parametrize("text", ["{}", "everybody={}"])
    def test_a_selector_without_an_audience_is_refused(self, provisioning: CommandLine, text: str) -> None:
        answer = provisioning.as_person(OPERATOR)("tenants", "bind", SCHOOL, "school.nl", "--select", text)
        assert (answer.code, "is no audience" in answer.err) == (2, True)

    def test_a_policy_is_proposed_by_one_and_approved_by_another(self, world: World, provisioning: CommandLine) -> None:
        provisioning.as_person(OPERATOR)
        proposed = provisioning("tenants", "policy", "school.nl", "--mode", "direct", "--asked-by", "ticket-12").out
        digest = proposed.split("--approve ")[1].split()[0]
        assert provisioning("tenants", "policy", "school.nl", "--approve", digest).code == 1
        provisioning.as_person(SECOND)
        assert provisioning("tenants", "policy", "school.nl", "--approve", digest).out == "In force from 2026-08-03.\n"
        assert "direct" in provisioning("tenants", "policy", "school.nl").out

    def test_a_policy_that_nobody_asked_for_is_not_proposed(self, world: World, provisioning: CommandLine) -> None:
        answer = provisioning.as_person(OPERATOR)("tenants", "policy", "school.nl", "--mode", "direct")
        assert (answer.code, world.policies) == (2, [])

    def test_the_consent_link_is_one_line(self, provisioning: CommandLine) -> None:
        out = provisioning.as_person(OPERATOR)("tenants", "consent-url", SCHOOL, "school.nl").out
        assert out.startswith(f"https://login.example/{TENANT}/adminconsent?")
        assert out.count("\n") == 1

    def test_two_tenants_that_begin_alike_need_more_characters(self, world: World, provisioning: CommandLine) -> None:
        twin = TenantId("11111111-2222-4111-8111-111111111111")
        world.tenants[twin] = msgspec.structs.replace(world.tenants[TENANT], tenant_id=twin)
        assert "give more characters" in provisioning("tenants", "show", "1111").err


class TestConfiguration:
    @pytest.fixture(autouse=True)
    def _others_are_in_force(self, world: World) -> None:
        for loaded in LOADED:
            fields = msgspec.structs.asdict(loaded) | {"digest": "a" * 64}
            first = ConfigurationVersion(**fields, reason=INSTALLED, proposed_by=SYSTEM, proposed_at=NOW)
            world.configurations.append(first)

    @pytest.mark.parametrize("kind", ConfigurationKind)
    def test_what_is_proposed_by_one_is_approved_by_another_as_it_was_shown(
        self, world: World, provisioning: CommandLine, kind: ConfigurationKind
    ) -> None:
        shown = provisioning.as_person(OPERATOR)("configuration", "propose", kind, "--reason", "t-14").out
        typed = next(line for line in shown.splitlines() if "configuration approve" in line).split()[1:]
        assert provisioning(*typed).code == 1
        assert provisioning.as_person(APPROVER)(*typed).out.startswith(f"In force: the {kind} {typed[-1]}.")
        assert [each.approved_by for each in world.configurations if each.is_in_force and each.kind is kind] == [
            APPROVER.actor
        ]

    def test_the_proposal_shows_which_tables_differ(
        self, world: World, provisioning: CommandLine, tmp_path: Path
    ) -> None:
        folder = copytree(OURS, tmp_path / "next-year", ignore=ignore_patterns("*.py"))
        provisioning.as_person(OPERATOR)
        answer = provisioning("configuration", "propose", "mappings", "--folder", str(folder), "--reason", "t-14")
        assert (answer.code, answer.fits) == (0, True)
        assert "articles" in answer.out.split("Other")[1]
        assert "articles" in provisioning("configuration", "show").out

    def test_files_that_contradict_each_other_are_not_proposed(
        self, world: World, provisioning: CommandLine, tmp_path: Path
    ) -> None:
        folder = copytree(OURS, tmp_path / "wrong", ignore=ignore_patterns("*.py"))
        articles = (folder / "articles.csv").read_text("utf-8").splitlines(keepends=True)
        (folder / "articles.csv").write_text("".join([*articles, articles[1]]), "utf-8")
        provisioning.as_person(OPERATOR)
        answer = provisioning("configuration", "propose", "mappings", "--folder", str(folder), "--reason", "t-14")
        assert (answer.code, "mappings check" in " ".join(answer.err.split())) == (2, True)
        assert not any(each.is_proposed for each in world.configurations)

    def test_what_was_in_force_comes_back_by_one_command_and_is_reviewed(
        self, world: World, provisioning: CommandLine
    ) -> None:
        first = mappings_with(remap(A1, A3))
        world.configurations[0] = msgspec.structs.replace(world.configurations[0], digest=first.digest)
        world.contents[ConfigurationKind.MAPPINGS, first.digest] = pack_mappings(first)
        proposed = provisioning.as_person(OPERATOR)(
            "configuration", "propose", "mappings", "--reason", "t-14", "--json"
        )
        provisioning.as_person(APPROVER)("configuration", "approve", json.loads(proposed.out)["digest"])

        answer = provisioning.as_person(OPERATOR)("configuration", "rollback", "mappings", "--reason", "people lost it")
        assert (answer.code, answer.fits) == (0, True), answer.err
        typed = next(line for line in answer.out.splitlines() if "configuration review" in line).split()[1:]
        assert "not reviewed yet" in " ".join(provisioning("configuration", "show").out.split())
        assert "brought back alone" in " ".join(provisioning("configuration", "versions").out.split())
        assert provisioning(*typed).code == 1
        assert provisioning.as_person(APPROVER)(*typed).out.startswith("Reviewed: the rollback to the mappings")

    def test_limits_do_not_come_back_by_a_command(self, provisioning: CommandLine) -> None:
        answer = provisioning.as_person(OPERATOR)("configuration", "rollback", "limits", "--reason", "mistake")
        assert (answer.code, "settings of each process" in answer.told) == (2, True)

    def test_back_to_before_takes_two_persons_too(self, world: World, provisioning: CommandLine) -> None:
        digest = LOADED[1].digest[:8]
        provisioning.as_person(OPERATOR)("configuration", "propose", "limits", "--reason", "t-14")
        provisioning.as_person(APPROVER)("configuration", "approve", digest)
        provisioning.as_person(ADMIN)
        assert provisioning("configuration", "propose", "--earlier", digest, "--reason", "back").code == 2
        assert provisioning("configuration", "propose", "--earlier", "aaaaaaaa", "--reason", "back").code == 0
        assert provisioning("configuration", "reject", "aaaaaaaa").out.startswith("Rejected: the limits aaaaaaaa")

    @pytest.mark.parametrize(
        "words",
        [
            (),
            ("mappings", "--earlier", "aaaaaaaa"),
            ("limits", "--folder", "."),
            ("everything",),
        ],
    )
    def test_what_to_propose_is_said_once_and_fits(self, provisioning: CommandLine, words: tuple[str, ...]) -> None:
        answer = provisioning.as_person(OPERATOR)("configuration", "propose", *words, "--reason", "t-14")
        assert answer.code == 2

    def test_without_anything_on_record_it_says_how_that_begins(self, world: World, provisioning: CommandLine) -> None:
        world.configurations = []
        assert "first worker" in provisioning("configuration", "versions").out
        assert "none yet" in provisioning("configuration", "show").out


class TestPlans:
    @pytest.fixture
    def awaiting(self, world: World) -> World:
        an_operation(world, OperationState.AWAITING_APPROVAL)
        a_binding(world)
        a_plan(world)
        return world

    def test_what_is_shown_can_be_typed_to_approve_it(self, awaiting: World, provisioning: CommandLine) -> None:
        shown = provisioning("plans", "show", "77aa").out
        typed = next(line for line in shown.splitlines() if line.startswith("To approve:")).split()[3:]
        assert provisioning.as_person(APPROVER)(*typed).code == 0
        assert awaiting.operations[OPERATION].state is OperationState.APPLYING

    def test_showing_never_approves(self, awaiting: World, provisioning: CommandLine) -> None:
        provisioning.as_person(APPROVER)("plans", "show", "77aa", "--json")
        assert awaiting.operations[OPERATION].state is OperationState.AWAITING_APPROVAL
        assert awaiting.events == []

    def test_programs_get_the_envelope(self, awaiting: World, provisioning: CommandLine) -> None:
        assert provisioning("plans", "show", "77aa", "--json").json["envelope"]["counts"] == {"assign": 1200}

    def test_what_plans_would_do_is_told_in_the_language_that_is_asked(
        self, awaiting: World, provisioning: CommandLine
    ) -> None:
        assert "What changes in the Microsoft licences" in provisioning("plans", "assess", "77aa").out
        assert "Wat er verandert" in provisioning("plans", "assess", "77aa", "--language", "nl").out
        assert provisioning("plans", "assess", "77aa", "--json").json["parts"][0]["domain"] == "school.onmicrosoft.com"
        refused = provisioning("plans", "assess", "77aa", "--language", "fr")
        assert refused.code != 0
        assert "nl or en" in refused.err

    def test_it_becomes_a_page_that_no_other_file_gives_way_to(
        self, awaiting: World, provisioning: CommandLine, tmp_path: Path
    ) -> None:
        file = tmp_path / "page.html"
        provisioning.as_person(OPERATOR)("plans", "assess", "77aa", "--html", str(file))
        assert file.read_text().startswith("<!doctype html>")
        again = provisioning("plans", "assess", "77aa", "--html", str(file))
        assert again.code == 2
        assert "never written over" in " ".join(again.err.split())

    def test_assessing_needs_an_operation(self, awaiting: World, provisioning: CommandLine) -> None:
        assert provisioning("plans", "assess").code == 2
        assert "There is no operation beef" in provisioning("plans", "assess", "77aa", "beef").err

    def test_an_operator_does_not_approve(self, awaiting: World, provisioning: CommandLine) -> None:
        answer = provisioning.as_person(OPERATOR)("plans", "approve", "77aa", DIGEST)
        assert (answer.code, "role approver" in " ".join(answer.err.split())) == (1, True)

    def test_rejecting_needs_a_reason(self, awaiting: World, provisioning: CommandLine) -> None:
        provisioning.as_person(APPROVER)
        assert provisioning("plans", "reject", "77aa").code == 2
        assert provisioning("plans", "reject", "77aa", "--reason", "wrong school").out.endswith("is held.\n")


class TestOperations:
    @pytest.fixture
    def writing(self, world: World) -> World:
        an_operation(world, OperationState.APPLYING)
        world.writes = {OPERATION: 10_584}  # nine minutes at 19.6 a second
        return world

    def test_what_is_being_written_says_until_when(self, writing: World, provisioning: CommandLine) -> None:
        assert "about 2026-08-03 09:09 UTC, then read back" in provisioning("operations", "show", "77aa").out
        listed = provisioning("operations", "list")
        assert listed.fits
        title, row, *_ = listed.out.splitlines()
        assert (title.split()[-1], row.split()[-1]) == ("Until", "09:09")

    def test_programs_get_the_forecast_too(self, writing: World, provisioning: CommandLine) -> None:
        (row,) = provisioning("operations", "list", "--json").json
        shown = provisioning("operations", "show", "77aa", "--json").json
        assert row["writes_done_at"] == shown["writes_done_at"] == "2026-08-03T09:09:00Z"

    def test_without_anything_being_written_there_is_no_such_column(
        self, world: World, provisioning: CommandLine
    ) -> None:
        an_operation(world, OperationState.HELD)
        assert "Until" not in provisioning("operations", "list").out

    def test_retry_lets_it_go_on(self, world: World, provisioning: CommandLine) -> None:
        an_operation(world, OperationState.HELD, resume_state=OperationState.PLANNING)
        answer = provisioning.as_person(OPERATOR)("operations", "retry", "77aa", "--reason", "seats arrived")
        assert answer.out == "Operation 77aa1234 goes on: planning.\n"

    def test_one_that_cannot_read_its_tenant_says_so_with_owner_age_and_what_to_do(
        self, world: World, provisioning: CommandLine
    ) -> None:
        cut_off = {"reason": Reason.TENANT_UNREADABLE, "unreadable_since": NOW - timedelta(hours=3)}
        an_operation(world, OperationState.VERIFYING, **cut_off)
        told = provisioning("operations", "show", "77aa").out
        assert "since 2026-08-03 06:00 UTC" in told
        assert "operator" in told
        assert "goes on by itself" in told

    def test_a_remap_says_which_product_becomes_which_and_for_whom(
        self, world: World, provisioning: CommandLine
    ) -> None:
        plain = an_operation(world, OperationState.APPLYING, kind=OperationKind.REMAP)
        part = RemapPart(from_sku=SkuId("a1"), ticket_id=TicketId("t-12"))
        an_operation(world, OperationState.APPLYING, wish=msgspec.structs.replace(plain.wish, remap=part))
        told = " ".join(provisioning("operations", "show", "77aa").out.split())
        assert f"Remap a1 becomes {plain.wish.sku_id}, for ticket t-12" in told
        assert "Article" not in told

    def test_one_that_waits_for_seats_says_how_many_there_are_and_were(
        self, world: World, provisioning: CommandLine
    ) -> None:
        waiting = an_operation(world, OperationState.AWAITING_SEATS, seats_seen=1_030)
        wish = msgspec.structs.replace(waiting.wish, seats_before=1_000)
        an_operation(world, OperationState.AWAITING_SEATS, seats_seen=1_030, wish=wish)
        assert "1,030 visible, 1,000 there before the order" in provisioning("operations", "show", "77aa").out

    def test_only_those_in_a_state(self, world: World, provisioning: CommandLine) -> None:
        crowded(world)
        rows = provisioning("operations", "list", "--state", "held", "--state", "failed", "--json").json
        assert {row["state"] for row in rows} == {"held", "failed"}


class TestOrders:
    @pytest.fixture
    def two_lines(self, world: World) -> World:
        first = held_line(12)
        second = msgspec.structs.replace(first.shop, key=LineKey("shop", "1042", "2"))
        world.held = [first, msgspec.structs.replace(first, shop=second)]
        return world

    def test_an_order_is_told_line_by_line(self, two_lines: World, provisioning: CommandLine) -> None:
        operation = an_operation(two_lines, OperationState.HELD)
        wish = msgspec.structs.replace(operation.wish, line=LineKey("shop", "1042", "2"))
        an_operation(two_lines, OperationState.HELD, wish=wish)
        two_lines.events = [
            Event(at=NOW, actor=SYSTEM, kind="order.held", organisation=SCHOOL, details={"line": "shop/1042/1"}),
            Event(at=NOW, actor=SYSTEM, kind="operation.held", operation=OPERATION),
        ]
        first, second = provisioning("orders", "show", "1042").out.split("shop/1042/2")
        assert "order.held" in first
        assert "operation.held" not in first
        assert "77aa1234" in second
        assert "operation.held" in second

    def test_one_of_two_lines_is_named(self, two_lines: World, provisioning: CommandLine) -> None:
        provisioning.as_person(OPERATOR)
        answer = provisioning("orders", "cancel", "1042", "--reason", "typed twice")
        assert (answer.code, answer.err) == (2, "Order 1042 has the lines 1, 2: name one of them with --line.\n")
        answer = provisioning("orders", "cancel", "1042", "--line", "2", "--reason", "typed twice")
        assert answer.out == "Order line shop/1042/2 is cancelled.\n"
        assert [line.state for line in two_lines.held] == [LineState.HELD, LineState.CANCELLED]

    def test_released_is_the_line_that_was_named(self, two_lines: World, provisioning: CommandLine) -> None:
        provisioning.as_person(OPERATOR)
        assert provisioning("orders", "release", "1042", "--line", "1", "--reason", "two schools").code == 0
        assert provisioning.services.released == [(LineKey("shop", "1042", "1"), "two schools")]

    def test_a_file_is_submitted_whole(self, provisioning: CommandLine, tmp_path: Path) -> None:
        file = tmp_path / "orders.csv"
        file.write_text(
            "order_number,line_number,organisation_code,article_code,quantity\n1,1,41234,MS-A3,12\n1,2,41234,MS-A5,3\n"
        )
        answer = provisioning.as_person(OPERATOR)("orders", "submit", str(file))
        assert answer.code == 0, answer.err
        assert [line.quantity for line in provisioning.services.submitted] == [12, 3]

    def test_a_file_with_a_mistake_is_refused_with_its_place(self, provisioning: CommandLine, tmp_path: Path) -> None:
        file = tmp_path / "orders.csv"
        file.write_text("order_number,line_number\n1,1\n")
        answer = provisioning.as_person(OPERATOR)("orders", "submit", str(file))
        assert (answer.code, provisioning.services.submitted) == (2, [])
        assert "organisation_code" in answer.err

    def test_an_order_that_is_not_there(self, provisioning: CommandLine) -> None:
        answer = provisioning("orders", "show", "9999")
        assert (answer.code, "There is no order 9999" in answer.err) == (2, True)


class TestImports:
    def test_records_are_counted(self, provisioning: CommandLine, tmp_path: Path) -> None:
        file = tmp_path / "records.jsonl"
        record = {"kind": "membership", "id": "m1", "organisation_id": "41234", "status": "active"}
        file.write_text(json.dumps(record) + "\n")
        answer = provisioning.as_person(OPERATOR)("records", "import", str(file))
        assert answer.out.startswith("1 records read, 1 are new;"), answer.err

    @pytest.mark.parametrize("noun", ["records", "organisations"])
    def test_a_file_that_is_not_there_is_a_sentence(self, provisioning: CommandLine, noun: str, tmp_path: Path) -> None:
        answer = provisioning.as_person(OPERATOR)(noun, "import", str(tmp_path / "none"))
        assert answer.code == 2
        assert "none" in answer.err


class TestLocalWorlds:
    @pytest.mark.parametrize(
        ("typed", "module", "function", "chosen"),
        [
            (["demo", "--lag", "15", "--json"], "demo", "run_demo", {"lag_seconds": 15.0, "as_json": True}),
            (["up", "--port", "8443", "--profile", "board"], "up", "run_up", {"port": 8443, "profile": "board"}),
        ],
        ids=["demo", "up"],
    )
    def test_they_get_what_was_chosen_and_their_exit_code_counts(
        self,
        provisioning: CommandLine,
        monkeypatch: pytest.MonkeyPatch,
        typed: list[str],
        module: str,
        function: str,
        chosen: dict[str, object],
    ) -> None:
        seen = []

        def begin(options: object) -> int:
            seen.append(options)
            return 1

        world = ModuleType(module)
        setattr(world, function, begin)
        monkeypatch.setitem(sys.modules, f"provisioning.local.{module}", world)
        assert provisioning(*typed).code == 1
        assert {name: getattr(seen[0], name) for name in chosen} == chosen


class TestAudit:
    def test_an_export_verifies_without_a_database(
        self, provisioning: CommandLine, tmp_path: Path, world: World
    ) -> None:
        log, key, kept = tmp_path / "log.jsonl", tmp_path / "key", tmp_path / "kept"
        key.write_text(KEY)
        kept.write_text(provisioning("audit", "checkpoint").out)
        assert "lines are in" in provisioning.as_person(AUDITOR)("audit", "export", "--to", str(log)).out
        provisioning.services = None  # type: ignore[assignment]  # whoever verifies has nothing of ours
        answer = provisioning("audit", "verify", str(log), "--key", str(key), "--checkpoint", str(kept))
        assert answer.code == 0
        assert "Nothing was tampered with." in answer.out

    def test_tampering_is_found_and_ends_with_one(self, provisioning: CommandLine, tmp_path: Path) -> None:
        log, key = tmp_path / "log.jsonl", tmp_path / "key"
        key.write_text(KEY)
        provisioning.as_person(AUDITOR)("audit", "export", "--to", str(log))
        log.write_bytes(log.read_bytes().replace(b"order.received", b"order.rejected", 1))
        answer = provisioning("audit", "verify", str(log), "--key", str(key))
        assert answer.code == 1
        assert "edited: line 2:" in answer.out
        machine = provisioning("audit", "verify", str(log), "--key", str(key), "--json").json
        assert (machine["sound"], machine["findings"][0]["kind"]) == (False, "edited")

    def test_a_file_that_is_not_there_is_a_sentence(self, provisioning: CommandLine, tmp_path: Path) -> None:
        (tmp_path / "key").write_text(KEY)
        answer = provisioning("audit", "verify", str(tmp_path / "none"), "--key", str(tmp_path / "key"))
        assert (answer.code, "cannot be read: No such file" in answer.told) == (2, True)


class TestMappings:
    def test_the_ones_shipped_hold(self, provisioning: CommandLine) -> None:
        answer = provisioning("mappings", "check")
        assert (answer.code, "0 errors" in answer.out) == (0, True)

    def test_they_do_not_differ_from_themselves(self, provisioning: CommandLine) -> None:
        assert provisioning("mappings", "diff", str(OURS), "--before", str(OURS)).out == "They say the same.\n"

    def test_a_difference_shows_rows_and_whom_it_touches(self, world: World, provisioning: CommandLine) -> None:
        provisioning.services.mappings = mappings_with(remap(A1, A3))
        world.holders = [(A1, Holders(organisation_id=SCHOOL, people=1_500_000, seats=1_600_000))]
        answer = provisioning("mappings", "diff", str(OURS))
        assert (answer.code, answer.fits) == (0, True), answer.out
        assert "remaps.csv" in answer.out
        assert "1,500,000 people" in " ".join(answer.out.split())
        machine = json.loads(provisioning("mappings", "diff", str(OURS), "--json").out)
        assert machine["impact"]["organisations"][0]["people"] == 1_500_000
        assert {row["file"] for row in machine["rows"]} == {"remaps.csv"}

    def test_without_a_database_it_shows_the_rows_and_says_what_it_could_not_see(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        def nowhere() -> object:
            raise ConfigurationError("DATABASE_URL is missing.")

        folder = copytree(OURS, tmp_path / "next-year", ignore=ignore_patterns("*.py"))
        (folder / "remaps.csv").write_text(",".join(COLUMNS["remaps.csv"]) + "\n", "utf-8")
        assert run(["mappings", "diff", str(folder)], Session(nowhere)) == 0  # type: ignore[arg-type]
        told = " ".join(capsys.readouterr().out.split())
        assert "remaps.csv" in told
        assert "Orders, plans and people were not looked at: DATABASE_URL is missing." in told

    def test_a_database_that_is_busy_leaves_the_rows(self, provisioning: CommandLine) -> None:
        def busy(*_: object) -> object:
            raise UnavailableError("The database does not answer in time.")

        provisioning.services.mappings_impact = busy  # type: ignore[assignment]
        answer = provisioning("mappings", "diff", str(OURS))
        assert (answer.code, "people were not looked at: The database" in " ".join(answer.out.split())) == (0, True)

    def test_a_proposal_is_compared_without_its_files(self, world: World, provisioning: CommandLine) -> None:
        provisioning.services.mappings = mappings_with(remap(A1, A3))
        proposed = provisioning.as_person(OPERATOR)("configuration", "propose", "mappings", "--reason", "t-14")
        assert "It touches 0 open order lines" in " ".join(proposed.out.split())
        typed = next(line for line in proposed.out.splitlines() if "mappings diff" in line).split()[1:]
        assert "remaps.csv" in provisioning(*typed).out

    @pytest.mark.parametrize("words", [(), (str(OURS), "--proposal", "aaaaaaaa"), ("--proposal", "aaaaaaaa")])
    def test_what_would_come_is_named_once_and_is_there(
        self, provisioning: CommandLine, words: tuple[str, ...]
    ) -> None:
        assert provisioning("mappings", "diff", *words).code == 2

    def test_a_folder_that_is_none_is_a_sentence(self, provisioning: CommandLine, tmp_path: Path) -> None:
        answer = provisioning("mappings", "check", str(tmp_path))
        assert answer.code == 1
        assert "articles.csv" in answer.err


class TestSandbox:
    def test_without_a_twin_it_says_how_to_start_one(self, provisioning: CommandLine, tmp_path: Path) -> None:
        answer = provisioning("sandbox", "ledger", "--folder", str(tmp_path))
        assert answer.code == 1
        assert "provisioning sandbox serve" in answer.told


class TestTheKeyOfTheLog:
    def test_is_made_once_for_us_alone_and_shows_its_public_half(
        self, provisioning: CommandLine, tmp_path: Path
    ) -> None:
        file = tmp_path / "checkpoint_key"
        made = provisioning("audit", "key", str(file), "--new", "log.example")
        assert made.code == 0
        assert file.stat().st_mode & 0o777 == 0o600
        assert SignerKey.parse(file.read_text().strip()).verifier == VerifierKey.parse(made.out.strip())
        assert provisioning("audit", "key", str(file)).out == made.out
        assert "PRIVATE" not in made.out

    def test_is_never_overwritten(self, provisioning: CommandLine, tmp_path: Path) -> None:
        file = tmp_path / "checkpoint_key"
        provisioning("audit", "key", str(file), "--new", "log.example")
        before = file.read_text()
        again = provisioning("audit", "key", str(file), "--new", "log.example")
        assert again.code == 2
        assert "is there already" in again.told
        assert file.read_text() == before

    def test_what_is_no_key_is_said(self, provisioning: CommandLine, tmp_path: Path) -> None:
        file = tmp_path / "checkpoint_key"
        file.write_text("hello")
        answer = provisioning("audit", "key", str(file))
        assert answer.code != 0
        assert "hello" not in answer.err
