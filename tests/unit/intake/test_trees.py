"""YAML and JSON as plain values: strictly, bounded, and with the place of what is wrong."""

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.errors import InputError
from provisioning.intake.problems import FileRefusedError
from provisioning.intake.trees import LARGEST, parse_tree


class TestYaml:
    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            pytest.param("no", "no", id="a word that older YAML takes for false"),
            pytest.param("yes", "yes", id="and one for true"),
            pytest.param("true", True, id="true"),
            pytest.param("22:00", "22:00", id="a time that older YAML takes for 1320"),
            pytest.param("00012", "00012", id="a code keeps its zeros"),
            pytest.param("40001", 40001, id="a number"),
            pytest.param("-5", -5, id="a negative number"),
            pytest.param("0", 0, id="zero"),
            pytest.param("0.05", 0.05, id="a fraction"),
            pytest.param("1e3", "1e3", id="no powers"),
            pytest.param("0x10", "0x10", id="no other bases"),
            pytest.param("1_000", "1_000", id="no separators"),
            pytest.param("2027-07-19", "2027-07-19", id="a date is a text"),
            pytest.param("2027-07-19 08:00", "2027-07-19 08:00", id="and so is a moment"),
            pytest.param("", None, id="nothing"),
            pytest.param("~", None, id="a tilde"),
            pytest.param("null", None, id="null"),
            pytest.param("5%", "5%", id="a share"),
            pytest.param('"5"', "5", id="quotes make a text"),
            pytest.param("9" * 30, "9" * 30, id="no number is that long"),
            pytest.param("{a: [1, b]}", {"a": [1, "b"]}, id="braces and brackets"),
        ],
    )
    def test_a_value_means_what_it_says(self, written: str, meant: object) -> None:
        assert parse_tree("m.yaml", f"key: {written}\n") == {"key": meant}

    def test_a_merge_key_is_a_field_like_another(self) -> None:
        assert parse_tree("m.yaml", "<<: {a: 1}") == {"<<": {"a": 1}}

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            pytest.param("a: [1, 2", "line 1, column 9", id="a bracket left open"),
            pytest.param("a: 1\nb: c: d\n", "line 2, column 5: mapping values are not allowed", id="two colons"),
            pytest.param("a:\n\t- b\n", "line 2, column 1", id="a tab"),
            pytest.param("a: 1\n---\nb: 2\n", "expected a single document", id="two documents"),
            pytest.param("a: &x 1\nb: 2\n", "line 1, column 4: anchors and aliases", id="an anchor"),
            pytest.param("a: *x\n", "line 1, column 4: anchors and aliases", id="an alias"),
            pytest.param("a: !!python/object/apply:os.getcwd []\n", "tags (!) are not read", id="a tag that would run"),
            pytest.param("a: !!binary aGk=\n", "tags (!) are not read", id="a harmless tag"),
            pytest.param("? [a, b]\n: 1\n", "a field's name is one word", id="a list as a name"),
            pytest.param("a: x\x07y\n", "line 1: an invisible character", id="a bell"),
            pytest.param("a: " + "[" * 60 + "]" * 60, "nests deeper than 50 levels", id="nests too deep"),
        ],
    )
    def test_what_cannot_be_read_is_told_with_its_place(self, text: str, told: str) -> None:
        with pytest.raises(InputError) as refused:
            parse_tree("m.yaml", text)
        assert str(refused.value).startswith("m.yaml, line")
        assert told in str(refused.value)

    def test_a_bomb_of_aliases_is_refused_at_its_first_anchor(self) -> None:
        lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40))]
        with pytest.raises(InputError, match="line 1, column 5: anchors"):
            parse_tree("m.yaml", "\n".join(lines))

    def test_every_repeated_key_is_told_with_its_line(self) -> None:
        with pytest.raises(FileRefusedError) as refused:
            parse_tree("m.yaml", "a: 1\nb: {c: 1, c: 2}\na: 3\na: 4\n")
        assert sorted(str(problem).split(":", 1)[0] for problem in refused.value.problems) == [
            "line 2, c", "line 3, a", "line 4, a",
        ]  # fmt: skip

    def test_a_file_beyond_the_bound_is_not_read_at_all(self) -> None:
        with pytest.raises(InputError, match=r"at most 1,000,000"):
            parse_tree("m.yaml", "a: " + "x" * LARGEST)


class TestJson:
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            pytest.param("m.json", ' {"a": 1}', id="by its name"),
            pytest.param("m", '\n{"a": 1}', id="by its beginning"),
            pytest.param("m.yml", '{"a": 1}', id="it is YAML too"),
        ],
    )
    def test_is_known(self, name: str, text: str) -> None:
        assert parse_tree(name, text) == {"a": 1}

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            pytest.param('{"a": 1,\n "b": }', "m.json, line 2, column 7", id="a value is missing"),
            pytest.param('{"a": 1', "m.json, line 1, column 8", id="cut off"),
            pytest.param('{"a": NaN}', "NaN is no number", id="no number"),
            pytest.param('{"a": ' + "9" * 5_000 + "}", "a number that cannot be read", id="a number without end"),
            pytest.param("[" * 100_000, "nests too deep", id="nests too deep"),
            pytest.param('{"a": 1, "b": {"c": 1, "c": 2}}', "c: is there twice", id="a key twice"),
        ],
    )
    def test_what_cannot_be_read_is_told_with_its_place(self, text: str, told: str) -> None:
        with pytest.raises(InputError) as refused:
            parse_tree("m.json", text)
        assert told in str(refused.value)


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("C",)), max_size=12)


def trees(leaves: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    inner = st.recursive(
        leaves, lambda one: st.lists(one, max_size=3) | st.dictionaries(WORDS, one, max_size=3), max_leaves=12
    )
    return st.dictionaries(WORDS, inner, max_size=4)


class TestProperties:
    @given(trees(st.none() | st.booleans() | st.integers(-(10**12), 10**12) | WORDS))
    def test_json_comes_back_as_it_was(self, tree: dict[str, object]) -> None:
        assert parse_tree("m.json", msgspec.json.encode(tree).decode()) == tree

    @given(trees(WORDS))
    def test_yaml_of_quoted_texts_comes_back_as_it_was(self, tree: dict[str, object]) -> None:
        assert parse_tree("m.yaml", yaml.safe_dump(tree, default_style='"', allow_unicode=True)) == tree

    @given(st.text(max_size=60))
    def test_no_text_breaks_the_reader(self, text: str) -> None:
        for name in ("m.yaml", "m.json", "m"):
            try:
                parse_tree(name, text)
            except InputError as refused:
                assert str(refused)  # noqa: PT017  # that it is explained is all that is asked
