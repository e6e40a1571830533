"""Who may act: from an empty database to four eyes, through the command and PostgreSQL."""

from tests.integration.cli.conftest import Installation


class TestTheFirstAdministrator:
    def test_comes_with_the_owners_database_url(self, provisioning: Installation) -> None:
        token = provisioning.add("person:admin", "admin")
        listed = provisioning("actors", "list", "--json").json
        assert [(one["actor"], one["roles"]) for one in listed] == [("person:admin", ["admin"])]
        assert provisioning.as_holder_of(token)("actors", "add", "person:duty", "--role", "operator").code == 0

    def test_does_not_come_without_it(self, provisioning: Installation) -> None:
        provisioning.unset("PROVISIONING_OWNER_DATABASE_URL")
        answer = provisioning("actors", "add", "person:admin", "--role", "admin")
        assert (answer.code, "PROVISIONING_OWNER_DATABASE_URL" in answer.err) == (1, True)

    def test_is_written_down(self, provisioning: Installation) -> None:
        provisioning.add("person:admin", "admin")
        (event,) = provisioning("audit", "list", "--json").json
        assert (event["kind"], event["details"]["ground"]) == ("actor.added", "first administrator")


class TestTokens:
    def test_a_revoked_token_opens_nothing(self, provisioning: Installation, team: dict[str, str]) -> None:
        provisioning.as_holder_of(team["admin"])("actors", "revoke", "person:duty")
        answer = provisioning.as_holder_of(team["operator"])("stop", "--all")
        assert (answer.code, "unknown or was revoked" in answer.err) == (1, True)

    def test_who_was_revoked_can_be_added_again(self, provisioning: Installation, team: dict[str, str]) -> None:
        provisioning.as_holder_of(team["admin"])("actors", "revoke", "person:duty")
        again = provisioning.add("person:duty", "operator")
        assert again != team["operator"]
        assert provisioning.as_holder_of(again)("stop", "--all").code == 0

    def test_nobody_is_added_twice(self, provisioning: Installation, team: dict[str, str]) -> None:
        answer = provisioning.as_holder_of(team["admin"])("actors", "add", "person:duty", "--role", "operator")
        assert (answer.code, "valid token already" in answer.err) == (1, True)

    def test_no_token_is_in_the_database(self, provisioning: Installation, team: dict[str, str]) -> None:
        shown = provisioning("actors", "list", "--json").out + provisioning("audit", "list", "--json").out
        assert not any(token in shown for token in team.values())

    def test_without_one_everything_can_be_looked_at(self, provisioning: Installation) -> None:
        for command in ("actors list", "tenants list", "orders list", "operations list", "worklist", "notices list"):
            assert provisioning(*command.split()).code == 0
