from datetime import timedelta
from typing import Any

import msgspec
import pytest

from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.actors import Identity, Role
from provisioning.domain.errors import ConflictError, InputError
from provisioning.domain.ids import Actor
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import FailedAlike, Stop
from tests.factories import NOW

A_MONTH = timedelta(days=30)
OPERATOR = Identity(actor=Actor("person:op"), roles=frozenset({Role.OPERATOR, Role.AUDITOR}), expires_at=NOW + A_MONTH)
BOARD = Identity(actor=Actor("client:board"), roles=frozenset({Role.BOARD}), board_id="41000", expires_at=NOW + A_MONTH)


class TestActors:
    def test_are_known_by_their_token(self, uow: SqlUnitOfWork) -> None:
        uow.actors.add(OPERATOR, "digest-1", NOW)
        uow.actors.add(BOARD, "digest-2", NOW)
        assert uow.actors.find_by_token("digest-1") == OPERATOR
        assert uow.actors.find_by_token("digest-2") == BOARD
        assert uow.actors.find_by_token("digest-3") is None
        assert uow.actors.list_all() == [BOARD, OPERATOR]

    def test_may_have_several_tokens_and_the_roles_given_last(self, uow: SqlUnitOfWork) -> None:
        later = msgspec.structs.replace(OPERATOR, roles=frozenset({Role.AUDITOR}), expires_at=NOW + 2 * A_MONTH)
        uow.actors.add(OPERATOR, "digest-1", NOW)
        uow.actors.add(later, "digest-2", NOW)
        first = uow.actors.find_by_token("digest-1")
        assert (first.roles, first.expires_at) == (later.roles, OPERATOR.expires_at)
        assert uow.actors.list_all() == [later]

    def test_revoked_ones_are_gone_with_all_their_tokens(self, uow: SqlUnitOfWork) -> None:
        uow.actors.add(OPERATOR, "digest-1", NOW)
        uow.actors.add(OPERATOR, "digest-2", NOW)
        assert uow.actors.revoke(OPERATOR.actor, NOW)
        assert not uow.actors.revoke(OPERATOR.actor, NOW)
        assert uow.actors.find_by_token("digest-1") is uow.actors.find_by_token("digest-2") is None
        assert uow.actors.list_all() == []
        assert not uow.actors.has_any(Role.OPERATOR, NOW)

    def test_may_come_back_with_a_new_token_and_the_old_stays_dead(self, uow: SqlUnitOfWork) -> None:
        uow.actors.add(OPERATOR, "digest-1", NOW)
        uow.actors.revoke(OPERATOR.actor, NOW)
        uow.actors.add(OPERATOR, "digest-2", NOW)
        assert uow.actors.find_by_token("digest-1") is None
        assert uow.actors.find_by_token("digest-2") == OPERATOR
        assert uow.actors.has_any(Role.OPERATOR, NOW)

    def test_whose_token_expired_no_longer_counts_as_having_the_role(self, uow: SqlUnitOfWork) -> None:
        uow.actors.add(OPERATOR, "digest-1", NOW)
        assert uow.actors.has_any(Role.OPERATOR, OPERATOR.expires_at - timedelta(seconds=1))
        assert not uow.actors.has_any(Role.OPERATOR, OPERATOR.expires_at)

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ({"actor": Actor("somebody")}, "person:<handle> or client:<name>"),
            ({"roles": frozenset({Role.SHOP})}, "A person can be"),
            ({"actor": Actor("client:x")}, "A client can be"),
            ({"actor": Actor("client:x"), "roles": frozenset({Role.BOARD})}, "bound to one board"),
            ({"expires_at": None}, "expires"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, uow: SqlUnitOfWork, change: dict[str, Any], told: str) -> None:
        with pytest.raises(InputError, match=told):
            uow.actors.add(msgspec.structs.replace(OPERATOR, **change), "digest-1", NOW)

    def test_a_token_belongs_to_one(self, uow: SqlUnitOfWork) -> None:
        uow.actors.add(OPERATOR, "digest-1", NOW)
        with pytest.raises(ConflictError, match="in use already"):
            uow.actors.add(BOARD, "digest-1", NOW)


class TestStops:
    ALL = Stop(scope="all", reason="fire drill", stopped_by="person:op", stopped_at=NOW)

    @pytest.mark.parametrize(
        ("scope", "is_blocking"),
        [("all", True), ("tenant:t", True), ("kind:deliver", True), ("tenant:u", False), ("kind:migrate", False)],
    )
    def test_block_what_they_cover(self, uow: SqlUnitOfWork, scope: str, is_blocking: bool) -> None:
        stop = msgspec.structs.replace(self.ALL, scope=scope)
        uow.stops.add(stop)
        assert uow.stops.blocking("t", "deliver") == (stop if is_blocking else None)

    def test_are_lifted_once(self, uow: SqlUnitOfWork) -> None:
        uow.stops.add(self.ALL)
        assert uow.stops.lift("all")
        assert not uow.stops.lift("all")
        assert uow.stops.list_all() == []

    def test_a_second_one_leaves_the_first_as_it_was(self, uow: SqlUnitOfWork) -> None:
        uow.stops.add(self.ALL)
        uow.stops.add(msgspec.structs.replace(self.ALL, reason="another"))
        assert uow.stops.list_all() == [self.ALL]

    def test_an_unknown_scope_is_refused(self, uow: SqlUnitOfWork) -> None:
        with pytest.raises(InputError, match="A stop covers"):
            uow.stops.add(msgspec.structs.replace(self.ALL, scope="everything"))


def _note(uow: SqlUnitOfWork, tenant: str, reason: Reason, minutes: int) -> FailedAlike:
    at = NOW + timedelta(minutes=minutes)
    return uow.stops.note_credential_failure(tenant, reason, at, at - timedelta(minutes=10))


class TestCredentialFailures:
    def test_what_a_person_answered_is_told_apart(self, uow: SqlUnitOfWork) -> None:
        for tenant in "ab":
            _note(uow, tenant, Reason.CREDENTIAL_REJECTED, 0)
        uow.stops.answer_credential_failures()
        assert _note(uow, "c", Reason.CREDENTIAL_REJECTED, 1) == (3, 1)
        assert _note(uow, "a", Reason.CREDENTIAL_REJECTED, 2) == (3, 2)

    def test_count_tenants_with_the_same_error_in_the_window(self, uow: SqlUnitOfWork) -> None:
        def note(tenant: str, reason: Reason, minutes: int) -> int:
            return _note(uow, tenant, reason, minutes).tenants

        assert note("a", Reason.CREDENTIAL_REJECTED, 0) == 1
        assert note("a", Reason.CREDENTIAL_REJECTED, 1) == 1
        assert note("b", Reason.CONSENT_REVOKED, 2) == 1
        assert note("b", Reason.CREDENTIAL_REJECTED, 11) == 2
        assert note("c", Reason.CREDENTIAL_REJECTED, 12) == 2
