"""By what a person is found again in another tenant: read whole, handed on, kept nowhere.

learn.microsoft.com, "user resource type": employeeId, onPremisesImmutableId and mailNickname come only when selected.
"""

from collections.abc import Mapping

import msgspec

from provisioning.domain.ids import SubjectId, TenantId
from provisioning.domain.migration import MatchRule
from provisioning.graph import wire
from provisioning.graph.client import GraphClient
from provisioning.graph.paging import decoded, pages

_KEYS = msgspec.json.Decoder(list[wire.UserKey])
_NAMES: Mapping[MatchRule, str] = {
    MatchRule.EMPLOYEE_ID: "employeeId",
    MatchRule.IMMUTABLE_ID: "onPremisesImmutableId",
    MatchRule.MAIL_NICKNAME: "mailNickname",
}


async def read_match_keys(client: GraphClient, tenant: TenantId, rule: MatchRule) -> dict[SubjectId, str]:
    """Everybody's key, of those who have one. All of them or a GraphError: half a tenant would match wrong people."""
    name = _NAMES[rule]
    keys: dict[SubjectId, str] = {}
    async for value in pages(client, tenant, client.requests.users_with(name)):
        for user in decoded(_KEYS.decode, value):
            if key := getattr(user, name):
                keys[SubjectId(user.id)] = key
    return keys
