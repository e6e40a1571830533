from provisioning.domain.ids import LineKey


class TestLineKey:
    def test_it_reads_as_source_order_and_line(self) -> None:
        assert str(LineKey("acme", "1042", "1")) == "acme/1042/1"

    def test_the_same_number_of_two_shops_is_two_lines(self) -> None:
        assert len({LineKey("acme", "1042", "1"), LineKey("bolt", "1042", "1"), LineKey("acme", "1042", "1")}) == 2

    def test_keys_sort_by_source_then_order_then_line(self) -> None:
        keys = [LineKey("b", "1", "1"), LineKey("a", "2", "1"), LineKey("a", "1", "2"), LineKey("a", "1", "1")]
        assert sorted(keys) == list(reversed(keys))
