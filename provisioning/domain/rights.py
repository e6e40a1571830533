"""Who may do what: one table. Reading needs no right here; whatever changes or reveals something does."""

from collections.abc import Mapping
from enum import StrEnum

from provisioning.domain.actors import ANONYMOUS, Identity, Role
from provisioning.domain.errors import NotAllowedError


class Action(StrEnum):
    """What a service asks a right for; the value is how a refusal names it."""

    MANAGE_ACTORS = "manage actors"
    IMPORT_ORGANISATIONS = "import organisations"
    IMPORT_RECORDS = "import records"
    ADD_TENANT = "add a tenant"
    BIND_TENANT = "bind a tenant"
    SET_SELECTOR = "choose who gets seats"
    CONFIRM_BINDING = "confirm a binding"
    PROPOSE_POLICY = "propose a policy"
    APPROVE_POLICY = "approve a policy"
    TAKE_SNAPSHOT = "take a snapshot of a tenant"
    CALIBRATE = "calibrate the twin"
    PROPOSE_CONFIGURATION = "propose mappings or limits"
    APPROVE_CONFIGURATION = "approve mappings or limits"
    REJECT_CONFIGURATION = "reject mappings or limits"
    ASK_CONSENT = "ask a school for consent"
    SUBMIT_ORDERS = "submit orders"
    CANCEL_ORDER = "cancel an order line"
    RELEASE_ORDER = "release an order line"
    RETRY_OPERATION = "retry an operation"
    APPROVE_PLAN = "approve a plan"
    BREAK_GLASS = "approve a plan alone"
    REVIEW_PLAN = "review a plan"
    REJECT_PLAN = "reject a plan"
    CREATE_MIGRATION = "prepare a migration"
    STEER_MIGRATION = "steer a migration"
    OPEN_GATE = "say that mailboxes have moved"
    SEE_PEOPLE = "see the ids of people in a migration"
    CREATE_CAMPAIGN = "prepare a campaign"
    CHECK_CAMPAIGN = "look at the readiness of a campaign"
    APPROVE_CAMPAIGN = "approve a campaign"
    STEER_CAMPAIGN = "steer a campaign"
    STOP_WRITES = "stop writes"
    RESUME_WRITES = "resume writes"
    RESEND_WEBHOOKS = "have webhooks sent again"
    EXPORT_AUDIT = "export the audit log"
    FORGET_PERSON = "forget a person"
    ROLL_BACK_CONFIGURATION = "bring back earlier mappings"
    REVIEW_CONFIGURATION = "review a rollback"
    SUBMIT_TICKETS = "submit tickets"
    SEE_TICKET_TEXT = "see what a ticket says in free text"
    APPROVE_TICKET = "approve a ticket"
    REJECT_TICKET = "reject a ticket"
    WITHDRAW_TICKET = "withdraw a ticket"
    FILE_CASE = "say that a case lies with Microsoft"
    SEE_CASE = "see what Microsoft's support asks for"


_ADMIN, _OPERATOR, _APPROVER, _AUDITOR = Role.ADMIN, Role.OPERATOR, Role.APPROVER, Role.AUDITOR

