"""JSON by msgspec: columns that know what they hold, and rows for statements that take many at once."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from sqlalchemy.types import UserDefinedType

_ENCODER = msgspec.json.Encoder(order="sorted")


class JsonOf(UserDefinedType[Any]):
    """A jsonb column that holds values of one type. The engine hands over its bytes undecoded."""

    cache_ok = True

    def __init__(self, holds: Any) -> None:
        self.holds = holds

    def get_col_spec(self, **_: Any) -> str:
        return "JSONB"

    def bind_processor(self, _dialect: Any) -> Callable[[Any], str | None]:
        return lambda value: None if value is None else as_text(value)

    def result_processor(self, _dialect: Any, _coltype: Any) -> Callable[[Any], Any]:
        decode = msgspec.json.Decoder(self.holds).decode
        return lambda stored: None if stored is None else decode(stored)


def as_text(value: Any) -> str:
    return _ENCODER.encode(value).decode()


def as_rows(rows: Iterable[Any]) -> str:
    """Rows for `json_to_recordset`: one parameter however many there are, which costs the worker next to nothing."""
    return as_text(list(rows))
