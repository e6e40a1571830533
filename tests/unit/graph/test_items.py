from typing import Any

import msgspec
import pytest

from provisioning.domain.ids import GroupId, ServicePlanId, SkuId
from provisioning.domain.operation import Addition, Change, StepKind
from provisioning.graph.calls import Call
from provisioning.graph.items import is_writable, to_item
from tests.unit.graph import fakes
from tests.unit.graph.fakes import A1, A3, GROUP

ROOT = "https://graph.test/v1.0"
PLAN = ServicePlanId("2078e8df-cff6-4290-98cb-5408261a760a")
PERSON = fakes.subject(1)
PHONE, OTHER_PHONE = SkuId("e4654015-5daf-4a48-9b37-4f309dddd88b"), SkuId("985fcb26-7b94-475b-b512-89356697be71")


def sent(call: Call, after: Call | None = None) -> dict[str, Any]:
    """The item as Graph sees it."""
    item: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(to_item(call, ROOT, after)))
    return item


def call(kind: StepKind, change: Change) -> Call:
    return Call((fakes.attempt(1, kind, change),))


class TestToItem:
    @pytest.mark.parametrize(
        ("kind", "change", "request_line", "body"),
        [
            pytest.param(
                StepKind.REPROCESS,
                Change(),
                ("POST", f"/users/{PERSON}/reprocessLicenseAssignment"),
                {},
                id="reprocess, with a body of nothing: a batch refuses a POST without one",
            ),
            pytest.param(
                StepKind.CREATE_GROUP,
                Change(group_name="lic-a3"),
                ("POST", "/groups"),
                {"displayName": "lic-a3", "mailEnabled": False, "mailNickname": "lic-a3", "securityEnabled": True},
                id="a new security group",
            ),
            pytest.param(
                StepKind.LICENSE_GROUP,
                Change(group_id=GROUP, add_sku=A3, disabled_plans=frozenset({PLAN}), remove_skus=(A1,)),
                ("POST", f"/groups/{GROUP}/assignLicense"),
                {"addLicenses": [{"skuId": A3, "disabledPlans": [PLAN]}], "removeLicenses": [A1]},
                id="the licences of a group, swapped at once",
            ),
            pytest.param(
                StepKind.SWAP,
                Change(
                    add_sku=A3,
                    remove_skus=(A1, PHONE),
                    also_add=(Addition(OTHER_PHONE, frozenset({PLAN})),),
                ),
                ("POST", f"/users/{PERSON}/assignLicense"),
                {
                    "addLicenses": [
                        {"skuId": A3, "disabledPlans": []},
                        {"skuId": OTHER_PHONE, "disabledPlans": [PLAN]},
                    ],
                    "removeLicenses": [A1, PHONE],
                },
                id="a product and its add-on, both swapped in one call",
            ),
            pytest.param(
                StepKind.ADD_MEMBERS,
                Change(group_id=GROUP, add_sku=A3),
                ("PATCH", f"/groups/{GROUP}"),
                {"members@odata.bind": [f"{ROOT}/directoryObjects/{PERSON}"]},
                id="one person joins",
            ),
        ],
    )
    def test_what_leaves(
        self, kind: StepKind, change: Change, request_line: tuple[str, str], body: dict[str, Any]
    ) -> None:
        item = sent(call(kind, change))
        assert (item["method"], item["url"]) == request_line
        assert item["body"] == body
        assert item["headers"]["Content-Type"] == "application/json"
        assert item["id"] == item["headers"]["client-request-id"] == fakes.attempt(1).attempt_id

    def test_who_leaves_a_group_needs_no_body(self) -> None:
        item = sent(Call((fakes.leaving(1),)))
        assert (item["method"], item["url"]) == ("DELETE", f"/groups/{GROUP}/members/{PERSON}/$ref")
        assert "body" not in item
        assert "Content-Type" not in item["headers"]

    def test_twenty_people_are_one_request_under_the_id_of_the_call(self) -> None:
        item = sent(Call(tuple(fakes.joining(7, *range(20)))))
        assert item["body"]["members@odata.bind"] == [f"{ROOT}/directoryObjects/{fakes.subject(n)}" for n in range(20)]
        assert item["id"] == item["headers"]["client-request-id"] == fakes.call_id(7)

    def test_one_waits_for_another_in_graphs_own_word(self) -> None:
        first, second = Call(tuple(fakes.joining(1, 1))), Call(tuple(fakes.joining(2, 2)))
        assert sent(second, after=first)["dependsOn"] == [fakes.call_id(1)]
        assert "dependsOn" not in sent(first)


def test_every_kind_of_step_but_none_is_a_request() -> None:
    assert [kind for kind in StepKind if not is_writable(kind)] == [StepKind.NO_OP]


class TestSoundness:
    @pytest.mark.parametrize(
        ("attempts", "is_sound"),
        [
            pytest.param([fakes.attempt(1)], True, id="one person"),
            pytest.param(fakes.joining(1, *range(20)), True, id="twenty join"),
            pytest.param(fakes.joining(1, *range(21)), False, id="twenty-one are too many"),
            pytest.param(
                [*fakes.joining(1, 1), *fakes.joining(1, 2, group=GroupId("another"))], False, id="two groups"
            ),
            pytest.param([fakes.leaving(1), fakes.leaving(2)], False, id="leaving is one by one"),
            pytest.param([*fakes.joining(1, 1), fakes.leaving(2)], False, id="joining and leaving"),
            pytest.param([fakes.attempt(1, StepKind.ADD_MEMBERS, Change(add_sku=A3))], False, id="into no group"),
            pytest.param([fakes.attempt(1, StepKind.REMOVE_MEMBER, Change())], False, id="out of no group"),
            pytest.param([fakes.attempt(1, StepKind.LICENSE_GROUP, Change(add_sku=A3))], False, id="of no group"),
            pytest.param([fakes.attempt(1, StepKind.CREATE_GROUP, Change())], False, id="a group without a name"),
        ],
    )
    def test_only_who_joins_the_same_group_shares_a_call(self, attempts: list[Any], *, is_sound: bool) -> None:
        assert Call(tuple(attempts)).is_sound is is_sound
