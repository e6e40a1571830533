"""What an installation must say of itself, in environment variables or in files of the same name.

Every setting may also be a file of its name in the secrets folder (`/run/secrets`, or `PROVISIONING_SECRETS_FOLDER`):
that is where passwords belong. Read by entry points and bootstrap, never by the core.
"""

import os
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from provisioning.domain.errors import ConfigurationError

PREFIX = "PROVISIONING_"
SECRETS_FOLDER = PREFIX + "SECRETS_FOLDER"
_DEFAULT_SECRETS = Path("/run/secrets")
_GRAPH = "https://graph.microsoft.com/v1.0"
_ENTRA = "https://login.microsoftonline.com"
# learn.microsoft.com: Microsoft Graph national cloud deployments
_GRAPH_HOSTS = {
    "graph.microsoft.com",
    "graph.microsoft.us",
    "dod-graph.microsoft.us",
    "microsoftgraph.chinacloudapi.cn",
}
_CONSENT_KEY_CHARACTERS = 32


class Realm(StrEnum):
    LIVE = "live"  # real schools
    SANDBOX = "sandbox"  # the twin of Graph


class Language(StrEnum):
    DUTCH = "nl"
    ENGLISH = "en"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"


def _paths(text: object) -> object:
    return [part.strip() for part in text.split(",") if part.strip()] if isinstance(text, str) else text


def _existing(path: Path) -> Path:
    if not path.exists():
        raise ValueError(f"there is nothing at {path}")
    return path


def _long_enough(key: SecretStr) -> SecretStr:
    if len(key.get_secret_value()) < _CONSENT_KEY_CHARACTERS:
        raise ValueError(f"it needs at least {_CONSENT_KEY_CHARACTERS} random characters")
    return key


def _begins_with(*schemes: str) -> Callable[[SecretStr], SecretStr]:
    """The text itself may hold a password, so the sentence shows only what it should begin with."""

    def check(url: SecretStr) -> SecretStr:
        if not url.get_secret_value().startswith(schemes):
            raise ValueError(f"it begins with {' or '.join(schemes)}")
        return url

    return check


PostgresUrl = Annotated[SecretStr, AfterValidator(_begins_with("postgresql://", "postgresql+psycopg://"))]
RedisUrl = Annotated[SecretStr, AfterValidator(_begins_with("redis://", "rediss://", "unix://"))]
ExistingPath = Annotated[Path, AfterValidator(_existing)]
Paths = Annotated[tuple[ExistingPath, ...], NoDecode, BeforeValidator(_paths)]
LongToken = Annotated[SecretStr, AfterValidator(_long_enough)]
SigningKey = Annotated[SecretStr, AfterValidator(_long_enough)]


