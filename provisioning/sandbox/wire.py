"""Requests and answers inside the twin, and the headers every Graph answer carries."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec

encode = msgspec.json.encode
JSON_TYPE = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
DIAGNOSTIC = (
    '{"ServerInfo":{"DataCenter":"West Europe","Slice":"E","Ring":"5","ScaleUnit":"000","RoleInstance":"SANDBOX01"}}'
)
GRAPH_HEADERS = {
    "Cache-Control": "no-cache",
    "Strict-Transport-Security": "max-age=31536000",
    "x-ms-ags-diagnostic": DIAGNOSTIC,
}


class Request(msgspec.Struct):
    """One HTTP request, or one item of a batch; header names are lower case, the path is decoded."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    host: str = "localhost"

    @property
    def options(self) -> dict[str, str]:
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def is_eventual(self) -> bool:
        """Whether the caller accepts an index that runs behind, as advanced queries ask."""
        return self.headers.get("consistencylevel", "").lower() == "eventual"

    @property
    def is_advanced(self) -> bool:
        """Whether this is an advanced query (learn.microsoft.com: "Advanced query capabilities")."""
        if not self.is_eventual:
            return False
        options = self.options
        return options.get("$count") == "true" or "$search" in options or self.path.endswith("/$count")

    @property
    def bearer(self) -> str:
        """The token of the Authorization header, or ""."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    @property
    def json(self) -> Any:
        """The decoded body; raises msgspec.DecodeError."""
        return msgspec.json.decode(self.body) if self.body.strip() else {}


class Response(msgspec.Struct):
    status: int
    body: bytes = b""
    headers: dict[str, str] = {}


def json_response(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(status, encode(content), {"Content-Type": JSON_TYPE, **(headers or {})})


def inner_date() -> str:
    """`innerError.date`: real time, without a zone, as Graph writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
