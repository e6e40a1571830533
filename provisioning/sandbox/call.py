"""One authenticated Graph call on its way through the twin."""

from collections.abc import Iterator
from typing import Any

import msgspec

from provisioning.sandbox.errors import bad_request, not_found
from provisioning.sandbox.identity import Caller
from provisioning.sandbox.ledger import Author
from provisioning.sandbox.model import Group, User
from provisioning.sandbox.replicas import Replica
from provisioning.sandbox.tenants import Tenant
from provisioning.sandbox.wire import Request
from provisioning.sandbox.world import World


class Call(msgspec.Struct):
    """`ids` are the variable segments of the path; `copy` is the replica this call happened to reach."""

    world: World
    request: Request
    tenant: Tenant
    caller: Caller
    ids: tuple[str, ...]
    copy: Replica
    author: Author
    now: float

    @property
    def root(self) -> str:
        return f"https://{self.request.host}/v1.0"

    @property
    def body(self) -> Any:
        try:
            return self.request.json
        except msgspec.DecodeError as error:
            raise bad_request(
                "Unable to read JSON request payload. Please ensure Content-Type header is set."
            ) from error

    def find_user(self, user_id: str) -> User | None:
        """The user as this copy knows it."""
        found: User | None = self.copy.see(user_id, self.tenant.directory.users.get(user_id))
        return found

    def get_user(self, id_or_upn: str) -> User:
        """The user as this copy knows it; raises Graph's 404."""
        user_id = self.tenant.directory.find_id(id_or_upn)
        user = self.find_user(user_id) if user_id else None
        if user is None:
            raise not_found(id_or_upn)
        return user

    def users(self, ids: list[str]) -> Iterator[User]:
        """The users among `ids` that this copy knows."""
        return (user for user_id in ids if (user := self.find_user(user_id)) is not None)

    def find_group(self, group_id: str) -> Group | None:
        """The group as this copy knows it."""
        found: Group | None = self.copy.see(("group", group_id), self.tenant.groups.get(group_id))
        return found

    def get_group(self) -> Group:
        """The group that the path names, as this copy knows it; raises Graph's 404."""
        group = self.find_group(self.ids[0].lower())
        if group is None:
            raise not_found(self.ids[0])
        return group

    def members(self, group_id: str) -> list[str]:
        """The places of a group's members; who is none on this copy has left theirs empty."""
        members = self.tenant.groups.members(group_id)
        if members.is_whole and self.copy.is_current:
            return members.order
        return [one if self.is_member(group_id, one) else "" for one in members.order]

    def is_member(self, group_id: str, member_id: str) -> bool:
        """Whether somebody is in a group as this copy knows it."""
        members = self.tenant.groups.members(group_id)
        return bool(self.copy.see(("member", group_id, member_id), member_id in members))
