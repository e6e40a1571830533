"""What a rehearsal hands in is what the command reads: there and back again nothing is lost."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from mappings.loader import load_mappings
from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import SkuId
from provisioning.domain.migration import MatchRule, ProductPair, Situation, Treatment, WaveDefinition, Window
from provisioning.domain.migration_file import IdentityPair, MigrationFile, Side
from provisioning.intake.identity_maps import parse_identity_map
from provisioning.intake.migration_files import parse_migration
from provisioning.planning.rehearsal_file import to_file, to_map, to_rows
from tests.factories import NOW, guid
from tests.factories.migrations import EVERYONE

MAPPINGS = load_mappings()
A3, A3_PUPIL = (
    next(sku.sku_id for sku in MAPPINGS.skus.values() if sku.part_number == name)
    for name in ("M365EDU_A3_FACULTY", "M365EDU_A3_STUUSEBNFT")
)
PLAIN = MigrationFile(
    name="twee worden een",
    source=Side(tenant=guid(), holder="40001"),
    target=Side(tenant=guid(), holder="00XX00"),
    asked_by="letter 7",
    people=EVERYONE,
    products=(ProductPair(source_sku=SkuId(A3), target_sku=SkuId(A3), audience=Audience.FACULTY),),
    waves=(WaveDefinition(number=1, name="proef", selector=EVERYONE),),
    rules=(MatchRule.EMPLOYEE_ID,),
)
PAIRS = (IdentityPair(guid(), guid(), 2), IdentityPair("b@x.nl", "c@y.nl", 3))
IDS = msgspec.json.encode({"ids": [guid(), guid()]}).decode()


def changed(**fields: Any) -> MigrationFile:
    return msgspec.structs.replace(PLAIN, **fields)


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(PLAIN, id="as little as can be said"),
        pytest.param(changed(hold_period=timedelta(days=45), failure_threshold=0.2, moves_mailboxes=False), id="terms"),
        pytest.param(changed(window=Window(region="zuid", from_hour=22, until_hour=6)), id="hours in holidays"),
        pytest.param(changed(window=Window(from_hour=18)), id="hours"),
        pytest.param(
            changed(
                products=(
                    ProductPair(source_sku=SkuId(A3), target_sku=SkuId(A3), audience=Audience.FACULTY),
                    ProductPair(source_sku=SkuId(A3_PUPIL), target_sku=SkuId(A3_PUPIL), audience=Audience.STUDENT),
                ),
                plan_mapping={"EXCHANGE_S_ENTERPRISE": "EXCHANGE_S_ENTERPRISE"},
            ),
            id="products",
        ),
        pytest.param(
            changed(
                people=IDS,
                waves=(
                    WaveDefinition(number=1, name="proef", selector=IDS, limit=2),
                    WaveDefinition(number=2, name="rest", selector=EVERYONE, not_before=NOW),
                ),
                treatments={Situation.GUEST: Treatment.LEAVE_OUT, Situation.ALREADY_LICENSED: Treatment.TAKE_ALONG},
                rules=tuple(MatchRule),
            ),
            id="waves and people",
        ),
    ],
)
def test_it_is_read_as_it_was_asked_for(asked: MigrationFile) -> None:
    assert parse_migration("migration.json", to_file(asked, "identity.csv"), MAPPINGS) == asked


def test_the_map_is_named_where_there_is_one_and_has_the_same_pairs() -> None:
    read = parse_migration("migration.json", to_file(changed(identity=PAIRS), "identity.csv"), MAPPINGS)
    assert read.identity_file == "identity.csv"
    assert parse_identity_map("identity.csv", to_map(PAIRS).encode()) == PAIRS


def test_rows_stand_under_their_header() -> None:
    assert to_rows(("person", "status"), [("a@x.nl", "Completed")]) == "person,status\na@x.nl,Completed\n"
