"""Speaks the control API of a running twin, found by the folder it was started with."""

import ssl
from http.client import HTTPException
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import msgspec
import typer

from provisioning.cli.text_files import read_text
from provisioning.domain.errors import InputError, UnavailableError

Folder = Annotated[Path, typer.Option(help="Where the twin keeps its certificates, token and address.")]
HERE = Path(".provisioning/sandbox")
_TIMEOUT_SECONDS = 30
PLANTING_SECONDS = 600  # for a whole sector on a busy machine


class SandboxControl:
    def __init__(self, address: str, token: str, authority: Path) -> None:
        self._address = address
        self._token = token
        self._tls = ssl.create_default_context(cafile=str(authority))

    @classmethod
    def find(cls, folder: Path) -> Self:
        """The twin that serves from this folder; raises UnavailableError when none does."""
        announced = folder / "address.json"
        if not announced.exists():
            raise UnavailableError(f"No twin serves from {folder}; `provisioning sandbox serve` starts one.")
        try:
            address = msgspec.json.decode(read_text(announced))["control"]
        except (msgspec.DecodeError, KeyError, TypeError):
            raise UnavailableError(f"{announced} is not the address of a twin; start it again.") from None
        return cls(address, read_text(folder / "control-token").strip(), folder / "ca.pem")

    def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        options: dict[str, str] | None = None,
        seconds: float = _TIMEOUT_SECONDS,
    ) -> Any:
        """The decoded answer; raises InputError with the twin's own sentence when it refuses.

        Raises UnavailableError when it is not there, or not there any more.
        """
        query = f"?{urlencode(options)}" if options else ""
        request = Request(  # noqa: S310  the address is that of our own twin, over HTTPS
            f"{self._address}/{path}{query}", body, {"Authorization": f"Bearer {self._token}"}, method=method
        )
        try:
            with urlopen(request, timeout=seconds, context=self._tls) as answer:  # noqa: S310  the same
                return msgspec.json.decode(answer.read() or b"null")
        except HTTPError as error:
            raise InputError(_sentence(error)) from None
        except (URLError, TimeoutError, HTTPException, ConnectionError) as error:
            why = getattr(error, "reason", None) or error or type(error).__name__
            raise UnavailableError(
                f"The twin does not answer at {self._address}: {why}. `provisioning sandbox serve` starts one."
            ) from None


def _sentence(error: HTTPError) -> str:
    try:
        return str(msgspec.json.decode(error.read())["error"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return f"The twin answers {error.code} without a reason."
