"""msgraph-sdk against the twin: unmodified, typed, asynchronous."""

import asyncio
import uuid
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from azure.identity.aio import ClientSecretCredential

with warnings.catch_warnings():
    # The generated modules warn about classes that they define themselves, as soon as they are read.
    warnings.simplefilter("ignore", DeprecationWarning)
    from kiota_abstractions.base_request_configuration import RequestConfiguration
    from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
    from msgraph import GraphRequestAdapter, GraphServiceClient
    from msgraph.generated.groups.item.assign_license.assign_license_post_request_body import (
        AssignLicensePostRequestBody as GroupLicenceBody,
    )
    from msgraph.generated.models.assigned_license import AssignedLicense
    from msgraph.generated.models.group import Group
    from msgraph.generated.models.o_data_errors.o_data_error import ODataError
    from msgraph.generated.models.reference_create import ReferenceCreate
    from msgraph.generated.models.user import User
    from msgraph.generated.users.item.assign_license.assign_license_post_request_body import (
        AssignLicensePostRequestBody,
    )
    from msgraph.generated.users.users_request_builder import UsersRequestBuilder
    from msgraph_core import GraphClientFactory

from tests.conformance.school import (
    A1,
    A3,
    APP,
    GROUP,
    NOT_OWNED,
    PUPIL,
    SECRET,
    TENANT,
    WITH_A1,
    WITHOUT_LOCATION,
    YAMMER,
)
from tests.sandbox_process import SandboxControl, SandboxProcess

pytestmark = pytest.mark.filterwarnings(
    "ignore:This class is deprecated:DeprecationWarning",
    "ignore:GetQueryParameters is deprecated:DeprecationWarning",
)

Conversation = Callable[[GraphServiceClient], Awaitable[Any]]


@pytest.fixture
def converse(sandbox: SandboxProcess) -> Callable[[Conversation], Any]:
    """Runs one conversation with a client of its own, on a loop of its own."""

    async def run(conversation: Conversation) -> Any:
        credential = ClientSecretCredential(
            TENANT,
            APP,
            SECRET,
            authority=f"https://{sandbox.authority}",
            disable_instance_discovery=True,
            connection_verify=str(sandbox.ca_file),
        )
        provider = AzureIdentityAuthenticationProvider(credential, scopes=["https://graph.microsoft.com/.default"])
        # Kiota wraps the transport and never closes what it wrapped: so it is ours to close.
        transport = httpx.AsyncHTTPTransport(verify=sandbox.tls())
        async with credential, transport, httpx.AsyncClient(transport=transport, timeout=30) as client:
            middled = GraphClientFactory.create_with_default_middleware(client=client)
            adapter = GraphRequestAdapter(provider, client=middled)
            adapter.base_url = sandbox.graph_url
            return await conversation(GraphServiceClient(request_adapter=adapter))

    return lambda conversation: asyncio.run(run(conversation))


def swap(sku_in: str, sku_out: str) -> AssignLicensePostRequestBody:
    added = AssignedLicense(sku_id=uuid.UUID(sku_in), disabled_plans=[])
    return AssignLicensePostRequestBody(add_licenses=[added], remove_licenses=[uuid.UUID(sku_out)])


class TestReads:
    def test_inventory(self, converse: Callable[[Conversation], Any]) -> None:
        async def conversation(client: GraphServiceClient) -> Any:
            skus, organization = await client.subscribed_skus.get(), await client.organization.get()
            subscriptions = await client.directory.subscriptions.get()
            return skus.value, organization.value[0], subscriptions.value

        skus, organization, subscriptions = converse(conversation)
        assert {str(sku.sku_id): sku.prepaid_units.enabled for sku in skus}[A3] == 4
        assert (organization.id, organization.default_usage_location) == (TENANT, "NL")
        assert [row.sku_part_number for row in subscriptions].count("M365EDU_A3_FACULTY") == 2

    def test_users_page_by_page(self, converse: Callable[[Conversation], Any]) -> None:
        async def conversation(client: GraphServiceClient) -> Any:
            query = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters(
                top=3, select=["id", "usageLocation", "licenseAssignmentStates"]
            )
            page = await client.users.get(RequestConfiguration(query_parameters=query))
            people = list(page.value)
            while page.odata_next_link:
                page = await client.users.with_url(page.odata_next_link).get()
                people += page.value
            return people

        people = {person.id: person for person in converse(conversation)}
        assert len(people) == 7
        (state,) = people[WITH_A1].license_assignment_states
        assert (str(state.sku_id), state.state, state.error) == (A1, "Active", "None")

    def test_members_and_roster(self, converse: Callable[[Conversation], Any]) -> None:
        async def conversation(client: GraphServiceClient) -> Any:
            members = await client.groups.by_group_id(GROUP).members.graph_user.get()
            roster = await client.education.users.get()
            return members.value, roster.value

        members, roster = converse(conversation)
        assert len(members) == 2
        assert {person.id: person.primary_role.value for person in roster}[PUPIL] == "student"


