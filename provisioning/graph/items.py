"""A call as an item of a batch: for each kind of write its method, address and body."""

from collections.abc import Callable, Mapping

import msgspec

from provisioning.domain.operation import Change, StepKind
from provisioning.graph import wire
from provisioning.graph.calls import Call


class Write(msgspec.Struct, frozen=True):
    method: str
    url: str
    body: wire.WriteBody | None = None


def to_item(call: Call, base_url: str, after: Call | None = None) -> wire.BatchItem:
    """The request of one call; its id is also the client-request-id, so that Microsoft can find it.

    `after`: the call that must have succeeded before.
    """
    write = _WRITES[call.kind](call, base_url)
    headers = {"client-request-id": call.call_id}
    if write.body is not None:
        headers["Content-Type"] = "application/json"
    waits_for = [after.call_id] if after else []
    return wire.BatchItem(call.call_id, write.method, write.url, headers, write.body, waits_for)


def is_writable(kind: StepKind) -> bool:
    """Whether a step of this kind is a request at all."""
    return kind in _WRITES


def _licence(call: Call, _: str) -> Write:
    return Write("POST", f"/users/{call.attempts[0].subject_id}/assignLicense", _assignment(call.change))


def _usage_location(call: Call, _: str) -> Write:
    location = wire.UserPatch(call.change.usage_location or "")
    return Write("PATCH", f"/users/{call.attempts[0].subject_id}", location)


def _reprocess(call: Call, _: str) -> Write:
    """With a body that says nothing: a batch refuses a POST that has none."""
    return Write("POST", f"/users/{call.attempts[0].subject_id}/reprocessLicenseAssignment", wire.Nothing())


def _new_group(call: Call, _: str) -> Write:
    name = call.change.group_name or ""
    return Write("POST", "/groups", wire.NewGroup(displayName=name, mailNickname=name))


def _group_licence(call: Call, _: str) -> Write:
    return Write("POST", f"/groups/{call.group_id}/assignLicense", _assignment(call.change))


def _new_members(call: Call, base_url: str) -> Write:
    """References are absolute and name the very Graph that they are sent to: so they hold in every cloud."""
    people = [f"{base_url}/directoryObjects/{attempt.subject_id}" for attempt in call.attempts]
    return Write("PATCH", f"/groups/{call.group_id}", wire.GroupPatch(people))


def _member(call: Call, _: str) -> Write:
    return Write("DELETE", f"/groups/{call.group_id}/members/{call.attempts[0].subject_id}/$ref")


def _assignment(change: Change) -> wire.AssignLicense:
    added = [wire.AddLicense(one.sku_id, sorted(one.disabled_plans)) for one in change.added]
    return wire.AssignLicense(added, list(change.remove_skus))


_WRITES: Mapping[StepKind, Callable[[Call, str], Write]] = {
    StepKind.ASSIGN: _licence,
    StepKind.REMOVE: _licence,
    StepKind.SWAP: _licence,
    StepKind.SET_PLANS: _licence,
    StepKind.SET_USAGE_LOCATION: _usage_location,
    StepKind.REPROCESS: _reprocess,
    StepKind.CREATE_GROUP: _new_group,
    StepKind.LICENSE_GROUP: _group_licence,
    StepKind.ADD_MEMBERS: _new_members,
    StepKind.REMOVE_MEMBER: _member,
}
