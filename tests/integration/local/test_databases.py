import pytest
from psycopg import errors

from provisioning.local.databases import Role
from provisioning.local.engines import Engines
from tests.engines import temporary_database
from tests.integration.local.observing import connect, recall, remember


class TestServiceRole:
    def test_owns_nothing_and_makes_nothing(self, engines: Engines) -> None:
        with connect(engines.database_url) as session:
            for statement in ("create table mine ()", "create schema mine", "create database mine", "create role mine"):
                with pytest.raises(errors.InsufficientPrivilege):
                    session.execute(statement)

    def test_reads_only_what_it_is_granted(self, engines: Engines) -> None:
        with temporary_database(engines) as name, connect(engines.url_of(name, Role.OWNER)) as owner:
            owner.execute("create table granted (); create table kept_back ()")
            owner.execute("grant select on granted to provisioning_service")
            with connect(engines.url_of(name)) as service:
                assert service.execute("select count(*) from granted").fetchone() == (0,)
                with pytest.raises(errors.InsufficientPrivilege):
                    service.execute("select count(*) from kept_back")

    def test_has_no_way_into_the_order_database_but_the_reader(self, engines: Engines) -> None:
        with pytest.raises(Exception, match="permission denied for database"):
            connect(engines.url_of("orders", Role.SERVICE))


class TestOwnerRole:
    def test_owns_its_database_and_is_no_superuser(self, engines: Engines) -> None:
        with connect(engines.owner_url) as session:
            session.execute("create schema owned; drop schema owned")
            assert session.execute("select current_database()").fetchone() == ("provisioning",)
            assert session.execute("show is_superuser").fetchone() == ("off",)


class TestOrdersReader:
    def test_reads_tables_and_views_that_come_later(self, engines: Engines) -> None:
        with connect(engines.order_owner_url) as shop, connect(engines.order_database_url) as reader:
            shop.execute("create table later (line int); insert into later values (1)")
            shop.execute("create view later_view as select line from later")
            assert reader.execute("select line from later").fetchall() == [(1,)]
            assert reader.execute("select line from later_view").fetchall() == [(1,)]
            shop.execute("drop view later_view; drop table later")

    def test_writes_nothing_even_when_it_tries(self, engines: Engines) -> None:
        with connect(engines.order_owner_url) as shop, connect(engines.order_database_url) as reader:
            shop.execute("create table guarded (line int)")
            with pytest.raises(errors.ReadOnlySqlTransaction):
                reader.execute("insert into guarded values (1)")
            reader.execute("set default_transaction_read_only = off")
            with pytest.raises(errors.InsufficientPrivilege):
                reader.execute("insert into guarded values (1)")
            shop.execute("drop table guarded")


class TestCluster:
    @pytest.mark.parametrize(
        ("setting", "expected"),
        [("server_encoding", "UTF8"), ("timezone", "UTC"), ("shared_buffers", "128MB")],
    )
    def test_is_the_same_on_every_machine(self, engines: Engines, setting: str, expected: str) -> None:
        with connect(engines.database_url) as session:
            assert session.execute("select current_setting(%s)", [setting]).fetchone() == (expected,)

    def test_knows_the_letters_of_unicode(self, engines: Engines) -> None:
        with connect(engines.database_url) as session:
            assert session.execute("select upper('zoë')").fetchone() == ("ZOË",)


class TestCreateDatabase:
    def test_copies_the_template(self, engines: Engines) -> None:
        with temporary_database(engines) as template:
            remember(engines.url_of(template, Role.OWNER), "from the template")
            with temporary_database(engines, template) as copy:
                remember(engines.url_of(copy, Role.OWNER), "of the copy")
                assert recall(engines.url_of(copy, Role.OWNER)) == {"from the template", "of the copy"}
            assert recall(engines.url_of(template, Role.OWNER)) == {"from the template"}


class TestDropDatabase:
    def test_does_not_wait_for_open_sessions(self, engines: Engines) -> None:
        with temporary_database(engines) as name, connect(engines.url_of(name)) as session:
            engines.drop_database(name)
            with pytest.raises(errors.AdminShutdown):
                session.execute("select 1")

    def test_what_is_not_there_is_no_error(self, engines: Engines) -> None:
        engines.drop_database("never_made")
