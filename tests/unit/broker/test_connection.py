import pytest
from redis.connection import SSLConnection, UnixDomainSocketConnection

from provisioning.broker.connection import connect, transport_url


class TestTransportUrl:
    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            pytest.param("redis://broker:6379/0", "redis://broker:6379/0", id="TCP stays as it is"),
            pytest.param("rediss://broker:6380/1", "rediss://broker:6380/1", id="TLS too"),
            pytest.param("unix:///run/v.sock", "redis+socket:///run/v.sock?virtual_host=0", id="a socket"),
            pytest.param("unix:///run/v.sock?db=3", "redis+socket:///run/v.sock?virtual_host=3", id="with a database"),
            pytest.param(
                "unix:///run/v.sock?db=3&password=x",
                "redis+socket:///run/v.sock?virtual_host=3&password=x",
                id="with more",
            ),
        ],
    )
    def test_speaks_celerys_words(self, url: str, expected: str) -> None:
        assert transport_url(url) == expected


class TestConnect:
    @pytest.mark.parametrize(
        ("url", "kind"),
        [
            pytest.param("unix:///run/v.sock?db=3", UnixDomainSocketConnection, id="a socket"),
            pytest.param("rediss://broker:6380/1", SSLConnection, id="TLS"),
        ],
    )
    def test_connects_in_the_way_the_url_says_once_it_is_used(self, url: str, kind: type) -> None:
        with connect(url) as client:
            assert client.connection_pool.connection_class is kind
