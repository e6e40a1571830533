"""Where the token of whoever runs the command is found: an environment variable, or a file that only they can read."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from provisioning.domain.errors import NotAllowedError

VARIABLE = "PROVISIONING_TOKEN"
FILE_VARIABLE = "PROVISIONING_TOKEN_FILE"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_token(environment: Mapping[str, str]) -> str | None:
    """The token, or None when there is none. Raises NotAllowedError for a file that others can read."""
    if token := environment.get(VARIABLE, "").strip():
        return token
    named = environment.get(FILE_VARIABLE, "").strip()
    path = Path(named) if named else _default(environment)
    if path is None or not (named or path.exists()):
        return None
    return _read_private(path)


def _default(environment: Mapping[str, str]) -> Path | None:
    home = environment.get("HOME")
    return Path(home) / ".config" / "provisioning" / "token" if home else None


def _read_private(path: Path) -> str:
    try:
        # The open file is judged, not its name: a name can point elsewhere a moment later.
        with path.open(encoding="utf-8") as file:
            status = os.fstat(file.fileno())
            if status.st_mode & _OTHERS or status.st_uid not in {os.geteuid(), 0}:
                raise NotAllowedError(f"Others can read the token file {path}; run `chmod 600 {path}` and revoke it.")
            return file.read().strip()
    except OSError as error:
        raise NotAllowedError(f"The token file {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise NotAllowedError(f"The token file {path} holds no token; a token is one line of text.") from None
