"""A command line carried out within another command, for somebody else and on other services: in a rehearsal."""

from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING

from provisioning.cli.session import Session
from provisioning.cli.token import VARIABLE
from provisioning.local.rehearsal_hands import Answer

if TYPE_CHECKING:
    from provisioning.bootstrap import Services


class _Guest(Session):
    """Leaves open what others opened."""

    def close(self) -> None:
        """Whoever lent the services closes them."""


def type_in(services: "Services", token: str, words: Sequence[str]) -> Answer:
    """As `provisioning WORDS` does for whoever has the token. Raises KeyboardInterrupt when it was broken off."""
    from provisioning.cli.app import ExitCode, run  # it knows all commands, of which this is a part

    session = _Guest(lambda: services, _nothing, environment={VARIABLE: token})
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        code = run(words, session)
    if code == ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    return Answer(code=code, out=out.getvalue(), err=err.getvalue())


def _nothing() -> None:
    """The installation was checked when its world was furnished."""
