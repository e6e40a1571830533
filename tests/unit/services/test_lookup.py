import pytest

from provisioning.domain.errors import InputError
from provisioning.domain.ids import OperationId, TenantId
from provisioning.domain.lifecycle import OperationState
from provisioning.services.lookup import get_binding, get_operation, get_organisation, get_tenant
from tests.unit.services.fakes_access import (
    OPERATION,
    SCHOOL,
    TENANT,
    TODAY,
    World,
    a_binding,
    a_school,
    a_tenant,
    an_operation,
)


@pytest.fixture
def world() -> World:
    world = World()
    a_school(world)
    a_tenant(world)
    an_operation(world, OperationState.PLANNING)
    return world


class TestGetOperation:
    @pytest.mark.parametrize("named", ["77aa", "77AA1234", OPERATION])
    def test_the_beginning_of_its_id_is_enough(self, world: World, named: str) -> None:
        with world.open() as uow:
            assert get_operation(uow, named).operation_id == OPERATION

    @pytest.mark.parametrize(
        ("named", "problem"), [("77a", "too short"), ("88aa", "There is no operation 88aa"), ("", "too short")]
    )
    def test_what_names_none_is_said(self, world: World, named: str, problem: str) -> None:
        with world.open() as uow, pytest.raises(InputError, match=problem):
            get_operation(uow, named)

    def test_what_names_two_needs_more_characters(self, world: World) -> None:
        an_operation(world, OperationState.PLANNING, operation_id=OperationId("77aa9999"))
        with world.open() as uow, pytest.raises(InputError, match="give more characters"):
            get_operation(uow, "77aa")


class TestGetTenant:
    @pytest.mark.parametrize("named", ["school.nl", "SCHOOL.nl", "school.onmicrosoft.com", "1111", TENANT])
    def test_a_domain_or_the_beginning_of_its_id(self, world: World, named: str) -> None:
        with world.open() as uow:
            assert get_tenant(uow, named).tenant_id == TENANT

    def test_a_domain_that_nobody_has(self, world: World) -> None:
        with world.open() as uow, pytest.raises(InputError, match="There is no tenant other"):
            get_tenant(uow, "other.nl")

    def test_two_tenants_that_begin_alike(self, world: World) -> None:
        a_tenant(world, TenantId("11112222"))
        with world.open() as uow, pytest.raises(InputError, match="More than one tenant begins with 1111"):
            get_tenant(uow, "1111")


class TestGetBinding:
    def test_organisation_and_tenant_name_it(self, world: World) -> None:
        binding = a_binding(world)
        with world.open() as uow:
            assert get_binding(uow, SCHOOL, "school.nl", TODAY) == binding

    def test_without_one_the_sentence_says_how_to_make_it(self, world: World) -> None:
        with world.open() as uow, pytest.raises(InputError, match="`provisioning tenants bind`"):
            get_binding(uow, SCHOOL, "school.nl", TODAY)

    def test_an_unknown_organisation_comes_in_by_import(self, world: World) -> None:
        with world.open() as uow, pytest.raises(InputError, match="There is no organisation 99999"):
            get_organisation(uow, "99999")
