"""Versions of mappings and limits: one of each kind in force, its successor approved by a second person."""

from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects.postgresql import insert

from provisioning.database.store import Store, columns_of, row_of
from provisioning.database.tables.configuration import configuration_contents as contents
from provisioning.database.tables.configuration import configuration_versions as versions
from provisioning.domain.configuration import ConfigurationKind, ConfigurationVersion
from provisioning.domain.errors import ConflictError
from provisioning.domain.ids import SYSTEM, Actor

_IS_INSTALLED = versions.c.proposed_by == SYSTEM
_WAS_AGREED = _IS_INSTALLED | versions.c.approved_by.is_not(None)
_IS_ROLLBACK = versions.c.restores.is_not(None)
_IS_IN_FORCE = versions.c.retired_at.is_(None) & (_WAS_AGREED | _IS_ROLLBACK)
_IS_PROPOSED = versions.c.retired_at.is_(None) & ~_WAS_AGREED & ~_IS_ROLLBACK


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

    def restore(self, version: ConfigurationVersion, instead_of: str) -> ConfigurationVersion:
        same = (versions.c.kind == version.kind) & (versions.c.digest == version.digest)
        agreed = self._connection.scalar(select(func.max(versions.c.version_id)).where(same, _WAS_AGREED))
        replaced = update(versions).where(versions.c.kind == version.kind, versions.c.digest == instead_of)
        retired = self._changed(replaced.where(_IS_IN_FORCE).values(retired_at=version.proposed_at))
        if agreed is None or not retired:
            raise ConflictError(f"Other {version.kind} came into force in between. Look again.")
        restored = msgspec.structs.replace(version, restores=agreed)
        self._connection.execute(insert(versions).values(row_of(restored)))
        return restored

    def review(self, kind: ConfigurationKind, digest: str, by: Actor, at: datetime) -> None:
        same = (versions.c.kind == kind) & (versions.c.digest == digest)
        waiting = update(versions).where(same, _IS_ROLLBACK, versions.c.reviewed_by.is_(None))
        if not self._changed(waiting.values(reviewed_by=by, reviewed_at=at)):
            raise ConflictError(f"No rollback to the {kind} {digest} waits for review. Look again.")

    def keep(self, kind: ConfigurationKind, digest: str, packed: bytes) -> None:
        row = {"kind": kind, "digest": digest, "packed": packed}
        self._connection.execute(insert(contents).values(row).on_conflict_do_nothing())

    def content(self, kind: ConfigurationKind, digest: str) -> bytes | None:
        found = select(contents.c.packed).where(contents.c.kind == kind, contents.c.digest == digest)
        return self._connection.scalar(found)


def _is_proposed(kind: ConfigurationKind, digest: str) -> ColumnElement[bool]:
    return (versions.c.kind == kind) & (versions.c.digest == digest) & _IS_PROPOSED


def _gone(kind: ConfigurationKind, digest: str) -> ConflictError:
    return ConflictError(f"No {kind} with the digest {digest} wait for approval. Look again.")
