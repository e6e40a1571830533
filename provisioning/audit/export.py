"""Exports of the audit log: JSON Lines that hold all a stranger needs to verify them, save the public key.

The whole log: a header, the events in order with a checkpoint behind the last event that each covers, an end line.
One organisation: a header, one checkpoint, its events each with its inclusion proof, an end line.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from provisioning.audit.checkpoint import Checkpoint
from provisioning.audit.errors import AuditFormatError
from provisioning.audit.proofs import TreeLevels
from provisioning.audit.tree import Frontier
from provisioning.domain.ids import OrganisationId

FORMAT = "licence-audit-export/1"


class StoredEvent(msgspec.Struct, frozen=True):
    """A sealed event as it is stored: its place in the log, its leaf hash, its text."""

    sequence: int
    leaf: bytes
    text: str


class StoredCheckpoint(msgspec.Struct, frozen=True):
    """A signed checkpoint and the frontier that it signs."""

    checkpoint: Checkpoint
    frontier: Frontier


class _Line(msgspec.Struct, frozen=True, tag_field="record", omit_defaults=True, forbid_unknown_fields=True, gc=False):
    pass  # gc=False: a line refers to nothing that could refer back, and there are very many


class HeaderLine(_Line, frozen=True, tag="header"):
    """Which log this is, and of whom the events are: of everybody when `organisation` is None."""

    format: str
    origin: str
    organisation: OrganisationId | None = None


class EventLine(_Line, frozen=True, tag="event"):
    """One event of the whole log; `leaf` is the hash the log holds, so that an edited text is found exactly."""

    sequence: int
    leaf: bytes
    event: str


class ProvenEventLine(_Line, frozen=True, tag="proven_event"):
    """One event of an organisation, the `number`-th in this export, with the path to the checkpoint's root."""

    number: int
    sequence: int
    leaf: bytes
    path: tuple[bytes, ...]
    event: str


class CheckpointLine(_Line, frozen=True, tag="checkpoint"):
    """A signed checkpoint; with the tree's edge a verifier goes on behind a part that was tampered with."""

    note: str
    edge: tuple[bytes, ...] = ()


class ConsistencyLine(_Line, frozen=True, tag="consistency"):
    """The proof that the log of the checkpoint grew from its first `size` events."""

    size: int
    path: tuple[bytes, ...]


class EndLine(_Line, frozen=True, tag="end"):
    """The last line: how many events the export holds."""

    events: int


Line = HeaderLine | EventLine | ProvenEventLine | CheckpointLine | ConsistencyLine | EndLine

_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


def encode_line(line: Line) -> bytes:
    """The line as it is written, with its newline."""
    return _ENCODER.encode(line) + b"\n"


def decode_line(line: bytes, number: int) -> Line:
    """The line that was written; raises AuditFormatError with its number."""
    try:
        return _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise AuditFormatError(f"this is no line of an export: {error}.", number) from None


def write_log_export(
    origin: str, events: Iterable[StoredEvent], checkpoints: Iterable[StoredCheckpoint]
) -> Iterator[bytes]:
    """The lines of an export of the whole log, as far as the last of these checkpoints; both in order."""
    yield encode_line(HeaderLine(FORMAT, origin))
    following = iter(events)
    written, event = 0, next(following, None)
    for stored in checkpoints:
        while event is not None and event.sequence < stored.frontier.size:
            yield encode_line(EventLine(event.sequence, event.leaf, event.text))
            written, event = written + 1, next(following, None)
        yield encode_line(CheckpointLine(str(stored.checkpoint), stored.frontier.edge))
    yield encode_line(EndLine(written))


def write_organisation_export(
    organisation: OrganisationId,
    events: Iterable[StoredEvent],
    checkpoint: Checkpoint,
    tree: TreeLevels,
    known_sizes: Sequence[int] = (),
) -> Iterator[bytes]:
    """The lines of one organisation's export under a checkpoint, whose whole tree is `tree`.

    For each size in `known_sizes`, that of a checkpoint the reader has already, a consistency proof is added.
    Raises IndexError for an event or a size that the checkpoint does not cover.
    """
    yield encode_line(HeaderLine(FORMAT, checkpoint.head.origin, organisation))
    yield encode_line(CheckpointLine(str(checkpoint)))
    for size in known_sizes:
        yield encode_line(ConsistencyLine(size, tree.consistency_path(size)))
    number = 0
    for number, event in enumerate(events, 1):
        path = tree.inclusion_path(event.sequence)
        yield encode_line(ProvenEventLine(number, event.sequence, event.leaf, path, event.text))
    yield encode_line(EndLine(number))
