"""The matrix of rights is the specification: a right that moves must move here too."""

import pytest

from provisioning.domain.actors import ANONYMOUS, CLIENT_ROLES, THE_SYSTEM, Identity, Role
from provisioning.domain.errors import NotAllowedError
from provisioning.domain.ids import Actor
from provisioning.domain.rights import RIGHTS, Action, may, require, require_other

MATRIX = {
    Action.MANAGE_ACTORS: "admin",
    Action.IMPORT_ORGANISATIONS: "operator",
    Action.IMPORT_RECORDS: "operator",
    Action.ADD_TENANT: "operator",
    Action.BIND_TENANT: "operator",
    Action.SET_SELECTOR: "operator",
    Action.CONFIRM_BINDING: "operator approver",
    Action.PROPOSE_POLICY: "operator",
    Action.APPROVE_POLICY: "operator approver",
    Action.TAKE_SNAPSHOT: "operator",
    Action.CALIBRATE: "operator",
    Action.PROPOSE_CONFIGURATION: "admin operator",
    Action.APPROVE_CONFIGURATION: "approver",
    Action.REJECT_CONFIGURATION: "admin operator approver",
    Action.ASK_CONSENT: "operator",
    Action.SUBMIT_ORDERS: "operator shop",
    Action.CANCEL_ORDER: "operator",
    Action.RELEASE_ORDER: "operator",
    Action.RETRY_OPERATION: "operator",
    Action.APPROVE_PLAN: "approver",
    Action.BREAK_GLASS: "admin",
    Action.REVIEW_PLAN: "admin approver auditor",
    Action.REJECT_PLAN: "approver operator",
    Action.CREATE_MIGRATION: "operator",
    Action.STEER_MIGRATION: "operator",
    Action.OPEN_GATE: "operator",
    Action.SEE_PEOPLE: "operator",
    Action.CREATE_CAMPAIGN: "operator",
    Action.CHECK_CAMPAIGN: "operator approver",
    Action.APPROVE_CAMPAIGN: "approver",
    Action.STEER_CAMPAIGN: "operator",
    Action.STOP_WRITES: "admin operator approver auditor",
    Action.RESUME_WRITES: "admin operator",
    Action.EXPORT_AUDIT: "auditor admin",
    Action.FORGET_PERSON: "admin",
    Action.RESEND_WEBHOOKS: "admin operator",
    Action.ROLL_BACK_CONFIGURATION: "admin operator",
    Action.REVIEW_CONFIGURATION: "admin approver auditor",
    Action.SUBMIT_TICKETS: "operator desk board",
    Action.SEE_TICKET_TEXT: "operator",
    Action.APPROVE_TICKET: "approver",
    Action.REJECT_TICKET: "approver operator",
    Action.WITHDRAW_TICKET: "operator desk board",
    Action.FILE_CASE: "operator",
    Action.SEE_CASE: "operator approver",
}


def somebody(role: Role) -> Identity:
    kind = "client" if role in CLIENT_ROLES else "person"
    return Identity(actor=Actor(f"{kind}:somebody"), roles=frozenset({role}))


class TestRights:
    def test_every_action_has_its_row(self) -> None:
        assert set(MATRIX) == set(RIGHTS) == set(Action)

    @pytest.mark.parametrize("role", Role)
    @pytest.mark.parametrize("action", Action)
    def test_each_role_may_exactly_what_the_matrix_says(self, action: Action, role: Role) -> None:
        assert may(somebody(role), action) is (role.value in MATRIX[action].split())

    @pytest.mark.parametrize("action", Action)
    @pytest.mark.parametrize("identity", [ANONYMOUS, THE_SYSTEM], ids=["without a token", "the system"])
    def test_who_has_no_role_may_nothing(self, identity: Identity, action: Action) -> None:
        assert not may(identity, action)

    @pytest.mark.parametrize(
        "action",
        [
            *(Action.APPROVE_PLAN, Action.REJECT_PLAN, Action.BREAK_GLASS, Action.REVIEW_PLAN),
            *(Action.APPROVE_POLICY, Action.CONFIRM_BINDING, Action.FORGET_PERSON),
            *(Action.TAKE_SNAPSHOT, Action.CALIBRATE, Action.STEER_MIGRATION),
            *(Action.ROLL_BACK_CONFIGURATION, Action.REVIEW_CONFIGURATION, Action.APPROVE_CONFIGURATION),
            *(Action.APPROVE_TICKET, Action.REJECT_TICKET, Action.SEE_TICKET_TEXT),
            *(Action.APPROVE_CAMPAIGN, Action.STEER_CAMPAIGN),
        ],
    )
    def test_a_client_never_approves_whatever_role_it_was_given(self, action: Action) -> None:
        client = Identity(actor=Actor("client:shop"), roles=frozenset(Role))
        assert not may(client, action)


class TestRequire:
    def test_who_may_passes_quietly(self) -> None:
        require(somebody(Role.APPROVER), Action.APPROVE_PLAN)

    def test_a_refusal_names_actor_action_and_role(self) -> None:
        with pytest.raises(NotAllowedError, match=r"person:somebody may not approve a plan: .* role approver"):
            require(somebody(Role.OPERATOR), Action.APPROVE_PLAN)

    def test_without_a_token_the_refusal_says_how_to_get_one(self) -> None:
        with pytest.raises(NotAllowedError, match=r"PROVISIONING_TOKEN.*role operator"):
            require(ANONYMOUS, Action.BIND_TENANT)


class TestRequireOther:
    def test_a_second_person_passes(self) -> None:
        require_other(somebody(Role.OPERATOR), "person:other", "made this binding")

    def test_the_first_person_is_refused(self) -> None:
        with pytest.raises(NotAllowedError, match="person:somebody made this binding; a second person"):
            require_other(somebody(Role.OPERATOR), "person:somebody", "made this binding")
