"""What happens to ordered licences, scene by scene: each acts as a shop, an operator or Microsoft would, and waits.

Nothing here knows how it ends: every scene follows its order until the services say where it stands.
"""

from collections.abc import Callable, Sequence

from provisioning.domain.catalogue import Audience
from provisioning.domain.errors import NotAllowedError
from provisioning.domain.ids import SkuId
from provisioning.domain.lifecycle import LineState, OperationState
from provisioning.domain.operation import Operation, StepKind
from provisioning.local import story_seed as seed
from provisioning.local.errors import StoryError
from provisioning.local.stage import WORDS, Stage, name_of
from provisioning.local.story_facts import gained_and_lost, kept_off, without_licence
from provisioning.local.story_scenery import (
    WATERLIJN_SCHOOLS,
    agree_on_policies,
    confirm_the_tenants,
    import_the_register,
    staff_of,
    tenant_of,
)
from provisioning.local.story_ticket import a_board_asks_by_ticket
from provisioning.local.world import APP
from provisioning.planning.render import render_plan

_O, _L = OperationState, LineState
_DONE, _PARTLY, _HELD = {_O.COMPLETED}, {_O.PARTIALLY_COMPLETED}, {_L.HELD}
_A3 = SkuId(seed.A3)

Scene = Callable[[Stage], None]


def a_school_moves_up(stage: Stage) -> None:
    stage.narrator.scene(
        "A school still on A1 orders A3 for the first time",
        "Old and new licence exclude each other at Microsoft, so each person is swapped in a single call: nobody is "
        "without mail for a second. Services that the school had switched off stay off.",
    )
    stage.submit("school")
    stage.follow("1001", _DONE)
    writes = stage.writes("vlieger.example")
    kept, bare = kept_off(writes, seed.YAMMER), without_licence(writes)
    stage.narrator.step(f"{len(writes)} calls for {seed.VLIEGER_STAFF} people; {bare} left somebody without a licence.")
    stage.narrator.step(f"Yammer was switched off for {len(kept.before)} people, and is for {len(kept.after)} now.")
    if bare or kept.before != kept.after:
        raise StoryError("The swap was not as told: somebody had no licence, or a switched-off service came back.")


def a_board_orders(stage: Stage) -> None:
    stage.narrator.scene(
        "A board orders 310 seats for the staff of its 12 schools",
        "Nobody confirmed yet that this tenant is the board's, so the order is held. Two people settle that: the "
        "schools' domain is verified there, and exactly the 310 seats that were ordered are visible.",
    )
    stage.submit("board")
    stage.follow("1002", _HELD)
    services, cast, domain = stage.services, stage.cast, "waterlijn.example"
    stage.grant_consent("99001", domain)
    for school in WATERLIJN_SCHOOLS:
        services.bind_tenant(cast.operator, school, domain, selectors={Audience.FACULTY: staff_of(school)})
    for school in WATERLIJN_SCHOOLS:
        services.confirm_binding(cast.colleague, school, domain)
    stage.narrator.step(f"{len(WATERLIJN_SCHOOLS)} schools bound to {domain}, and confirmed by {cast.colleague.actor}.")
    standing = stage.follow("1002", {_O.AWAITING_APPROVAL})
    if standing.operation:
        _approve(stage, standing.operation)


def _approve(stage: Stage, operation: Operation) -> None:
    stage.narrator.scene(
        "A plan that takes a second person",
        "More than 250 swaps in a day never go by themselves. The plan is shown as it will be applied; whoever had a "
        "hand in what it rests on is refused, and the approver approves exactly this digest.",
    )
    services, cast = stage.services, stage.cast
    plan = services.show_plan(operation.operation_id)
    stage.narrator.block(render_plan(plan, lambda reason: WORDS.reason(reason).what, name_of))
    try:
        services.approve_plan(cast.operator, operation.operation_id, plan.envelope.digest)
    except NotAllowedError as refusal:
        stage.narrator.step(f"Refused: {refusal}")
    else:
        raise StoryError(f"{cast.operator.actor} approved a plan that rests on bindings of the same hand.")
    _disturb(stage)
    services.approve_plan(cast.approver, operation.operation_id, plan.envelope.digest)
    stage.narrator.step(f"Approved by {cast.approver.actor}.")
    stage.follow("1002", _DONE)
    stage.narrator.step(_told_of_the_first(stage))
    stage.narrator.step(_told_of_faults(stage))
    stage.twin.clear_faults()


def _disturb(stage: Stage) -> None:
    stage.narrator.scene(
        "Microsoft has a bad day meanwhile",
        "40 calls are refused with 429 (too many requests), and one is carried out although the answer is an error "
        "504. The first five people ever in a tenant are proved before the rest follow; whoever is in doubt is looked "
        "at before anything is repeated.",
    )
    tenant = tenant_of("waterlijn.example")
    stage.twin.add_fault("throttle", tenant=tenant, route="assignLicense", after=20, times=40, retryAfter=5)
    stage.twin.add_fault("gateway_timeout", tenant=tenant, route="assignLicense", after=90, times=1, applied=True)


