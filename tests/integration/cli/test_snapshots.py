"""A snapshot of a tenant: nobody can be found in it, and a sandbox planted with it answers as the tenant did."""

import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from provisioning.bootstrap import Services
from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import SubjectId
from provisioning.planning.deliver import plan_deliver
from provisioning.planning.masks import KEY_ROW, Masks
from provisioning.planning.plan import Plan
from provisioning.planning.selection import select
from provisioning.services.observe_scene import observe_scene
from tests.conformance.school import APP, SECRET
from tests.factories import tenancy
from tests.integration.cli import names
from tests.integration.cli.conftest import Installation, flat
from tests.integration.cli.names import SCHOOL_OF_NAMES
from tests.sandbox_process import SandboxProcess
from tests.unit.planning import scene

SCHOOL = "41234"


@pytest.fixture
def operator(provisioning: Installation, team: dict[str, str], sandbox: SandboxProcess) -> Installation:
    """Somebody on duty, in an installation that serves the school of names."""
    sandbox.control.seed(names.seed(), reset=False)
    services = provisioning.services()
    with services.open_uow() as uow:
        uow.organisations.save([tenancy.organisation(organisation_id=SCHOOL)])
        uow.commit()
    services.close()
    provisioning.as_holder_of(team["operator"])("tenants", "add", names.DOMAIN)
    bound = provisioning("tenants", "bind", SCHOOL, names.DOMAIN, "--select", f"faculty={names.SELECTOR}")
    assert bound.code == 0, bound.err
    return provisioning


@pytest.fixture
def snapshot(operator: Installation, tmp_path: Path) -> Path:
    file = tmp_path / "school.json"
    answer = operator("tenants", "snapshot", names.DOMAIN, "--to", str(file))
    assert answer.code == 0, answer.err
    return file


@pytest.fixture
def services(operator: Installation) -> Any:
    opened = operator.services()
    yield opened
    opened.close()


def plant(sandbox: SandboxProcess, file: Path) -> None:
    """The sandbox becomes what the file says, and knows our app."""
    sandbox.control.seed(msgspec.json.decode(file.read_bytes()))
    sandbox.control.register_app(APP, secrets=[{"value": SECRET}])


def masks_of(services: Services) -> Masks:
    with services.open_uow() as uow:
        return Masks(uow.audit.pseudonyms(SCHOOL_OF_NAMES, [KEY_ROW])[KEY_ROW])


