"""Versions of mappings and limits: one of each kind in force, its successor approved by a second person."""

from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.dialects.postgresql import insert

from provisioning.database.store import Store, columns_of, row_of
from provisioning.database.tables.configuration import configuration_versions as versions
from provisioning.domain.configuration import ConfigurationKind, ConfigurationVersion
from provisioning.domain.errors import ConflictError
from provisioning.domain.ids import SYSTEM, Actor

_IS_INSTALLED = versions.c.proposed_by == SYSTEM
_IS_IN_FORCE = versions.c.retired_at.is_(None) & (_IS_INSTALLED | versions.c.approved_by.is_not(None))
_IS_PROPOSED = versions.c.approved_by.is_(None) & versions.c.retired_at.is_(None) & ~_IS_INSTALLED


class SqlConfiguration(Store):
    def in_force(self) -> dict[ConfigurationKind, ConfigurationVersion]:
        query = columns_of(versions, ConfigurationVersion).where(_IS_IN_FORCE)
        return {version.kind: version for version in self._list(query, ConfigurationVersion)}

    def list_all(self) -> list[ConfigurationVersion]:
        query = columns_of(versions, ConfigurationVersion).order_by(versions.c.version_id.desc())
        return self._list(query, ConfigurationVersion)

    def install(self, version: ConfigurationVersion) -> bool:
        """The unique indexes settle it between processes that start at once: the second changes nothing."""
        return self._changed(insert(versions).values(row_of(version)).on_conflict_do_nothing()) == 1

    def propose(self, version: ConfigurationVersion) -> None:
        self._connection.execute(insert(versions).values(row_of(version)))

    def approve(self, kind: ConfigurationKind, digest: str, by: Actor, at: datetime) -> None:
        proposed = self._connection.scalar(select(versions.c.version_id).where(_is_proposed(kind, digest)))
        if proposed is None:
            raise _gone(kind, digest)
        retired = update(versions).where(versions.c.kind == kind, _IS_IN_FORCE).values(retired_at=at)
        self._connection.execute(retired)
        approved = update(versions).where(versions.c.version_id == proposed, _IS_PROPOSED)
        if not self._changed(approved.values(approved_by=by, approved_at=at)):
            raise _gone(kind, digest)

    def reject(self, kind: ConfigurationKind, digest: str, at: datetime) -> None:
        if not self._changed(update(versions).where(_is_proposed(kind, digest)).values(retired_at=at)):
            raise _gone(kind, digest)


def _is_proposed(kind: ConfigurationKind, digest: str) -> ColumnElement[bool]:
    return (versions.c.kind == kind) & (versions.c.digest == digest) & _IS_PROPOSED


def _gone(kind: ConfigurationKind, digest: str) -> ConflictError:
    return ConflictError(f"No {kind} with the digest {digest} wait for approval. Look again.")
