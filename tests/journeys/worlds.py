"""Which journeys share a world, and which need one that nobody else is in."""

OF_THEIR_OWN = {  # they leave it otherwise than they found it: killed, stopped, a month later, or under other rules
    "test_bad_days",
    "test_kills",
    "test_merger_of_boards",
    "test_migration_kills",
    "test_migrations",
    "test_refusals",
    "test_rehearsals",
    "test_remapped_agreements",
}
NONE_OF_OURS = {"test_demo", "test_migrations_manual", "test_sector_night"}  # they type what starts one


def is_shared(module: str) -> bool:
    """By the last part of the module's name."""
    return module not in OF_THEIR_OWN | NONE_OF_OURS
