"""Migration files: one YAML or JSON object that says who goes where, with which products, in which waves.

Whole or not at all: FileRefusedError lists every problem under the path of its field (`waves[2].people`).
The format with an example is docs/migration-file.md; the fields are told in migration_fields.py.
"""

import re
from datetime import timedelta
from pathlib import Path

import msgspec

from provisioning.domain.catalogue import Mappings
from provisioning.domain.ids import Actor
from provisioning.domain.migration import MAY_GO_ALONG, MatchRule, Situation, Treatment
from provisioning.domain.migration_file import MigrationFile, Side
from provisioning.intake.branches import Branch, shown
from provisioning.intake.identity_maps import read_identity_map
from provisioning.intake.migration_fields import LEAST_HOLD_DAYS, MOST_HOLD_DAYS, fields_of
from provisioning.intake.migration_products import plan_mapping_of, products_of
from provisioning.intake.migration_times import waves_of, window_of
from provisioning.intake.objects import parse_object, read_object

_TENANT = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
_HOLDER = re.compile(r"[0-9]{1,5}|[0-9]{2}[A-Z]{2}(?:[0-9]{2})?")
_HANDLE = re.compile(r"person:[a-z0-9][a-z0-9._-]{0,62}")
_DEFAULT_THRESHOLD = 0.05


def read_migration(path: Path, mappings: Mappings) -> MigrationFile:
    """The file and, beside it, the identity map that it names. Raises InputError, and then nothing is taken."""
    migration = parse_migration(path.name, read_object(path), mappings)
    if migration.identity_file is None:
        return migration
    pairs = read_identity_map(path.parent / migration.identity_file)
    return msgspec.structs.replace(migration, identity=pairs)


def parse_migration(name: str, content: bytes, mappings: Mappings) -> MigrationFile:
    """As `read_migration`, from bytes, without reading the identity map. `name` tells YAML from JSON in doubt."""
    return parse_object(name, content, fields_of(), lambda root: _migration(root, mappings))


def _migration(root: Branch, mappings: Mappings) -> MigrationFile:
    source, target = _side(root, "source"), _side(root, "target")
    if source.tenant and source.tenant == target.tenant:
        root.wrong("target.tenant", "is the source's tenant too; inside one tenant nobody migrates")
    people, products = root.selector("people"), products_of(root, mappings)
    identity_file, rules = _identity(root)
    return MigrationFile(
        name=root.text("name"),
        source=source,
        target=target,
        asked_by=_asked_by(root),
        people=people,
        products=products,
        waves=waves_of(root, people),
        identity_file=identity_file,
        rules=rules,
        treatments=_treatments(root),
        plan_mapping=plan_mapping_of(root, products, mappings),
        hold_period=timedelta(days=root.whole("hold_days", LEAST_HOLD_DAYS, MOST_HOLD_DAYS) or LEAST_HOLD_DAYS),
        failure_threshold=root.share("failure_threshold", _DEFAULT_THRESHOLD),
        window=window_of(root, mappings),
        approvers=_approvers(root),
        moves_mailboxes=root.yes("moves_mailboxes", default=True),
    )


def _side(root: Branch, name: str) -> Side:
    side = root.branch(name, fields_of(name))
    tenant, holder = side.text("tenant").lower(), side.text("holder").upper()
    if tenant and not _TENANT.fullmatch(tenant):
        side.wrong("tenant", f"{shown(tenant)} is neither a domain such as school.example nor a tenant's id")
    if holder and not _HOLDER.fullmatch(holder):
        side.wrong("holder", f"{shown(holder)} is no code of a board (40001), school (00XX) or location (00XX00)")
    return Side(tenant=tenant, holder=holder)


def _asked_by(root: Branch) -> str:
    asked_by = root.text("asked_by")
    if "@" in asked_by:
        root.wrong("asked_by", "is an address; write a reference such as the letter's number, it is kept for years")
    return asked_by


def _approvers(root: Branch) -> tuple[Actor, ...]:
    """Handles of people. That they may approve is looked up when the migration is created."""
    named: list[Actor] = []
    for number, word in enumerate(root.items("approvers"), 1):
        handle = word.strip().lower() if isinstance(word, str) else ""
        if not _HANDLE.fullmatch(handle):
            root.wrong(f"approvers[{number}]", f"{shown(word)} is no handle of a person; write it as person:finance")
        elif handle in named:
            root.wrong(f"approvers[{number}]", f"{shown(word)} is named already; keep one")
        else:
            named.append(Actor(handle))
    return tuple(named)


def _identity(root: Branch) -> tuple[str | None, tuple[MatchRule, ...]]:
    identity = root.branch("identity", fields_of("identity"))
    file = identity.optional_text("file")
    words = [
        identity.as_word(f"rules[{number}]", word, tuple(MatchRule))
        for number, word in enumerate(identity.items("rules"), 1)
    ]
    rules = tuple(word for word in words if word)
    if len(set(rules)) < len(rules):
        identity.wrong("rules", "names a rule twice; keep one")
    if "file" not in identity and not words:
        root.wrong("identity", "is missing; name a file, rules or both, or nobody can be found in the target")
    return file, rules


def _treatments(root: Branch) -> dict[Situation, Treatment]:
    explained: list[Situation] = [situation for situation in Situation if situation is not Situation.MATCHED]
    treatments: dict[Situation, Treatment] = {}
    for name, word in root.pairs("treatments").items():
        situation = root.as_word(f"treatments.{name}", name, explained)
        treatment = root.as_word(f"treatments.{name}", word, tuple(Treatment))
        if situation and treatment:
            treatments[situation] = treatment
    for situation, treatment in treatments.items():
        if treatment is Treatment.TAKE_ALONG and situation not in MAY_GO_ALONG:
            allowed = " and ".join(sorted(MAY_GO_ALONG))
            root.wrong(f"treatments.{situation}", f"cannot be taken along, only {allowed} can; write leave_out")
    return treatments
