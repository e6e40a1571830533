"""The end of what migrations hold of people: their rows, and the places where the definition names them."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, delete, or_, select, update

from provisioning.database.named_people import NamedPeople
from provisioning.database.tables.tenant_migrations import migrations, travellers
from provisioning.domain.errors import ConflictError
from provisioning.domain.ids import MigrationId, SubjectId, TenantId
from provisioning.domain.migration_lifecycle import MIGRATION_ENDS


def expired(connection: Connection, before: datetime, limit: int) -> list[MigrationId]:
    table = migrations.c
    has_ended = table.state.in_(MIGRATION_ENDS) & (table.entered_at < before)
    query = select(table.migration_id).where(has_ended, table.purged_at.is_(None))
    return list(connection.scalars(query.order_by(table.entered_at, table.migration_id).limit(limit)))


def purge(connection: Connection, migration: MigrationId, at: datetime) -> int:
    """Selectors stay, without the people they name one by one."""
    is_it = (migrations.c.migration_id == migration) & migrations.c.state.in_(MIGRATION_ENDS)
    named = connection.scalar(select(migrations.c.named).where(is_it).with_for_update(key_share=True))
    if named is None:
        raise ConflictError(f"Migration {migration} has not ended: nothing of it is removed.")
    nobody = named.without(lambda _: True)
    connection.execute(update(migrations).where(is_it).values(named=nobody, purged_at=at))
    return connection.execute(delete(travellers).where(travellers.c.migration_id == migration)).rowcount


def forget(connection: Connection, tenant: TenantId, subject: SubjectId) -> int:
    """How many rows of the person went, or spoke of them. Raises ConflictError while a migration with them goes on."""
    table = migrations.c
    is_here = or_(table.source_tenant_id == tenant, table.target_tenant_id == tenant)
    query = select(table.migration_id, table.state, table.named).where(is_here).order_by(table.migration_id)
    found = connection.execute(query.with_for_update(key_share=True)).all()
    return sum(_forget_in(connection, subject, *each) for each in found)


def _forget_in(
    connection: Connection, subject: SubjectId, migration: MigrationId, state: str, named: NamedPeople
) -> int:
    theirs = (travellers.c.migration_id == migration) & or_(
        travellers.c.source_id == subject, travellers.c.target_id == subject
    )
    accounts = connection.execute(select(travellers.c.source_id, travellers.c.target_id).where(theirs)).all()
    is_theirs = _is_one_of({subject, *(account for pair in accounts for account in pair if account)})
    is_named = any(map(is_theirs, named.everybody))
    if state not in MIGRATION_ENDS and (accounts or is_named):
        raise ConflictError(f"This person is part of migration {migration}, which goes on: end it first.")
    if is_named:
        rest = named.without(is_theirs)
        connection.execute(update(migrations).where(migrations.c.migration_id == migration).values(named=rest))
    return connection.execute(delete(travellers).where(theirs)).rowcount + is_named


def _is_one_of(accounts: set[str]) -> Callable[[str], bool]:
    """Ids are compared as people write them: in capitals or not."""
    lower = {account.lower() for account in accounts}
    return lambda account: account.lower() in lower
