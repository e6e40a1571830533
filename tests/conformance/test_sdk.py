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
    from kiota_abstractions.api_error import APIError
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
    BOTH_WAYS,
    GROUP,
    INHERITING,
    NOT_OWNED,
    PHONE,
    PUPIL,
    SECRET,
    TENANT,
    WITH_A1,
    WITH_NOTHING,
    WITHOUT_LOCATION,
    YAMMER,
)
from tests.sandbox_process import SandboxControl, SandboxProcess

pytestmark = pytest.mark.filterwarnings(
    "ignore:This class is deprecated:DeprecationWarning",
    "ignore:GetQueryParameters is deprecated:DeprecationWarning",
)

BAD = "Request_BadRequest"
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


def adding(sku_id: str) -> AssignLicensePostRequestBody:
    added = AssignedLicense(sku_id=uuid.UUID(sku_id), disabled_plans=[])
    return AssignLicensePostRequestBody(add_licenses=[added], remove_licenses=[])


def removing(sku_id: str) -> AssignLicensePostRequestBody:
    return AssignLicensePostRequestBody(add_licenses=[], remove_licenses=[uuid.UUID(sku_id)])


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

    @pytest.mark.parametrize(
        ("user", "body", "status", "code", "text"),
        [
            pytest.param(WITHOUT_LOCATION, adding(A1), 400, BAD, "invalid usage location", id="g3.4 #1"),
            pytest.param(WITH_NOTHING, adding(NOT_OWNED), 400, BAD, "valid company License", id="g3.4 #4"),
            pytest.param(WITH_NOTHING, removing(A1), 400, BAD, "corresponding license", id="g3.4 #5"),
            pytest.param(INHERITING, removing(A3), 400, BAD, "inherited from a group", id="g3.4 #6"),
            pytest.param(WITH_NOTHING, adding(PHONE), 400, BAD, "depends on the service plan", id="g3.4 #7"),
            pytest.param(WITH_A1, adding(A3), 400, BAD, "mutually exclusive", id="g3.4 #8"),
            pytest.param(
                WITH_A1, AssignLicensePostRequestBody(add_licenses=[]), 400, BAD, "removeLicenses", id="g3.4 #10"
            ),
            pytest.param(GROUP, adding(A1), 404, "Request_ResourceNotFound", "does not exist", id="g3.4 #13"),
        ],
    )
    def test_g3_4_rows_arrive_typed(
        self,
        converse: Callable[[Conversation], Any],
        user: str,
        body: AssignLicensePostRequestBody,
        status: int,
        code: str,
        text: str,
    ) -> None:
        with pytest.raises(ODataError) as refused:
            converse(lambda client: client.users.by_user_id(user).assign_license.post(body))
        error = refused.value.error
        assert error is not None
        assert (refused.value.response_status_code, error.code) == (status, code)
        assert text in (error.message or "")

    @pytest.mark.parametrize("body", ["html", "empty"])
    def test_g3_4_19_an_answer_that_is_no_json_is_a_plain_api_error(
        self, converse: Callable[[Conversation], Any], control: SandboxControl, body: str
    ) -> None:
        control.add_fault("error", status=500, body=body)
        with pytest.raises(APIError) as refused:
            converse(lambda client: client.organization.get())
        assert not isinstance(refused.value, ODataError)
        assert refused.value.response_status_code == 500


