"""Boards and schools from the register come in; lines that waited for them are judged again."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.events import Event
from provisioning.domain.ids import OrganisationId
from provisioning.domain.rights import Action, require
from provisioning.domain.tenancy import Organisation, Relation
from provisioning.planning.order_cures import BY_ORGANISATION
from provisioning.ports import Clock, OpenUnitOfWork, UnitOfWork
from provisioning.services.judge_lines import JudgeLines

# what the register does not know and an import must therefore never wipe out
_OURS = ("membership", "eligibility", "operational_from", "operational_until")


class ImportedOrganisations(msgspec.Struct, frozen=True, kw_only=True):
    changed: int
    relations: int
    moved: tuple[OrganisationId, ...]  # the register names another board than ours: a dated relation record decides
    lines: int  # judged again


@dataclass(frozen=True, kw_only=True)
class ImportOrganisations:
    """Importing the same register again changes nothing."""

    open_uow: OpenUnitOfWork
    judge: JudgeLines
    clock: Clock

    def __call__(
        self, identity: Identity, organisations: Sequence[Organisation], relations: Sequence[Relation]
    ) -> ImportedOrganisations:
        """Raises NotAllowedError."""
        require(identity, Action.IMPORT_ORGANISATIONS)
        with self.open_uow() as uow:
            above = {one.child_id: _parents(uow, one) for one in relations}
            known = {one.organisation_id: one for one in uow.organisations.list_all()}
            changed = uow.organisations.save(_kept(one, known.get(one.organisation_id)) for one in organisations)
            added = uow.organisations.add_relations(one for one in relations if not above[one.child_id])
            self._record(uow, identity, changed, added)
            uow.commit()
        moved = tuple(one.child_id for one in relations if above[one.child_id] - {one.parent_id})
        lines = self.judge.replay(BY_ORGANISATION, {one.organisation_id for one in organisations})
        return ImportedOrganisations(changed=changed, relations=added, moved=moved, lines=lines)

    def _record(self, uow: UnitOfWork, identity: Identity, changed: int, added: int) -> None:
        details = {"changed": str(changed), "relations": str(added)}
        event = Event(at=self.clock.now(), actor=identity.actor, kind="organisations.imported", details=details)
        uow.audit.record([event])


def _parents(uow: UnitOfWork, relation: Relation) -> set[OrganisationId]:
    """Who stands above the child on that day already: registers say what is, not since when, every month again."""
    known = uow.organisations.relations_of(relation.child_id, relation.valid_from)
    return {one.parent_id for one in known if one.kind is relation.kind and one.child_id == relation.child_id}


def _kept(incoming: Organisation, known: Organisation | None) -> Organisation:
    if known is None:
        return incoming
    return msgspec.structs.replace(incoming, **{name: getattr(known, name) for name in _OURS})
