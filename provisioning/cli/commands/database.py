"""The service's own database."""

from typing import TYPE_CHECKING

from provisioning.cli.command import command, noun
from provisioning.cli.session import Session

if TYPE_CHECKING:
    from config.settings import Settings

group = noun("The service's own database.")


@command(group, "upgrade")
def upgrade(session: Session) -> None:
    """Bring the schema to that of this release.

    Needs the URL of the database's owner.
    """
    from config.settings import load_settings
    from provisioning.database import migrate

    settings = load_settings()
    url = _owner_url(settings)
    missing = migrate.pending(url)
    migrate.upgrade(url, settings.service_role)
    session.tell({"migrated": missing}, f"{len(missing)} migrations were run; the schema is that of this release.")


@command(group, "check")
def check(session: Session) -> int:
    """Say which migrations are missing. Exit code 1 when one is."""
    from config.settings import load_settings
    from provisioning.database import migrate

    missing = migrate.pending(_owner_url(load_settings()))
    told = f"{len(missing)} migrations are missing: {', '.join(missing)}. Run `provisioning db upgrade`."
    session.tell({"missing": missing}, told if missing else "The schema is that of this release.")
    return int(bool(missing))


def _owner_url(settings: "Settings") -> str:
    return (settings.owner_database_url or settings.database_url).get_secret_value()
