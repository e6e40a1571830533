"""Container files name only what exists: commands, variables, ports and files."""

import re
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from config.settings import names
from provisioning.broker.queues import Queue
from provisioning.cli.app import TREE
from provisioning.sandbox import profiles
from provisioning.sandbox.__main__ import _parser as sandbox_options
from tasks.app import app as celery_app
from tests.architecture.source import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "licence-provisioning"}
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
SECRETS = Path("/run/secrets")


def option(command: list[str], name: str) -> str:
    (value,) = [word.removeprefix(f"--{name}=") for word in command if word.startswith(f"--{name}=")]
    return value


def workers() -> dict[str, list[str]]:
    return {name: service["command"] for name, service in OURS.items() if "worker" in service["command"]}


class TestCommands:
    @pytest.mark.parametrize("name", OURS)
    def test_begin_with_a_program_of_the_image(self, name: str) -> None:
        program = OURS[name]["command"][0]
        installed = {script.name for script in entry_points(group="console_scripts")} | {"python"}
        assert program in installed

    @pytest.mark.parametrize("name", [name for name in OURS if OURS[name]["command"][0] == "provisioning"])
    def test_of_our_own_exist(self, name: str) -> None:
        command: Any = TREE
        words = [word for word in OURS[name]["command"][1:] if not word.startswith("--")]
        for word in words:
            command = command.commands[word]
        assert callable(command.callback)
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word.split("=")[0] for word in OURS[name]["command"] if word.startswith("--")} <= known

    @pytest.mark.parametrize("name", [name for name in OURS if OURS[name]["command"][0] == "celery"])
    def test_of_celery_name_our_application(self, name: str) -> None:
        assert import_module(option(OURS[name]["command"], "app")).app is celery_app

    def test_the_twin_understands_its_options(self) -> None:
        words = OURS["sandbox"]["command"]
        assert words[:3] == ["python", "-m", "provisioning.sandbox"]
        assert sandbox_options().parse_args(words[3:]).profile in profiles.PROFILES

    @pytest.mark.parametrize("profile", ["live", "sandbox"])
    def test_every_queue_has_a_worker_in_both_worlds(self, profile: str) -> None:
        listened = [
            queue
            for name, command in workers().items()
            if profile in OURS[name]["profiles"]
            for queue in option(command, "queues").split(",")
        ]
        assert sorted(listened) == sorted(Queue)

    def test_no_stream_of_orders_keeps_the_rounds_waiting(self) -> None:
        """A round takes milliseconds; an operation that is never throttled chains its messages while it lasts."""
        assert option(OURS["order-worker"]["command"], "queues").split(",")[0] == Queue.SWEEPS


class TestSettings:
    @pytest.mark.parametrize("name", OURS)
    def test_variables_are_settings(self, name: str) -> None:
        assert set(OURS[name].get("environment", {})) <= set(names())

    @pytest.mark.parametrize("name", OURS)
    def test_secrets_are_settings_or_files_that_a_setting_names(self, name: str) -> None:
        service = OURS[name]
        mounted = set(service.get("secrets", ()))
        values = [str(value) for value in service.get("environment", {}).values()]
        files = {Path(value).name for value in values if Path(value).parent == SECRETS}
        assert mounted <= set(names()) | files
        assert files <= mounted

    def test_each_secret_is_a_file_outside_the_repository(self) -> None:
        used = {secret for service in SERVICES.values() for secret in service.get("secrets", ())}
        assert {name: source["file"] for name, source in COMPOSE["secrets"].items()} == {
            name: f"./secrets/{name}" for name in used
        }
        assert "secrets/" in (ROOT / ".gitignore").read_text("utf-8").splitlines()

    def test_only_migrations_know_the_owner_of_the_database(self) -> None:
        knowing = {
            name for name, service in OURS.items() if "PROVISIONING_OWNER_DATABASE_URL" in service.get("secrets", ())
        }
        assert knowing == {"migrate", "sandbox-migrate"}

    def test_the_realms_are_those_of_the_profiles(self) -> None:
        realms = {
            (service["profiles"][0], service["environment"]["PROVISIONING_REALM"])
            for service in OURS.values()
            if "environment" in service
        }
        assert realms == {("live", "live"), ("sandbox", "sandbox")}

    def test_the_twins_application_is_the_one_it_knows(self) -> None:
        environment = OURS["sandbox-worker"]["environment"]
        assert environment["PROVISIONING_GRAPH_CLIENT_ID"] == profiles.BOARD_APP
        assert environment["PROVISIONING_GRAPH_CLIENT_SECRET"] == profiles.BOARD_SECRET


class TestPlaces:
    def test_hosts_are_services_and_ports_those_they_listen_on(self) -> None:
        redis = urlsplit(OURS["order-worker"]["environment"]["REDIS_URL"])
        assert redis.hostname in SERVICES
        graph = urlsplit(OURS["sandbox-worker"]["environment"]["PROVISIONING_GRAPH_BASE_URL"])
        assert graph.port == int(option(OURS["sandbox"]["command"], "port"))
        assert OURS["sandbox-worker"]["network_mode"] == "service:sandbox"

    def test_no_port_is_open_to_the_world(self) -> None:
        assert [name for name, service in SERVICES.items() if "ports" in service] == []

    def test_engines_have_no_way_out(self) -> None:
        assert COMPOSE["networks"]["engines"]["internal"] is True
        assert SERVICES["postgres"]["networks"] == SERVICES["valkey"]["networks"] == ["engines"]

    def test_mounted_files_are_in_the_repository(self) -> None:
        mounted = [volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())]
        assert [place for place in mounted if place.startswith("./") and not (ROOT / place).is_file()] == []
        assert {place for place in mounted if not place.startswith("./")} <= set(COMPOSE["volumes"])

    def test_what_is_waited_for_exists(self) -> None:
        for service in SERVICES.values():
            for name, condition in service.get("depends_on", {}).items():
                awaits_health = condition["condition"] == "service_healthy"
                assert not awaits_health or "test" in SERVICES[name]["healthcheck"]


class TestRights:
    @pytest.mark.parametrize("name", OURS)
    def test_our_containers_can_do_nothing_but_their_work(self, name: str) -> None:
        service = OURS[name]
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"] is True
        assert "no-new-privileges:true" in service["security_opt"]

    def test_the_image_does_not_run_as_root(self) -> None:
        assert re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE)[-1] == "provisioning"


class TestDockerfile:
    def test_copies_what_is_there(self) -> None:
        copied = [
            word
            for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
            for word in line.split()[:-1]
        ]
        assert [name for name in copied if not (ROOT / name).exists()] == []

    def test_everything_copied_is_let_in(self) -> None:
        let_in = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text("utf-8"), re.MULTILINE)
        copied = {
            word
            for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
            for word in line.split()[:-1]
        }
        assert copied == set(let_in)

    def test_folders_that_a_volume_needs_are_made(self) -> None:
        targets = {volume.split(":")[1] for service in OURS.values() for volume in service.get("volumes", ())}
        assert [folder for folder in targets if folder not in DOCKERFILE] == []
