"""The only builder: what entry points ask for is made here, once per process."""

from config.settings import load_settings
from provisioning.bootstrap.adapters import TwinAddress
from provisioning.bootstrap.installation import check_installation
from provisioning.bootstrap.services import Services
from provisioning.graph.bridge import PerProcess

__all__ = ["Services", "TwinAddress", "check_installation", "services", "serving_services"]

_AT_ONCE = 20  # requests that hold a connection; others wait for one

_PER_PROCESS = PerProcess(lambda: Services(load_settings()))


def serving_services() -> Services:
    """Services for many threads at once; closed by whoever asked for them."""
    return Services(load_settings(), pool_size=_AT_ONCE)


def services() -> Services:
    """The services of this process, as the environment describes them; raises ConfigurationError."""
    return _PER_PROCESS.get()
