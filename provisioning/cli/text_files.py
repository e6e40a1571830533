"""Reading and writing what a person names on the command line."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from provisioning.domain.errors import InputError


def read_text(path: Path) -> str:
    """The file as text; raises InputError with a sentence when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not text in UTF-8.") from None


@contextmanager
def new_private_file(path: Path, never: str) -> Iterator[BinaryIO]:
    """A file that only its owner may read, written whole or not at all.

    Raises InputError when it cannot be made. `never`: what is said when there is one already.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InputError(f"{path} is there already; {never}. Name another file.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)  # half a file would be taken for a whole one
        raise
