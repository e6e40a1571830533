"""The checks themselves. The target's are those of the very plan that would be drawn: one truth, not two."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import ArticleCode, OperationId, PlanId, SkuId, SubjectId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.migration import MigrationPart, Phase, Traveller
from provisioning.domain.observation import HeldLicence, Person
from provisioning.domain.operation import StepKind, Wish
from provisioning.domain.permissions import missing_for
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode
from provisioning.planning.carry import KnownPlans
from provisioning.planning.guards import Usage
from provisioning.planning.migrate import MigrateScene, plan_migrate
from provisioning.planning.plan import Grounds, Plan
from provisioning.planning.preflight import (
    Finding,
    Preflight,
    PreflightCheck,
    PreflightFacts,
    TenantFacts,
    about,
    reported,
)
from provisioning.planning.preflight_mailboxes import mailboxes

_C = PreflightCheck


def preflight(facts: PreflightFacts) -> Preflight:
    """Look at everything. Half a look is a finding by itself, and then the others would only guess."""
    if not facts.source.census.is_complete or not facts.target.census.is_complete:
        return reported(facts, [Finding(check=_C.NOT_READ_WHOLE)])
    return reported(
        facts, [*_bindings(facts), *_consents(facts), *_in_target(facts), *_in_source(facts), *mailboxes(facts)]
    )


def _bindings(facts: PreflightFacts) -> Iterator[Finding | None]:
    for check, side in ((_C.SOURCE_BINDING, facts.source), (_C.TARGET_BINDING, facts.target)):
        yield None if side.is_ours else Finding(check=check)


# ── consent ──────────────────────────────────────────────────────────────────────────────────────────────


def _consents(facts: PreflightFacts) -> Iterator[Finding | None]:
    yield _consent(_C.SOURCE_CONSENT, facts.source, _source_kinds(facts))
    yield _consent(_C.TARGET_CONSENT, facts.target, _target_kinds(facts))


def _consent(check: PreflightCheck, side: TenantFacts, kinds: Collection[StepKind]) -> Finding | None:
    missing = missing_for(kinds, side.profile.permissions if side.profile else frozenset())
    return Finding(check=check, details=tuple(sorted(missing))) if missing else None


def _source_kinds(facts: PreflightFacts) -> set[StepKind]:
    """What a release needs: it is far off, and consent is asked for now."""
    through_ours = any(facts.source.groups.may_leave(one.group_id) for _, one in _inherited(facts))
    return {StepKind.REMOVE, StepKind.REMOVE_MEMBER} if through_ours else {StepKind.REMOVE}


def _target_kinds(facts: PreflightFacts) -> set[StepKind]:
    sets_location = facts.target.policy.usage_location and any(far.usage_location is None for _, _, far in facts.pairs)
    more = {StepKind.SET_USAGE_LOCATION} if sets_location else set()
    return {StepKind.ASSIGN, StepKind.SET_PLANS, *more, *_group_kinds(facts)}


def _group_kinds(facts: PreflightFacts) -> set[StepKind]:
    """What it takes to move people into our group once all have arrived: far off too. A school's own others fill."""
    policy = facts.target.policy
    if not any(sku_id in facts.mappings.group_licensing for sku_id in _through_group(facts)):
        return set()
    if policy.group_id is None:
        return {StepKind.CREATE_GROUP, StepKind.LICENSE_GROUP, StepKind.ADD_MEMBERS}
    return {StepKind.LICENSE_GROUP, StepKind.ADD_MEMBERS} if policy.group_id in facts.target.groups.ours else set()


def _through_group(facts: PreflightFacts) -> set[SkuId]:
    """The products of these people, where the target gives its licences through a group."""
    is_by_group = facts.target.policy.assignment_mode is AssignmentMode.GROUP
    return {sku_id for sku_id, _ in facts.by_product} if is_by_group else set()


# ── the target: what the plan would refuse ───────────────────────────────────────────────────────────────

_REFUSED: Mapping[Reason, PreflightCheck] = {
    Reason.MUTUALLY_EXCLUSIVE: _C.CONFLICTS,
    Reason.DEPENDENCY: _C.DEPENDENCIES,
    Reason.USAGE_LOCATION: _C.USAGE_LOCATIONS,
    Reason.INHERITED_FROM_GROUP: _C.TARGET_GROUP_WITHOUT_EXCHANGE,
    Reason.NOT_FOUND: _C.CHANGED_SINCE_MATCHED,
    Reason.SCOPE_UNDECIDABLE: _C.CHANGED_SINCE_MATCHED,
    Reason.LICENCE_NOT_HELD: _C.CHANGED_SINCE_MATCHED,
    Reason.CONCURRENT_WRITE: _C.SERVED_BY_OTHERS,
}


