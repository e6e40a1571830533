"""Who arrived by name in a tenant that licenses through a group is moved there, each audience by its own rules."""

from datetime import date

import msgspec

from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import Actor, SkuId, SubjectId
from provisioning.domain.migration import MigrationPart, Phase, ProductPair, Wave
from provisioning.domain.migration_lifecycle import PersonState, WaveState
from provisioning.domain.operation import Operation, OperationKind
from provisioning.domain.tenancy import AssignmentMode, Policy
from provisioning.services.bring_into_group import bring_into_group
from tests.unit.services.fakes_access import NOW, World
from tests.unit.services.migration_scene import A3, MIGRATION, TARGET, a_merger, a_traveller, worked

STAFF, PUPILS = SkuId("staff"), SkuId("pupils")


def brought(mode: AssignmentMode) -> list[Operation]:
    """Of a wave of one teacher and one pupil who get the same product."""
    world = World()
    merger = a_merger(world)
    products = (
        ProductPair(source_sku=STAFF, target_sku=A3, audience=Audience.FACULTY),
        ProductPair(source_sku=PUPILS, target_sku=A3, audience=Audience.STUDENT),
    )
    merger = msgspec.structs.replace(merger, definition=msgspec.structs.replace(merger.definition, products=products))
    world.policies.append(
        Policy(
            tenant_id=TARGET,
            valid_from=date(2026, 1, 1),
            assignment_mode=mode,
            created_by=Actor("person:one"),
            approved_by=Actor("person:two"),
        )
    )
    arrived = {"state": PersonState.ENABLED, "wave": 2, "enabled_at": NOW}
    people = [a_traveller(world, name, source_sku=sku, **arrived) for name, sku in (("tom", STAFF), ("pia", PUPILS))]
    part = MigrationPart(migration_id=MIGRATION, wave=2, phase=Phase.ENABLE)
    for one, audience in zip(people, (Audience.FACULTY, Audience.STUDENT), strict=True):
        done = worked(world, f"enable-{audience}", Phase.ENABLE, [one.source_id], ended=NOW)  # type: ignore[arg-type]
        wish = msgspec.structs.replace(done.wish, sku_id=A3, audience=audience)
        done = msgspec.structs.replace(done, wish=msgspec.structs.replace(wish, part=part))
        world.operations[done.operation_id] = done
    wave = Wave(migration_id=MIGRATION, number=2, state=WaveState.HOLDING, entered_at=NOW)
    with world.open() as uow:
        return bring_into_group(uow, merger, wave, people, NOW)


def test_each_audience_has_a_change_of_its_own() -> None:
    changes = brought(AssignmentMode.GROUP)
    assert {one.kind for one in changes} == {OperationKind.CHANGE}
    assert {one.wish.audience: one.wish.named for one in changes} == {
        Audience.FACULTY: (SubjectId("tom2"),),
        Audience.STUDENT: (SubjectId("pia2"),),
    }


def test_where_people_are_licensed_by_name_nothing_is_changed() -> None:
    assert brought(AssignmentMode.DIRECT) == []
