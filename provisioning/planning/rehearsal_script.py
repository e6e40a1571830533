"""A migration told in pseudonyms, so that a copy of both tenants can play it. Pure."""

from typing import Any

import msgspec

from provisioning.domain.ids import SubjectId
from provisioning.domain.migration import MigrationDefinition, WaveDefinition
from provisioning.domain.migration_file import IdentityPair, MigrationFile, Side
from provisioning.domain.tenancy import Binding
from provisioning.planning.masks import Masks, MasksInOrder
from provisioning.planning.selectors import parse_selector


class Disguise(msgspec.Struct, frozen=True):
    """How people of the two tenants are called in a rehearsal."""

    source: MasksInOrder
    target: MasksInOrder

    def key(self, text: str) -> str:
        """What stands for an employee id or nickname: in both tenants the same, case and blanks mean nothing."""
        return self.source.of(SubjectId(text.strip().casefold()))


def disguised(definition: MigrationDefinition, disguise: Disguise) -> MigrationFile:
    """The same migration as a file would ask for it; who approves is somebody of the rehearsal's own."""
    return MigrationFile(
        name=definition.name,
        source=Side(tenant=definition.source_tenant, holder=definition.source_holder),
        target=Side(tenant=definition.target_tenant, holder=definition.target_holder),
        asked_by=definition.asked_by,
        people=masked_selector(definition.people, disguise.source),
        products=definition.products,
        waves=tuple(_wave(wave, disguise) for wave in definition.waves),
        identity=tuple(
            IdentityPair(disguise.source.of(here), disguise.target.of(there)) for here, there in definition.identity
        ),
        rules=definition.rules,
        treatments=definition.treatments,
        plan_mapping=definition.plan_mapping,
        hold_period=definition.hold_period,
        failure_threshold=definition.failure_threshold,
        window=definition.window,
        moves_mailboxes=definition.moves_mailboxes,
    )


def masked_binding(binding: Binding, masks: Masks) -> Binding:
    selectors = {audience: masked_selector(text, masks) for audience, text in binding.selectors.items()}
    return msgspec.structs.replace(binding, selectors=selectors)


def masked_selector(text: str, masks: Masks) -> str:
    """The selector with a pseudonym for each person whom it names. Raises InputError for one that cannot be read."""
    parse_selector(text)
    return msgspec.json.encode(_masked(msgspec.json.decode(text), masks)).decode()


def _masked(tree: Any, masks: Masks) -> Any:
    if "ids" in tree:
        return {**tree, "ids": [masks.of(SubjectId(one.strip())) for one in tree["ids"]]}
    return {
        name: [_masked(one, masks) for one in part] if name in {"all", "any"} else part for name, part in tree.items()
    }


def _wave(wave: WaveDefinition, disguise: Disguise) -> WaveDefinition:
    return msgspec.structs.replace(wave, selector=masked_selector(wave.selector, disguise.source))
