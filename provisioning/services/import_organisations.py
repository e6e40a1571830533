"""Boards and schools from the register come in; lines that waited for them are judged again."""

from collections.abc import Sequence

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.events import Event
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
    lines: int  # judged again


class ImportOrganisations:
    """Importing the same register again changes nothing."""

    def __init__(self, *, open_uow: OpenUnitOfWork, judge: JudgeLines, clock: Clock) -> None:
        self._open_uow = open_uow
        self._judge = judge
        self._clock = clock

    def __call__(
        self, identity: Identity, organisations: Sequence[Organisation], relations: Sequence[Relation]
    ) -> ImportedOrganisations:
        """Raises NotAllowedError."""
        require(identity, Action.IMPORT_ORGANISATIONS)
        with self._open_uow() as uow:
            known = {one.organisation_id: one for one in uow.organisations.list_all()}
            changed = uow.organisations.save(_kept(one, known.get(one.organisation_id)) for one in organisations)
            added = uow.organisations.add_relations(relations)
            self._record(uow, identity, changed, added)
            uow.commit()
        lines = self._judge.replay(BY_ORGANISATION, {one.organisation_id for one in organisations})
        return ImportedOrganisations(changed=changed, relations=added, lines=lines)

    def _record(self, uow: UnitOfWork, identity: Identity, changed: int, added: int) -> None:
        details = {"changed": str(changed), "relations": str(added)}
        event = Event(at=self._clock.now(), actor=identity.actor, kind="organisations.imported", details=details)
        uow.audit.record([event])


def _kept(incoming: Organisation, known: Organisation | None) -> Organisation:
    if known is None:
        return incoming
    return msgspec.structs.replace(incoming, **{name: getattr(known, name) for name in _OURS})
