from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import msgspec
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.configuration import INSTALLED, ConfigurationKind, ConfigurationVersion
from provisioning.domain.errors import ConflictError, InputError, NotAllowedError
from provisioning.domain.ids import SYSTEM, Actor
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from tests.factories import NOW
from tests.factories import operations as make
from tests.integration.database.conftest import Open, store

MAPPINGS, LIMITS = ConfigurationKind.MAPPINGS, ConfigurationKind.LIMITS
AUTHOR, SECOND, THIRD = Actor("person:author"), Actor("person:second"), Actor("person:third")
LATER = NOW + timedelta(hours=1)


def version(digest: str, kind: ConfigurationKind = MAPPINGS, **fields: object) -> ConfigurationVersion:
    made = ConfigurationVersion(
        kind=kind,
        digest=digest,
        content={"articles.csv": f"{digest} rows"},
        reason="prices of next year",
        proposed_by=AUTHOR,
        proposed_at=NOW,
    )
    return msgspec.structs.replace(made, **fields)


def installed(digest: str, kind: ConfigurationKind = MAPPINGS) -> ConfigurationVersion:
    return version(digest, kind, proposed_by=SYSTEM, reason=INSTALLED)


def run(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement))


class TestInstall:
    def test_the_first_of_each_kind_is_in_force_at_once(self, uow: SqlUnitOfWork) -> None:
        assert uow.configuration.in_force() == {}
        first, other = installed("one"), installed("two", LIMITS)
        assert uow.configuration.install(first)
        assert uow.configuration.install(other)
        assert uow.configuration.in_force() == {MAPPINGS: first, LIMITS: other}

    def test_two_workers_that_start_at_once_make_one_row(self, open_uow: Open) -> None:
        with open_uow() as first, open_uow() as second:
            assert first.configuration.in_force() == second.configuration.in_force() == {}
            assert first.configuration.install(installed("one"))
            first.commit()
            assert not second.configuration.install(installed("two"))
            second.commit()
            assert [each.digest for each in second.configuration.list_all()] == ["one"]

    def test_happens_once_even_after_its_version_was_replaced(self, uow: SqlUnitOfWork) -> None:
        uow.configuration.install(installed("one"))
        uow.configuration.propose(version("two"))
        uow.configuration.approve(MAPPINGS, "two", SECOND, LATER)
        assert not uow.configuration.install(installed("three"))
        assert uow.configuration.in_force()[MAPPINGS].digest == "two"


class TestApprove:
    @pytest.fixture(autouse=True)
    def _proposed(self, open_uow: Open) -> None:
        with open_uow() as uow:
            uow.configuration.install(installed("one"))
            uow.configuration.propose(version("two"))
            uow.configuration.propose(version("three"))
            uow.commit()

    def test_a_second_person_puts_it_in_the_place_of_the_one_in_force(self, uow: SqlUnitOfWork) -> None:
        uow.configuration.approve(MAPPINGS, "two", SECOND, LATER)
        found = uow.configuration.in_force()[MAPPINGS]
        assert found == version("two", approved_by=SECOND, approved_at=LATER)
        assert found.since == LATER
        assert uow.configuration.list_all()[-1] == msgspec.structs.replace(installed("one"), retired_at=LATER)

    def test_the_one_before_comes_back_by_two_persons_too(self, uow: SqlUnitOfWork) -> None:
        uow.configuration.approve(MAPPINGS, "two", SECOND, LATER)
        uow.configuration.propose(version("one", proposed_by=SECOND))
        uow.configuration.approve(MAPPINGS, "one", AUTHOR, LATER)
        assert uow.configuration.in_force()[MAPPINGS].digest == "one"
        assert len(uow.configuration.list_all()) == 4

    @pytest.mark.parametrize("approver", [AUTHOR, SYSTEM, "client:shop"])
    def test_not_by_its_proposer_and_only_by_a_person(self, uow: SqlUnitOfWork, approver: str) -> None:
        with pytest.raises(NotAllowedError, match="person who did not propose"):
            uow.configuration.approve(MAPPINGS, "two", Actor(approver), LATER)

    @pytest.mark.parametrize("digest", ["four", "one"])
    def test_what_nobody_proposed_cannot_come_into_force(self, uow: SqlUnitOfWork, digest: str) -> None:
        with pytest.raises(ConflictError, match="wait for approval"):
            uow.configuration.approve(MAPPINGS, digest, SECOND, LATER)

    def test_two_approvals_at_once_leave_one_in_force(self, open_uow: Open) -> None:
        both_looked = Barrier(2)

        def approve(digest: str) -> bool:
            with open_uow() as uow:
                assert uow.configuration.in_force()[MAPPINGS].digest == "one"
                both_looked.wait(timeout=10)
                try:
                    uow.configuration.approve(MAPPINGS, digest, SECOND, LATER)
                except ConflictError:
                    return False
                uow.commit()
                return True

        with ThreadPoolExecutor(2) as pool:
            done = dict(zip(("two", "three"), pool.map(approve, ("two", "three")), strict=True))
        with open_uow() as uow:
            every = uow.configuration.list_all()
        [in_force] = [each.digest for each in every if each.is_in_force]
        assert done[in_force]

    def test_what_was_rejected_waits_no_longer(self, uow: SqlUnitOfWork) -> None:
        uow.configuration.reject(MAPPINGS, "two", LATER)
        with pytest.raises(ConflictError, match="wait for approval"):
            uow.configuration.approve(MAPPINGS, "two", SECOND, LATER)
        with pytest.raises(ConflictError, match="wait for approval"):
            uow.configuration.reject(MAPPINGS, "two", LATER)
        uow.configuration.propose(version("two"))
        assert uow.configuration.in_force()[MAPPINGS].digest == "one"

    def test_the_same_proposal_waits_once(self, uow: SqlUnitOfWork) -> None:
        with pytest.raises(ConflictError, match="waits for approval already"):
            uow.configuration.propose(version("two", proposed_by=SECOND))

    def test_a_proposal_has_a_reason(self, uow: SqlUnitOfWork) -> None:
        with pytest.raises(InputError, match="needs a reason"):
            uow.configuration.propose(version("four", reason=" "))


