"""What a check of the mappings says."""

from enum import StrEnum

import msgspec


class Severity(StrEnum):
    ERROR = "error"
    REMARK = "remark"


class Finding(msgspec.Struct, frozen=True, order=True):
    """`place` names file and row; `sentence` says what is wrong and what to do."""

    severity: Severity
    place: str
    sentence: str
