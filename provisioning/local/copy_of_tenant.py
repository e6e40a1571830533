"""A twin that stands in for one tenant: planted with a snapshot, and gone afterwards."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from provisioning.bootstrap import TwinAddress
from provisioning.local.sandbox import SandboxProcess


@contextmanager
def copy_of_tenant(seed: bytes, clock_factor: float) -> Iterator[TwinAddress]:
    """Where it answers. Every application that the snapshot says has consent is known there, by a new secret."""
    document, secret = json.loads(seed), secrets.token_urlsafe(32)
    known = {consent["app"] for tenant in document["tenants"] for consent in tenant["consents"]}
    document["apps"] = [{"id": app, "secrets": [{"value": secret}]} for app in sorted(known)]
    with (
        TemporaryDirectory(prefix="copy-") as folder,
        SandboxProcess().start(Path(folder), clock_factor=clock_factor) as twin,
    ):
        twin.control.seed(document)
        yield TwinAddress(
            graph=twin.graph_url, authority=f"https://{twin.authority}", ca_file=str(twin.ca_file), secret=secret
        )
