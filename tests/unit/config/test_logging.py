import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from config.logging import REDACTED, configure_logging, redact


@pytest.fixture
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


class TestRedact:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            pytest.param("client_secret", "anything", id="by the name of the field"),
            pytest.param("Authorization", "Basic eA==", id="in any case"),
            pytest.param("upn", "x", id="a person's name"),
        ],
    )
    def test_blackens_fields_by_name(self, name: str, value: str) -> None:
        assert redact(None, "", {name: value}) == {name: REDACTED}

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            pytest.param("user j.smit@school.example gone", f"user {REDACTED} gone", id="an address"),
            pytest.param("Bearer abc.def", f"Bearer {REDACTED}", id="a bearer token"),
            pytest.param("got eyJhbGciOiJub25lIn0.e30.sig", f"got {REDACTED}", id="a JWT"),
            pytest.param("postgresql://me:pw@db/x", f"postgresql://{REDACTED}@db/x", id="a password in a URL"),
            pytest.param("tenant 5b0c1f0e", "tenant 5b0c1f0e", id="an id stays"),
        ],
    )
    def test_blackens_texts_by_their_look(self, text: str, expected: str) -> None:
        assert redact(None, "", {"event": text}) == {"event": expected}

    def test_looks_inside(self) -> None:
        event = {"failed": [{"upn": "x"}, "a@b.example"], "count": 2}
        assert redact(None, "", event) == {"failed": [{"upn": REDACTED}, REDACTED], "count": 2}


@pytest.mark.usefixtures("_restored")
class TestConfigureLogging:
    def test_one_line_of_json_with_name_level_time_and_fields(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure_logging()
        structlog.get_logger("tasks.sweeps").info("sweep.done", name="relay", count=3)
        (line,) = lines(capsys)
        assert (line["event"], line["level"], line["logger"], line["count"]) == (
            "sweep.done",
            "info",
            "tasks.sweeps",
            3,
        )
        assert str(line["timestamp"]).endswith("Z")

    def test_the_libraries_lines_look_the_same(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure_logging()
        logging.getLogger("celery.worker").warning("lost %s", "j.smit@school.example")
        (line,) = lines(capsys)
        assert (line["event"], line["level"]) == (f"lost {REDACTED}", "warning")

    def test_an_exception_is_a_field_and_redacted(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure_logging()
        try:
            int("j.smit@school.example")
        except ValueError:
            structlog.get_logger("x").exception("task.failed")
        (line,) = lines(capsys)
        assert "ValueError" in str(line["exception"])
        assert "j.smit" not in str(line["exception"])

    @pytest.mark.parametrize("name", ["azure.identity", "httpx", "msal.token_cache"])
    def test_talkative_libraries_keep_quiet(self, capsys: pytest.CaptureFixture[str], name: str) -> None:
        configure_logging("debug")
        logging.getLogger(name).info("GET https://graph.example/users")
        assert lines(capsys) == []

    def test_context_is_on_every_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure_logging()
        with structlog.contextvars.bound_contextvars(operation_id="6a0f"):
            structlog.get_logger("x").info("plan.drawn")
        assert lines(capsys)[0]["operation_id"] == "6a0f"
