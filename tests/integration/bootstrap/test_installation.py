from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from provisioning.bootstrap import Services, check_installation
from provisioning.database.realm import Realm, claim_realm, read_realm
from provisioning.domain.errors import ConfigurationError, UnavailableError
from provisioning.local.engines import Engines
from tests.engines import temporary_database


class SlowClock:
    """One that is three seconds behind the world."""

    def now(self) -> datetime:
        return self.wall()

    def wall(self) -> datetime:
        return datetime.now(UTC) - timedelta(seconds=3)


class TestCheckInstallation:
    def test_the_first_start_claims_the_realm(self, installation: Callable[..., Services], engine: Engine) -> None:
        check_installation(installation())
        assert read_realm(engine) is Realm.SANDBOX

    def test_every_later_start_finds_it_claimed(self, installation: Callable[..., Services]) -> None:
        check_installation(installation())
        check_installation(installation())

    def test_the_database_of_the_other_realm_is_refused(
        self, installation: Callable[..., Services], engine: Engine
    ) -> None:
        claim_realm(engine, Realm.LIVE, datetime.now(UTC))
        with pytest.raises(ConfigurationError, match="live realm"):
            check_installation(installation())

    def test_a_schema_of_another_release_is_refused(
        self, installation: Callable[..., Services], engines: Engines
    ) -> None:
        with (
            temporary_database(engines) as name,
            pytest.raises(ConfigurationError, match="provisioning db upgrade"),
        ):
            check_installation(installation(database_url=engines.url_of(name)))

    def test_clocks_that_disagree_are_refused(self, installation: Callable[..., Services]) -> None:
        services = installation()
        vars(services)["clock"] = SlowClock()
        with pytest.raises(UnavailableError, match="clocks"):
            check_installation(services)

    def test_a_signing_key_that_is_none_is_found_at_the_start(
        self, installation: Callable[..., Services], tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        folder = tmp_path_factory.mktemp("keys")
        (folder / "key").write_text("no key")
        services = installation(checkpoint_folder=folder, checkpoint_key_file=folder / "key")
        with pytest.raises(ConfigurationError, match="PROVISIONING_CHECKPOINT_KEY_FILE"):
            check_installation(services)

    def test_without_a_database_it_says_so(self, installation: Callable[..., Services], engines: Engines) -> None:
        with pytest.raises((UnavailableError, ConfigurationError)):
            check_installation(installation(database_url=engines.url_of("never_made")))


class TestDiagnose:
    def test_looks_at_database_schema_realm_and_broker(self, installation: Callable[..., Services]) -> None:
        check_installation(installation())
        findings = {finding.part: finding.health for finding in installation().diagnose()}
        assert {part: findings[part] for part in ("database", "schema", "realm", "broker")} == dict.fromkeys(
            ("database", "schema", "realm", "broker"), "ok"
        )
