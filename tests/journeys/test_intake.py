"""Rows that must be looked at before anything is delivered: another's tenant, twice the same, a word for two things."""

import json
from concurrent.futures import ThreadPoolExecutor

from provisioning.domain.lifecycle import OperationState
from provisioning.domain.reasons import Reason
from tests.journeys.customers import A3, A3_STAFF
from tests.journeys.furniture import Town
from tests.journeys.patience import let_pass
from tests.journeys.promises import check_promises

_ROUNDS = 1.5  # real seconds in which the collector looks several times
_ENTRA_P1 = "30FC3C36 - 5A95-4956-BA57-C09C2A600BB9 "  # Microsoft Entra ID P1 for faculty, as somebody pasted it


def test_s12_wrong_tenant_domain_on_the_order(town: Town, later_lag: float) -> None:
    school, sister = town.school(12, lag=later_lag), town.school(12, lag=later_lag)
    key = town.order(school, 12, tenant_hint=sister.domain)
    town.await_held(key, Reason.TENANT_MISMATCH)
    told = town.last_word(school)
    assert (told.details["hinted"], told.details["bound"]) == (sister.tenant, school.tenant)
    town.correct(key, tenant_hint="schoool.example")
    town.await_held(key, Reason.TENANT_UNKNOWN)
    assert town.writes(school) == town.writes(sister) == 0
    town.correct(key, tenant_hint=school.domain)
    assert town.await_end(key).state is OperationState.COMPLETED
    assert town.holders(school, A3) == set(school.people)
    assert town.writes(sister) == 0
    check_promises(town, school, goal=A3)


def test_s13_the_same_message_twice(town: Town, later_lag: float) -> None:
    school = town.school(12, lag=later_lag)
    line = town.line(school.code, 12)
    for _ in range(2):
        town.services.order_desk.submit([line])
    assert town.await_end(line.key).state is OperationState.COMPLETED
    again = town.order(school, 12)
    town.await_held(again, Reason.DUPLICATE_ORDER_SUSPECTED)
    let_pass(_ROUNDS)
    assert len(town.operations(line.key)) == 1
    assert town.operations(again) == []
    town.command("orders", "release", again.order_number, "--reason", "twelve more come in August")
    assert town.await_end(again).state is OperationState.COMPLETED
    with town.services.open_uow() as uow:
        assert [entry.delta for entry in uow.ledger.list_by(school.code)] == [12, 12]
    check_promises(town, school, goal=A3)


def test_s13_two_collectors_at_the_same_moment_make_one_delivery(town: Town) -> None:
    school = town.school(6)
    key = town.order(school, 6)
    others = [town.world.services() for _ in range(3)]
    with ThreadPoolExecutor() as at_once:
        list(at_once.map(lambda services: services.collect_orders(), others))
    for services in others:
        services.close()
    assert town.await_end(key).state is OperationState.COMPLETED
    assert len(town.operations(key)) == 1
    check_promises(town, school, goal=A3)


def test_s17_unknown_or_ambiguous_article(town: Town, later_lag: float) -> None:
    school = town.school(12, lag=later_lag)
    key = town.order(school, 12, "A1", starts_on=None)
    town.await_held(key, Reason.SKU_AMBIGUOUS)
    told = json.loads(town.command("orders", "show", key.order_number, "--json"))
    assert "SKU_AMBIGUOUS" in json.dumps(told)
    town.correct(key, article_code="00000000-aaaa-bbbb-cccc-000000000000")
    town.await_held(key, Reason.SKU_UNKNOWN)
    assert town.operations(key) == []
    assert town.writes(school) == 0
    town.correct(key, article_code=A3_STAFF)
    assert town.await_end(key).state is OperationState.COMPLETED
    assert town.holders(school, A3) == set(school.people)
    check_promises(town, school, goal=A3)


def test_s17_a_product_id_with_odd_spaces_and_capitals_is_the_same_product(town: Town) -> None:
    product = "".join(_ENTRA_P1.split()).lower()
    school = town.school(6)
    town.control.add_subscription(school.tenant, skuId=product, totalLicenses=6)
    key = town.order(school, 6, _ENTRA_P1)
    assert town.await_end(key).state is OperationState.COMPLETED
    assert town.holders(school, product) == set(school.people)
    check_promises(town, school, goal=product)