def brought_back(digest: str, by: Actor = THIRD, **fields: object) -> ConfigurationVersion:
    return version(digest, proposed_by=by, proposed_at=LATER, reason="people lost Exchange", **fields)


class TestRestore:
    @pytest.fixture(autouse=True)
    def _others_in_force(self, open_uow: Open) -> None:
        with open_uow() as uow:
            uow.configuration.install(installed("one"))
            uow.configuration.propose(version("two"))
            uow.configuration.approve(MAPPINGS, "two", SECOND, LATER)
            uow.configuration.propose(version("three"))
            uow.commit()

    def test_what_was_in_force_is_so_again_by_one_person(self, uow: SqlUnitOfWork) -> None:
        restored = uow.configuration.restore(brought_back("one"), "two")
        assert uow.configuration.in_force()[MAPPINGS] == restored
        assert restored.is_unreviewed
        assert [each.digest for each in uow.configuration.list_all() if each.is_proposed] == ["three"]

    @pytest.mark.parametrize("instead_of", ["one", "three"])
    def test_not_when_others_came_into_force_meanwhile(self, uow: SqlUnitOfWork, instead_of: str) -> None:
        with pytest.raises(ConflictError, match="in between"):
            uow.configuration.restore(brought_back("one"), instead_of)

    @pytest.mark.parametrize("digest", ["three", "four"])
    def test_what_two_persons_never_approved_does_not_come_back(self, uow: SqlUnitOfWork, digest: str) -> None:
        with pytest.raises(ConflictError):
            uow.configuration.restore(brought_back(digest), "two")

    def test_only_a_person_brings_it_back(self, uow: SqlUnitOfWork) -> None:
        with pytest.raises(NotAllowedError, match="Only a person"):
            uow.configuration.restore(brought_back("one", Actor("client:shop")), "two")

    def test_it_waits_on_the_work_list_until_another_reviewed_it(self, uow: SqlUnitOfWork) -> None:
        uow.configuration.restore(brought_back("one"), "two")
        (item,) = [x for x in uow.worklist.items(LATER) if x.reason is Reason.ROLLBACK_UNREVIEWED]
        assert (item.subject, item.since) == ("rollback to mappings one", LATER)
        uow.configuration.review(MAPPINGS, "one", SECOND, LATER)
        assert Reason.ROLLBACK_UNREVIEWED not in {x.reason for x in uow.worklist.items(LATER)}
        with pytest.raises(ConflictError, match="waits for review"):
            uow.configuration.review(MAPPINGS, "one", SECOND, LATER)

    def test_its_author_does_not_review_it(self, uow: SqlUnitOfWork) -> None:
        uow.configuration.restore(brought_back("one"), "two")
        with pytest.raises(NotAllowedError, match="another person"):
            uow.configuration.review(MAPPINGS, "one", THIRD, LATER)

    def test_an_activation_and_a_rollback_at_once_leave_one_of_them(self, open_uow: Open) -> None:
        both_looked = Barrier(2)

        def decide(is_rollback: bool) -> bool:
            with open_uow() as uow:
                assert uow.configuration.in_force()[MAPPINGS].digest == "two"
                both_looked.wait(timeout=10)
                try:
                    if is_rollback:
                        uow.configuration.restore(brought_back("one"), "two")
                    else:
                        uow.configuration.approve(MAPPINGS, "three", SECOND, LATER)
                except ConflictError:
                    return False
                uow.commit()
                return True

        with ThreadPoolExecutor(2) as pool:
            rolled_back, activated = pool.map(decide, (True, False))
        with open_uow() as uow:
            [in_force] = [each.digest for each in uow.configuration.list_all() if each.is_in_force]
        # an activation that comes whole after a rollback is a decision about it; the other way round is none
        assert in_force == ("three" if activated else "one")
        assert rolled_back or activated

    @pytest.mark.parametrize("first_is_rollback", [True, False])
    def test_whoever_comes_second_with_an_old_look_is_refused_or_decides_anew(
        self, open_uow: Open, first_is_rollback: bool
    ) -> None:
        with open_uow() as first, open_uow() as second:
            if first_is_rollback:
                first.configuration.restore(brought_back("one"), "two")
            else:
                first.configuration.approve(MAPPINGS, "three", SECOND, LATER)
            first.commit()
            with pytest.raises(ConflictError, match="in between"):
                second.configuration.restore(brought_back("one"), "two")

    def test_whoever_proposed_what_came_back_approves_no_plan_on_it(self, open_uow: Open, operation: Operation) -> None:
        with open_uow() as uow:
            uow.configuration.approve(MAPPINGS, "three", SECOND, LATER)
            uow.configuration.restore(brought_back("two"), "three")
            plan = store(uow, make.plan(operation, make.people(1), guard_breaches=("too many",)))
            uow.commit()
        for author in (THIRD, AUTHOR):
            with open_uow() as uow, pytest.raises(NotAllowedError, match="had a hand in what the plan rests on"):
                uow.plans.approve(plan.plan_id, author, plan.envelope.digest, LATER)


