"""A migration as the two files that an operator hands in: `migrations create` reads them. Pure."""

import csv
from collections.abc import Iterable
from datetime import timedelta
from io import StringIO
from typing import Any

import msgspec

from provisioning.domain.migration import WaveDefinition, Window
from provisioning.domain.migration_file import IdentityPair, MigrationFile, Side

_A_DAY = timedelta(days=1)


def to_file(asked: MigrationFile, identity_file: str) -> bytes:
    """JSON, with every field said; the map is named where there is one."""
    named = {"file": identity_file} if asked.identity else {}
    tree = {
        "name": asked.name,
        "source": _side(asked.source),
        "target": _side(asked.target),
        "asked_by": asked.asked_by,
        "people": msgspec.json.decode(asked.people),
        "products": [
            {"from": pair.source_sku, "to": pair.target_sku, "audience": pair.audience} for pair in asked.products
        ],
        "plan_mapping": asked.plan_mapping,
        "waves": [_wave(wave) for wave in asked.waves],
        "identity": {**named, "rules": asked.rules},
        "treatments": asked.treatments,
        "hold_days": asked.hold_period // _A_DAY,
        "failure_threshold": asked.failure_threshold,
        "window": _window(asked.window),
        "moves_mailboxes": asked.moves_mailboxes,
    }
    return msgspec.json.format(msgspec.json.encode(tree), indent=2)


def to_map(pairs: Iterable[IdentityPair]) -> str:
    """Its CSV: a row for each person."""
    return to_rows(("source", "target"), ((pair.source, pair.target) for pair in pairs))


def to_rows(header: tuple[str, str], rows: Iterable[tuple[str, str]]) -> str:
    """CSV of two columns."""
    written = StringIO()
    csv.writer(written, lineterminator="\n").writerows((header, *rows))
    return written.getvalue()


def _side(side: Side) -> dict[str, str]:
    return {"tenant": side.tenant, "holder": side.holder}


def _wave(wave: WaveDefinition) -> dict[str, Any]:
    fields = {
        "name": wave.name,
        "people": msgspec.json.decode(wave.selector),
        "at_most": wave.limit,
        "not_before": wave.not_before and wave.not_before.isoformat(),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _window(window: Window) -> dict[str, Any]:
    hours = {"from": window.from_hour, "until": window.until_hour}
    return {**hours, "region": window.region} if window.region else hours
