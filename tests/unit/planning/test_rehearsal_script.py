from datetime import timedelta
from typing import Any

import msgspec
import pytest

from provisioning.domain.catalogue import Audience
from provisioning.domain.errors import InputError
from provisioning.domain.ids import Pseudonym, SubjectId
from provisioning.domain.migration import (
    MatchRule,
    MigrationDefinition,
    Situation,
    Treatment,
    WaveDefinition,
    Window,
)
from provisioning.domain.migration_file import IdentityPair
from provisioning.planning.masks import MasksInOrder
from provisioning.planning.rehearsal_script import Disguise, disguised, masked_binding, masked_selector
from tests.factories import NOW, guid, tenancy
from tests.factories.migrations import EVERYONE, definition

HERE, THERE = MasksInOrder(Pseudonym("p_here"), ()), MasksInOrder(Pseudonym("p_there"), ())
DISGUISE = Disguise(HERE, THERE)
ANN, BOB = SubjectId(guid()), SubjectId(guid())


def asked(**fields: Any) -> MigrationDefinition:
    return definition(guid(), guid(), **fields)


class TestMaskedSelector:
    def test_people_who_are_named_have_a_pseudonym(self) -> None:
        masked = msgspec.json.decode(masked_selector(f'{{"ids":["{ANN}"," {BOB.upper()} "]}}', HERE))
        assert masked == {"ids": [HERE.of(ANN), HERE.of(BOB)]}

    def test_however_deep_they_are_named(self) -> None:
        text = f'{{"any":[{{"all":[{{"ids":["{ANN}"]}},{{"everyone":true}}]}},{{"group":"g-1"}}]}}'
        masked = masked_selector(text, HERE)
        assert ANN not in masked
        assert msgspec.json.decode(masked)["any"][0]["all"][0] == {"ids": [HERE.of(ANN)]}

    @pytest.mark.parametrize(
        "text",
        [
            EVERYONE,
            '{"group":"g-1"}',
            '{"attribute":"department","equals":"Team"}',
            '{"school":"s","role":"teacher","include":["disabled"]}',
        ],
    )
    def test_what_names_nobody_stays_as_it_is(self, text: str) -> None:
        assert msgspec.json.decode(masked_selector(text, HERE)) == msgspec.json.decode(text)

    def test_one_that_cannot_be_read_is_refused(self) -> None:
        with pytest.raises(InputError):
            masked_selector('{"ids":', HERE)


class TestDisguised:
    def test_the_map_leads_from_one_pseudonym_to_the_other(self) -> None:
        file = disguised(asked(identity=((ANN, BOB),)), DISGUISE)
        assert file.identity == (IdentityPair(HERE.of(ANN), THERE.of(BOB)),)

    def test_nobody_is_named_anywhere(self) -> None:
        ids = f'{{"ids":["{ANN}"]}}'
        waves = (WaveDefinition(number=1, name="pilot", selector=ids),)
        told = msgspec.json.encode(disguised(asked(people=ids, waves=waves, identity=((ANN, BOB),)), DISGUISE)).decode()
        assert ANN not in told
        assert BOB not in told

    def test_everything_else_is_as_it_was_asked_for(self) -> None:
        it = asked(
            rules=(MatchRule.EMPLOYEE_ID,),
            treatments={Situation.GUEST: Treatment.LEAVE_OUT},
            plan_mapping={"A": "B"},
            hold_period=timedelta(days=45),
            failure_threshold=0.2,
            moves_mailboxes=False,
        )
        file = disguised(it, DISGUISE)
        for name in ("name", "asked_by", "products", "rules", "treatments", "plan_mapping", "hold_period"):
            assert getattr(file, name) == getattr(it, name), name
        assert (file.failure_threshold, file.moves_mailboxes) == (0.2, False)
        assert (file.source.tenant, file.target.holder) == (it.source_tenant, it.target_holder)

    def test_it_has_the_days_and_hours_of_the_real_one(self) -> None:
        wave = WaveDefinition(number=1, name="pilot", selector=EVERYONE, not_before=NOW)
        it = asked(waves=(wave,), window=Window(region="zuid"))
        file = disguised(it, DISGUISE)
        assert file.waves[0].not_before == NOW
        assert file.window == Window(region="zuid")


class TestKeys:
    def test_are_the_same_in_both_tenants_whatever_their_case(self) -> None:
        assert DISGUISE.key(" K-17") == DISGUISE.key("k-17 ")

    def test_do_not_show_what_they_were(self) -> None:
        assert "k-17" not in DISGUISE.key("k-17")


def test_a_binding_says_the_same_in_pseudonyms() -> None:
    binding = tenancy.binding("41000", guid(), selectors={Audience.FACULTY: f'{{"ids":["{ANN}"]}}'})
    masked = masked_binding(binding, HERE)
    assert masked.selectors == {Audience.FACULTY: f'{{"ids":["{HERE.of(ANN)}"]}}'}
    assert masked.binding_id == binding.binding_id
