"""May work be sent here? Each part in a word or two that anybody may read: no address, no name, no text of others."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from provisioning.domain.configuration import Configuration
from provisioning.domain.errors import ProvisioningError
from provisioning.ports import OpenUnitOfWork
from provisioning.services.diagnose import Instruments


class PartReady(msgspec.Struct, frozen=True, kw_only=True):
    """`lacking` is empty when the part is as it should be."""

    part: str
    lacking: str = ""

    @property
    def is_ready(self) -> bool:
        return not self.lacking


@dataclass(frozen=True, kw_only=True)
class CheckReadiness:
    """`realm`: the one that this process was set up for."""

    instruments: Instruments
    open_uow: OpenUnitOfWork
    loaded: Callable[[], Sequence[Configuration]]
    realm: str

    def __call__(self) -> list[PartReady]:
        """Never raises for a part that is away; what rests on the database is not asked without it."""
        database = _look("database", self._database)
        if not database.is_ready:
            return [database, _look("broker", self._broker)]
        parts = (("schema", self._schema), ("realm", self._realm), ("broker", self._broker))
        found = [database, *(_look(part, look) for part, look in parts)]
        behind = next((one for one in found if one.part == "schema" and not one.is_ready), None)
        return found if behind else [*found, _look("configuration", self._configuration)]

    def _database(self) -> Iterator[str]:
        if self.instruments.database_time is not None:
            self.instruments.database_time()
        yield from ()

    def _broker(self) -> Iterator[str]:
        if self.instruments.broker is not None:
            self.instruments.broker()
        yield from ()

    def _schema(self) -> Iterator[str]:
        pending = self.instruments.pending_migrations() if self.instruments.pending_migrations else ()
        if pending:
            yield f"It lacks {len(pending)} migrations: {', '.join(pending)}."

    def _realm(self) -> Iterator[str]:
        claimed = self.instruments.realm() if self.instruments.realm else self.realm
        if claimed != self.realm:
            yield f"This process is set up for the realm {self.realm}, and the database is not of it."

    def _configuration(self) -> Iterator[str]:
        with self.open_uow() as uow:
            in_force = uow.configuration.in_force()
        for one in self.loaded():
            if one.kind in in_force and in_force[one.kind].digest != one.digest:
                yield f"This process loaded other {one.kind} than are in force."


def _look(part: str, look: Callable[[], Iterator[str]]) -> PartReady:
    try:
        return PartReady(part=part, lacking=" ".join(look()))
    except ProvisioningError:  # its text may name a host or an account: `provisioning doctor` tells it
        return PartReady(part=part, lacking="It does not answer as it should.")
