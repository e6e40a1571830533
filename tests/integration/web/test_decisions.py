"""What people decide over HTTP: the same services, the same rights, the same four eyes as on the command line."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from provisioning.audit.note import SignerKey
from provisioning.bootstrap import Services
from provisioning.domain.actors import Role
from provisioning.domain.lifecycle import OperationState
from provisioning.services.verify_audit import verify_audit
from tests.factories import NOW
from tests.factories import operations as make
from tests.integration.web.conftest import Asker
from tests.integration.web.landscape import Settled, settle
from tests.unit.services.fakes_access import TENANT

AskerOf = Callable[..., Asker]


@pytest.fixture
def town(services: Services) -> Settled:
    return settle(services, "aamark", "41000", "41AA")


@pytest.fixture
def approver(asker: AskerOf) -> Asker:
    return asker("person:ap", Role.APPROVER)


class TestPlans:
    def test_are_shown_and_approved_by_another_person(self, town: Settled, operator: Asker, approver: Asker) -> None:
        shown = operator.get(f"/api/v1/plans/{town.operation}").json()
        assert shown["breaches"] == ["too many"]
        place = f"/api/v1/plans/{town.operation}/approve"
        refused = operator.post(place, {"digest": shown["digest"]})
        assert refused.status_code == 403
        assert "may not approve a plan" in refused.json()["detail"]
        assert approver.post(place, {"digest": "0" * 8}).status_code == 409
        approved = approver.post(place, {"digest": shown["digest"]})
        assert (approved.status_code, approved.json()["state"]) == (200, "applying")

    def test_whoever_asked_for_it_does_not_approve_it(self, services: Services, town: Settled, asker: AskerOf) -> None:
        with services.open_uow() as uow:
            plan = uow.plans.current(town.operation)
            assert plan is not None
            mine = make.operation(town.tenant, state=OperationState.AWAITING_APPROVAL, requested_by="person:both")
            uow.operations.add(mine)
            own = make.plan(mine, make.people(1), guard_breaches=("too many",))
            names = uow.audit.pseudonyms(own.tenant_id, [one.subject_id for one in own.subjects])
            uow.plans.add(own, names, sku=make.A3, valid_until=NOW + timedelta(days=1))
            uow.commit()
        both = asker("person:both", Role.OPERATOR, Role.APPROVER)
        with services.open_uow() as uow:
            digest = uow.plans.current(mine.operation_id).digest  # type: ignore[union-attr]
        answer = both.post(f"/api/v1/plans/{mine.operation_id}/approve", {"digest": digest})
        assert answer.status_code == 403, answer.text

    def test_a_client_approves_nothing(self, client: TestClient, town: Settled) -> None:
        board = Asker(client, town.token)
        assert board.post(f"/api/v1/plans/{town.operation}/approve", {"digest": "0" * 8}).status_code == 404

    def test_a_rejection_holds_the_operation(self, town: Settled, approver: Asker) -> None:
        answer = approver.post(f"/api/v1/plans/{town.operation}/reject", {"reason": "wrong school"})
        assert (answer.status_code, answer.json()["state"]) == (200, "held")
        again = approver.post(f"/api/v1/plans/{town.operation}/reject", {"reason": "wrong school"})
        assert again.status_code in {409, 422}

    def test_a_rejection_without_a_reason_is_none(self, town: Settled, approver: Asker) -> None:
        answer = approver.post(f"/api/v1/plans/{town.operation}/reject", {"reason": " "})
        assert answer.json()["detail"] == "A rejection needs a reason: what should be different?"


class TestTenants:
    def test_are_found_by_a_domain_bound_and_shown(self, town: Settled, operator: Asker) -> None:
        assert operator.post("/api/v1/tenants", {"domain": "school.nl"}).json()["tenant_id"] == TENANT
        bound = operator.post(
            f"/api/v1/tenants/{TENANT[:8]}/bind",
            {"organisation": town.board, "selectors": {"faculty": {"domain": "school.nl"}}},
        ).json()
        assert bound["confirmed_by"] is None
        assert json.loads(bound["selectors"]["faculty"]) == {"domain": "school.nl"}
        shown = operator.get("/api/v1/tenants/school.nl").json()
        assert [one["organisation_id"] for one in shown["bindings"]] == [town.board]

    def test_whoever_bound_it_does_not_confirm_it(self, town: Settled, operator: Asker) -> None:
        operator.post("/api/v1/tenants", {"domain": "school.nl"})
        operator.post("/api/v1/tenants/school.nl/bind", {"organisation": town.board})
        answer = operator.post("/api/v1/tenants/school.nl/confirm", {"organisation": town.board})
        assert answer.status_code == 403
        assert "second person" in answer.json()["detail"]

    def test_a_selector_that_is_none_is_refused_in_words(self, town: Settled, operator: Asker) -> None:
        body = {"organisation": town.school, "audience": "faculty", "selector": {"everybody": True}}
        answer = operator.post(f"/api/v1/tenants/{town.tenant}/select", body)
        assert answer.status_code == 422
        assert answer.json()["detail"]

    def test_a_policy_takes_two(self, town: Settled, operator: Asker, approver: Asker) -> None:
        body = {"asked_by": "ticket 12", "assignment_mode": "direct", "usage_location": "NL"}
        proposed = operator.post(f"/api/v1/tenants/{town.tenant}/policy", body).json()
        place = f"/api/v1/tenants/{town.tenant}/policy/approve"
        assert operator.post(place, {"digest": proposed["digest"]}).status_code == 403
        approved = approver.post(place, {"digest": proposed["digest"][:8]})
        assert approved.json()["approved_by"] == "person:ap"


class TestMigrations:
    def test_evidence_comes_in_and_names_whom_it_does_not_know(self, town: Settled, operator: Asker) -> None:
        body = {"source": "list", "content": "person\nnobody@elsewhere.example\n"}
        answer = operator.post(f"/api/v1/migrations/{town.migration}/gate", body)
        assert answer.status_code in {200, 409, 422}, answer.text

    def test_evidence_about_a_licence_is_none(self, town: Settled, operator: Asker) -> None:
        body = {"source": "tool_report", "content": "person,licence\nsomebody,E5\n"}
        answer = operator.post(f"/api/v1/migrations/{town.migration}/gate", body)
        assert answer.status_code == 422
        assert answer.json()["errors"]

    def test_a_file_with_mistakes_names_each_field(self, operator: Asker) -> None:
        answer = operator.post("/api/v1/migrations", {"migration": {"name": "x", "colour": "red"}})
        assert answer.status_code == 422
        assert {"colour", "products"} <= {one["field"].split(",")[0].strip() for one in answer.json()["errors"]}

    def test_an_identity_map_goes_with_the_field_that_names_it(self, operator: Asker, town: Settled) -> None:
        whole: dict[str, Any] = {
            "name": "merger",
            "source": {"tenant": "old-aamark.example", "holder": town.board},
            "target": {"tenant": "aamark.example", "holder": town.board},
            "asked_by": "letter 7",
            "people": {"everyone": True},
            "products": [{"from": "M365EDU_A3_FACULTY"}],
            "waves": [{"name": "pilot", "people": {"everyone": True}}],
            "identity": {"file": "identity.csv"},
        }
        answer = operator.post("/api/v1/migrations", {"migration": whole})
        assert answer.status_code == 422
        assert "go together" in answer.json()["detail"]
        created = operator.post(
            "/api/v1/migrations", {"migration": whole, "identity_map": "source,target\na@x.nl,b@y.nl\n"}
        )
        assert created.status_code == 409, created.text  # read as a file would be; then nobody has let us in
        assert created.json()["reason"] == "CONSENT_REVOKED"

    def test_steering_needs_a_reason_and_the_right(self, town: Settled, operator: Asker, approver: Asker) -> None:
        place = f"/api/v1/migrations/{town.migration}/abort"
        assert approver.post(place, {"reason": "the boards do not merge"}).status_code == 403
        assert operator.post(place, {"reason": ""}).status_code == 422
        aborted = operator.post(place, {"reason": "the boards do not merge"})
        assert (aborted.status_code, aborted.json()["state"]) == (200, "aborted")
        (row,) = operator.get("/api/v1/migrations?state=aborted").json()["items"]
        assert row["migration"]["name"] == "merger aamark"

    def test_people_are_ids_to_operators_only(self, town: Settled, operator: Asker, approver: Asker) -> None:
        place = f"/api/v1/migrations/{town.migration}/people"
        (theirs,) = operator.get(place).json()["items"]
        (ours,) = approver.get(place).json()["items"]
        assert theirs["source_id"]
        assert (ours["source_id"], ours["target_id"]) == (None, None)


class TestConfiguration:
    def test_what_is_loaded_is_proposed_and_approved_by_another(
        self, services: Services, asker: AskerOf, operator: Asker, approver: Asker
    ) -> None:
        services.check_configuration()
        answer = operator.post("/api/v1/configuration", {"kind": "limits", "reason": "the start of year"})
        assert answer.status_code == 422  # they are in force already
        shown = operator.get("/api/v1/configuration").json()
        assert {one["kind"] for one in shown} == {"mappings", "limits"}
        assert len(operator.get("/api/v1/configuration/versions").json()["items"]) == 2
        assert approver.post("/api/v1/configuration/00000000/approve").status_code in {404, 422}

    @pytest.mark.parametrize("body", [{}, {"kind": "limits", "earlier": "00000000"}])
    def test_one_thing_is_proposed(self, operator: Asker, body: dict[str, str]) -> None:
        answer = operator.post("/api/v1/configuration", body | {"reason": "x"})
        assert answer.json()["detail"].startswith("Say what to propose")


class TestActors:
    def test_a_new_client_comes_in_with_its_token(self, client: TestClient, asker: AskerOf) -> None:
        admin = asker("person:admin", Role.ADMIN)
        made = admin.post("/api/v1/actors", {"actor": "client:new", "roles": ["shop"], "days": 30}).json()
        assert Asker(client, made["token"]).get("/api/v1/orders").status_code == 200
        listed = [one["actor"] for one in admin.get("/api/v1/actors").json()["items"]]
        assert listed == ["client:new", "person:admin"]

    def test_a_board_client_names_its_board(self, asker: AskerOf) -> None:
        answer = asker("person:admin", Role.ADMIN).post("/api/v1/actors", {"actor": "client:b", "roles": ["board"]})
        assert answer.status_code == 422
        assert "names its board" in answer.json()["detail"]

    def test_only_an_administrator_adds_one(self, operator: Asker) -> None:
        assert operator.post("/api/v1/actors", {"actor": "client:x", "roles": ["shop"]}).status_code == 403


class TestAudit:
    def test_an_export_verifies_with_the_public_key_alone(self, town: Settled, asker: AskerOf) -> None:
        auditor = asker("person:au", Role.AUDITOR)
        assert auditor.get("/api/v1/audit/export").status_code == 409  # nothing is sealed yet
        assert "log.test" in auditor.post("/api/v1/audit/checkpoint").json()["checkpoint"]
        answer = auditor.get("/api/v1/audit/export")
        assert answer.headers["content-type"] == "application/jsonl"
        key = str(SignerKey("log.test", bytes(range(32))).verifier)
        verdict = verify_audit(iter(answer.content.splitlines(keepends=True)), key, None)
        assert verdict.is_sound
        assert verdict.events == 2

    def test_one_organisations_part_is_its_own(self, town: Settled, asker: AskerOf) -> None:
        auditor = asker("person:au", Role.AUDITOR)
        auditor.post("/api/v1/audit/checkpoint")
        part = auditor.get("/api/v1/audit/export", params={"organisation": town.school, "known": [0]})
        assert part.text.count("order.accepted") == 1

    def test_an_operator_carries_nothing_out(self, town: Settled, operator: Asker) -> None:
        assert operator.get("/api/v1/audit/export").status_code == 403
        assert operator.post("/api/v1/audit/checkpoint").status_code == 403


class TestStops:
    def test_stop_and_go_on(self, town: Settled, operator: Asker) -> None:
        assert operator.post("/api/v1/stops", {"scope": "kind:remap", "reason": "odd"}).json()["scope"] == "kind:remap"
        assert "kind:remap" in [one["scope"] for one in operator.get("/api/v1/stops").json()]
        waiting = operator.get("/api/v1/worklist").json()["items"]
        assert "stop kind:remap" in {item["subject"] for item in waiting}
        assert operator.post("/api/v1/stops/resume", {"scope": "kind:remap"}).status_code == 200
        assert operator.post("/api/v1/stops/resume", {"scope": "kind:remap"}).status_code == 422

    def test_a_scope_that_is_none_is_refused(self, operator: Asker) -> None:
        assert operator.post("/api/v1/stops", {"scope": "school", "reason": "odd"}).status_code == 422


RECORD = {"kind": "membership", "id": "m-1", "organisation_id": "41000", "status": "active"}


class TestRecordsAndRegisters:
    def test_records_come_as_an_array_or_as_lines(self, town: Settled, operator: Asker) -> None:
        other = RECORD | {"id": "m-2"}
        assert operator.post("/api/v1/records", [RECORD]).json()["changed"] == 1
        lines = "\n".join(json.dumps(one) for one in (RECORD, other))
        answer = operator.send("POST", "/api/v1/records", content=lines)
        assert answer.json()["changed"] == 1

    def test_each_wrong_record_is_named(self, operator: Asker) -> None:
        answer = operator.post("/api/v1/records", [RECORD, {"kind": "wish", "id": "1"}])
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "line 2, kind"

    def test_a_register_brings_organisations(self, operator: Asker) -> None:
        content = "BEVOEGD GEZAG NUMMER;BEVOEGD GEZAG NAAM;PLAATSNAAM\n43000;Board of three;Deventer\n"
        body = {"files": [{"name": "boards.csv", "content": content}]}
        assert operator.post("/api/v1/organisations/import", body).json()["changed"] == 1
        assert operator.get("/api/v1/organisations/43000").json()["organisation"]["name"] == "Board of three"

    def test_no_register_is_refused(self, operator: Asker) -> None:
        assert operator.post("/api/v1/organisations/import", {"files": []}).status_code == 422
