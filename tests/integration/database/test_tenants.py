from datetime import date, timedelta

import msgspec
import pytest

from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.catalogue import Audience
from provisioning.domain.errors import ConflictError, InputError, NotAllowedError
from provisioning.domain.ids import Actor
from provisioning.domain.tenancy import AssignmentMode, Binding, BindingEvidence, Organisation, SkuPolicy, Tenant
from tests.factories import NOW, TODAY, guid, tenancy
from tests.factories.operations import A3
from tests.factories.tenancy import AUTHOR, EVERYONE, SECOND, TWO_FACTS
from tests.integration.database.conftest import Open

A_DAY = timedelta(days=1)
THIRD = Actor("person:third")
TOMORROW = TODAY + A_DAY
YESTERDAY = TODAY - A_DAY


class TestTenants:
    def test_come_back_as_they_were_saved(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        assert uow.tenants.find(tenant.tenant_id) == tenant
        assert uow.tenants.list_all() == [tenant]

    def test_are_found_by_any_of_their_domains_in_any_case(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        assert uow.tenants.find_by_domain(tenant.initial_domain.upper()) == tenant
        assert uow.tenants.find_by_domain(tenant.verified_domains[0]) == tenant
        assert uow.tenants.find_by_domain("elsewhere.example") is None

    def test_the_first_write_is_noted_once(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        uow.tenants.note_first_write(tenant.tenant_id, NOW)
        uow.tenants.note_first_write(tenant.tenant_id, NOW + A_DAY)
        assert uow.tenants.find(tenant.tenant_id).first_write_at == NOW

    def test_an_older_copy_does_not_undo_what_was_proven(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        uow.tenants.note_proven(tenant.tenant_id, NOW)
        uow.tenants.save(msgspec.structs.replace(tenant, country="BE"))
        found = uow.tenants.find(tenant.tenant_id)
        assert (found.proven_at, found.country) == (NOW, "BE")


class TestBindings:
    @pytest.fixture
    def open_binding(self, uow: SqlUnitOfWork, board: Organisation, tenant: Tenant) -> Binding:
        made = tenancy.binding(board.organisation_id, tenant.tenant_id, confirmed=False)
        uow.tenants.add_binding(made)
        return made

    def test_are_seen_from_organisation_tenant_and_id(
        self, uow: SqlUnitOfWork, board: Organisation, tenant: Tenant, open_binding: Binding
    ) -> None:
        assert uow.tenants.bindings_of(board.organisation_id, TODAY) == [open_binding]
        assert uow.tenants.bindings_in(tenant.tenant_id, TODAY) == [open_binding]
        assert uow.tenants.find_binding(open_binding.binding_id) == open_binding
        assert uow.tenants.bindings_of(board.organisation_id, YESTERDAY) == []

    def test_two_on_one_day_are_refused(
        self, uow: SqlUnitOfWork, board: Organisation, tenant: Tenant, open_binding: Binding
    ) -> None:
        with pytest.raises(ConflictError, match="already has a binding"):
            uow.tenants.add_binding(tenancy.binding(board.organisation_id, tenant.tenant_id, valid_from=TOMORROW))

    def test_one_after_the_other_is_fine(self, uow: SqlUnitOfWork, board: Organisation, tenant: Tenant) -> None:
        ended = tenancy.binding(board.organisation_id, tenant.tenant_id, valid_until=TODAY)
        uow.tenants.add_binding(ended)
        uow.tenants.add_binding(tenancy.binding(board.organisation_id, tenant.tenant_id, valid_from=TOMORROW))
        assert uow.tenants.bindings_of(board.organisation_id, TODAY) == [ended]

    def test_a_transition_may_overlap(
        self, uow: SqlUnitOfWork, board: Organisation, tenant: Tenant, open_binding: Binding
    ) -> None:
        uow.tenants.add_binding(tenancy.binding(board.organisation_id, tenant.tenant_id, is_transition=True))
        assert len(uow.tenants.bindings_of(board.organisation_id, TODAY)) == 2

    def test_to_an_unknown_tenant_or_of_an_unknown_organisation_are_refused(
        self, open_uow: Open, board: Organisation, tenant: Tenant
    ) -> None:
        for organisation, where in [(board.organisation_id, guid()), ("nobody", tenant.tenant_id)]:
            with open_uow() as uow, pytest.raises(InputError, match="not known"):
                uow.tenants.add_binding(tenancy.binding(organisation, where))

    def test_a_second_person_confirms_on_two_facts(self, uow: SqlUnitOfWork, open_binding: Binding) -> None:
        uow.tenants.confirm_binding(open_binding.binding_id, SECOND, NOW, TWO_FACTS)
        found = uow.tenants.find_binding(open_binding.binding_id)
        assert (found.confirmed_by, found.confirmed_at, found.evidence) == (SECOND, NOW, TWO_FACTS)

    @pytest.mark.parametrize(
        ("by", "evidence"),
        [
            pytest.param(AUTHOR, TWO_FACTS, id="not the author"),
            pytest.param("system", TWO_FACTS, id="not the system"),
            pytest.param(SECOND, {BindingEvidence.SIGNED_CONSENT}, id="not on one fact"),
        ],
    )
    def test_nobody_else_confirms(
        self, uow: SqlUnitOfWork, open_binding: Binding, by: Actor, evidence: set[BindingEvidence]
    ) -> None:
        with pytest.raises(NotAllowedError):
            uow.tenants.confirm_binding(open_binding.binding_id, by, NOW, evidence)

    def test_confirming_twice_is_a_conflict_and_confirming_nothing_an_error(
        self, uow: SqlUnitOfWork, open_binding: Binding
    ) -> None:
        uow.tenants.confirm_binding(open_binding.binding_id, SECOND, NOW, TWO_FACTS)
        with pytest.raises(ConflictError, match="confirmed already"):
            uow.tenants.confirm_binding(open_binding.binding_id, SECOND, NOW, TWO_FACTS)
        with pytest.raises(InputError, match="does not exist"):
            uow.tenants.confirm_binding(guid(), SECOND, NOW, TWO_FACTS)


class TestSelectors:
    GROUP = '{"group":"0a0a0a0a-0000-4000-8000-000000000001"}'

    @pytest.fixture
    def confirmed(self, uow: SqlUnitOfWork, board: Organisation, tenant: Tenant) -> Binding:
        made = tenancy.binding(board.organisation_id, tenant.tenant_id)
        uow.tenants.add_binding(made)
        return made

    def test_a_new_one_takes_confirming_anew_by_somebody_else_than_its_author(
        self, uow: SqlUnitOfWork, confirmed: Binding
    ) -> None:
        uow.tenants.set_selector(confirmed.binding_id, Audience.STUDENT, self.GROUP, SECOND, NOW)
        found = uow.tenants.find_binding(confirmed.binding_id)
        assert found.selectors == {Audience.FACULTY: EVERYONE, Audience.STUDENT: self.GROUP}
        assert (found.is_confirmed, found.evidence, found.created_by) == (False, frozenset(), SECOND)
        with pytest.raises(NotAllowedError):
            uow.tenants.confirm_binding(confirmed.binding_id, SECOND, NOW, TWO_FACTS)

    def test_the_maker_of_the_binding_may_look_at_it(self, uow: SqlUnitOfWork, confirmed: Binding) -> None:
        uow.tenants.set_selector(confirmed.binding_id, Audience.FACULTY, self.GROUP, SECOND, NOW)
        uow.tenants.confirm_binding(confirmed.binding_id, AUTHOR, NOW, TWO_FACTS)
        assert uow.tenants.find_binding(confirmed.binding_id).confirmed_by == AUTHOR

    @pytest.fixture
    def proposed(self, uow: SqlUnitOfWork, board: Organisation, tenant: Tenant) -> Binding:
        made = tenancy.binding(board.organisation_id, tenant.tenant_id, confirmed=False)
        uow.tenants.add_binding(made)
        return made

    @pytest.mark.parametrize("author", [AUTHOR, SECOND, THIRD])
    def test_whoever_wrote_some_of_what_nobody_confirmed_yet_is_an_author_of_it(
        self, uow: SqlUnitOfWork, proposed: Binding, author: Actor
    ) -> None:
        uow.tenants.set_selector(proposed.binding_id, Audience.FACULTY, self.GROUP, SECOND, NOW, [THIRD])
        found = uow.tenants.find_binding(proposed.binding_id)
        assert (found.created_by, set(found.hands)) == (SECOND, {AUTHOR, SECOND, THIRD})
        with pytest.raises(NotAllowedError):
            uow.tenants.confirm_binding(proposed.binding_id, author, NOW, TWO_FACTS)

    def test_what_was_confirmed_and_is_changed_is_a_new_proposal(self, uow: SqlUnitOfWork, confirmed: Binding) -> None:
        uow.tenants.set_selector(confirmed.binding_id, Audience.FACULTY, self.GROUP, SECOND, NOW, [THIRD])
        assert set(uow.tenants.find_binding(confirmed.binding_id).hands) == {SECOND, THIRD}
        uow.tenants.set_selector(confirmed.binding_id, Audience.STUDENT, self.GROUP, AUTHOR, NOW)
        assert set(uow.tenants.find_binding(confirmed.binding_id).hands) == {AUTHOR, SECOND, THIRD}

    def test_sizes_are_remembered_per_audience(self, uow: SqlUnitOfWork, confirmed: Binding) -> None:
        uow.tenants.note_selection(confirmed.binding_id, Audience.FACULTY, 30, NOW)
        uow.tenants.note_selection(confirmed.binding_id, Audience.FACULTY, 28, NOW)
        assert uow.tenants.selection_size(confirmed.binding_id, Audience.FACULTY) == 28
        assert uow.tenants.selection_size(confirmed.binding_id, Audience.STUDENT) is None


class TestPolicies:
    def test_without_any_nothing_is_assigned(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        assert uow.tenants.policy_on(tenant.tenant_id, TODAY).assignment_mode is AssignmentMode.NONE

    def test_come_back_as_they_were_written(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        full = tenancy.policy(
            tenant.tenant_id,
            seat_priority=("41000", "IT"),
            skus={A3: SkuPolicy(frozenset({"a", "b"}), frozenset({"a", "b", "c"}))},
            advised={Audience.STUDENT: frozenset({"sway"})},
        )
        uow.tenants.add_policy(full)
        assert uow.tenants.policy_on(tenant.tenant_id, TODAY) == full

    def test_a_proposal_is_not_in_force(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        proposed = tenancy.policy(tenant.tenant_id, approved_by=None)
        uow.tenants.add_policy(proposed)
        assert uow.tenants.policy_on(tenant.tenant_id, TODAY).assignment_mode is AssignmentMode.NONE
        assert uow.tenants.list_policies(tenant.tenant_id) == [proposed]

    def test_none_of_its_authors_brings_it_into_force(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        proposed = tenancy.policy(tenant.tenant_id, approved_by=None, authors=(SECOND, THIRD))
        uow.tenants.add_policy(proposed)
        assert uow.tenants.list_policies(tenant.tenant_id) == [proposed]
        with pytest.raises(NotAllowedError, match="wrote nothing of it"):
            uow.tenants.approve_policy(tenant.tenant_id, proposed.digest, THIRD, NOW)

    def test_a_second_person_brings_it_into_force(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        proposed = tenancy.policy(tenant.tenant_id, approved_by=None)
        uow.tenants.add_policy(proposed)
        uow.tenants.approve_policy(tenant.tenant_id, proposed.digest, SECOND, NOW)
        expected = msgspec.structs.replace(proposed, approved_by=SECOND)
        assert uow.tenants.policy_on(tenant.tenant_id, TODAY) == expected

    @pytest.mark.parametrize("by", [AUTHOR, "system", "client:shop"])
    def test_nobody_else_does(self, uow: SqlUnitOfWork, tenant: Tenant, by: Actor) -> None:
        proposed = tenancy.policy(tenant.tenant_id, approved_by=None)
        uow.tenants.add_policy(proposed)
        with pytest.raises(NotAllowedError, match="did not write it"):
            uow.tenants.approve_policy(tenant.tenant_id, proposed.digest, by, NOW)

    def test_approving_what_nobody_proposed_is_a_conflict(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        with pytest.raises(ConflictError, match="Look again"):
            uow.tenants.approve_policy(tenant.tenant_id, "0" * 64, SECOND, NOW)

    def test_the_next_one_ends_the_one_before(self, uow: SqlUnitOfWork, tenant: Tenant) -> None:
        first = tenancy.policy(tenant.tenant_id, valid_from=date(2026, 1, 1))
        second = tenancy.policy(tenant.tenant_id, valid_from=TOMORROW)
        uow.tenants.add_policy(first)
        uow.tenants.add_policy(second)
        assert uow.tenants.policy_on(tenant.tenant_id, TODAY) == msgspec.structs.replace(first, valid_until=TODAY)
        assert uow.tenants.policy_on(tenant.tenant_id, TOMORROW) == second

    def test_one_from_an_earlier_day_on_takes_the_place_of_what_was_to_come(
        self, uow: SqlUnitOfWork, tenant: Tenant
    ) -> None:
        later = tenancy.policy(tenant.tenant_id, valid_from=TOMORROW)
        earlier = tenancy.policy(tenant.tenant_id, valid_from=TODAY)
        uow.tenants.add_policy(later)
        uow.tenants.add_policy(earlier)
        assert uow.tenants.policy_on(tenant.tenant_id, TOMORROW) == earlier
        assert uow.tenants.list_policies(tenant.tenant_id) == [earlier]
