from datetime import date

import pytest

from provisioning.domain.catalogue import Audience
from provisioning.domain.errors import InputError, NotAllowedError
from provisioning.services.bind_tenant import BindTenant
from provisioning.services.set_selector import SetSelector
from tests.unit.services.fakes_access import (
    APPROVER,
    OPERATOR,
    SCHOOL,
    SECOND,
    TENANT,
    TODAY,
    FakeClock,
    World,
    a_binding,
    a_school,
    a_tenant,
)


@pytest.fixture
def world() -> World:
    world = World()
    a_school(world)
    a_tenant(world)
    return world


def bind(world: World, **details: object) -> object:
    return BindTenant(open_uow=world.open, clock=FakeClock())(OPERATOR, SCHOOL, "school.nl", **details)


class TestBindTenant:
    def test_it_begins_today_and_is_not_confirmed(self, world: World) -> None:
        binding = bind(world)
        assert (binding.organisation_id, binding.tenant_id, binding.valid_from) == (SCHOOL, TENANT, TODAY)
        assert (binding.created_by, binding.is_confirmed) == (OPERATOR.actor, False)
        assert world.bindings == [binding]
        assert world.kinds == ["binding.made"]

    def test_an_end_before_the_beginning_is_refused(self, world: World) -> None:
        with pytest.raises(InputError, match="before it begins"):
            bind(world, valid_from=date(2026, 9, 1), valid_until=date(2026, 8, 31))

    def test_a_selector_that_cannot_be_read_binds_nothing(self, world: World) -> None:
        with pytest.raises(InputError):
            bind(world, selectors={Audience.FACULTY: '{"nobody": true}'})
        assert world.bindings == []

    def test_an_approver_does_not_bind(self, world: World) -> None:
        with pytest.raises(NotAllowedError):
            BindTenant(open_uow=world.open, clock=FakeClock())(APPROVER, SCHOOL, "school.nl")


class TestSetSelector:
    def test_a_confirmed_binding_is_confirmed_anew(self, world: World) -> None:
        a_binding(world, confirmed_by=SECOND.actor, confirmed_at=FakeClock().now())
        service = SetSelector(open_uow=world.open, clock=FakeClock())
        service(SECOND, SCHOOL, "school.nl", Audience.FACULTY, '{"domain": "school.nl"}')
        (binding,) = world.bindings
        assert (binding.selectors[Audience.FACULTY], binding.is_confirmed) == ('{"domain": "school.nl"}', False)
        assert binding.created_by == SECOND.actor

    def test_the_log_keeps_a_digest_for_selectors_may_list_people(self, world: World) -> None:
        a_binding(world)
        service = SetSelector(open_uow=world.open, clock=FakeClock())
        service(OPERATOR, SCHOOL, "school.nl", Audience.FACULTY, '{"ids": ["5f0c7d3e-1111-4111-8111-111111111111"]}')
        (event,) = world.events
        assert event.kind == "selector.set"
        assert "5f0c7d3e" not in repr(event)
        assert len(event.after) == 64

    def test_an_unreadable_selector_changes_nothing(self, world: World) -> None:
        before = a_binding(world)
        with pytest.raises(InputError):
            SetSelector(open_uow=world.open, clock=FakeClock())(
                OPERATOR, SCHOOL, "school.nl", Audience.FACULTY, "everyone"
            )
        assert world.bindings == [before]