def _in_target(facts: PreflightFacts) -> Iterator[Finding | None]:
    refused: dict[PreflightCheck, list[SubjectId]] = defaultdict(list)
    details: dict[PreflightCheck, list[str]] = defaultdict(list)
    served: dict[SkuId, frozenset[SubjectId]] = defaultdict(frozenset)
    for (sku_id, audience), travellers in sorted(facts.by_product.items()):
        plan = plan_migrate(_prepared(facts, _wish(facts, sku_id, audience), travellers, served[sku_id]))
        served[sku_id] |= {one.subject_id for one in plan.subjects if one.state is SubjectState.PENDING}
        yield _seats(facts, sku_id, plan)
        yield _unknown(facts, sku_id, travellers)
        for one in plan.subjects:
            if one.state is SubjectState.REFUSED and one.reason:
                refused[_REFUSED[one.reason]].append(one.subject_id)
                details[_REFUSED[one.reason]].extend(one.notes)
    for check, people in refused.items():
        yield about(check, people, details[check])
    yield _without_p1(facts)


def _without_p1(facts: PreflightFacts) -> Finding | None:
    """A product that brings no Entra ID P1 is given by name, whatever the policy says of groups."""
    bare = _through_group(facts) - facts.mappings.group_licensing
    people = [one.source_id for one in facts.going if one.target_sku in bare]
    return about(_C.TARGET_GROUP_WITHOUT_P1, people, [_part_number(facts, sku_id) for sku_id in bare])


def _prepared(
    facts: PreflightFacts, wish: Wish, travellers: Collection[Traveller], served: frozenset[SubjectId]
) -> MigrateScene:
    """The scene of the wave's first operation for this product, as it would be planned now, consent aside.

    `served`: people of the wave who would get the same product by another operation, and come before.
    """
    target, sku_id = facts.target, wish.sku_id
    return MigrateScene(
        plan_id=PlanId("preflight"),
        operation_id=OperationId("preflight"),
        tenant_id=facts.definition.target_tenant,
        now=facts.now,
        wish=wish,
        definition=facts.definition,
        travellers=tuple(travellers),
        policy=target.policy,
        mappings=facts.mappings,
        grounds=Grounds(mapping="", policy="", bindings="", authority=""),
        census=target.census,
        other=facts.source.census,
        seats=target.seats.counts.get(sku_id),
        entitlement=facts.entitlements.get(sku_id, 0),
        reserved=facts.reserved.get(sku_id, frozenset()) | served,
        own=facts.own,
        permissions=(target.profile.permissions if target.profile else frozenset()) | {"User.ReadWrite.All"},
        usage=Usage(),
        limits=facts.limits,
        groups=target.groups,
        mailboxes={one.target_id: one.has_mailbox for one in travellers if one.target_id},
    )


def _wish(facts: PreflightFacts, sku_id: SkuId, audience: Audience) -> Wish:
    part = MigrationPart(migration_id=facts.going[0].migration_id, wave=facts.wave, phase=Phase.PREPARE)
    return Wish(
        sku_id=sku_id,
        audience=audience,
        article_code=ArticleCode(""),
        replaces=frozenset(),
        holder_id=facts.definition.target_holder,
        organisations=(facts.definition.target_holder,),
        seats_wanted=len(facts.travellers),
        part=part,
    )


def _seats(facts: PreflightFacts, sku_id: SkuId, plan: Plan) -> Finding | None:
    """Everybody of the wave needs one of their own there, while the source still has theirs."""
    short = [one.subject_id for one in plan.subjects if one.state is SubjectState.WAITING]
    return about(_C.TARGET_SEATS, short, [f"{_part_number(facts, sku_id)}: {len(short)} short"])


def _unknown(facts: PreflightFacts, sku_id: SkuId, travellers: Collection[Traveller]) -> Finding | None:
    """Plans that Microsoft has added and no list of ours knows: they stay off until the mailbox has moved."""
    count = facts.target.seats.counts.get(sku_id)
    known = KnownPlans.named_in(facts.mappings.skus).by_id
    unknown = [plan for plan in count.plan_ids if plan not in known] if count else []
    return about(_C.UNKNOWN_PLANS, [one.source_id for one in travellers], unknown) if unknown else None