def _told_of_faults(stage: Stage) -> str:
    hits = {fault["kind"]: fault["hits"] for fault in stage.twin.faults()}
    writes = stage.writes("waterlijn.example")
    repeated = sum(not write["changed"] for write in writes)
    return (
        f"{hits.get('throttle', 0)} calls were refused, {hits.get('gateway_timeout', 0)} answer was lost; "
        f"{len(writes)} writes reached Microsoft, {repeated} of them changed nothing."
    )


def _told_of_the_first(stage: Stage) -> str:
    tenant = tenant_of("waterlijn.example")
    with stage.services.open_uow() as uow:
        home = uow.tenants.find(tenant)
        applied = [record.applied_at for record in uow.journal.applied_since(tenant, stage.began)]
    proven = home.proven_at if home else None
    first = sum(bool(proven and moment and moment <= proven) for moment in applied)
    return f"{first} people were written first; the other {len(applied) - first} after these were proved."


def fewer_seats_than_staff(stage: Stage) -> None:
    stage.narrator.scene(
        "24 seats for 30 people, and some have no usage location",
        "Who gets a seat follows a fixed order, so a second run shuffles nobody; the others wait. Where the usage "
        "location is empty the policy says NL, and it is set before the licence.",
    )
    stage.submit("short")
    standing = stage.follow("1003", _PARTLY)
    if standing.operation:
        counts = stage.services.show_plan(standing.operation.operation_id).envelope.counts
        told = ", ".join(f"{number} × {WORDS.step(StepKind(kind))}" for kind, number in counts.items() if number)
        stage.narrator.step(f"Written: {told}. {_waiting(stage)} people wait for a seat.")


def an_extension_arrives(stage: Stage) -> None:
    stage.narrator.scene(
        "An extension brings four more seats",
        "The waiting list is served in its order. Whoever is left goes on waiting, and the work list says so.",
    )
    before = len(stage.writes("duinrand.example"))
    subscription = stage.twin.subscriptions(tenant_of("duinrand.example"))[0]
    stage.twin.change_subscription(tenant_of("duinrand.example"), subscription["id"], totalLicenses=28)
    stage.submit("extension")
    stage.follow("1004", _PARTLY | _DONE)
    gained, lost = gained_and_lost(stage.writes("duinrand.example")[before:], seed.A3)
    stage.narrator.step(f"{gained} people got a seat, {lost} lost one; {_waiting(stage)} still wait.")
    if lost:
        raise StoryError("An extension took a seat away from somebody.")


def consent_comes_late(stage: Stage) -> None:
    stage.narrator.scene(
        "A school has taken our application away",
        "Without the school's consent nothing can be read or written there. The order waits, the school gets a link, "
        "and the order goes on by itself once its administrator agreed.",
    )
    stage.twin.withdraw_consent(tenant_of("prisma.example"), APP)
    stage.submit("without-consent")
    stage.follow("1005", {_O.AWAITING_CONSENT})
    stage.grant_consent("99ZB00", "prisma.example")
    stage.narrator.step("The administrator followed the link and agreed.")
    stage.follow("1005", {_O.AWAITING_SEATS})


def seats_come_late(stage: Stage) -> None:
    stage.narrator.scene(
        "The seats are not there yet",
        "Microsoft places bought seats hours or days after the order. Nobody has to think of it: the service looks, "
        "at growing intervals, and goes on when they appear.",
    )
    stage.twin.add_subscription(tenant_of("prisma.example"), skuId=seed.A3, totalLicenses=seed.PRISMA_STAFF)
    stage.narrator.step(f"Microsoft places {seed.PRISMA_STAFF} seats.")
    stage.follow("1005", _DONE)


def the_same_again(stage: Stage) -> None:
    stage.narrator.scene(
        "The same order twice",
        "The same message again has no effect. The same wish under another number looks like a mistake and is held, "
        "until an operator lets it pass.",
    )
    stage.narrator.step(f"Order 1001 sent again: {stage.submit('school')} lines are new.")
    stage.submit("second-number")
    stage.follow("1006", _HELD)


def mistakes(stage: Stage) -> None:
    stage.narrator.scene(
        "Two mistakes at the shop",
        "One order names another school's tenant, one asks for “A1”, which could be three products. Both are held "
        "with what to do; a stranger's tenant never gets a licence by a typing error.",
    )
    stage.submit("mistakes")
    stage.follow("1007", _HELD)
    stage.follow("1008", _HELD)


STORY: Sequence[Scene] = (
    import_the_register,
    confirm_the_tenants,
    agree_on_policies,
    a_school_moves_up,
    a_board_orders,
    fewer_seats_than_staff,
    an_extension_arrives,
    consent_comes_late,
    seats_come_late,
    the_same_again,
    mistakes,
    a_board_asks_by_ticket,
)


def tell(stage: Stage) -> None:
    """Play all scenes in order. Raises StoryError when one does not come about."""
    for scene in STORY:
        scene(stage)


def _waiting(stage: Stage) -> int:
    with stage.services.open_uow() as uow:
        return len(uow.seats.waiting(tenant_of("duinrand.example"), _A3))
