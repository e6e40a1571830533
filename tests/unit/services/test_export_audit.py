from collections.abc import Iterator

import pytest

from provisioning.audit.checkpoint import Checkpoint
from provisioning.audit.errors import AuditFormatError
from provisioning.audit.events import AuditEvent, encode_event
from provisioning.audit.export import StoredCheckpoint, StoredEvent
from provisioning.audit.note import SignerKey
from provisioning.audit.tree import Frontier, leaf_hash
from provisioning.domain.errors import ConflictError, NotAllowedError
from provisioning.domain.ids import SYSTEM, OrganisationId
from provisioning.services.export_audit import ExportAudit
from provisioning.services.verify_audit import verify_audit
from tests.unit.services.fakes_access import ADMIN, AUDITOR, NOW, OPERATOR, SCHOOL, FakeClock, World

SIGNER = SignerKey("audit.example", b"s" * 32)
KEY = str(SIGNER.verifier)
OTHER = OrganisationId("49999")


class FakeArchive:
    """A sealed log of some events under one checkpoint."""

    def __init__(self, organisations: list[OrganisationId], covered: int | None = None) -> None:
        texts = [
            encode_event(AuditEvent(id=f"e{n}", at=NOW, actor=SYSTEM, kind="order.received", organisation=who))
            for n, who in enumerate(organisations)
        ]
        self.organisations = organisations
        self.rows = [StoredEvent(n, leaf_hash(text), text.decode()) for n, text in enumerate(texts)]
        self.covered = len(texts) if covered is None else covered

    def checkpoints(self) -> list[StoredCheckpoint]:
        if not self.covered:
            return []
        frontier = Frontier().extend(row.leaf for row in self.rows[: self.covered])
        return [StoredCheckpoint(Checkpoint.sign("audit.example", frontier, SIGNER), frontier)]

    def events(self, organisation: OrganisationId | None = None) -> Iterator[StoredEvent]:
        return (row for row, who in zip(self.rows, self.organisations, strict=True) if organisation in {None, who})

    def uncovered(self, size: int, organisation: OrganisationId | None = None) -> int:
        return sum(row.sequence >= size for row in self.events(organisation))

    def leaves(self, size: int) -> Iterator[bytes]:
        return (row.leaf for row in self.rows[:size])


@pytest.fixture
def world() -> World:
    return World()


def export(world: World, archive: FakeArchive, identity: object = AUDITOR, **of: object) -> list[bytes]:
    return list(ExportAudit(open_uow=world.open, clock=FakeClock(), archive=archive)(identity, **of))


class TestExportAudit:
    def test_the_whole_log_verifies_with_the_key_alone(self, world: World) -> None:
        verdict = verify_audit(export(world, FakeArchive([SCHOOL, OTHER, SCHOOL])), KEY)
        assert (verdict.is_sound, verdict.events, verdict.proven) == (True, 3, 3)

    def test_a_part_holds_one_organisation_and_verifies(self, world: World) -> None:
        lines = export(world, FakeArchive([SCHOOL, OTHER, SCHOOL]), organisation=SCHOOL)
        verdict = verify_audit(lines, KEY)
        assert (verdict.is_sound, verdict.events, verdict.organisation) == (True, 2, SCHOOL)
        assert not any(OTHER.encode() in line for line in lines)

    def test_events_behind_the_checkpoint_stay_out_of_a_part(self, world: World) -> None:
        lines = export(world, FakeArchive([SCHOOL, SCHOOL, SCHOOL], covered=2), organisation=SCHOOL)
        verdict = verify_audit(lines, KEY)
        assert (verdict.is_sound, verdict.events) == (True, 2)

    @pytest.mark.parametrize(("organisation", "left_out"), [(None, 2), (SCHOOL, 1), (OTHER, 1)])
    def test_it_says_how_many_events_no_checkpoint_covers(
        self, world: World, organisation: OrganisationId | None, left_out: int
    ) -> None:
        archive = FakeArchive([SCHOOL, OTHER, OTHER, SCHOOL], covered=2)
        service = ExportAudit(open_uow=world.open, clock=FakeClock(), archive=archive)
        assert service(AUDITOR, organisation).left_out == left_out

    def test_the_export_itself_is_written_down(self, world: World) -> None:
        export(world, FakeArchive([SCHOOL]), organisation=SCHOOL)
        (event,) = world.events
        assert (event.actor, event.kind, event.organisation) == (AUDITOR.actor, "audit.exported", SCHOOL)

    def test_without_a_checkpoint_there_is_nothing_to_prove(self, world: World) -> None:
        with pytest.raises(ConflictError, match="no signed checkpoint yet"):
            export(world, FakeArchive([SCHOOL], covered=0))

    def test_operators_do_not_carry_the_log_out(self, world: World) -> None:
        with pytest.raises(NotAllowedError, match="role admin or auditor"):
            export(world, FakeArchive([SCHOOL]), OPERATOR)

    def test_the_newest_checkpoint_can_be_kept_outside(self, world: World) -> None:
        archive = FakeArchive([SCHOOL, OTHER])
        service = ExportAudit(open_uow=world.open, clock=FakeClock(), archive=archive)
        outside = str(service.newest_checkpoint())
        verdict = verify_audit(export(world, archive, ADMIN), KEY, outside)
        assert (verdict.is_sound, verdict.newest.head.size) == (True, 2)


class TestVerifyAudit:
    def test_an_edited_event_is_found(self, world: World) -> None:
        lines = [line.replace(b"e1", b"e9") for line in export(world, FakeArchive([SCHOOL, OTHER]))]
        assert not verify_audit(lines, KEY).is_sound

    def test_another_key_proves_nothing(self, world: World) -> None:
        other = str(SignerKey("other.example", b"o" * 32).verifier)
        assert not verify_audit(export(world, FakeArchive([SCHOOL])), other).is_sound

    @pytest.mark.parametrize("keys", ["key", "", " \n", f"{KEY}\nkey"])
    def test_a_key_that_is_none_is_refused(self, keys: str) -> None:
        with pytest.raises(AuditFormatError, match="name\\+hash\\+base64"):
            verify_audit([], keys)

    def test_several_keys_stand_one_a_line(self, world: World) -> None:
        other = str(SignerKey("audit.example", b"o" * 32).verifier)
        for keys in (f"{KEY}\n{other}\n", f"\n{other}\r\n{KEY}"):
            verdict = verify_audit(export(world, FakeArchive([SCHOOL])), keys)
            assert (verdict.is_sound, [signer.key for signer in verdict.signers]) == (True, [SIGNER.verifier.label])
