"""A small log with two organisations in it, its exports, and hands that tamper with them."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from provisioning.audit.checkpoint import Checkpoint
from provisioning.audit.events import AuditEvent, encode_event
from provisioning.audit.export import StoredCheckpoint, StoredEvent, write_log_export, write_organisation_export
from provisioning.audit.note import SignerKey
from provisioning.audit.proofs import TreeLevels
from provisioning.audit.sealing import CheckpointRule, SealedLog, seal
from provisioning.audit.tree import Frontier, leaf_hash

ORIGIN = "audit.example/log"
NOON = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
LOG_KEY = SignerKey(ORIGIN, bytes(range(32)))
THIEF_KEY = SignerKey(ORIGIN, bytes(range(1, 33)))
RULE = CheckpointRule(events=10, interval=timedelta(hours=1))
OURS, THEIRS = "41774", "20003"


def event_text(number: int, reason: str = "ORDERED") -> bytes:
    """Every third event is of one organisation, the others are of another."""
    return encode_event(
        AuditEvent(
            id=f"{number}",
            at=NOON + timedelta(seconds=number),
            actor="system",
            kind="step.accepted",
            organisation=OURS if number % 3 == 0 else THEIRS,
            reason=reason,
        )
    )


class Log(msgspec.Struct, frozen=True):
    """A sealed log as it lies in the database."""

    events: tuple[StoredEvent, ...]
    checkpoints: tuple[StoredCheckpoint, ...]

    @property
    def newest(self) -> Checkpoint:
        return self.checkpoints[-1].checkpoint

    def export(self) -> list[bytes]:
        return list(write_log_export(ORIGIN, self.events, self.checkpoints))

    def export_of(self, organisation: str, known_sizes: Sequence[int] = ()) -> list[bytes]:
        tree = TreeLevels(event.leaf for event in self.events)
        own = [event for event in self.events if json.loads(event.text)["organisation"] == organisation]
        return list(write_organisation_export(organisation, own, self.newest, tree, known_sizes))


def build_log(
    size: int, *, text: Callable[[int], bytes] = event_text, key: SignerKey = LOG_KEY, rule: CheckpointRule = RULE
) -> Log:
    """A log of `size` events with a checkpoint every tenth and one at the end."""
    texts = [text(number) for number in range(size)]
    sealing = seal(SealedLog(checkpointed_at=NOON), texts, NOON, rule)
    frontiers = [*sealing.due, *([sealing.log.frontier] if sealing.log.uncovered or not size else [])]
    return Log(
        tuple(
            StoredEvent(sequence, leaf, stored.decode())
            for sequence, leaf, stored in zip(sealing.sequences, sealing.leaves, texts, strict=True)
        ),
        tuple(sign(frontier, key) for frontier in frontiers),
    )


def sign(frontier: Frontier, key: SignerKey = LOG_KEY) -> StoredCheckpoint:
    return StoredCheckpoint(Checkpoint.sign(ORIGIN, frontier, key), frontier)


def altered(line: bytes, **fields: object) -> bytes:
    """The line with these fields replaced; a function is given the old value."""
    record = json.loads(line)
    for name, value in fields.items():
        record[name] = value(record[name]) if callable(value) else value
    return json.dumps(record).encode() + b"\n"


def base64_leaf(text: str) -> str:
    return msgspec.json.encode(leaf_hash(text.encode())).decode().strip('"')


def forge_event(line: bytes, *, with_hash: bool) -> bytes:
    """The line with another reason in its event, and perhaps the hash to match."""
    text = json.loads(line)["event"].replace("ORDERED", "DECIDED")
    return altered(line, event=text, **({"leaf": base64_leaf(text)} if with_hash else {}))


def line_of(lines: list[bytes], sequence: int) -> int:
    """The index in `lines` of the event with this sequence."""
    return next(index for index, line in enumerate(lines) if json.loads(line).get("sequence") == sequence)


def line_of_checkpoint(lines: list[bytes], size: int) -> int:
    """The index in `lines` of the checkpoint of this size."""
    return next(
        i for i, line in enumerate(lines) if f"\\n{size}\\n" in json.loads(line).get("note", "").replace("\n", "\\n")
    )


def renumbered(lines: list[bytes]) -> list[bytes]:
    """The lines with the events numbered as they stand, and the end line made to fit."""
    count, result = 0, []
    for line in lines:
        record = json.loads(line)["record"]
        if record == "event":
            result.append(altered(line, sequence=count))
            count += 1
        else:
            result.append(altered(line, events=count) if record == "end" else line)
    return result