# ── the source: what will have to be released, and how ───────────────────────────────────────────────────


def _in_source(facts: PreflightFacts) -> Iterator[Finding | None]:
    ours, theirs = list[tuple[Traveller, HeldLicence]](), list[tuple[Traveller, HeldLicence]]()
    for one, licence in _inherited(facts):
        (ours if facts.source.groups.may_leave(licence.group_id) else theirs).append((one, licence))
    for check, found in ((_C.RELEASED_FROM_OUR_GROUP, ours), (_C.NEVER_RELEASED_FROM_GROUP, theirs)):
        told = [facts.source.groups.told_of(licence) for _, licence in found]
        yield about(check, {one.source_id for one, _ in found}, told)
    yield about(_C.P1_LOST, (one.source_id for one, here, _ in facts.pairs if _loses_p1(facts, one, here)))
    yield _second_product(facts)
    yield from _source_seats(facts)
    yield _domains(facts)


def _second_product(facts: PreflightFacts) -> Finding | None:
    """Each person goes along with one product, the first of the file that they hold; what else they hold stays."""
    wanted = {pair.source_sku for pair in facts.definition.products}
    more = {
        one.source_id: {sku for sku in wanted if here.holds(sku)} - {one.source_sku} for one, here, _ in facts.pairs
    }
    stays = {person: skus for person, skus in more.items() if skus}
    return about(_C.SECOND_PRODUCT, stays, (_part_number(facts, sku) for skus in stays.values() for sku in skus))


def _inherited(facts: PreflightFacts) -> Iterator[tuple[Traveller, HeldLicence]]:
    for one, here, _ in facts.pairs:
        for licence in here.licences:
            if licence.sku_id == one.source_sku and licence.group_id and licence.is_active:
                yield one, licence


def _loses_p1(facts: PreflightFacts, traveller: Traveller, here: Person) -> bool:
    """Whether a group would go on giving them something that, without Entra ID P1, they may not have from it."""
    brings = facts.mappings.group_licensing
    staying = [one for one in here.licences if one.is_active and one.sku_id != traveller.source_sku]
    has_none = not any(one.sku_id in brings for one in staying)
    return traveller.source_sku in brings and has_none and any(one.group_id for one in staying)


def _source_seats(facts: PreflightFacts) -> Iterator[Finding | None]:
    """Who still works in the source must be able to, until the hold period is over."""
    skus = {one.source_sku for one in facts.going if one.source_sku is not None}
    ends = facts.now + facts.definition.hold_period
    for sku_id in sorted(skus):
        people = [one.source_id for one in facts.going if one.source_sku == sku_id]
        count = facts.source.seats.counts.get(sku_id)
        if count is None or count.enabled < count.consumed:
            enabled, used = (count.enabled, count.consumed) if count else (0, len(people))
            yield about(_C.SOURCE_SEATS, people, [f"{_part_number(facts, sku_id)}: {enabled} for {used}"])
        dates = [x.next_lifecycle_at for x in facts.source.seats.subscriptions if x.sku_id == sku_id]
        if soon := sorted(date for date in dates if date is not None and date < ends):
            yield about(_C.SOURCE_ENDS_SOON, people, [f"{_part_number(facts, sku_id)}: {soon[0]:%Y-%m-%d}"])


def _domains(facts: PreflightFacts) -> Finding | None:
    """As soon as Exchange is on, addresses in a domain that the tenant does not own go (domain, section 8)."""
    source, target = facts.source.profile, facts.target.profile
    owned_here = frozenset(source.verified_domains) if source else frozenset()
    owned_there = frozenset(target.verified_domains) if target else frozenset()
    concerned = [
        (one.source_id, domain)
        for one, here, far in facts.pairs
        for domain in {here.domain, far.domain}
        if domain in owned_here - owned_there and not _is_microsofts(domain)
    ]
    return about(_C.DOMAINS_IN_SOURCE, {one for one, _ in concerned}, [domain for _, domain in concerned])


def _is_microsofts(domain: str) -> bool:
    """A tenant's own first domain never moves (learn.microsoft.com, "Cross-tenant mailbox migration")."""
    return ".onmicrosoft." in f".{domain}"


def _part_number(facts: PreflightFacts, sku_id: SkuId) -> str:
    sku = facts.mappings.skus.get(sku_id)
    return sku.part_number if sku else sku_id
