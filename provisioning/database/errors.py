"""PostgreSQL's complaints become ours here, once: what a constraint refuses has a name and a sentence."""

import psycopg
from sqlalchemy.engine import ExceptionContext

from provisioning.domain.errors import ConflictError, InputError, NotAllowedError, ProvisioningError, UnavailableError

CONSTRAINTS: dict[str, tuple[type[ProvisioningError], str]] = {
    "one_binding_per_day": (
        ConflictError,
        "The organisation already has a binding in this period. End that one first, or mark this one as a transition.",
    ),
    "binding_of_known_organisation": (InputError, "The organisation of the binding is not known. Import it first."),
    "binding_to_known_tenant": (InputError, "The tenant of the binding is not known. Add it first."),
    "binding_not_reversed": (InputError, "The binding ends before it begins."),
    "binding_confirmed_by_second_person": (
        NotAllowedError,
        "A binding is confirmed by a person who did not make it. Ask somebody else to confirm it.",
    ),
    "binding_confirmed_as_it_is": (
        NotAllowedError,
        "A binding is not changed and confirmed at once. Change it first; somebody else confirms it then.",
    ),
    "authors_of_binding_stay": (
        NotAllowedError,
        "Whoever wrote some of a binding stays on it until somebody else has confirmed it.",
    ),
    "binding_confirmed_on_two_facts": (
        NotAllowedError,
        "A binding is confirmed on the ground of two independent facts; this is fewer.",
    ),
    "policy_of_known_tenant": (InputError, "The tenant of the policy is not known. Add it first."),
    "policy_not_reversed": (InputError, "The policy ends before it begins."),
    "policy_names_a_country": (InputError, "A usage location is a country code of two capitals, such as NL."),
    "policy_approved_by_second_person": (
        NotAllowedError,
        "A policy is approved by a person who did not write it. Ask somebody else to approve it.",
    ),
    "policy_not_approved_by_author": (
        NotAllowedError,
        "A policy is approved by a person who wrote nothing of it. Ask somebody else to approve it.",
    ),
    "one_policy_per_day": (ConflictError, "Another policy of this tenant came into force in between. Look again."),
    "configuration_approved_by_second_person": (
        NotAllowedError,
        "Mappings and limits are approved by a person who did not propose them. Ask somebody else to approve them.",
    ),
    "configuration_restores_what_was_agreed": (
        NotAllowedError,
        "One person brings back only what two persons had approved before, or what was installed.",
    ),
    "configuration_restored_by_one_person": (NotAllowedError, "Only a person brings back an earlier version."),
    "configuration_reviewed_by_another": (
        NotAllowedError,
        "A rollback is reviewed by another person than the one who did it.",
    ),
    "configuration_has_a_reason": (InputError, "A change of mappings or limits needs a reason."),
    "one_configuration_in_force": (ConflictError, "Another version came into force in between. Look again."),
    "one_open_proposal_of_a_configuration": (ConflictError, "The same proposal waits for approval already."),
    "relation_not_reversed": (InputError, "A relation ends before it begins."),
    "ledger_entry_not_reversed": (InputError, "An entitlement ends before it begins."),
    "operation_in_known_tenant": (InputError, "The tenant of the operation is not known. Add it first."),
    "hands_in_operation_stay": (
        NotAllowedError,
        "Who asked for an operation, or had it tried again, stays on it: nobody is taken off.",
    ),
    "operations_pkey": (ConflictError, "The operation exists already."),
    "plan_of_known_operation": (InputError, "The operation of the plan does not exist."),
    "plan_approved_by_person": (NotAllowedError, "Only a person approves a plan."),
    "plan_not_approved_by_requester": (
        NotAllowedError,
        "Who asked for the work may not approve its plan. Ask another approver.",
    ),
    "plan_not_approved_by_author": (
        NotAllowedError,
        "Who had a hand in what the plan rests on may not approve it. Ask another approver.",
    ),
    "plan_approved_once": (
        NotAllowedError,
        "Who approved a plan, and whether alone, stays as it was written.",
    ),
    "plan_drawn_before_approved": (NotAllowedError, "A plan is drawn first, and approved by somebody else then."),
    "plan_names_hands_in_operation": (
        NotAllowedError,
        "A plan names who asked for its operation, and who had it tried again, among its authors.",
    ),
    "plan_reviewed_by_person": (NotAllowedError, "Only a person reviews a plan."),
    "plan_reviewed_by_another": (
        NotAllowedError,
        "Who approved a plan alone does not review it. Ask somebody else.",
    ),
    "plan_approved_in_time": (ConflictError, "The plan is too old to approve. Let it be drawn again."),
    "one_current_plan": (ConflictError, "Another plan of this operation was drawn in between. Look again."),
    "campaigns_pkey": (ConflictError, "The campaign exists already."),
    "member_in_known_tenant": (InputError, "A tenant of the campaign is not known. Add it first."),
    "campaign_runs_approved": (NotAllowedError, "A campaign runs once a second person has approved it."),
    "ticket_approved_by_second_person": (
        NotAllowedError,
        "A ticket is approved by a person who wrote nothing of it and does not ask for it. Ask another approver.",
    ),
    "ticket_not_approved_by_whose_work_it_rests_on": (
        NotAllowedError,
        "Who had a hand in what the ticket rests on may not approve it. Ask another approver.",
    ),
    "authors_of_ticket_stay": (NotAllowedError, "Whoever wrote some of a ticket stays on it."),
    "requester_of_ticket_stays": (
        NotAllowedError,
        "Who asks for a ticket at the board stays on it until it has ended.",
    ),
    "ended_ticket_stays_ended": (NotAllowedError, "A ticket that has ended is not opened again. Bring in another."),
    "campaign_approved_by_person": (NotAllowedError, "Only a person approves a campaign."),
    "campaign_approved_by_second_person": (
        NotAllowedError,
        "Who asked for the campaign, or wrote its mappings, may not approve it. Ask another approver.",
    ),
    "campaign_not_approved_by_author_of_mappings": (
        NotAllowedError,
        "Who proposed the mappings in force may not approve a campaign that rests on them. Ask another approver.",
    ),
    "campaign_approved_as_it_is": (ConflictError, "The campaign is not the one that was approved. Look at it again."),
    "one_member_for_an_operation": (ConflictError, "Another look began this tenant in between. Look again."),
    "migrations_pkey": (ConflictError, "The migration exists already."),
    "migration_from_known_tenant": (InputError, "The source tenant of the migration is not known. Add it first."),
    "migration_to_known_tenant": (InputError, "The target tenant of the migration is not known. Add it first."),
    "migration_between_two_tenants": (InputError, "A migration goes from one tenant to another; these are the same."),
    "migration_hold_period_long_enough": (
        InputError,
        "The source is released 30 days after the target is confirmed at the earliest: give a longer hold period.",
    ),
    "wave_started_by_person": (NotAllowedError, "A wave is started by a person."),
    "wave_after_the_pilot_has_reason": (
        InputError,
        "Every wave after the first needs a reason to go on. Say what was seen of the one before.",
    ),
    "one_traveller_for_an_account": (
        InputError,
        "Two people of the migration lead to the same account in the target. Say in the identity map whose it is.",
    ),
    "traveller_in_known_wave": (InputError, "The migration has no such wave."),
    "traveller_of_known_operation": (InputError, "The operation of these people does not exist."),
    "actor_is_person_or_client": (InputError, "An actor is written person:<handle> or client:<name>."),
    "persons_have_roles_of_persons": (
        InputError,
        "A person can be admin, operator, approver or auditor, nothing else.",
    ),
    "clients_have_roles_of_clients": (InputError, "A client can be shop, desk or board, nothing else."),
    "board_client_has_a_board": (InputError, "A board client is bound to one board: name it."),
    "tokens_pkey": (ConflictError, "This token is in use already. Draw another."),
    "stop_scope_known": (InputError, 'A stop covers "all", "tenant:<id>" or "kind:<operation kind>".'),
    "tenant_in_lower_case": (InputError, "A tenant id is a GUID in lower case."),
}


def translate(context: ExceptionContext) -> None:
    """Raise our error for the driver's, when there is one; a bug stays the driver's own exception."""
    original = context.original_exception
    if isinstance(original, psycopg.IntegrityError):
        _raise_refusal(original)
    if isinstance(original, psycopg.OperationalError):
        raise UnavailableError(f"The database does not answer as it should: {_first_line(original)}") from original


def _raise_refusal(error: psycopg.IntegrityError) -> None:
    known = CONSTRAINTS.get(error.diag.constraint_name or "")
    if known:
        kind, sentence = known
        raise kind(sentence) from error


def _first_line(error: psycopg.Error) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