class TestWrites:
    def test_a_swap(self, converse: Callable[[Conversation], Any], control: SandboxControl) -> None:
        person = converse(lambda client: client.users.by_user_id(WITH_A1).assign_license.post(swap(A3, A1)))
        assert person.id == WITH_A1
        (entry,) = control.ledger()
        assert [state["skuId"] for state in entry["after"]["licenseAssignmentStates"]] == [A3]

    def test_a_usage_location(self, converse: Callable[[Conversation], Any], control: SandboxControl) -> None:
        body = User(usage_location="NL")
        converse(lambda client: client.users.by_user_id(WITHOUT_LOCATION).patch(body))
        assert control.user(TENANT, WITHOUT_LOCATION)["usageLocation"] == "NL"


class TestErrors:
    def test_are_odata_errors_with_code_message_and_ids(self, converse: Callable[[Conversation], Any]) -> None:
        with pytest.raises(ODataError) as refused:
            converse(lambda client: client.users.by_user_id(WITH_A1).assign_license.post(swap(NOT_OWNED, A1)))
        error = refused.value.error
        assert refused.value.response_status_code == 400
        assert error is not None
        assert error.code == "Request_BadRequest"
        assert error.message == f"License {NOT_OWNED} does not correspond to a valid company License."
        assert error.inner_error is not None
        assert error.inner_error.request_id

    def test_a_claims_challenge_is_answered_by_kiota_itself(
        self, converse: Callable[[Conversation], Any], control: SandboxControl
    ) -> None:
        control.add_fault("unauthorized", claims=True, times=1)
        assert converse(lambda client: client.organization.get()).value[0].id == TENANT
        assert control.counters()["total"]["tokens"] == 2

    def test_a_throttled_call_is_repeated_by_kiota_itself(
        self, converse: Callable[[Conversation], Any], control: SandboxControl
    ) -> None:
        control.add_fault("throttle", retryAfter=1, times=1)
        assert converse(lambda client: client.organization.get()).value[0].id == TENANT


@pytest.fixture
def may_write_groups(control: SandboxControl) -> None:
    control.grant_consent(TENANT, APP, ["Group.Create", "GroupMember.ReadWrite.All"])


@pytest.mark.usefixtures("may_write_groups")
class TestGroups:
    def test_g4_8_made_filled_and_emptied(self, converse: Callable[[Conversation], Any]) -> None:
        async def conversation(graph: GraphServiceClient) -> Any:
            group = await graph.groups.post(_new_group())
            root = "https://graph.microsoft.com/v1.0/directoryObjects"
            people = {"members@odata.bind": [f"{root}/{PUPIL}", f"{root}/{WITH_A1}"]}
            one = graph.groups.by_group_id(group.id)
            await one.patch(Group(additional_data=people))
            await one.members.ref.post(ReferenceCreate(odata_id=f"{root}/{WITHOUT_LOCATION}"))
            await one.members.by_directory_object_id(PUPIL).ref.delete()
            return await one.members.get(), await one.transitive_members.graph_user.get()

        members, everybody = converse(conversation)
        assert [member.id for member in members.value] == [WITH_A1, WITHOUT_LOCATION]
        assert [member.user_principal_name for member in everybody.value] == [
            "with-a1@school.example",
            "without-location@school.example",
        ]

    def test_g4_1_licensed_and_seen_to(self, converse: Callable[[Conversation], Any], control: SandboxControl) -> None:
        control.change_group(TENANT, GROUP, join=[PUPIL])

        async def conversation(graph: GraphServiceClient) -> Any:
            licence = AssignedLicense(sku_id=uuid.UUID(A3), disabled_plans=[uuid.UUID(YAMMER)])
            body = GroupLicenceBody(add_licenses=[licence], remove_licenses=[])
            group = await graph.groups.by_group_id(GROUP).assign_license.post(body)
            user = await graph.users.by_user_id(PUPIL).reprocess_license_assignment.post()
            return group, user

        group, user = converse(conversation)
        assert (group.id, user.id) == (GROUP, PUPIL)
        (held,) = control.user(TENANT, PUPIL)["licenseAssignmentStates"]
        assert (held["skuId"], held["disabledPlans"], held["assignedByGroup"]) == (A3, [YAMMER], GROUP)


def _new_group() -> Group:
    return Group(display_name="Licentie", mail_enabled=False, mail_nickname="licentie", security_enabled=True)
