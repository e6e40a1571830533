"""Other limits than those in force: told by the process that loaded them, put in force by two persons."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier

from provisioning.domain.configuration import Configuration, ConfigurationKind
from provisioning.services.check_configuration import CheckConfiguration
from tests.fakes import FakeClock
from tests.integration.cli.conftest import Installation
from tests.integration.database.conftest import Open


def starts(provisioning: Installation) -> Mapping[ConfigurationKind, datetime]:
    """A process with the settings of this moment makes itself ready; what it has that is not in force."""
    services = provisioning.services()
    services.make_ready()
    unapproved = services.check_configuration()
    services.close()
    return unapproved


def what_waits(provisioning: Installation) -> list[tuple[str, str]]:
    return [(item["reason"], item["owner"]) for item in provisioning("worklist", "--json").json]


class TestALimitIsChanged:
    def test_two_persons_put_it_in_force(self, provisioning: Installation, team: dict[str, str]) -> None:
        assert starts(provisioning) == {}
        assert what_waits(provisioning) == []
        provisioning.set(PROVISIONING_GUARD_SWAPS="0")
        assert [*starts(provisioning)] == [ConfigurationKind.LIMITS]
        assert what_waits(provisioning) == [("CONFIGURATION_UNAPPROVED", "approver")]
        [found] = [x for x in provisioning("doctor", "--json").json if x["part"] == "configuration"]
        assert (found["health"], "limits" in found["sentence"]) == ("bad", True)
        assert "guard_swaps" in provisioning("configuration", "show").out

        provisioning.as_holder_of(team["operator"])
        proposed = provisioning("configuration", "propose", "limits", "--reason", "the first schools", "--json").json
        assert provisioning("configuration", "approve", proposed["digest"]).code == 1
        provisioning.as_holder_of(team["approver"])
        assert provisioning("configuration", "approve", proposed["digest"][:8]).code == 0
        assert what_waits(provisioning) == []
        assert starts(provisioning) == {}
        provisioning.unset("PROVISIONING_GUARD_SWAPS")
        assert [*starts(provisioning)] == [ConfigurationKind.LIMITS]

        kinds = [event["kind"] for event in provisioning("audit", "list", "--json").json]
        assert {"configuration.installed", "configuration.proposed", "configuration.approved"} <= {*kinds}
        states = [(x["approved_by"], x["reason"]) for x in provisioning("configuration", "versions", "--json").json]
        assert states[0] == ("person:ap", "the first schools")

    def test_how_fast_time_goes_in_a_sandbox_is_none(self, provisioning: Installation) -> None:
        assert starts(provisioning) == {}
        provisioning.set(
            PROVISIONING_CLOCK_FACTOR="60",
            PROVISIONING_CLOCK_ORIGIN="2026-11-02T08:00:00Z",
            PROVISIONING_REALM="sandbox",
        )
        assert starts(provisioning) == {}


class TestTwoProcessesAtOnce:
    def test_the_rules_of_one_are_installed_and_the_other_decides_nothing(self, open_uow: Open) -> None:
        both_are_there = Barrier(2)

        def check(digest: str) -> bool:
            loaded = Configuration(kind=ConfigurationKind.MAPPINGS, digest=digest, content={})
            checked = CheckConfiguration(open_uow=open_uow, clock=FakeClock(), loaded=[loaded])
            both_are_there.wait(timeout=10)
            return not checked()

        with ThreadPoolExecutor(2) as pool:
            may_decide = dict(zip("ab", pool.map(check, "ab"), strict=True))
        with open_uow() as uow:
            [installed] = uow.configuration.list_all()
            events = [event.kind for event in uow.audit.list_by()]
        assert may_decide == {"a": installed.digest == "a", "b": installed.digest == "b"}
        assert events == ["configuration.installed"]
