"""What a school decided for its tenant, in a period: proposed by one person, approved by another."""

from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from provisioning.database.store import Store, row_of
from provisioning.database.tables.tenants import policies
from provisioning.domain.errors import ConflictError
from provisioning.domain.ids import Actor, TenantId
from provisioning.domain.tenancy import Policy

_IS_OPEN = policies.c.is_superseded.is_(False)
_IS_PROPOSED = _IS_OPEN & policies.c.approved_by.is_(None)
_IS_IN_FORCE = _IS_OPEN & policies.c.approved_by.is_not(None)

_OTHERS = func.array_remove(policies.c.authors, policies.c.created_by, type_=policies.c.authors.type).label("authors")
_ALL = select(*(_OTHERS if name == "authors" else policies.c[name] for name in Policy.__struct_fields__))


class SqlPolicies(Store):
    def policy_on(self, tenant: TenantId, on: date) -> Policy:
        covers_day = (policies.c.valid_from <= on) & _lasts_until(on)
        query = _ALL.where(policies.c.tenant_id == tenant, covers_day, _IS_IN_FORCE)
        return self._find(query, Policy) or Policy(tenant_id=tenant, valid_from=date.min)

    def add_policy(self, policy: Policy) -> None:
        """One that comes with an approver is in force at once."""
        if policy.approved_by is not None:
            self._make_room(policy.tenant_id, policy.valid_from)
        self._connection.execute(insert(policies).values(row_of(policy) | {"is_superseded": False}))

    def list_policies(self, tenant: TenantId) -> list[Policy]:
        """Without those that another replaced on or before their first day."""
        query = _ALL.where(policies.c.tenant_id == tenant, _IS_OPEN)
        return self._list(query.order_by(policies.c.valid_from.desc(), policies.c.policy_id.desc()), Policy)

    def approve_policy(self, tenant: TenantId, digest: str, by: Actor, at: datetime) -> None:
        """From its first day on it takes the place of what was decided before."""
        of_tenant = (policies.c.tenant_id == tenant) & (policies.c.digest == digest) & _IS_PROPOSED
        query = select(policies.c.policy_id, policies.c.valid_from).where(of_tenant)
        proposed = self._connection.execute(query.order_by(policies.c.policy_id.desc()).limit(1)).first()
        if proposed is None:
            raise ConflictError(
                f"No policy with the digest {digest} waits for approval in tenant {tenant}. Look again."
            )
        self._make_room(tenant, proposed.valid_from)
        is_it = policies.c.policy_id == proposed.policy_id
        self._connection.execute(update(policies).where(is_it).values(approved_by=by, approved_at=at))

    def _make_room(self, tenant: TenantId, first_day: date) -> None:
        in_force = (policies.c.tenant_id == tenant) & _IS_IN_FORCE
        later = update(policies).where(in_force, policies.c.valid_from >= first_day)
        self._connection.execute(later.values(is_superseded=True))
        overlapping = update(policies).where(in_force, _lasts_until(first_day))
        self._connection.execute(overlapping.values(valid_until=first_day - timedelta(days=1)))


def _lasts_until(day: date) -> ColumnElement[bool]:
    return or_(policies.c.valid_until.is_(None), policies.c.valid_until >= day)