class TestTheFile:
    def test_names_nobody(self, snapshot: Path) -> None:
        text = snapshot.read_text("utf-8").lower()
        told = [names.name(number) for number in range(names.PEOPLE)] + ["voornaam", "kamer", "leerkracht", "06-0000"]
        assert [word for word in told if word in text] == []
        assert [number for number in range(names.PEOPLE) if names.person(number) in text] == []

    def test_is_for_its_owner_alone(self, snapshot: Path) -> None:
        assert stat.S_IMODE(snapshot.stat().st_mode) == 0o600

    def test_is_never_overwritten(self, operator: Installation, snapshot: Path) -> None:
        before = snapshot.read_bytes()
        answer = operator("tenants", "snapshot", names.DOMAIN, "--to", str(snapshot))
        assert (answer.code, "a snapshot is never overwritten" in flat(answer.err)) == (2, True)
        assert snapshot.read_bytes() == before

    def test_calls_the_same_person_the_same_in_every_snapshot(self, operator: Installation, snapshot: Path) -> None:
        again = snapshot.with_name("again.json")
        operator("tenants", "snapshot", names.DOMAIN, "--to", str(again))
        assert _users(again) == _users(snapshot)

    def test_cannot_be_tied_to_people_once_its_key_is_forgotten(
        self, operator: Installation, team: dict[str, str], snapshot: Path
    ) -> None:
        operator.as_holder_of(team["admin"])("audit", "forget", names.DOMAIN, KEY_ROW, "--reason", "asked")
        again = snapshot.with_name("again.json")
        operator.as_holder_of(team["operator"])("tenants", "snapshot", names.DOMAIN, "--to", str(again))
        assert not {user["id"] for user in _users(again)} & {user["id"] for user in _users(snapshot)}

    def test_has_a_name_of_its_own_when_nobody_names_it(
        self, operator: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        answer = operator("tenants", "snapshot", names.DOMAIN, "--json").json
        assert answer["file"].startswith("veelnamen.onmicrosoft.com-")
        assert (answer["people"], answer["groups"], answer["is_complete"]) == (names.PEOPLE, 3, True)
        assert (tmp_path / answer["file"]).exists()


class TestWhoMay:
    def test_an_operator_and_it_is_on_record(self, operator: Installation, snapshot: Path) -> None:
        told = [event for event in operator("audit", "list", "--json").json if "snapshot" in event["kind"]]
        assert [event["kind"] for event in told] == ["tenant.snapshot_begun", "tenant.snapshot_taken"]
        assert {event["actor"] for event in told} == {"person:duty"}
        assert told[1]["details"] == {"people": str(names.PEOPLE), "complete": "yes"}

    def test_nobody_else(self, operator: Installation, team: dict[str, str], tmp_path: Path) -> None:
        file = tmp_path / "school.json"
        answer = operator.as_holder_of(team["auditor"])("tenants", "snapshot", names.DOMAIN, "--to", str(file))
        assert (answer.code, "may not take a snapshot" in flat(answer.err), file.exists()) == (1, True, False)


class TestATwinPlantedWithIt:
    def test_is_the_tenant_without_names(
        self, operator: Installation, sandbox: SandboxProcess, services: Services, snapshot: Path
    ) -> None:
        before = _tenant_in(sandbox)
        plant(sandbox, snapshot)
        assert _told(_tenant_in(sandbox)) == _told(_masked(before, masks_of(services)))

    def test_keeps_of_attributes_what_selectors_compare_with(self, sandbox: SandboxProcess, snapshot: Path) -> None:
        plant(sandbox, snapshot)
        users = _tenant_in(sandbox)["users"]
        assert {user.get("department") for user in users} == {None, "Team 99XA"}
        assert {msgspec.json.encode(user.get("extensions")) for user in users} == {
            b"null",
            b'{"extensionAttribute3":"Vast"}',
        }

    def test_keeps_a_product_that_the_sandbox_does_not_know(self, sandbox: SandboxProcess, snapshot: Path) -> None:
        plant(sandbox, snapshot)
        [product] = [one for one in _world(sandbox)["catalogue"]["skus"] if one["skuId"] == names.HOME_GROWN]
        assert product == {**names.seed()["catalogue"]["skus"][0], "appliesTo": "User"}

    def test_shows_our_gateway_the_same_groups(
        self, sandbox: SandboxProcess, services: Services, snapshot: Path
    ) -> None:
        asked = [names.STAFF, names.LICENSED]
        source = services.gateway.observe_groups(SCHOOL_OF_NAMES, asked)
        masks = masks_of(services)
        plant(sandbox, snapshot)
        copy = services.gateway.observe_groups(SCHOOL_OF_NAMES, asked)
        for group_id in asked:
            assert copy[group_id].members == {masks.of(member) for member in source[group_id].members}
            assert copy[group_id].licences == source[group_id].licences
            assert copy[group_id].is_dynamic == source[group_id].is_dynamic
        assert copy[names.LICENSED].rule == ('(user.department -eq "Team 99XA") -or (user.userPrincipalName -eq "…")')

    def test_gets_the_same_plan(self, sandbox: SandboxProcess, services: Services, snapshot: Path) -> None:
        masks = masks_of(services)
        source = plan_in(services)
        plant(sandbox, snapshot)
        copy = plan_in(services)
        assert copy.counts == source.counts
        assert len(source.steps) > 10
        assert outcome(copy) == outcome(source, masks)


class TestATenantThatCannotBeReadWhole:
    def test_says_so_in_the_file_and_on_the_screen(
        self, operator: Installation, sandbox: SandboxProcess, tmp_path: Path
    ) -> None:
        sandbox.control.add_fault("unavailable", tenant=SCHOOL_OF_NAMES, route="groupMembers")
        file = tmp_path / "school.json"
        answer = operator("tenants", "snapshot", names.DOMAIN, "--to", str(file))
        assert (answer.code, "NOT COMPLETE. Not all members of group" in flat(answer.out)) == (0, True)
        [tenant] = msgspec.json.decode(file.read_bytes())["tenants"]
        assert any(remark.startswith("NOT COMPLETE.") for remark in tenant["remarks"])

    def test_leaves_no_file_when_nothing_could_be_read(
        self, operator: Installation, sandbox: SandboxProcess, tmp_path: Path
    ) -> None:
        sandbox.control.add_fault("unavailable", tenant=SCHOOL_OF_NAMES, route="users")
        file = tmp_path / "school.json"
        answer = operator("tenants", "snapshot", names.DOMAIN, "--to", str(file))
        assert (answer.code, file.exists()) == (1, False)


# ── the plan of one order, from what a tenant shows ──────────────────────────────────────────────────────


def plan_in(services: Services) -> Plan:
    """A3 for the staff, whom the binding's selector names."""
    with services.open_uow() as uow:
        bindings = uow.tenants.bindings_in(SCHOOL_OF_NAMES, datetime.now(UTC).date())
    observed = observe_scene(services.gateway, SCHOOL_OF_NAMES, bindings)
    wish = scene.wish(scene.A3)
    chosen = select(observed.census, observed.memberships, bindings, (), Audience.FACULTY)
    drawn = scene.scene(wish=wish, selection=chosen, seats=observed.seats.counts[scene.A3], entitlement=80)
    return plan_deliver(msgspec.structs.replace(drawn, tenant_id=SCHOOL_OF_NAMES, census=observed.census))


def outcome(plan: Plan, masks: Masks | None = None) -> list[Any]:
    """Everybody with what is to happen, people under the names that a snapshot gives them."""

    def called(subject: SubjectId) -> SubjectId:
        return masks.of(subject) if masks else subject

    people = [(called(one.subject_id), one.state, one.reason or "") for one in plan.subjects]
    steps = [(called(step.subject_id), step.kind, msgspec.json.encode(step.change)) for step in plan.steps]
    return [sorted(people), sorted(steps)]


# ── the twin's own account of a tenant ───────────────────────────────────────────────────────────────────


def _world(sandbox: SandboxProcess) -> Any:
    return sandbox.control.read_seed()


def _tenant_in(sandbox: SandboxProcess) -> dict[str, Any]:
    return next(tenant for tenant in _world(sandbox)["tenants"] if tenant["id"] == SCHOOL_OF_NAMES)


def _users(file: Path) -> list[dict[str, Any]]:
    [tenant] = msgspec.json.decode(file.read_bytes())["tenants"]
    return list(tenant["users"])


def _masked(tenant: dict[str, Any], masks: Masks) -> dict[str, Any]:
    """What the source says, with people under their names in a snapshot."""
    masked = {**tenant, "users": [{**user, "id": masks.of(user["id"])} for user in tenant["users"]]}
    for collection in ("groups", "administrativeUnits", "schools"):
        masked[collection] = [
            {**row, "members": [masks.of(member) for member in row["members"]]} for row in tenant[collection]
        ]
    return masked


def _told(tenant: dict[str, Any]) -> dict[str, Any]:
    """All that a snapshot promises of a tenant; members and people in an order of their own."""
    kept = ("id", "domains", "country", "defaultUsageLocation", "consents")
    collections = {
        name: sorted((row["id"], sorted(row["members"])) for row in tenant[name])
        for name in ("groups", "administrativeUnits", "schools")
    }
    licences = {row["id"]: (row["assignedLicenses"], row["groupTypes"]) for row in tenant["groups"]}
    bought = ("id", "skuId", "totalLicenses", "status", "nextLifecycleDateTime")
    return {
        **{name: tenant[name] for name in kept},
        **collections,
        "licences": licences,
        "subscriptions": [[row.get(name) for name in bought] for row in tenant["subscriptions"]],
        "users": sorted((user["id"], msgspec.json.encode(_of_person(user))) for user in tenant["users"]),
    }


def _of_person(user: dict[str, Any]) -> Any:
    dated = [{**row, "lastUpdatedDateTime": ""} for row in user.get("assignments", ())]
    kept = ("accountEnabled", "userType", "usageLocation", "primaryRole")
    return [user["userPrincipalName"].partition("@")[2], [user.get(name) for name in kept], dated]