RIGHTS: Mapping[Action, frozenset[Role]] = {
    Action.MANAGE_ACTORS: frozenset({_ADMIN}),
    Action.IMPORT_ORGANISATIONS: frozenset({_OPERATOR}),
    Action.IMPORT_RECORDS: frozenset({_OPERATOR}),
    Action.ADD_TENANT: frozenset({_OPERATOR}),
    Action.BIND_TENANT: frozenset({_OPERATOR}),
    Action.SET_SELECTOR: frozenset({_OPERATOR}),
    # who proposes and who confirms are two persons, but an operator may be the second pair of eyes
    Action.CONFIRM_BINDING: frozenset({_OPERATOR, _APPROVER}),
    Action.PROPOSE_POLICY: frozenset({_OPERATOR}),
    Action.APPROVE_POLICY: frozenset({_OPERATOR, _APPROVER}),
    # it carries people out of the house, though only as pseudonyms
    Action.TAKE_SNAPSHOT: frozenset({_OPERATOR}),
    Action.CALIBRATE: frozenset({_OPERATOR}),
    # mappings are the operators' trade, limits the administrators'; both take an approver
    Action.PROPOSE_CONFIGURATION: frozenset({_ADMIN, _OPERATOR}),
    Action.APPROVE_CONFIGURATION: frozenset({_APPROVER}),
    Action.REJECT_CONFIGURATION: frozenset({_ADMIN, _OPERATOR, _APPROVER}),
    Action.ASK_CONSENT: frozenset({_OPERATOR}),
    Action.SUBMIT_ORDERS: frozenset({_OPERATOR, Role.SHOP}),
    Action.CANCEL_ORDER: frozenset({_OPERATOR}),
    Action.RELEASE_ORDER: frozenset({_OPERATOR}),
    Action.RETRY_OPERATION: frozenset({_OPERATOR}),
    Action.APPROVE_PLAN: frozenset({_APPROVER}),
    # in an emergency; whoever else may judge a plan looks at it afterwards
    Action.BREAK_GLASS: frozenset({_ADMIN}),
    Action.REVIEW_PLAN: frozenset({_ADMIN, _APPROVER, _AUDITOR}),
    Action.REJECT_PLAN: frozenset({_APPROVER, _OPERATOR}),
    Action.CREATE_MIGRATION: frozenset({_OPERATOR}),
    Action.STEER_MIGRATION: frozenset({_OPERATOR}),
    Action.OPEN_GATE: frozenset({_OPERATOR}),
    # others see pseudonyms: directory ids are personal data too
    Action.SEE_PEOPLE: frozenset({_OPERATOR}),
    Action.CREATE_CAMPAIGN: frozenset({_OPERATOR}),
    Action.CHECK_CAMPAIGN: frozenset({_OPERATOR, _APPROVER}),
    Action.APPROVE_CAMPAIGN: frozenset({_APPROVER}),
    Action.STEER_CAMPAIGN: frozenset({_OPERATOR}),
    # stopping is always safe, so every person on duty may
    Action.STOP_WRITES: frozenset({_ADMIN, _OPERATOR, _APPROVER, _AUDITOR}),
    Action.RESUME_WRITES: frozenset({_ADMIN, _OPERATOR}),
    Action.RESEND_WEBHOOKS: frozenset({_ADMIN, _OPERATOR}),
    Action.EXPORT_AUDIT: frozenset({_AUDITOR, _ADMIN}),
    Action.FORGET_PERSON: frozenset({_ADMIN}),
    # back to what two persons had approved; whoever may judge a version looks at it afterwards
    Action.ROLL_BACK_CONFIGURATION: frozenset({_ADMIN, _OPERATOR}),
    Action.REVIEW_CONFIGURATION: frozenset({_ADMIN, _APPROVER, _AUDITOR}),
    Action.SUBMIT_TICKETS: frozenset({_OPERATOR, Role.DESK, Role.BOARD}),
    # people write whatever they like there, names too
    Action.SEE_TICKET_TEXT: frozenset({_OPERATOR}),
    Action.APPROVE_TICKET: frozenset({_APPROVER}),
    Action.REJECT_TICKET: frozenset({_APPROVER, _OPERATOR}),
    Action.WITHDRAW_TICKET: frozenset({_OPERATOR, Role.DESK, Role.BOARD}),
    Action.FILE_CASE: frozenset({_OPERATOR}),
    # it names both tenants, of which one may be another customer's
    Action.SEE_CASE: frozenset({_OPERATOR, _APPROVER}),
}

_PERSONS_ONLY = frozenset(
    {
        Action.APPROVE_PLAN,
        Action.BREAK_GLASS,
        Action.REVIEW_PLAN,
        Action.APPROVE_POLICY,
        Action.APPROVE_CONFIGURATION,
        Action.CONFIRM_BINDING,
        Action.REJECT_PLAN,
        Action.TAKE_SNAPSHOT,
        Action.CALIBRATE,
        Action.FORGET_PERSON,
        Action.STEER_MIGRATION,
        Action.ROLL_BACK_CONFIGURATION,
        Action.REVIEW_CONFIGURATION,
        Action.APPROVE_TICKET,
        Action.REJECT_TICKET,
        Action.SEE_TICKET_TEXT,
        Action.APPROVE_CAMPAIGN,
        Action.STEER_CAMPAIGN,
        Action.FILE_CASE,
        Action.SEE_CASE,
    }
)


# What one person began and another must let happen, look at or confirm. A refusal of any of them is on record.
OF_A_SECOND_PERSON = frozenset(
    {
        Action.APPROVE_PLAN,
        Action.REVIEW_PLAN,
        Action.APPROVE_TICKET,
        Action.APPROVE_CAMPAIGN,
        Action.CONFIRM_BINDING,
        Action.APPROVE_POLICY,
        Action.APPROVE_CONFIGURATION,
        Action.REVIEW_CONFIGURATION,
    }
)


def may(identity: Identity, action: Action) -> bool:
    """Whether one of the identity's roles carries the right, and whether it is a person where it must be one."""
    return bool(identity.roles & RIGHTS[action]) and (identity.is_person or action not in _PERSONS_ONLY)


def require(identity: Identity, action: Action) -> None:
    """Return quietly when the identity may; raise NotAllowedError with what is missing when not."""
    if may(identity, action):
        return
    roles = " or ".join(sorted(RIGHTS[action]))
    if identity == ANONYMOUS:
        raise NotAllowedError(
            f"Without a token you may only look; to {action} set PROVISIONING_TOKEN to the token of an actor "
            f"with the role {roles} (`provisioning actors add` makes one)."
        )
    raise NotAllowedError(f"{identity.actor} may not {action}: that takes a person or client with the role {roles}.")


def require_other(identity: Identity, first: str, deed: str) -> None:
    """Four eyes: raise NotAllowedError when the identity is the very actor who did the first half."""
    if identity.actor == first:
        raise NotAllowedError(f"{identity.actor} {deed}; a second person has to look at it.")
