"""Who people are in a snapshot: always the same word for the same person, and nobody's without the key."""

import hmac
from uuid import UUID

from provisioning.domain.ids import Pseudonym, SubjectId

# Whose row among the pseudonyms is the key of a tenant's snapshots: no directory has an object with such an id.
KEY_ROW = SubjectId("snapshot-key")

_GUID_BYTES = 16


class Masks:
    """Object ids for object ids. Keyed (HMAC-SHA-256), because whoever has the directory could else try them all."""

    def __init__(self, key: Pseudonym) -> None:
        self._key = key.encode()

    def of(self, subject: SubjectId) -> SubjectId:
        """What stands for the person in every snapshot that is taken with this key."""
        digest = hmac.digest(self._key, subject.lower().encode(), "sha256")
        return SubjectId(str(UUID(bytes=digest[:_GUID_BYTES], version=4)))
