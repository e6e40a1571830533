"""What of a definition names people can be set apart, put back, and thinned out."""

import json

from provisioning.database.named_people import NamedPeople, put_together, set_apart
from provisioning.domain.migration import WaveDefinition
from tests.factories import migrations as make

DEEP = json.dumps({"all": [{"any": [{"ids": ["a", "b"]}, {"group": "a"}]}, {"everyone": True}], "include": ["guests"]})
NAMED = NamedPeople(identity=(("a", "x"), ("b", "y")), people=DEEP, waves=('{"ids": ["b"]}', '{"unit": "a"}'))


class TestSettingApart:
    def test_leaves_nobody_in_the_definition_and_can_be_undone(self) -> None:
        waves = tuple(WaveDefinition(number=n, name=f"w{n}", selector=f'{{"ids": ["{n}"]}}') for n in (1, 2))
        whole = make.definition("s", "t", identity=(("a", "x"),), people=DEEP, waves=waves)
        rest, named = set_apart(whole)
        assert (rest.identity, rest.people, {wave.selector for wave in rest.waves}) == ((), "", {""})
        assert named == NamedPeople(identity=(("a", "x"),), people=DEEP, waves=('{"ids": ["1"]}', '{"ids": ["2"]}'))
        assert put_together(rest, named) == whole


class TestEverybody:
    def test_is_who_is_named_in_any_place_and_not_what_else_has_an_id(self) -> None:
        assert NAMED.everybody == {"a", "b", "x", "y"}
        assert NamedPeople(people='{"group": "g"}').everybody == frozenset()


class TestWithout:
    def test_takes_one_person_out_of_every_place(self) -> None:
        left = NAMED.without(lambda account: account == "b")
        assert left.identity == (("a", "x"),)
        assert json.loads(left.people)["all"][0]["any"] == [{"ids": ["a"]}, {"group": "a"}]
        assert left.waves == ('{"ids":[]}', '{"unit": "a"}')

    def test_takes_a_pair_when_either_account_goes(self) -> None:
        assert NAMED.without(lambda account: account == "x").identity == (("b", "y"),)

    def test_takes_everybody_and_no_rule(self) -> None:
        left = NAMED.without(lambda _: True)
        assert left.everybody == frozenset()
        assert json.loads(left.people) == {
            "all": [{"any": [{"ids": []}, {"group": "a"}]}, {"everyone": True}],
            "include": ["guests"],
        }

    def test_of_nobody_leaves_the_texts_as_they_were_written(self) -> None:
        assert NAMED.without(lambda _: False) == NAMED
