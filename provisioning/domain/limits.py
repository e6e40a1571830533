"""The numbers of the service as one value; `config.limits` builds it and says why each is what it is."""

from datetime import timedelta

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    # quota (writes)
    tenant_writes: int
    tenant_window: timedelta
    app_writes: int
    app_window: timedelta
    quota_rate: float  # share of the window's rate we use
    quota_burst: float  # share of the window's amount we may save up
    quota_reserved_for_orders: float
    # time
    settle: timedelta
    lag_horizon: timedelta
    observation_max_age: timedelta
    write_timeout: timedelta
    lease_duration: timedelta
    seats_poll: tuple[timedelta, ...]
    seats_notice: timedelta
    seats_escalate: timedelta
    seats_short_after: timedelta
    consent_poll: timedelta
    consent_reminder: timedelta
    verify_waits: tuple[timedelta, ...]
    verify_deadline: timedelta
    group_deadline: timedelta  # until Microsoft has worked off a group
    removal_gap: timedelta  # between the two looks that a removal rests on
    revalidate_after: timedelta
    ask_person_after: timedelta
    duplicate_window: timedelta
    unreadable_notice: timedelta  # how long a tenant may be unreadable before the work list says so
    failed_waits: tuple[timedelta, ...]  # between attempts at work that broke off with an error of ours
    requeue_after: timedelta  # how long a sent message may take before the sweep sends it again
    approval_validity: timedelta
    max_clock_skew: timedelta
    clock_checked_every: timedelta  # real time
    # amounts
    chunk_people: int
    batch_size: int
    first_people: int
    lost_attempts: int
    max_refusals: int  # certain refusals of one step before the person is failed
    # guards, per tenant over `guard_window`
    guard_window: timedelta
    guard_assignments: int
    guard_swaps: int
    guard_removals: int
    guard_families_lost: int
    changed_share: float
    shrink_people: int
    shrink_share: float
    # application incident
    incident_tenants: int
    incident_window: timedelta
    # notices
    notices_burst: int
    notices_window: timedelta
    # webhooks
    webhook_waits: tuple[timedelta, ...]  # between attempts at a message that is not taken
    webhooks_kept: timedelta  # messages that were taken, and the ids of those that came in
    # audit
    checkpoint_events: int
    checkpoint_interval: timedelta
    # personal data
    references_kept: timedelta  # UPNs from orders and identity maps, once nobody resolved them
    operational_kept: timedelta  # people, steps, attempts and plans of operations that ended
    # migrations
    migration_approval_validity: timedelta
    preflight_validity: timedelta
    release_observation_max_age: timedelta  # of both tenants, before a source is released
    exchange_overdue: timedelta  # since a mailbox moved, until the work list asks why Exchange is not on for it
    mailbox_at_risk: timedelta  # since then, until it says so to somebody else
    migration_poll: timedelta  # between looks at a migration that runs
    # tickets
    ticket_poll: timedelta  # between looks at a ticket that goes on
    ticket_texts_kept: timedelta  # what was written beside the fields
    # campaigns
    campaign_poll: timedelta  # between looks at a campaign that runs
    campaign_at_once: int  # tenants that may be at work
    campaign_in_a_look: int  # tenants that may begin in one look
    campaign_end_warning: timedelta  # before the old product's seats end, whoever is still on it is somebody's work
    campaign_recheck: timedelta  # how old a look at a tenant's readiness may become before it is looked at again
    agreement_looks: tuple[timedelta, ...]  # between looks for seats that Microsoft moves to another tenant
    agreement_search: int  # tenants of ours in which lost seats are looked for at each such look
    # collection
    watermark_overlap: timedelta
