from pathlib import Path

from sqlalchemy import make_url

from provisioning.local.accounts import Account
from provisioning.local.databases import Role, url
from provisioning.local.folder import Folder


def folder_with_sockets_in(sockets: Path) -> Folder:
    return Folder(asked=Path("/world"), path=Path("/world/engines"), account=Account(1, 1), sockets=sockets)


class TestUrl:
    def test_is_what_sqlalchemy_reads(self) -> None:
        read = make_url(url(folder_with_sockets_in(Path("/run/provisioning-1")), Role.SERVICE, "provisioning"))
        assert (read.drivername, read.username, read.database) == (
            "postgresql+psycopg",
            "provisioning_service",
            "provisioning",
        )
        assert read.query == {"host": "/run/provisioning-1", "port": "5432"}

    def test_survives_strange_names(self) -> None:
        read = make_url(url(folder_with_sockets_in(Path("/run/a b&c=d%e+f")), Role.OWNER, "provisioning"))
        assert read.query["host"] == "/run/a b&c=d%e+f"
