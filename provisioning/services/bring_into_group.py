"""Who arrived by name in a tenant that gives its licences through a group is moved there, now that they can be.

On their way they had to be licensed by name: a group cannot have Exchange off for some of its members.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

import msgspec

from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import SkuId, SubjectId
from provisioning.domain.migration import Migration, MigrationDefinition, MigrationPart, Phase, Traveller, Wave
from provisioning.domain.migration_lifecycle import PersonState
from provisioning.domain.operation import Operation
from provisioning.domain.tenancy import AssignmentMode
from provisioning.ports import UnitOfWork
from provisioning.services.successor import begin_change


def bring_into_group(
    uow: UnitOfWork, migration: Migration, wave: Wave, travellers: Iterable[Traveller], now: datetime
) -> list[Operation]:
    """In the caller's transaction: a change for each product and audience, without a gap, like any other into a group.

    It keeps to the migration's window, and waits or ends with it.
    """
    target = migration.definition.target_tenant
    if uow.tenants.policy_on(target, dutch_day(now)).assignment_mode is not AssignmentMode.GROUP:
        return []
    latest = {
        (one.wish.sku_id, one.wish.audience): one
        for one in uow.migrations.operations_of(migration.migration_id)
        if one.tenant_id == target and one.wish.part is not None and one.wish.part.wave == wave.number
    }
    details = {"migration": migration.migration_id, "wave": str(wave.number)}
    part = MigrationPart(migration_id=migration.migration_id, wave=wave.number, phase=Phase.ENABLE)
    return [
        begin_change(uow, _for(latest[product], people, part), now, details)
        for product, people in sorted(_arrived(migration.definition, wave, travellers).items())
        if product in latest
    ]


def _arrived(
    definition: MigrationDefinition, wave: Wave, travellers: Iterable[Traveller]
) -> dict[tuple[SkuId, Audience], list[SubjectId]]:
    found: defaultdict[tuple[SkuId, Audience], list[SubjectId]] = defaultdict(list)
    for one in travellers:
        is_there = one.wave == wave.number and one.state is PersonState.ENABLED
        if is_there and one.target_sku is not None and one.target_id is not None:
            found[one.target_sku, definition.audience_of(one.source_sku)].append(one.target_id)
    return dict(found)


def _for(operation: Operation, people: Iterable[SubjectId], part: MigrationPart) -> Operation:
    wish = msgspec.structs.replace(operation.wish, part=None, follows=part, named=tuple(sorted(people)))
    return msgspec.structs.replace(operation, wish=wish)
