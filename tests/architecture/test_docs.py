"""Documents name only what exists: commands and their options, make targets, files, settings, reasons."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.settings import SECRETS_FOLDER, names
from provisioning.cli.app import TREE
from provisioning.cli.token import FILE_VARIABLE, VARIABLE
from provisioning.domain.reasons import Reason
from tests.architecture.source import ROOT

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
SETTINGS = {*names(), SECRETS_FOLDER, VARIABLE, FILE_VARIABLE}
COLUMNS = 80

_TYPED = re.compile(r"(?<![\w/.-])provisioning((?: +[a-z][a-z-]+)+)(.*)")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_REASON = re.compile(r"`([A-Z]+(?:_[A-Z0-9]+)+)`")
_NO_REASONS = {"YAMMER_EDU", "POSTGRES_PASSWORD", "SERVICE_PASSWORD", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"}


def every_document() -> Any:
    return pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def code_blocks(text: str) -> Iterator[str]:
    """Lines of fenced and of indented blocks, without their indent."""
    is_fenced = False
    for line in text.splitlines():
        if line.startswith("```"):
            is_fenced = not is_fenced
        elif is_fenced:
            yield line
        elif line.startswith("    "):
            yield line[4:]


def typed(text: str) -> Iterator[tuple[list[str], str]]:
    """Every command of ours that the text has somebody type: its words, and the rest of the line."""
    joined = text.replace("\\\n", " ")
    for code in (*_CODE.findall(text), *code_blocks(joined)):
        for words, rest in _TYPED.findall(code):
            yield words.split(), rest


def command_of(words: list[str]) -> tuple[Any, list[str]]:
    """The command or group that the words name, and the words that are left: its arguments."""
    found: Any = TREE
    for place, word in enumerate(words):
        commands = getattr(found, "commands", None)
        if commands is None:
            return found, words[place:]
        assert word in commands, f"there is no command {word!r} among {', '.join(commands)}"
        found = commands[word]
    return found, []


def headings(path: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@every_document()
class TestADocument:
    def test_has_people_type_commands_that_exist(self, document: Path) -> None:
        for words, _ in typed(document.read_text("utf-8")):
            command_of(words)

    def test_gives_them_options_that_exist(self, document: Path) -> None:
        for words, rest in typed(document.read_text("utf-8")):
            known = {option for parameter in command_of(words)[0].params for option in parameter.opts} | {"--help"}
            assert set(_OPTION.findall(rest.split("|")[0])) <= known, f"{words} {rest}"

    def test_names_make_targets_that_exist(self, document: Path) -> None:
        text = document.read_text("utf-8")
        said = {
            target
            for code in (*_CODE.findall(text), *code_blocks(text))
            for target in re.findall(r"^\$? ?make ([a-z]+)", code)
        }
        assert said <= set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))

    def test_links_to_what_is_there(self, document: Path) -> None:
        for link in _LINK.findall(document.read_text("utf-8")):
            place, _, heading = link.partition("#")
            if "://" in place:
                continue
            target = (document.parent / place).resolve() if place else document
            assert target.is_file(), link
            assert not heading or heading in headings(target), link

    def test_names_settings_that_exist(self, document: Path) -> None:
        said = set(re.findall(r"PROVISIONING_[A-Z_]*[A-Z]", document.read_text("utf-8")))
        assert said <= SETTINGS

    def test_names_reasons_that_exist(self, document: Path) -> None:
        said = set(_REASON.findall(document.read_text("utf-8"))) - SETTINGS - _NO_REASONS
        assert said <= set(Reason)

    def test_names_files_that_exist(self, document: Path) -> None:
        folders = r"(?:provisioning|tasks|config|mappings|tests|docs|docker)"
        said = re.findall(rf"`({folders}/[\w./-]+)`", document.read_text("utf-8"))
        assert [name for name in said if not (ROOT / name).exists()] == []

    def test_is_readable_in_a_terminal(self, document: Path) -> None:
        assert [line for line in code_blocks(document.read_text("utf-8")) if len(line) > COLUMNS] == []


class TestReadme:
    def test_leads_to_every_document(self) -> None:
        linked = {(ROOT / link).resolve() for link in _LINK.findall((ROOT / "README.md").read_text("utf-8"))}
        assert {path for path in (ROOT / "docs").glob("*.md") if path.name != "benchmarks.md"} <= linked


class TestDecisions:
    FOLDER = ROOT / "docs" / "decisions"
    NUMBERED = sorted(FOLDER.glob("[0-9]*.md"))

    def test_are_numbered_without_gaps(self) -> None:
        assert [int(path.name[:4]) for path in self.NUMBERED] == list(range(1, len(self.NUMBERED) + 1))

    @pytest.mark.parametrize("part", ["Context", "Decision", "Consequence", "Alternatives"])
    def test_have_all_their_parts(self, part: str) -> None:
        assert [path.name for path in self.NUMBERED if f"**{part}.**" not in path.read_text("utf-8")] == []

    def test_are_all_in_the_index_under_their_titles(self) -> None:
        index = (self.FOLDER / "README.md").read_text("utf-8")
        titles = {path.name: path.read_text("utf-8").split("\n", 1)[0][2:].split(". ", 1)[1] for path in self.NUMBERED}
        assert [name for name, title in titles.items() if f"[{name[:4]}]({name}) | {title} |" not in index] == []
