"""The file that says where webhooks go and who may send us some. Secrets are files of their own, named there.

Two secrets may be valid at once, the newest first: outgoing messages bear a signature of each, incoming ones may bear
either. So a secret is changed without a message being lost: add the new one, let the other side change, remove the old.
"""

import base64
import binascii
import tomllib
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from provisioning.domain.errors import ConfigurationError
from provisioning.domain.ids import Actor, OrganisationId
from provisioning.domain.webhook import Endpoint

_LEAST_SECRET, _MOST_SECRET = 24, 64  # bytes; specification 1.0, "Signature scheme"
_PREFIX = "whsec_"


class Outgoing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[outgoing]]` of the file."""

    name: str
    url: str
    topics: tuple[str, ...]
    secret_files: tuple[str, ...]
    organisations: frozenset[str] = frozenset()


class Incoming(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[incoming]]` of the file. `client`: as whom its tickets are brought in; `fields`: the mapping it needs."""

    name: str
    client: str
    secret_files: tuple[str, ...]
    fields: str | None = None


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    outgoing: tuple[Outgoing, ...] = ()
    incoming: tuple[Incoming, ...] = ()


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """Who may send us webhooks, and as whom."""

    name: str
    actor: Actor
    fields: Path | None


class WebhookSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the file says, with the secrets that it names."""

    endpoints: tuple[Endpoint, ...] = ()
    senders: tuple[Sender, ...] = ()
    outgoing_secrets: dict[str, tuple[str, ...]] = {}
    incoming_secrets: dict[str, tuple[str, ...]] = {}


def load_webhooks(file: Path, *, is_live: bool) -> WebhookSettings:
    """Raises ConfigurationError with one sentence per mistake; no sentence shows a secret."""
    try:
        read = msgspec.convert(tomllib.loads(file.read_text("utf-8")), _File)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(f"The file of webhooks {file} is wrong: {error}.") from None
    problems = [*_problems(read, is_live)]
    outgoing = {one.name: _secrets(file, one.name, one.secret_files, problems) for one in read.outgoing}
    incoming = {one.name: _secrets(file, one.name, one.secret_files, problems) for one in read.incoming}
    if problems:
        raise ConfigurationError("\n".join(f"The file of webhooks {file}: {problem}" for problem in problems))
    return WebhookSettings(
        endpoints=tuple(_endpoint(one) for one in read.outgoing),
        senders=tuple(_sender(file, one) for one in read.incoming),
        outgoing_secrets=outgoing,
        incoming_secrets=incoming,
    )


def _problems(read: _File, is_live: bool) -> list[str]:
    problems = []
    for kind, names in (("outgoing", [x.name for x in read.outgoing]), ("incoming", [x.name for x in read.incoming])):
        twice = [name for name, times in Counter(names).items() if times > 1]
        problems += [f"two of {kind} are called {name}; give each a name of its own." for name in twice]
    for one in read.outgoing:
        if not _is_safe(one.url, is_live):
            problems.append(f"the address of {one.name} must begin with https:// and name a host.")
        if not one.topics:
            problems.append(f"{one.name} wants no topic; name some, or leave it out.")
    return problems


def _is_safe(url: str, is_live: bool) -> bool:
    """Plain http is for rehearsals: a signature does not hide what is said."""
    parts = urlsplit(url)
    is_plain = parts.scheme == "http" and not is_live
    return bool(parts.hostname) and (parts.scheme == "https" or is_plain) and parts.username is None


def _secrets(file: Path, name: str, named: tuple[str, ...], problems: list[str]) -> tuple[str, ...]:
    if not named:
        problems.append(f"{name} has no secret_files; name at least one.")
    secrets = []
    for place in named:
        secret, problem = _secret(file.parent / place)
        secrets.append(secret)
        if problem:
            problems.append(f"the secret of {name} in {place} {problem}.")
    return tuple(secrets)


def _secret(place: Path) -> tuple[str, str | None]:
    try:
        text = place.read_text("ascii").strip()
        size = len(base64.b64decode(text.removeprefix(_PREFIX), validate=True))
    except (OSError, UnicodeDecodeError) as error:
        return "", f"cannot be read ({type(error).__name__})"
    except binascii.Error:
        return "", "is no base64 after whsec_"
    if not text.startswith(_PREFIX) or not _LEAST_SECRET <= size <= _MOST_SECRET:
        return "", f"must be whsec_ and then {_LEAST_SECRET} to {_MOST_SECRET} random bytes in base64"
    return text, None


def _endpoint(one: Outgoing) -> Endpoint:
    organisations = frozenset(OrganisationId(code) for code in one.organisations)
    return Endpoint(name=one.name, url=one.url, topics=one.topics, organisations=organisations)


def _sender(file: Path, one: Incoming) -> Sender:
    fields = file.parent / one.fields if one.fields else None
    return Sender(name=one.name, actor=Actor(f"client:{one.client}"), fields=fields)
