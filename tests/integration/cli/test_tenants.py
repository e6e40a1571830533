"""A tenant on its way from unknown to confirmed, with the sandbox answering for Microsoft."""

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from provisioning.domain.ids import OrganisationId
from provisioning.domain.order import LedgerCause, LedgerEntry
from tests.conformance.school import A3, DOMAIN, NEIGHBOUR, TENANT
from tests.factories import tenancy
from tests.integration.cli.conftest import Installation

SCHOOL = "41234"


@pytest.fixture
def school(provisioning: Installation) -> str:
    """A school with a web domain that bought three seats of A3."""
    services = provisioning.services()
    bought = LedgerEntry(
        holder_id=OrganisationId(SCHOOL),
        tenant_id=None,
        article_code="M365-A3-FAC",
        sku_id=A3,
        delta=3,
        effective_on=datetime.now(UTC).date(),
        ends_on=None,
        cause=LedgerCause.CORRECTION,
        cause_ref="test",
    )
    with services.open_uow() as uow:
        uow.organisations.save([tenancy.organisation(organisation_id=SCHOOL, web_domain=f"www.{DOMAIN}")])
        uow.ledger.append([bought])
        uow.commit()
    services.close()
    return SCHOOL


class TestATenant:
    def test_is_found_by_its_domain_and_looked_at(self, provisioning: Installation, team: dict[str, str]) -> None:
        added = provisioning.as_holder_of(team["operator"])("tenants", "add", DOMAIN, "--json").json
        assert (added["tenant_id"], added["consent"]) == (TENANT, "granted")
        assert DOMAIN in added["verified_domains"]

    def test_without_consent_is_known_and_nothing_more(self, provisioning: Installation, team: dict[str, str]) -> None:
        added = provisioning.as_holder_of(team["operator"])("tenants", "add", "neighbour.example", "--json").json
        assert (added["tenant_id"], added["consent"]) == (NEIGHBOUR, "none")

    def test_of_a_domain_that_nobody_owns_is_a_sentence(self, provisioning: Installation, team: dict[str, str]) -> None:
        answer = provisioning.as_holder_of(team["operator"])("tenants", "add", "nobody.example")
        assert (answer.code, "No Entra tenant owns" in answer.err) == (2, True)


class TestTheProcess:
    def test_ends_quietly_after_it_spoke_to_microsoft(self, provisioning: Installation, team: dict[str, str]) -> None:
        provisioning.as_holder_of(team["operator"])
        program = [sys.executable, "-c", "from provisioning.cli.entry import main; main()"]
        done = subprocess.run([*program, "tenants", "add", DOMAIN], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.split() == f"Tenant {TENANT} (eenschool.onmicrosoft.com); consent: granted.".split()


class TestABinding:
    def test_is_confirmed_by_a_second_person_on_two_facts(
        self, provisioning: Installation, team: dict[str, str], school: str
    ) -> None:
        provisioning.as_holder_of(team["operator"])
        provisioning("tenants", "add", DOMAIN)
        provisioning("tenants", "bind", school, DOMAIN, "--select", f'faculty={{"domain":"{DOMAIN}"}}')
        itself = provisioning("tenants", "confirm", school, DOMAIN)
        assert (itself.code, "a second person" in itself.err) == (1, True)
        answer = provisioning.as_holder_of(team["approver"])("tenants", "confirm", school, DOMAIN)
        assert answer.out == ("Confirmed by person:ap, on the ground of expected subscription and verified\ndomain.\n")

    def test_whose_selector_changed_is_confirmed_anew_by_somebody_else(
        self, provisioning: Installation, team: dict[str, str], school: str
    ) -> None:
        provisioning.as_holder_of(team["operator"])
        provisioning("tenants", "add", DOMAIN)
        provisioning("tenants", "bind", school, DOMAIN)
        provisioning.as_holder_of(team["second"])("tenants", "confirm", school, DOMAIN)
        provisioning("tenants", "select", school, DOMAIN, "faculty", '{"everyone":true}')
        (binding,) = provisioning("tenants", "show", DOMAIN, "--json").json["bindings"]
        assert binding.get("confirmed_at") is None
        assert provisioning("tenants", "confirm", school, DOMAIN).code == 1
        assert provisioning.as_holder_of(team["operator"])("tenants", "confirm", school, DOMAIN).code == 0


class TestAPolicy:
    def test_is_in_force_once_a_second_person_approved_it(
        self, provisioning: Installation, team: dict[str, str]
    ) -> None:
        provisioning.as_holder_of(team["operator"])("tenants", "add", DOMAIN)
        asked = ("--mode", "direct", "--usage-location", "NL", "--asked-by", "ticket-12", "--json")
        digest = provisioning("tenants", "policy", DOMAIN, *asked).json["digest"]
        assert provisioning("tenants", "policy", DOMAIN, "--json").json["assignment_mode"] == "none"
        assert provisioning("tenants", "policy", DOMAIN, "--approve", digest[:8]).code == 1
        assert provisioning.as_holder_of(team["second"])("tenants", "policy", DOMAIN, "--approve", digest[:8]).code == 0
        assert provisioning("tenants", "policy", DOMAIN, "--json").json["assignment_mode"] == "direct"

    def test_that_waits_is_on_the_work_list(self, provisioning: Installation, team: dict[str, str]) -> None:
        provisioning.as_holder_of(team["operator"])("tenants", "add", DOMAIN)
        provisioning("tenants", "policy", DOMAIN, "--mode", "direct", "--asked-by", "ticket-12")
        assert any(item["subject"].startswith("policy ") for item in provisioning("worklist", "--json").json)
