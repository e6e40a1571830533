"""Microsoft moves whole agreements to another tenant, or nothing: what is impossible is said before it begins (S31)."""

from datetime import datetime
from typing import cast

from provisioning.domain.reasons import Reason
from provisioning.domain.records import RecordKind, VolumeLicence
from provisioning.domain.ticket import Ticket
from provisioning.domain.ticket_wishes import RemapAgreement, wish_of
from provisioning.planning.ticket_turn import Progress, Standing
from provisioning.planning.whole_agreement import WAYS_OUT, obstacle
from provisioning.ports import UnitOfWork
from provisioning.services.ticket_work import Objection, WithoutOperations


class RemapAgreementWork(WithoutOperations):
    """It waits for a person of ours to bring it to Microsoft."""

    def objection(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> Objection | None:  # noqa: ARG002
        licences = cast("list[VolumeLicence]", uow.records.list_by(RecordKind.VOLUME_LICENCE))
        reason = obstacle(cast("RemapAgreement", wish_of(ticket.kind, ticket.given)), licences)
        return None if reason is None else Objection(reason=reason, is_final=True, instead=WAYS_OUT)

    def standing(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> Standing:  # noqa: ARG002
        return Standing(progress=Progress.STUCK, reason=Reason.MICROSOFT_TO_BE_ASKED)
