"""How long the certificates of an app registration are still good for."""

from datetime import datetime
from pathlib import Path

from cryptography.x509 import load_pem_x509_certificate

from provisioning.domain.errors import ConfigurationError


def valid_until(path: str) -> datetime:
    """When the certificate in a PEM file ends, whatever else the file holds. Raises ConfigurationError."""
    try:
        return load_pem_x509_certificate(Path(path).read_bytes()).not_valid_after_utc
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"The certificate {path} cannot be used: {type(error).__name__}.") from error
