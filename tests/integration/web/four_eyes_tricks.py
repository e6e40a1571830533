"""What the service's own role could write first, so that the statement after it would find no name in its way.

Each trick is a row of statements; the deed itself comes after them, in the same transaction.
"""

from collections.abc import Mapping, Sequence

from provisioning.domain.rights import Action

_APPROVED_TICKET = (
    "grounded_by = '{}', approved_by = :me, approved_at = created_at, state = 'running' WHERE ticket_id = :one"
)
_CONFIRMED_BINDING = "confirmed_by = :me, confirmed_at = now(), evidence = '{a,b}' WHERE binding_id = :one"

# What a plan drew its authors from, forged after it was drawn.
_BELOW_A_PLAN = (
    "UPDATE bindings SET selected_by = 'person:ghost', confirmed_by = NULL, confirmed_at = NULL",
    "UPDATE records SET saved_by = NULL",
    "UPDATE order_lines SET released_by = NULL",
    "UPDATE migration_waves SET asked_by = 'person:ghost'",
    "UPDATE migration_travellers SET evidence = NULL",
    "UPDATE tickets SET grounded_by = '{}'",
    "UPDATE campaign_members SET hands = '{}'",
    "UPDATE configuration_versions SET retired_at = now()",
    "UPDATE policies SET is_superseded = true",
)

TRICKS: Mapping[Action, Sequence[Sequence[str]]] = {
    Action.APPROVE_PLAN: (
        ["UPDATE plans SET authors = '{}' WHERE operation_id = :one"],
        ["UPDATE plans SET requested_by = 'client:ghost' WHERE operation_id = :one"],
        ["UPDATE operations SET requested_by = 'client:ghost', hands = '{}' WHERE operation_id = :one"],
        _BELOW_A_PLAN,
    ),
    Action.REVIEW_PLAN: (
        ["UPDATE plans SET approved_by = 'person:ghost' WHERE operation_id = :one"],
        ["UPDATE plans SET approved_by = NULL, approved_at = NULL, break_glass_reason = NULL"],
        ["UPDATE plans SET break_glass_reason = NULL WHERE operation_id = :one"],
    ),
    Action.APPROVE_TICKET: (
        [f"UPDATE tickets SET authors = '{{client:ghost}}', requester = NULL, {_APPROVED_TICKET}"],  # noqa: S608  # ours
        [f"UPDATE tickets SET authors = ARRAY[requested_by], {_APPROVED_TICKET}"],  # noqa: S608  # ours
        ["UPDATE tickets SET grounded_by = '{}' WHERE ticket_id = :one"],
        ["UPDATE tickets SET requester = 'contact-18', grounded_by = '{}' WHERE ticket_id = :one"],
        ["UPDATE tickets SET requested_by = 'client:ghost' WHERE ticket_id = :one"],
        [
            "UPDATE tickets SET state = 'rejected' WHERE ticket_id = :one",
            "UPDATE tickets SET requester = NULL, grounded_by = '{}' WHERE ticket_id = :one",
        ],
    ),
    Action.APPROVE_CAMPAIGN: (
        ["UPDATE campaigns SET requested_by = 'person:ghost' WHERE campaign_id = :one"],
        ["UPDATE campaigns SET approval = CAST(:given AS jsonb) - 'authors' WHERE campaign_id = :one"],
        ["UPDATE campaigns SET approval = CAST(:given AS jsonb) - 'approved_by' WHERE campaign_id = :one"],
    ),
    Action.CONFIRM_BINDING: (
        ["UPDATE bindings SET created_by = 'person:ghost' WHERE binding_id = :one"],
        ["UPDATE bindings SET selected_by = 'person:ghost' WHERE binding_id = :one"],
        ["UPDATE bindings SET selected_by = NULL, authors = '{}' WHERE binding_id = :one"],
        ["UPDATE bindings SET selected_by = 'person:ghost', authors = '{person:ghost}' WHERE binding_id = :one"],
        [f"UPDATE bindings SET selected_by = 'person:ghost', authors = '{{person:ghost}}', {_CONFIRMED_BINDING}"],  # noqa: S608  # ours
        [f"UPDATE bindings SET selectors = '{{}}', {_CONFIRMED_BINDING}"],  # noqa: S608  # ours
    ),
    Action.APPROVE_POLICY: (
        ["UPDATE policies SET authors = '{}' WHERE digest = :one"],
        ["UPDATE policies SET created_by = 'person:ghost' WHERE digest = :one"],
    ),
    Action.APPROVE_CONFIGURATION: (
        ["UPDATE configuration_versions SET proposed_by = 'person:ghost' WHERE digest = :one"],
    ),
    Action.REVIEW_CONFIGURATION: (
        ["UPDATE configuration_versions SET proposed_by = 'person:ghost' WHERE restores IS NOT NULL"],
        ["UPDATE configuration_versions SET restores = NULL WHERE restores IS NOT NULL"],
    ),
}
