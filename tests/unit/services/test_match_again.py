import pytest

from provisioning.domain.errors import InputError, NotAllowedError
from provisioning.domain.ids import MigrationId
from provisioning.domain.migration import Migration
from provisioning.services.match_again import MatchAgain
from tests.unit.services.fakes_access import APPROVER, OPERATOR, World
from tests.unit.services.migration_scene import MIGRATION, a_merger


class TestMatchAgain:
    def test_matches_the_migration_that_was_named(self) -> None:
        world, asked = World(), []

        def match(migration: MigrationId) -> Migration:
            asked.append(migration)
            return world.migrations[migration]

        a_merger(world)
        again = MatchAgain(open_uow=world.open, match=match)
        assert again(OPERATOR, "5f0c").migration_id == MIGRATION
        assert asked == [MIGRATION]

    @pytest.mark.parametrize(
        ("identity", "named", "refused"), [(APPROVER, "5f0c", NotAllowedError), (OPERATOR, "9999", InputError)]
    )
    def test_asks_nobody_otherwise(self, identity: object, named: str, refused: type[Exception]) -> None:
        world = World()
        a_merger(world)
        again = MatchAgain(open_uow=world.open, match=lambda _: pytest.fail("both tenants were read"))
        with pytest.raises(refused):
            again(identity, named)  # type: ignore[arg-type]