class Settings(BaseSettings):
    """All settings, typed and checked. `Settings()` raises pydantic's errors; use `load_settings`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        populate_by_name=True,
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,  # a misplaced secret must not reach a log
    )

    # the engines
    database_url: PostgresUrl = Field(alias="DATABASE_URL")
    redis_url: RedisUrl = Field(alias="REDIS_URL")
    order_database_url: SecretStr | None = Field(None, alias="ORDER_DATABASE_URL")
    owner_database_url: PostgresUrl | None = None  # for migrations only; the service never needs it
    order_desk_database_url: SecretStr | None = None  # for `orders submit` into the default order database
    service_role: str = "provisioning_service"

    # the installation
    realm: Realm
    orders_from: AwareDatetime | None = None
    order_source: str = "orders"
    collect_seconds: PositiveFloat = 2.0
    mappings_folder: ExistingPath | None = None
    language: Language = Language.DUTCH
    log_level: LogLevel = LogLevel.INFO

    # who we are to Microsoft
    graph_client_id: str
    graph_client_secret: SecretStr | None = None
    graph_certificate_files: Paths = ()
    graph_overrides_file: ExistingPath | None = None
    graph_base_url: str = _GRAPH
    graph_authority: str = _ENTRA
    graph_ca_file: ExistingPath | None = None
    consent_key: SigningKey | None = None
    consent_redirect_url: str | None = None

    # whom we tell, and who may tell us
    webhooks_file: ExistingPath | None = None

    # the audit log outside the database
    checkpoint_folder: Path | None = None
    checkpoint_key_file: ExistingPath | None = None

    # time, in a sandbox only
    clock_factor: PositiveFloat = 1.0
    clock_origin: AwareDatetime | None = None

    # limits that Microsoft or the installation may change; the rest is in config/limits.py
    tenant_writes: PositiveInt = 3_000
    app_writes: PositiveInt = 35_000
    guard_assignments: int = Field(1_000, ge=0)
    guard_swaps: int = Field(250, ge=0)

    # the API
    api_requests_per_minute: PositiveInt = 600  # of one token
    api_body_bytes: int = Field(8_000_000, ge=10_000)  # a register of all schools of the country is under 4 MB
    scrape_token: LongToken | None = None  # opens /metrics and nothing else

    # who uses the command line
    token: SecretStr | None = None
    token_file: Path | None = None

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        problems = [sentence for is_wrong, sentence in (*self._realm_rules(), *self._pairs()) if is_wrong]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _realm_rules(self) -> list[tuple[bool, str]]:
        is_live = self.realm is Realm.LIVE
        has_clock = self.clock_factor != 1 or self.clock_origin is not None
        return [
            (
                is_live != self.is_microsoft,
                f"{PREFIX}GRAPH_BASE_URL does not belong to the realm {self.realm}: live is Microsoft, sandbox is not.",
            ),
            (is_live and has_clock, f"{PREFIX}CLOCK_FACTOR and {PREFIX}CLOCK_ORIGIN are for a sandbox realm only."),
            (is_live and not self.orders_from, f"{PREFIX}ORDERS_FROM is missing: older lines are only recorded."),
            (
                is_live and not self.checkpoint_folder,
                f"{PREFIX}CHECKPOINT_FOLDER is missing: a place outside the database for signed checkpoints.",
            ),
        ]

    def _pairs(self) -> list[tuple[bool, str]]:
        ways_in = [bool(self.graph_client_secret), bool(self.graph_certificate_files)]
        return [
            (
                sum(ways_in) != 1,
                f"Exactly one of {PREFIX}GRAPH_CLIENT_SECRET and {PREFIX}GRAPH_CERTIFICATE_FILES must be set.",
            ),
            (
                bool(self.checkpoint_folder) != bool(self.checkpoint_key_file),
                f"{PREFIX}CHECKPOINT_FOLDER and {PREFIX}CHECKPOINT_KEY_FILE go together: one of them is missing.",
            ),
            (
                self.clock_factor != 1 and not self.clock_origin,
                f"{PREFIX}CLOCK_ORIGIN is missing: from when time goes {self.clock_factor:g} times as fast.",
            ),
        ]

    @property
    def is_microsoft(self) -> bool:
        """Whether Graph is the real one, of any of Microsoft's clouds."""
        return urlsplit(self.graph_base_url).hostname in _GRAPH_HOSTS

    @property
    def collect_every(self) -> timedelta:
        return timedelta(seconds=self.collect_seconds)


def names() -> list[str]:
    """The environment variable of every setting."""
    return [field.alias or PREFIX + name.upper() for name, field in Settings.model_fields.items()]


_WHERE = (
    "Settings are environment variables, or files in a secrets folder; .env.example lists them. "
    "`provisioning up` makes a world of its own and says how to use it."
)


def load_settings(**known: Any) -> Settings:
    """The settings of this process. Raises ConfigurationError with one sentence per setting that is wrong."""
    folder = Path(os.environ.get(SECRETS_FOLDER) or _DEFAULT_SECRETS)
    try:
        return Settings(_secrets_dir=folder if folder.is_dir() else None, **known)
    except ValidationError as error:
        problems = error.errors(include_input=False)
        sentences = [_sentence(problem) for problem in problems]
        if any(problem["type"] == "missing" for problem in problems):
            sentences.append(_WHERE)
        raise ConfigurationError("\n".join(sentences)) from None


def _sentence(problem: ErrorDetails) -> str:
    said = str(problem["msg"]).removeprefix("Value error, ")
    if not problem["loc"]:
        return said
    field = str(problem["loc"][0])
    name = field if field.isupper() else PREFIX + field.upper()
    return f"{name} is missing." if problem["type"] == "missing" else f"{name} is wrong: {said}."
