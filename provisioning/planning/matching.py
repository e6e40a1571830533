"""Who in the target is the same human being as who in the source, and what stands in the way of taking them along.

The identity map outranks the rules, and all rules are asked: where they lead to different people, nobody is believed.
Half a look says nothing here: who is not seen would be missing, and who is seen twice would be seen once.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import msgspec

from provisioning.domain.errors import UnavailableError
from provisioning.domain.ids import MigrationId, OrganisationId, SubjectId
from provisioning.domain.migration import (
    MAY_GO_ALONG,
    MigrationDefinition,
    ProductPair,
    Situation,
    Traveller,
    Treatment,
)
from provisioning.domain.migration_lifecycle import PersonState
from provisioning.domain.observation import Census, Person
from provisioning.domain.reasons import Reason
from provisioning.planning.identity import Counterpart, Directory, RuleReading


class MatchScene(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that matching knows.

    `selected` are the people of the source whom the migration speaks of, guests and disabled accounts included, with
    the school that counts them; `of_two_boards` are those whom another board's selector matches as well. `claimed` are
    accounts of the target that another board's selector matches there.
    """

    migration_id: MigrationId
    definition: MigrationDefinition
    source: Census
    target: Census
    selected: Mapping[SubjectId, OrganisationId]
    of_two_boards: frozenset[SubjectId] = frozenset()
    claimed: frozenset[SubjectId] = frozenset()
    readings: tuple[RuleReading, ...] = ()


def match(scene: MatchScene) -> tuple[Traveller, ...]:
    """One traveller for each selected person, and for each row of the map that names nobody in the source; by id.

    Raises UnavailableError when one of the two tenants was not read as a whole.
    """
    if not scene.source.is_complete or not scene.target.is_complete:
        raise UnavailableError("People are matched only when both tenants could be read as a whole. Try again later.")
    return _Matcher(scene).travellers()


def unexplained(travellers: Collection[Traveller], treatments: Mapping[Situation, Treatment]) -> Counter[Situation]:
    """How many people are in a situation that nobody said anything about that helps; empty: a wave may begin."""
    return Counter(
        one.situation
        for one in travellers
        if one.reason is not Reason.LICENCE_NOT_HELD and not _is_explained(one.situation, treatments)
    )


def _is_explained(situation: Situation, treatments: Mapping[Situation, Treatment]) -> bool:
    """To be taken along explains nothing where there is nobody to give a licence to."""
    treatment = treatments.get(situation)
    is_taken = treatment is Treatment.TAKE_ALONG and situation in MAY_GO_ALONG
    return situation is Situation.MATCHED or treatment is Treatment.LEAVE_OUT or is_taken


def product_of(person: Person, products: Sequence[ProductPair]) -> ProductPair | None:
    """The first product of the migration that the person holds; what else they hold stays where it is."""
    return next((pair for pair in products if person.holds(pair.source_sku)), None)


class _Matcher:
    def __init__(self, scene: MatchScene) -> None:
        self._scene = scene
        self._products = scene.definition.products
        self._directory = Directory(scene.source, scene.target, scene.definition.identity, scene.readings)

    def travellers(self) -> tuple[Traveller, ...]:
        found = [self._traveller(self._directory.source[one], one) for one in self._known()]
        missing = [self._missing(one) for one in self._directory.mapped if one not in self._directory.source]
        return tuple(sorted([*found, *missing], key=lambda traveller: traveller.source_id))

    def _known(self) -> list[SubjectId]:
        return [one for one in self._scene.selected if one in self._directory.source]

    def _traveller(self, person: Person, source_id: SubjectId) -> Traveller:
        counterpart = self._directory.counterpart(source_id)
        pair = product_of(person, self._products)
        target_id = counterpart.target_id if counterpart.target_id in self._directory.target else None
        situation = self._situation(person, counterpart)
        state, reason = self._treated(situation) if pair else (PersonState.LEFT_OUT, Reason.LICENCE_NOT_HELD)
        return Traveller(
            migration_id=self._scene.migration_id,
            source_id=source_id,
            target_id=target_id,
            organisation_id=self._scene.selected[source_id],
            situation=situation,
            state=state,
            reason=reason,
            source_sku=pair.source_sku if pair else None,
            target_sku=pair.target_sku if pair else None,
        )

    def _missing(self, source_id: SubjectId) -> Traveller:
        """Named in the map, and no such person in the source."""
        state, reason = self._treated(Situation.MISSING_IN_SOURCE)
        return Traveller(
            migration_id=self._scene.migration_id,
            source_id=source_id,
            organisation_id=self._scene.definition.source_holder,
            situation=Situation.MISSING_IN_SOURCE,
            state=state,
            reason=reason,
        )

    def _situation(self, person: Person, counterpart: Counterpart) -> Situation:
        """The gravest: what makes it unknown who they are comes before what makes them unusual."""
        target = self._directory.target.get(counterpart.target_id) if counterpart.target_id else None
        if person.subject_id in self._scene.of_two_boards:
            return Situation.OF_TWO_BOARDS
        if person.is_guest or (target and target.is_guest):
            return Situation.GUEST
        if counterpart.is_disputed:
            return Situation.DISPUTED
        if target is None:
            return Situation.MISSING_IN_TARGET
        if counterpart.is_shared:
            return Situation.MATCHED_TWICE
        if target.subject_id in self._scene.claimed:
            return Situation.OF_TWO_BOARDS
        return self._certain(person, target)

    def _certain(self, person: Person, target: Person) -> Situation:
        if not (person.is_enabled and target.is_enabled):
            return Situation.DISABLED
        wanted = {sku for pair in self._products for sku in (pair.source_sku, pair.target_sku)}
        return Situation.ALREADY_LICENSED if any(map(target.holds, wanted)) else Situation.MATCHED

    def _treated(self, situation: Situation) -> tuple[PersonState, Reason | None]:
        is_out = self._scene.definition.treatments.get(situation) is Treatment.LEAVE_OUT
        if is_out and situation is not Situation.MATCHED:
            return PersonState.LEFT_OUT, Reason.LEFT_OUT
        return PersonState.WAITING, None
