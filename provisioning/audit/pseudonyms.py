"""What the audit log calls a person: a word that stands for nobody once its key row is gone."""

import base64
import re

from provisioning.audit.errors import AuditFormatError
from provisioning.domain.ids import Pseudonym

ENTROPY_BYTES = 16

_FORM = re.compile(r"p_[a-z2-7]{26}")


def draw_pseudonym(entropy: bytes) -> Pseudonym:
    """The pseudonym made of 16 random bytes; the caller draws them and keeps the row that names the person."""
    if len(entropy) != ENTROPY_BYTES:
        raise AuditFormatError(f"A pseudonym is made of {ENTROPY_BYTES} random bytes, not {len(entropy)}.")
    return Pseudonym("p_" + base64.b32encode(entropy).decode().rstrip("=").lower())


def is_pseudonym(text: str) -> bool:
    """Whether the text has the form of a pseudonym."""
    return _FORM.fullmatch(text) is not None
