"""The digests a plan stands on, worked out the same way when it is drawn and before each chunk."""

from collections.abc import Sequence
from datetime import date
from hashlib import sha256

import msgspec

from provisioning.domain.catalogue import Mappings
from provisioning.domain.operation import Operation, Wish
from provisioning.domain.records import RecordKind
from provisioning.domain.tenancy import Binding, Policy, without_authors
from provisioning.planning.mapping_digest import current_row_digest, remap_digest
from provisioning.planning.plan import Grounds
from provisioning.ports import UnitOfWork


def own_bindings(uow: UnitOfWork, operation: Operation, on: date) -> list[Binding]:
    """The bindings of the operation's organisations in its tenant, in the order's sequence."""
    in_tenant = uow.tenants.bindings_in(operation.tenant_id, on)
    rank = {organisation: place for place, organisation in enumerate(operation.wish.organisations)}
    own = [binding for binding in in_tenant if binding.organisation_id in rank]
    return sorted(own, key=lambda binding: (rank[binding.organisation_id], binding.binding_id))


def grounds_of(
    uow: UnitOfWork, operation: Operation, bindings: Sequence[Binding], policy: Policy, mappings: Mappings
) -> Grounds:
    """Everything that an approval of this operation's plan would rest on."""
    wish = operation.wish
    authority = uow.records.list_by(RecordKind.DECLARATION, wish.holder_id)
    return Grounds(
        mapping=_mapping_digest(wish, mappings),
        policy=_digest(msgspec.Raw(without_authors(policy))),
        bindings=_digest([msgspec.Raw(without_authors(one)) for one in bindings]),
        authority=_digest(authority),
    )


def _mapping_digest(wish: Wish, mappings: Mappings) -> str:
    """Of a migration's part: the product's rows, and the definition that the wish was made from."""
    if wish.part is not None:
        return _digest([wish.mapping_digest, mappings.skus.get(wish.sku_id)])
    if wish.remap is not None:
        return remap_digest(wish.sku_id, wish.remap, mappings)
    return current_row_digest(wish.article_code, wish.sku_id, mappings) or "gone"


def _digest(value: object) -> str:
    return sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()[:32]
