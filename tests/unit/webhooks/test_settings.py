"""The file of webhooks: what it says, and how its mistakes are told."""

from pathlib import Path

import pytest

from provisioning.domain.errors import ConfigurationError
from provisioning.webhooks.settings import load_webhooks
from tests.unit.webhooks.secrets import secret, secret_file

GOOD = """
[[outgoing]]
name = "desk"
url = "https://desk.example/hooks"
topics = ["ticket_*"]
organisations = ["41234"]
secret_files = ["secret-n", "secret-o"]

[[incoming]]
name = "desk"
client = "desk"
fields = "fields.toml"
secret_files = ["secret-i"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for letter in "noi":
        secret_file(tmp_path, letter)
    return tmp_path


def load(folder: Path, text: str, *, is_live: bool = True) -> object:
    file = folder / "webhooks.toml"
    file.write_text(text, "utf-8")
    return load_webhooks(file, is_live=is_live)


def complaint(folder: Path, text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(folder, text)
    return str(caught.value)


class TestLoadWebhooks:
    def test_names_endpoints_senders_and_their_secrets_newest_first(self, folder: Path) -> None:
        file = folder / "webhooks.toml"
        file.write_text(GOOD, "utf-8")
        read = load_webhooks(file, is_live=True)
        assert [(one.name, one.topics, one.organisations) for one in read.endpoints] == [
            ("desk", ("ticket_*",), frozenset({"41234"}))
        ]
        assert [(one.name, one.actor, one.fields) for one in read.senders] == [
            ("desk", "client:desk", folder / "fields.toml")
        ]
        assert read.outgoing_secrets == {"desk": (secret("n"), secret("o"))}
        assert read.incoming_secrets == {"desk": (secret("i"),)}

    def test_plain_http_is_for_rehearsals_only(self, folder: Path) -> None:
        plain = GOOD.replace("https://desk.example", "http://127.0.0.1:9")
        assert load(folder, plain, is_live=False)
        assert "the address of desk must begin with https://" in complaint(folder, plain)

    @pytest.mark.parametrize(
        ("before", "after", "told"),
        [
            pytest.param("https://", "https://user:word@", "must begin with https://", id="a password in the address"),
            pytest.param('["ticket_*"]', "[]", "desk wants no topic", id="no topics"),
            pytest.param('["secret-i"]', "[]", "desk has no secret_files", id="no secrets"),
            pytest.param('"secret-o"', '"secret-x"', "secret-x cannot be read", id="no such file"),
            pytest.param("topics", "topic", "unknown field", id="a misspelt field"),
            pytest.param("[[incoming]]", "[[incoming]", "is wrong", id="no TOML"),
        ],
    )
    def test_says_what_is_wrong(self, folder: Path, before: str, after: str, told: str) -> None:
        assert told in complaint(folder, GOOD.replace(before, after, 1))

    def test_two_may_not_have_one_name(self, folder: Path) -> None:
        assert "two of outgoing are called desk" in complaint(folder, GOOD + GOOD.partition("[[incoming]]")[0])

    @pytest.mark.parametrize("bad", ["whsec_short", "no-prefix", "whsec_***", "whsec_" + "A" * 400])
    def test_a_poor_secret_is_refused_without_being_shown(self, folder: Path, bad: str) -> None:
        (folder / "secret-n").write_text(bad, "ascii")
        told = complaint(folder, GOOD)
        assert "secret-n" in told
        assert bad not in told

    def test_all_mistakes_are_told_at_once(self, folder: Path) -> None:
        told = complaint(folder, GOOD.replace('["ticket_*"]', "[]").replace("https", "ftp"))
        assert len(told.splitlines()) == 2
