"""The numbers of the service, each with its reason."""

from datetime import timedelta

import msgspec

from config.settings import Settings
from provisioning.domain.limits import Limits

_DEFAULTS = Limits(
    # learn.microsoft.com, service-specific throttling limits, identity and access: app + tenant, then app alone
    tenant_writes=3_000,
    tenant_window=timedelta(seconds=150),
    app_writes=35_000,
    app_window=timedelta(seconds=300),
    quota_rate=0.98,  # with the burst just 100 %: never too much in a bucket, a sliding or a fixed window
    quota_burst=0.02,  # 60 and 700 writes: three seconds of scheduling may be lost without losing quota
    quota_reserved_for_orders=0.1,  # a school that waits at the counter finds six tokens there, whatever is migrated
    # time
    settle=timedelta(seconds=60),  # Graph may still carry out a write whose answer was lost; it gives up within this
    lag_horizon=timedelta(minutes=15),  # replicas were seen minutes behind, never longer
    observation_max_age=timedelta(minutes=15),  # an administrator's change is overwritten only if younger than this
    write_timeout=timedelta(seconds=20),  # assignLicense answers in 1 to 3 s, a full batch in 10
    lease_duration=timedelta(seconds=30),  # the write time-out and room to journal; a killed worker blocks no longer
    # most seats appear within minutes; what takes longer takes days
    seats_poll=(timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1)),
    seats_notice=timedelta(days=1),
    seats_escalate=timedelta(days=5),  # a working week: the supplier has had its chance
    seats_short_after=timedelta(hours=24),  # Microsoft places seats in parts; a number that stood still is final
    consent_poll=timedelta(minutes=5),
    consent_reminder=timedelta(days=3),
    verify_waits=(
        timedelta(seconds=2),  # most replicas agree at once
        timedelta(seconds=5),
        timedelta(seconds=15),
        timedelta(seconds=60),
        timedelta(minutes=5),
    ),
    verify_deadline=timedelta(minutes=60),  # four times the lag horizon: by then it is not lag
    group_deadline=timedelta(hours=24),  # Microsoft asks for a ticket when 60,000 people take longer
    removal_gap=timedelta(seconds=5),  # two replicas, or one that has caught up
    revalidate_after=timedelta(days=7),  # agreements, authority and lines may have changed meanwhile
    ask_person_after=timedelta(days=30),
    duplicate_window=timedelta(hours=24),  # a second click or a second clerk, not next year's order
    unreadable_notice=timedelta(hours=1),  # Microsoft's ordinary bad spells are over by then; a school still sleeps
    # a new version being put in place is over within minutes; an error that stays is held after a quarter of an hour
    failed_waits=(timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10)),
    requeue_after=timedelta(seconds=5),  # a message is taken in milliseconds; lost ones cost a school five seconds
    approval_validity=timedelta(hours=24),
    max_clock_skew=timedelta(seconds=2),  # well under the lease's room of ten seconds
    clock_checked_every=timedelta(seconds=5),  # two questions of the database; a stop takes as long to be noticed
    # amounts
    chunk_people=160,  # people in doubt after a kill; eight batches fill about a second
    batch_size=20,  # learn.microsoft.com: combine multiple requests, at most 20
    first_people=5,  # the first write ever in a tenant
    lost_attempts=5,  # an operation that took five workers with it is the cause
    max_refusals=8,
    # guards: what happens without approval, per tenant and day
    guard_window=timedelta(hours=24),
    guard_assignments=1_000,  # a large school's start of year; a board's whole staff is a decision
    guard_swaps=250,
    guard_removals=0,
    guard_families_lost=0,
    changed_share=0.02,  # more than a few people differing means the plan was about another school
    shrink_people=5,
    shrink_share=0.05,  # beyond ordinary leavers: somebody edited a group or an import failed
    # the same credential error in so many tenants so fast is our fault, not theirs
    incident_tenants=3,
    incident_window=timedelta(minutes=10),
    # more is a fault that would flood desks
    notices_burst=50,
    notices_window=timedelta(minutes=10),
    # Standard Webhooks 1.0, "Deliverability and reliability": the first tries soon, the last after three days
    webhook_waits=(
        timedelta(seconds=5),
        timedelta(minutes=5),
        timedelta(minutes=30),
        timedelta(hours=2),
        timedelta(hours=5),
        timedelta(hours=10),
        timedelta(hours=14),
        timedelta(hours=20),
        timedelta(hours=24),
    ),
    webhooks_kept=timedelta(days=30),  # long enough to settle who was told what; a replay is refused by its age anyway
    # at most this much of the audit log can be cut off without an outside witness
    checkpoint_events=1_000,
    checkpoint_interval=timedelta(hours=1),
    references_kept=timedelta(days=90),  # a school year's quarter: whoever is not found by then was never there
    operational_kept=timedelta(days=400),  # a school year and what is asked about it afterwards; the audit log stays
    # migrations
    migration_approval_validity=timedelta(days=7),  # mailboxes move over nights; a day is too short for a person to act
    preflight_validity=timedelta(days=7),  # seats, domains and licences change with every school week
    release_observation_max_age=timedelta(hours=1),  # what is taken rests on what was seen just now
    # Microsoft deletes an unlicensed mailbox after 30 days: Exchange comes on within minutes unless somebody is awaited
    exchange_overdue=timedelta(days=3),  # a weekend, in which nobody approves
    mailbox_at_risk=timedelta(days=20),  # ten days are left: in a holiday it takes some to find who decides
    migration_poll=timedelta(seconds=5),  # its operations last minutes to weeks
    # tickets
    ticket_poll=timedelta(seconds=5),  # as of a migration: its operations tell nobody when they are done
    ticket_texts_kept=timedelta(days=90),  # free text may hold names: it goes when the talk about it is over
    # campaigns
    campaign_poll=timedelta(seconds=2),  # a night has hours only; a look is three reads, however many tenants
    campaign_at_once=600,  # so many tenants keep the app's bucket busy, and no queue grows longer than a look
    # two workers plan so many until the next look; more would stand in line before those that could write already
    campaign_in_a_look=50,
    campaign_end_warning=timedelta(days=14),  # time to order, or to reach a school in a holiday week
    campaign_recheck=timedelta(days=1),  # seats, consents and groups change with every school day
    # support moves an agreement in about a week: people who lost a service wait for us hours at most, not a day
    agreement_looks=(timedelta(hours=1), timedelta(hours=2), timedelta(hours=4), timedelta(hours=6)),
    agreement_search=50,  # a call each, some seconds together: as long as a task may last
    watermark_overlap=timedelta(hours=24),  # lines that a shop's long transaction commits behind our back
)


def default_limits() -> Limits:
    """What holds unless a setting says otherwise."""
    return _DEFAULTS


def limits_from(settings: Settings) -> Limits:
    """The defaults with what this installation sets differently."""
    return msgspec.structs.replace(
        _DEFAULTS,
        # a message, and putting a new version in place, take real time, while waiting goes by the service's clock
        requeue_after=_DEFAULTS.requeue_after * settings.clock_factor,
        failed_waits=tuple(wait * settings.clock_factor for wait in _DEFAULTS.failed_waits),
        tenant_writes=settings.tenant_writes,
        app_writes=settings.app_writes,
        guard_assignments=settings.guard_assignments,
        guard_swaps=settings.guard_swaps,
    )
