"""Reading what a person names on the command line."""

from pathlib import Path

from provisioning.domain.errors import InputError


def read_text(path: Path) -> str:
    """The file as text; raises InputError with a sentence when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not text in UTF-8.") from None
