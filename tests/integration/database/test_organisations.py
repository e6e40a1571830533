from datetime import timedelta

import msgspec

from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.records import Declaration, Mandate, RecordKind
from provisioning.domain.tenancy import OrganisationKind, RelationKind
from tests.factories import NOW, TODAY, tenancy

A_DAY = timedelta(days=1)


class TestOrganisations:
    def test_come_back_as_they_were_saved(self, uow: SqlUnitOfWork) -> None:
        full = tenancy.organisation(town="Assen", web_domain="school.example", operational_from=TODAY)
        uow.organisations.save([full])
        assert uow.organisations.find(full.organisation_id) == full

    def test_saving_counts_what_is_new_or_different(self, uow: SqlUnitOfWork) -> None:
        first, second = tenancy.organisation(), tenancy.organisation()
        assert uow.organisations.save([first, second]) == 2
        assert uow.organisations.save([first, msgspec.structs.replace(second, name="Other")]) == 1
        assert uow.organisations.save([first]) == 0
        assert uow.organisations.save([]) == 0

    def test_the_last_of_two_with_the_same_id_counts(self, uow: SqlUnitOfWork) -> None:
        one = tenancy.organisation(name="old")
        uow.organisations.save([one, msgspec.structs.replace(one, name="new")])
        assert uow.organisations.list_all() == [msgspec.structs.replace(one, name="new")]

    def test_are_listed_by_kind(self, uow: SqlUnitOfWork) -> None:
        school = tenancy.organisation(kind=OrganisationKind.SCHOOL)
        uow.organisations.save([school, tenancy.organisation()])
        assert uow.organisations.list_all("school") == [school]

    def test_an_unknown_one_is_none(self, uow: SqlUnitOfWork) -> None:
        assert uow.organisations.find("nobody") is None


class TestRelations:
    def test_are_seen_from_both_ends(self, uow: SqlUnitOfWork) -> None:
        tie = tenancy.relation("board", "school")
        uow.organisations.add_relations([tie])
        assert uow.organisations.relations_of("board", TODAY) == [tie]
        assert uow.organisations.relations_of("school", TODAY) == [tie]

    def test_last_through_their_last_day(self, uow: SqlUnitOfWork) -> None:
        uow.organisations.add_relations([tenancy.relation("board", "school", valid_until=TODAY)])
        assert len(uow.organisations.relations_of("school", TODAY)) == 1
        assert uow.organisations.relations_of("school", TODAY - A_DAY) == []
        assert uow.organisations.relations_of("school", TODAY + A_DAY) == []

    def test_are_never_overwritten(self, uow: SqlUnitOfWork) -> None:
        tie = tenancy.relation("board", "school")
        other_kind = tenancy.relation("board", "school", kind=RelationKind.PARTICIPATES)
        assert uow.organisations.add_relations([tie]) == 1
        assert uow.organisations.add_relations([msgspec.structs.replace(tie, valid_until=TODAY), other_kind]) == 1
        assert tie in uow.organisations.relations_of("school", TODAY)


class TestRecords:
    DECLARATION = Declaration(record_id="d-1", organisation_id="41000", signed_on=TODAY, participants=("a", "b"))
    MANDATE = Mandate(record_id="d-1", organisation_id="41000", actor="x", scope="order", valid_from=TODAY)

    def test_come_back_as_they_were_saved_by_kind_and_organisation(self, uow: SqlUnitOfWork) -> None:
        uow.records.save([self.DECLARATION, self.MANDATE], NOW)
        assert uow.records.list_by(RecordKind.DECLARATION) == [self.DECLARATION]
        assert uow.records.list_by(RecordKind.MANDATE, "41000") == [self.MANDATE]
        assert uow.records.list_by(RecordKind.MANDATE, "41001") == []

    def test_the_same_record_again_changes_nothing(self, uow: SqlUnitOfWork) -> None:
        assert uow.records.save([self.DECLARATION], NOW) == 1
        assert uow.records.save([self.DECLARATION], NOW + A_DAY) == 0

    def test_a_corrected_record_takes_its_place(self, uow: SqlUnitOfWork) -> None:
        revoked = msgspec.structs.replace(self.DECLARATION, revoked_on=TODAY)
        uow.records.save([self.DECLARATION], NOW)
        assert uow.records.save([revoked], NOW) == 1
        assert uow.records.list_by(RecordKind.DECLARATION) == [revoked]