class TestContents:
    def test_are_kept_once_and_found_by_their_digest(self, uow: SqlUnitOfWork) -> None:
        uow.configuration.keep(MAPPINGS, "one", b"first")
        uow.configuration.keep(MAPPINGS, "one", b"another")
        assert uow.configuration.content(MAPPINGS, "one") == b"first"
        assert uow.configuration.content(LIMITS, "one") is None

    @pytest.mark.parametrize(
        "deed", ["UPDATE configuration_contents SET packed = ''", "DELETE FROM configuration_contents"]
    )
    def test_stay_as_they_are(self, engine: Engine, deed: str) -> None:
        with pytest.raises(ProgrammingError, match="permission denied"):
            run(engine, deed)


class TestServiceRole:
    @pytest.fixture(autouse=True)
    def _proposed(self, open_uow: Open) -> None:
        with open_uow() as uow:
            uow.configuration.install(installed("one"))
            uow.configuration.propose(version("two"))
            uow.commit()

    @pytest.mark.parametrize(
        "deed",
        [
            "UPDATE configuration_versions SET proposed_by = 'person:somebody-else'",
            "UPDATE configuration_versions SET digest = 'another'",
            "DELETE FROM configuration_versions",
        ],
    )
    def test_what_was_proposed_stays_as_it_was(self, engine: Engine, deed: str) -> None:
        with pytest.raises(ProgrammingError, match="permission denied"):
            run(engine, deed)

    @pytest.mark.parametrize(
        "deed",
        [
            "UPDATE configuration_versions SET approved_by = proposed_by, approved_at = proposed_at",
            "UPDATE configuration_versions SET approved_by = 'person:x', approved_at = proposed_at",
            """INSERT INTO configuration_versions (kind, digest, content, reason, proposed_by, proposed_at)
               VALUES ('mappings', 'three', '{}', 'installed', 'system', '2026-01-01Z')""",
            """INSERT INTO configuration_versions (kind, digest, content, reason, proposed_by, proposed_at)
               VALUES ('limits', 'three', '{}', 'because', 'system', '2026-01-01Z')""",
            """INSERT INTO configuration_versions (kind, digest, content, reason, proposed_by, proposed_at, restores)
               SELECT kind, 'three', '{}', 'because', 'person:x', proposed_at, version_id
               FROM configuration_versions WHERE digest = 'one'""",
            """INSERT INTO configuration_versions (kind, digest, content, reason, proposed_by, proposed_at, restores)
               SELECT kind, digest, '{}', 'because', 'person:x', proposed_at, version_id
               FROM configuration_versions WHERE digest = 'two'""",
        ],
    )
    def test_nothing_comes_into_force_by_sql_alone(self, engine: Engine, deed: str) -> None:
        with pytest.raises((NotAllowedError, ConflictError, IntegrityError)):
            run(engine, deed)


class TestPlans:
    def test_whoever_proposed_the_mappings_does_not_approve_a_plan_that_stands_on_them(
        self, uow: SqlUnitOfWork, operation: Operation
    ) -> None:
        uow.configuration.install(installed("one"))
        uow.configuration.propose(version("two"))
        uow.configuration.approve(MAPPINGS, "two", SECOND, LATER)
        plan = store(uow, make.plan(operation, make.people(1), guard_breaches=("too many",)))
        uow.commit()
        with pytest.raises(NotAllowedError, match="had a hand in what the plan rests on"):
            uow.plans.approve(plan.plan_id, AUTHOR, plan.envelope.digest, LATER)

    def test_anybody_else_does_and_a_proposal_alone_excludes_nobody(
        self, uow: SqlUnitOfWork, operation: Operation
    ) -> None:
        uow.configuration.install(installed("one"))
        uow.configuration.propose(version("two"))
        plan = store(uow, make.plan(operation, make.people(1), guard_breaches=("too many",)))
        uow.plans.approve(plan.plan_id, AUTHOR, plan.envelope.digest, LATER)
        assert uow.plans.find(plan.plan_id).approved_by == AUTHOR
