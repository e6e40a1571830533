"""What became due since somebody last looked: licences of groups and rules of dynamic groups."""

import msgspec

from provisioning.sandbox.clock import to_moment
from provisioning.sandbox.inheritance import Heir, Inheritance, inherit
from provisioning.sandbox.ledger import Author
from provisioning.sandbox.membership_rules import compile_rule
from provisioning.sandbox.model import Group, User
from provisioning.sandbox.offers import offer_of
from provisioning.sandbox.processing import COMPLETE, IN_PROGRESS, QUEUED, Job
from provisioning.sandbox.tenants import Tenant
from provisioning.sandbox.world import World


def catch_up(world: World, now: float) -> None:
    """Do what is due in all tenants, in order, each at its own moment."""
    while found := world.agenda.next_due(now):
        tenant, job = found
        if job.is_rule:
            _follow_rule(world, tenant, job)
        else:
            _license(world, tenant, job)


def retry_errored(world: World, tenant: Tenant, now: float) -> None:
    """Try those again whom a group failed, where the twin believes in that: not before it has been a while."""
    switches, queue = world.switches, tenant.queue
    is_time = not queue.jobs and now - queue.last_due >= switches.errored_members_retry_seconds
    if switches.errored_members_retried and is_time:
        for group_id, failing in tenant.directory.failing.items():
            world.enqueue(tenant, group_id, failing, now)


def inheritance_of(world: World, tenant: Tenant, user: User, group_id: str, now: float) -> Inheritance:
    """What a person has after a group was seen to."""
    is_member = user.id in tenant.groups.members(group_id)
    group = tenant.groups.get(group_id) if is_member else None
    heir = Heir(user, group_id, group, tenant.default_usage_location)
    return inherit(heir, offer_of(world, tenant, now), world.switches, to_moment(now))


def _license(world: World, tenant: Tenant, job: Job) -> None:
    _advance(world, tenant, job, IN_PROGRESS)
    user = tenant.directory.users.get(job.user) if job.user else None
    if user:
        _inherit(world, tenant, user, job)
    if not tenant.queue.is_pending(job.group):
        _advance(world, tenant, job, COMPLETE)


def _advance(world: World, tenant: Tenant, job: Job, state: str) -> None:
    group = tenant.groups.get(job.group)
    if group and (group.processing == QUEUED or state == COMPLETE):
        world.set_processing(tenant, group, state, job.due)


def _inherit(world: World, tenant: Tenant, user: User, job: Job) -> None:
    found = inheritance_of(world, tenant, user, job.group, job.due)
    if set(found.assignments) != set(user.assignments):
        after = msgspec.structs.replace(user, assignments=found.assignments)
        world.put_user(tenant, after, Author(route="groupProcessing", group=job.group), job.due)


def _follow_rule(world: World, tenant: Tenant, job: Job) -> None:
    """Let the rule of a dynamic group decide about one person, or about everybody."""
    group = tenant.groups.get(job.group)
    if group is None or not group.is_dynamic or group.membershipRuleProcessingState == "Paused":
        return
    users = tenant.directory.users
    people = [users.get(job.user)] if job.user else users.values()
    fitting = {user.id: _fits(user, group) for user in people if user}
    members = tenant.groups.members(group.id)
    joining = [user_id for user_id, fits in fitting.items() if fits and user_id not in members]
    leaving = [user_id for user_id, fits in fitting.items() if not fits and user_id in members]
    if joining or leaving:
        author = Author(route="membershipRule", group=group.id)
        world.write_group(tenant, group, author, job.due, joining=joining, leaving=leaving)


def _fits(user: User, group: Group) -> bool:
    return bool(group.membershipRule) and compile_rule(group.membershipRule or "")(user)
