"""What verifying an export finds: each kind of tampering with its place, and what stays possible."""

from enum import StrEnum

import msgspec

from provisioning.audit.checkpoint import Checkpoint

MAX_FINDINGS = 1_000  # a file that is all rubbish must not fill the memory with reproaches


class Tampering(StrEnum):
    """The kinds of tampering, as they are named to a person."""

    MALFORMED = "malformed"  # a line that is no line of an export, or stands where it cannot
    EDITED = "edited"  # the event's text is not what its leaf hash says: this very event
    LEAF_ALTERED = "leaf_altered"  # the event is genuine, the leaf hash beside it is not
    CONTENT_ALTERED = "content_altered"  # root mismatch: somewhere between two checkpoints, text and hash alike
    NOT_IN_LOG = "not_in_log"  # no proof leads from this event to the checkpoint: edited with its hash, or inserted
    DELETED = "deleted"
    INSERTED = "inserted"
    DUPLICATED = "duplicated"
    REORDERED = "reordered"
    RENUMBERED = "renumbered"  # genuine events in their order under other numbers
    FOREIGN = "foreign"  # another organisation's event
    UNCOVERED = "uncovered"  # events that no authentic checkpoint covers
    TAIL_CUT = "tail_cut"
    CHECKPOINT_FORGED = "checkpoint_forged"  # a signature that does not sign this text
    CHECKPOINT_UNKNOWN = "checkpoint_unknown"  # of another log, or signed by no key that was given
    KEY_RETURNED = "key_returned"  # a key signed again after another had taken over from it
    CHECKPOINT_MISPLACED = "checkpoint_misplaced"  # repeated, or behind a longer one
    EDGE_ALTERED = "edge_altered"  # the tree's edge beside a checkpoint is not that of its root
    FORKED = "forked"  # two checkpoints, both signed by the key, that cannot both be true
    REWRITTEN = "rewritten"  # the outside checkpoint was signed over another log


class Doubt(StrEnum):
    """What an export alone cannot exclude."""

    LATER_EVENTS = "later_events"
    KEY_HOLDER = "key_holder"
    KEY_HOLDER_SINCE = "key_holder_since"
    KEY_UNUSED = "key_unused"
    OMISSION = "omission"
    OUTSIDE_NOT_COMPARED = "outside_not_compared"

    @property
    def sentence(self) -> str:
        """The doubt in plain English."""
        return _PLAINLY[self]


_PLAINLY = {
    Doubt.LATER_EVENTS: "Events sealed after the newest checkpoint in this export may have been cut off.",
    Doubt.KEY_HOLDER: "Whoever holds the signing key may have rewritten the whole log; "
    "only a checkpoint kept outside excludes that.",
    Doubt.KEY_HOLDER_SINCE: "Whoever holds the signing key may have rewritten what came after the outside checkpoint.",
    Doubt.KEY_UNUSED: "One of the keys given signed nothing here: if it is the newest one, this export was made before "
    "it took over, or what it signed was cut off.",
    Doubt.OMISSION: "Whoever made this export may have left out events of the organisation; "
    "only an export of the whole log excludes that.",
    Doubt.OUTSIDE_NOT_COMPARED: "The outside checkpoint could not be compared: that part of the log is not proven, "
    "or this export holds no consistency proof from it.",
}


class Finding(msgspec.Struct, frozen=True):
    """One tampering and its place: a line of the export (from 1), the first and last sequence (from 0), or both."""

    kind: Tampering
    sentence: str
    line: int | None = None
    sequences: tuple[int, int] | None = None


class Findings:
    """What was found so far, in the order of finding."""

    def __init__(self) -> None:
        self.listed: list[Finding] = []
        self.unlisted = 0

    def add(
        self,
        kind: Tampering,
        sentence: str,
        line: int | None = None,
        sequences: tuple[int, int] | None = None,
    ) -> None:
        """List one finding, or only count it when there are very many."""
        if len(self.listed) < MAX_FINDINGS:
            self.listed.append(Finding(kind, sentence, line, sequences))
        else:
            self.unlisted += 1


class Signer(msgspec.Struct, frozen=True):
    """What one key signed: how many checkpoints, of how many events the first and the last."""

    key: str  # name and hash, as the text of the key begins
    checkpoints: int
    first: int
    last: int

    def signed_also(self, size: int) -> "Signer":
        """The same with one checkpoint more."""
        return Signer(self.key, self.checkpoints + 1, self.first, max(self.last, size))


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What an export proves. `newest` is its newest authentic checkpoint; `proven` of its `events` are in that log."""

    origin: str | None
    organisation: str | None
    events: int
    proven: int
    checkpoints: int
    signers: tuple[Signer, ...]  # in the order in which they took over
    newest: Checkpoint | None
    findings: tuple[Finding, ...]
    unlisted_findings: int
    doubts: tuple[Doubt, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing was tampered with, as far as the doubts allow."""
        return not self.findings

    @property
    def lacks_only_keys(self) -> bool:
        """Whether all that was found is checkpoints by keys that were not given, while every event is proven."""
        kinds = {finding.kind for finding in self.findings}
        return kinds == {Tampering.CHECKPOINT_UNKNOWN} and self.proven == self.events
