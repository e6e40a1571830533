"""The reads we send, made by the SDK's request builders: addresses and encoding are theirs, the fields our choice."""

import warnings

from kiota_abstractions.method import Method
from kiota_abstractions.request_adapter import RequestAdapter
from kiota_abstractions.request_information import RequestInformation
from msgraph.graph_service_client import GraphServiceClient

from provisioning.graph import wire

PAGE_SIZE = 999  # the most Graph gives of users and members


class Requests:
    """One method per collection we read. Making it imports the SDK's modules, so that no first call waits for them."""

    def __init__(self, adapter: RequestAdapter) -> None:
        self._graph = GraphServiceClient(request_adapter=adapter)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # each builder module warns of classes it defines
            self._touch_all()

    def organization(self) -> RequestInformation:
        request: RequestInformation = self._graph.organization.to_get_request_information()
        return request

    def subscribed_skus(self) -> RequestInformation:
        request: RequestInformation = self._graph.subscribed_skus.to_get_request_information()
        return request

    def subscriptions(self) -> RequestInformation:
        request: RequestInformation = self._graph.directory.subscriptions.to_get_request_information()
        return request

    def users(self) -> RequestInformation:
        return _selecting(self._graph.users.to_get_request_information(), *wire.USER_FIELDS)

    def users_with(self, name: str) -> RequestInformation:
        return _selecting(self._graph.users.to_get_request_information(), "id", name)

    def groups(self) -> RequestInformation:
        return _selecting(self._graph.groups.to_get_request_information(), "id", "assignedLicenses")

    def groups_named(self, nickname: str) -> RequestInformation:
        quoted = nickname.replace("'", "''")
        request = _asking(self._graph.groups.to_get_request_information(), *wire.GROUP_FIELDS)
        request.query_parameters["%24filter"] = f"mailNickname eq '{quoted}'"
        return request

    # Members without an OData cast: a cast makes it an advanced query, which reads an index that lags further.

    def group_members(self, group_id: str) -> RequestInformation:
        members = self._graph.groups.by_group_id(group_id).members
        return _selecting(members.to_get_request_information(), "id")

    def unit_members(self, unit_id: str) -> RequestInformation:
        members = self._graph.directory.administrative_units.by_administrative_unit_id(unit_id).members
        return _selecting(members.to_get_request_information(), "id")

    def school_users(self, school_id: str) -> RequestInformation:
        users = self._graph.education.schools.by_education_school_id(school_id).users
        return _selecting(users.to_get_request_information(), "id", "primaryRole")

    def _touch_all(self) -> None:
        for request in (self.organization, self.subscribed_skus, self.subscriptions, self.users, self.groups):
            request()
        for request_of in (self.groups_named, self.group_members, self.unit_members, self.school_users):
            request_of("id")


def next_page(link: str) -> RequestInformation:
    """A nextLink as it is: it is opaque."""
    request = RequestInformation(Method.GET)
    request.url = link
    return request


def _selecting(request: RequestInformation, *fields: str) -> RequestInformation:
    request.query_parameters["%24top"] = PAGE_SIZE
    return _asking(request, *fields)


def _asking(request: RequestInformation, *fields: str) -> RequestInformation:
    request.query_parameters["%24select"] = list(fields)
    return request
