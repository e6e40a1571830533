"""What must be true before anything is written: the schema, the realm, the time."""

from config.settings import load_settings
from provisioning.bootstrap.adapters import Adapters
from provisioning.database.engine import check_skew
from provisioning.database.migrate import pending
from provisioning.database.realm import Realm, claim_realm
from provisioning.domain.errors import ConfigurationError


def check_installation(adapters: Adapters | None = None) -> None:
    """Raises ConfigurationError or UnavailableError with one sentence; the first to start claims the realm."""
    adapters = adapters or Adapters(load_settings())
    try:
        _check_schema(adapters)
        claim_realm(adapters.engine, Realm(adapters.settings.realm), adapters.clock.wall())
        check_skew(adapters.engine, adapters.clock, adapters.limits.max_clock_skew)
        _read_everything(adapters)
    finally:
        adapters.close()


def _check_schema(adapters: Adapters) -> None:
    missing = pending(adapters.settings.database_url.get_secret_value())
    if missing:
        raise ConfigurationError(
            f"The database lacks {len(missing)} migrations of this release ({', '.join(missing)}): "
            "run `provisioning db upgrade` first."
        )


def _read_everything(adapters: Adapters) -> None:
    """Files that a task would otherwise trip over: mappings, credentials, the signing key."""
    _ = adapters.mappings, adapters.graph_settings
    if adapters.has_signing_key:
        _ = adapters.signer, adapters.checkpoint_sink
