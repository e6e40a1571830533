"""The codes by which DUO's registers and the shops name organisations."""

import re

from provisioning.domain.ids import OrganisationId

_BRIN = re.compile(r"[0-9]{2}[A-Z]{2}")
_LOCATION = re.compile(r"[0-9]{2}[A-Z]{2}[0-9]{2}")
_BOARD_DIGITS = 5


def candidates(code: str) -> tuple[OrganisationId, ...]:
    """What a code as written may stand for, likeliest first.

    A school's bare code means its main location (00); a board number may have lost its leading zeros.
    """
    text = "".join(code.split()).upper()
    if _BRIN.fullmatch(text):
        return OrganisationId(text), OrganisationId(text + "00")
    if text.isascii() and text.isdigit() and len(text) < _BOARD_DIGITS:
        return OrganisationId(text), OrganisationId(text.zfill(_BOARD_DIGITS))
    return (OrganisationId(text),)


def is_location(code: str) -> bool:
    return bool(_LOCATION.fullmatch(code))


def is_brin(code: str) -> bool:
    return bool(_BRIN.fullmatch(code))
