"""Where another installation's settings do not reach, though a world was started from its command line."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from config.settings import PREFIX, SECRETS_FOLDER, names


@contextmanager
def apart() -> Iterator[None]:
    """Within, neither this process nor its children know a setting of the installation that this one was started for.

    A rehearsal that inherited credentials or an address of the real world would not be one.
    """
    ours = [name for name in os.environ if name.startswith(PREFIX) or name in names()]
    kept = {name: os.environ.pop(name) for name in ours}
    os.environ[SECRETS_FOLDER] = os.devnull  # no folder: what rests in the usual one is not read either
    try:
        yield
    finally:
        del os.environ[SECRETS_FOLDER]
        os.environ.update(kept)
