"""What a process loaded, as a version: a digest that names it, and what a person reads of it."""

import zlib
from collections.abc import Sized
from datetime import timedelta
from hashlib import sha256

import msgspec

from provisioning.domain.catalogue import Mappings
from provisioning.domain.configuration import Configuration, ConfigurationKind
from provisioning.domain.errors import ConfigurationError
from provisioning.domain.limits import Limits

_SHORT = 8


def describe_mappings(mappings: Mappings) -> Configuration:
    """Each table with its number of rows and the beginning of its own digest."""
    tables = {name: table for name, table in msgspec.structs.asdict(mappings).items() if name != "digest"}
    content = {name: f"{_rows(table)} ({_digest(table)[:_SHORT]})" for name, table in tables.items()}
    return Configuration(kind=ConfigurationKind.MAPPINGS, digest=mappings.digest, content=content)


def pack_mappings(mappings: Mappings) -> bytes:
    """The very text that the digest is of, compressed."""
    return zlib.compress(_unnamed(mappings))


def unpack_mappings(packed: bytes, digest: str) -> Mappings | None:
    """What was packed under that digest; None: another release wrote it, and this one cannot read it.

    Raises ConfigurationError when it is not what the digest names: then somebody changed it.
    """
    text = _unzipped(packed)
    if sha256(text).hexdigest() != digest:
        raise ConfigurationError(f"What the database keeps as mappings {digest[:_SHORT]} is something else. Look why.")
    try:
        return msgspec.structs.replace(msgspec.json.decode(text, type=Mappings), digest=digest)
    except msgspec.ValidationError:
        return None


def _unzipped(packed: bytes) -> bytes:
    try:
        return zlib.decompress(packed)
    except zlib.error:
        return b""


def _unnamed(mappings: Mappings) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(mappings, digest=""), order="deterministic")


def describe_limits(limits: Limits) -> Configuration:
    """Each number by its name; durations as hours, minutes and seconds."""
    content = {name: _said(value) for name, value in msgspec.structs.asdict(limits).items()}
    return Configuration(kind=ConfigurationKind.LIMITS, digest=_digest(limits), content=content)


def _digest(value: object) -> str:
    return sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()


def _rows(table: Sized) -> str:
    return f"{len(table):,} rows"


def _said(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_said, value))
    return str(value) if isinstance(value, timedelta) else f"{value:,}"
