"""Who people are in a snapshot: always the same word for the same person, and nobody's without the key."""

import hmac
import re
from collections.abc import Iterable
from uuid import UUID

from provisioning.domain.ids import Pseudonym, SubjectId

# Whose row among the pseudonyms is the key of a tenant's snapshots: no directory has an object with such an id.
KEY_ROW = SubjectId("snapshot-key")

_GUID_BYTES = 16
_GUID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Masks:
    """Object ids for object ids. Keyed (HMAC-SHA-256), because whoever has the directory could else try them all."""

    def __init__(self, key: Pseudonym) -> None:
        self._key = key.encode()

    def of(self, subject: SubjectId) -> SubjectId:
        """What stands for the person in every snapshot that is taken with this key."""
        digest = hmac.digest(self._key, subject.lower().encode(), "sha256")
        return SubjectId(str(UUID(bytes=digest[:_GUID_BYTES], version=4)))


class MasksInOrder(Masks):
    """The words of a snapshot, dealt out anew: people come in the order of their true ids.

    A wave of at most so many people takes the first by id, and so do scarce seats: in a copy it must be the same ones.
    """

    def __init__(self, key: Pseudonym, people: Iterable[SubjectId]) -> None:
        super().__init__(key)
        known = sorted({SubjectId(one.lower()) for one in people})
        self._words = dict(zip(known, sorted(map(super().of, known)), strict=True))
        self._instead = {super(MasksInOrder, self).of(one).encode(): word.encode() for one, word in self._words.items()}

    def of(self, subject: SubjectId) -> SubjectId:
        """What stands for the person here; for whoever was not in the snapshot, what stands for them everywhere."""
        return self._words.get(SubjectId(subject.lower())) or super().of(subject)

    def dealt_anew(self, seed: bytes) -> bytes:
        """The snapshot with these words instead of its own."""
        return _GUID.sub(lambda found: self._instead.get(found[0], found[0]), seed)
