"""One run of the command: how it speaks and, once somebody needs them, the services and who is behind the token."""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from provisioning.cli.output import Column, Speech, paragraph
from provisioning.cli.token import read_token
from provisioning.domain.errors import NotAllowedError

if TYPE_CHECKING:
    from provisioning.bootstrap import Services
    from provisioning.cli.wording import Wording
    from provisioning.domain.actors import Identity

_OF_CLIENTS = "a client reads its own `orders`, `operations`, `tickets`, `notices` and `audit list`, nothing else."


def _open_services() -> "Services":
    # Late: whoever asks for help should not wait for the SDK, the database driver and the broker to load.
    from config.logging import configure_logging
    from provisioning import bootstrap

    configure_logging("warning")  # to standard error: what is printed may be JSON that a program reads
    return bootstrap.services()


def _open_serving() -> "Services":
    from provisioning import bootstrap

    return bootstrap.serving_services()


def _check_installation() -> None:
    from provisioning import bootstrap

    bootstrap.check_installation()


class Session:
    """Handed to every command as its first argument."""

    def __init__(
        self,
        open_services: Callable[[], "Services"] = _open_services,
        check_installation: Callable[[], None] = _check_installation,
        open_serving: Callable[[], "Services"] = _open_serving,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._open_services = open_services
        self._open_serving = open_serving
        self._check_installation = check_installation
        self._environment = environment
        self.speech = Speech()

    @cached_property
    def wording(self) -> "Wording":
        """How states and reasons are called."""
        from provisioning.cli.wording import Wording

        return Wording.of(self._environment)

    @cached_property
    def services(self) -> "Services":
        """Everything that can be done; raises ConfigurationError when a setting is missing."""
        return self._open_services()

    @cached_property
    def checked_services(self) -> "Services":
        """The same, for commands that speak to Graph: the database must be of the realm that Graph is of.

        Other commands do without the check: a stop has to work whatever else is wrong.
        """
        self._check_installation()
        return self.services

    @cached_property
    def serving_services(self) -> "Services":
        """The same, checked, and with as many connections as requests are answered at once."""
        self._check_installation()
        return self._open_serving()

    @cached_property
    def identity(self) -> "Identity":
        """Who is behind the token; without one, somebody who may only read."""
        return self.services.authenticate(read_token(self._environment))

    def require_ours(self) -> None:
        """For what is not a client's to read, as over the API: raises NotAllowedError when a client types.

        What a command may be called is no secret, so unlike there it is told why there is nothing.
        """
        from provisioning.services.sight import is_ours

        if not is_ours(self.identity):
            raise NotAllowedError(f"{self.identity.actor} is no person of ours: {_OF_CLIENTS}")

    def close(self) -> None:
        """Let go of connections, if any were made."""
        for opened in ("services", "serving_services"):
            if opened in self.__dict__:
                self.__dict__[opened].close()

    def show(self, value: object, text: str) -> None:
        """The value as JSON, or the text for people."""
        self.speech.show(value, text)

    def tell(self, value: object, sentence: str) -> None:
        """The value as JSON, or a sentence or two for people, within the width."""
        self.speech.show(value, paragraph(sentence))

    def show_rows(self, rows: Sequence[Any], columns: Sequence[Column], otherwise: str) -> None:
        """The rows as JSON or as a table; for people `otherwise` when there are none."""
        self.speech.show_rows(rows, columns, otherwise)
