"""The kinds of column we have, and the one collection of tables."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, DateTime, MetaData, Text, true
from sqlalchemy.dialects.postgresql import ARRAY

from provisioning.database.jsonb import JsonOf

METADATA = MetaData()


def label(name: str, *, key: bool = False) -> Column[str]:
    """A text that is always there."""
    return Column(name, Text, nullable=False, primary_key=key)


def note(name: str) -> Column[str]:
    """A text that may be missing."""
    return Column(name, Text)


def moment(name: str, *, optional: bool = False, key: bool = False) -> Column[datetime]:
    return Column(name, DateTime(timezone=True), nullable=optional, primary_key=key)


def labels(name: str) -> Column[Any]:
    return Column(name, ARRAY(Text), nullable=False)


def only_row() -> Column[bool]:
    """The key of a table that never has a second row."""
    return Column("is_only_row", Boolean, primary_key=True, server_default=true())


def json(name: str, holds: Any, *, optional: bool = False) -> Column[Any]:
    return Column(name, JsonOf(holds), nullable=optional)
