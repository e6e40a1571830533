"""How a language speaks of migrations in reports: to whoever runs them, and to boards."""

from provisioning.planning.migration_statement import Tongue
from provisioning.words.catalogue import Language, Words


def tongue_of_migrations(language: Language) -> Tongue:
    """Boards are spoken to in Dutch, whatever the operator reads."""
    words = Words(language)
    return Tongue(words.report, words.of_migration, lambda reason: words.reason(reason).what)