class TestAdvancedQueries:
    def query(self, headers: dict[str, str], **options: Any) -> RequestConfiguration[Any]:
        query = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters(**options)
        configuration = RequestConfiguration(query_parameters=query)
        for name, value in headers.items():
            configuration.headers.add(name, value)
        return configuration

    def test_g5_2_page_by_page_with_the_header_sent_again(self, converse: Callable[[Conversation], Any]) -> None:
        async def conversation(client: GraphServiceClient) -> Any:
            eventual = {"ConsistencyLevel": "eventual"}
            query = self.query(eventual, top=1, count=True, filter="assignedLicenses/$count ne 0")
            page = await client.users.get(query)
            found, total = list(page.value), page.odata_count
            while page.odata_next_link:
                page = await client.users.with_url(page.odata_next_link).get(self.query(eventual))
                found += page.value
            return [person.id for person in found], total

        assert converse(conversation) == ([WITH_A1, INHERITING, BOTH_WAYS], 3)

    def test_g5_2_06_page_2_without_the_header_is_an_odata_error(self, converse: Callable[[Conversation], Any]) -> None:
        async def conversation(client: GraphServiceClient) -> Any:
            page = await client.users.get(self.query({}, top=1, filter=f"assignedLicenses/any(x:x/skuId eq {A3})"))
            return await client.users.with_url(page.odata_next_link).get()

        with pytest.raises(ODataError) as refused:
            converse(conversation)
        assert refused.value.error is not None
        assert refused.value.error.code == "Directory_ExpiredPageToken"

    def test_g5_2_08_the_count(self, converse: Callable[[Conversation], Any]) -> None:
        query: RequestConfiguration[Any] = RequestConfiguration()
        query.headers.add("ConsistencyLevel", "eventual")
        assert converse(lambda client: client.users.count.get(query)) == 7


class TestDelta:
    def test_g5_4_rounds_with_removals(self, converse: Callable[[Conversation], Any], control: SandboxControl) -> None:
        async def conversation(client: GraphServiceClient) -> Any:
            first = await client.users.delta.get()
            control.delete_user(TENANT, PUPIL)
            control.change_user(TENANT, WITH_A1, displayName="renamed")
            second = await client.users.delta.with_url(first.odata_delta_link).get()
            return first.value, second.value

        first, second = converse(conversation)
        changed = {person.id: person for person in second}
        assert len(first) == 7
        assert changed[WITH_A1].display_name == "renamed"
        assert changed[PUPIL].additional_data["@removed"] == {"reason": "changed"}

    def test_g5_4_gone_says_where_to_start_over(
        self, converse: Callable[[Conversation], Any], control: SandboxControl
    ) -> None:
        control.add_fault("gone", times=1)

        async def conversation(client: GraphServiceClient) -> Any:
            first = await client.users.delta.get()
            try:
                await client.users.delta.with_url(first.odata_delta_link).get()
            except ODataError as gone:
                again = await client.users.delta.with_url(gone.response_headers["location"]).get()
                return gone.response_status_code, gone.error.code, len(again.value)

        assert converse(conversation) == (410, "resyncRequired", 7)


class TestRoster:
    def test_g9_3_people_their_schools_and_their_changes(
        self, converse: Callable[[Conversation], Any], control: SandboxControl
    ) -> None:
        async def conversation(client: GraphServiceClient) -> Any:
            pupil = client.education.users.by_education_user_id(PUPIL)
            schools, person = await pupil.schools.get(), await pupil.get()
            people = await client.education.schools.by_education_school_id(schools.value[0].id).users.get()
            before = await client.education.users.delta.get()
            control.change_user(TENANT, INHERITING, primaryRole="teacher")
            after = await client.education.users.delta.with_url(before.odata_delta_link).get()
            return schools.value, person, people.value, after.value

        schools, person, people, changed = converse(conversation)
        assert [school.display_name for school in schools] == ["De Akker"]
        assert (person.primary_role.value, person.student is not None) == ("student", True)
        assert {one.id for one in people} == {WITH_A1, PUPIL}
        assert [(one.id, one.primary_role.value) for one in changed] == [(INHERITING, "teacher")]


class TestKeys:
    def test_g2_2_a_subscription_by_its_commerce_id(self, converse: Callable[[Conversation], Any]) -> None:
        async def conversation(client: GraphServiceClient) -> Any:
            listed = (await client.directory.subscriptions.get()).value[1]
            key = listed.commerce_subscription_id
            found = await client.directory.subscriptions_with_commerce_subscription_id(key).get()
            return listed.id, found.id

        listed, found = converse(conversation)
        assert listed == found


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
