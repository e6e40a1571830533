"""Codes as words for people."""

from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Owner


def reason_sentence(reason: Reason) -> str:
    return reason.replace("_", " ").lower()


def owner_word(owner: Owner) -> str:
    return owner.value
