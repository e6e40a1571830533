"""How a language speaks of campaigns: in reports, and to boards."""

from provisioning.planning.campaign_report import Tongue
from provisioning.words.catalogue import Language, Words


def tongue_of_campaigns(language: Language) -> Tongue:
    """Boards are spoken to in Dutch, whatever the operator reads."""
    words = Words(language)
    return Tongue(words.campaign_report, words.of_campaign, lambda reason: words.reason(reason).what)
