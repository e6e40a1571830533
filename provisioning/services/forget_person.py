"""A person is forgotten: what ties them to the audit log and to past work is destroyed, and the log still verifies."""

from dataclasses import dataclass

from provisioning.domain.actors import Identity
from provisioning.domain.errors import InputError
from provisioning.domain.events import Event
from provisioning.domain.ids import SubjectId
from provisioning.domain.rights import Action, require
from provisioning.domain.tenancy import Tenant
from provisioning.ports import Clock, OpenUnitOfWork
from provisioning.services.lookup import get_tenant


@dataclass(frozen=True, kw_only=True)
class ForgetPerson:
    open_uow: OpenUnitOfWork
    clock: Clock

    def __call__(self, identity: Identity, tenant: str, subject: str, reason: str) -> Tenant:
        """`subject`: the directory object id. The decision is on record, without it.

        Raises InputError for whoever is not known here, ConflictError while work for the person goes on.
        """
        require(identity, Action.FORGET_PERSON)
        if not reason.strip():
            raise InputError("Forgetting needs a reason: who asked for it, and when? Name nobody in it.")
        person = SubjectId(subject.strip().lower())
        with self.open_uow() as uow:
            home = get_tenant(uow, tenant)
            rows = uow.retention.forget(home.tenant_id, person)
            if not uow.audit.forget(home.tenant_id, [person]) + rows:
                raise InputError("Nobody with this object id is known in this tenant; nothing was changed.")
            event = Event(
                at=self.clock.now(),
                actor=identity.actor,
                kind="person.forgotten",
                tenant=home.tenant_id,
                reason=reason,
            )
            uow.audit.record([event])
            uow.commit()
        return home
