"""G9.3: staff and students by the education roster, as School Data Sync writes it."""

from collections.abc import Callable

import httpx
import pytest

from tests.conformance.actions import message
from tests.conformance.reading import ids, pages, refusal
from tests.conformance.school import (
    DOMAIN,
    INHERITING,
    PUPIL,
    TENANT,
    UNIT,
    WITH_A1,
    WITH_NOTHING,
)
from tests.sandbox_process import SandboxControl

GRADE = "extension_fe2174665583431c953114ff7268b7b3_Education_Grade"
KIND = "extension_fe2174665583431c953114ff7268b7b3_Education_ObjectType"
USERS_DELTA, SCHOOLS_DELTA = "/education/users/delta", "/education/schools/delta"


class TestG93Users:
    def test_g9_3_carry_their_role(self, graph: httpx.Client) -> None:
        params = {"$select": "id,userPrincipalName,primaryRole,accountEnabled"}
        rows = graph.get("/education/users", params=params).json()["value"]
        roles = {row["id"]: row["primaryRole"] for row in rows}
        assert (roles[WITH_A1], roles[PUPIL], roles[INHERITING]) == ("teacher", "student", "none")
        assert ",".join(rows[0]) == params["$select"]

    def test_g9_3_have_the_ids_of_the_directory(self, graph: httpx.Client) -> None:
        assert ids(graph.get("/education/users")) == ids(graph.get("/users"))

    def test_g9_3_the_role_cannot_be_filtered_on(self, graph: httpx.Client) -> None:
        response = graph.get("/education/users", params={"$filter": "primaryRole eq 'student'"})
        assert refusal(response) == (400, "Request_UnsupportedQuery")

    def test_g9_3_other_properties_can(self, graph: httpx.Client) -> None:
        assert ids(graph.get("/education/users", params={"$filter": "accountEnabled eq false"})) == [PUPIL]

    def test_g9_3_one_can_be_read_by_id_or_name(self, graph: httpx.Client) -> None:
        assert graph.get(f"/education/users/{PUPIL}").json()["primaryRole"] == "student"
        assert graph.get(f"/education/users/pupil%40{DOMAIN}").json()["id"] == PUPIL
        assert graph.get(f"/education/users/{UNIT}").status_code == 404

    def test_g9_3_students_and_teachers_carry_what_their_role_has(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        control.change_user(TENANT, PUPIL, extensions={GRADE: "8"}, employeeId="4711")
        pupil, teacher = (graph.get(f"/education/users/{user}").json() for user in (PUPIL, WITH_A1))
        assert (pupil["student"]["grade"], pupil["student"]["externalId"], pupil["teacher"]) == ("8", "4711", None)
        assert teacher["student"] is None
        assert teacher["teacher"].keys() == {"externalId", "teacherNumber"}

    def test_g9_3_an_account_outside_the_roster_has_no_source(self, graph: httpx.Client) -> None:
        sources = [graph.get(f"/education/users/{user}").json()["externalSource"] for user in (PUPIL, INHERITING)]
        assert sources == ["sis", None]

    def test_g9_3_an_unknown_property_is_refused(self, graph: httpx.Client) -> None:
        assert "educationUser" in message(graph.get("/education/users?$select=shoeSize"))

    def test_g9_3_school_data_sync_leaves_extensions_on_the_directory_user(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        control.change_user(TENANT, PUPIL, extensions={GRADE: "8", KIND: "Student"})
        options = {"$filter": f"{KIND} eq 'Student'", "$select": f"id,{GRADE}"}
        assert graph.get("/users", params=options).json()["value"] == [{"id": PUPIL, GRADE: "8"}]

    def test_g9_3_needs_the_roster_permission(self, limited_graph: Callable[..., httpx.Client]) -> None:
        graph = limited_graph("User.Read.All")
        addresses = ("/education/users", f"/education/users/{PUPIL}/schools", USERS_DELTA, SCHOOLS_DELTA)
        assert {graph.get(address).status_code for address in addresses} == {403}


class TestG93Schools:
    def test_g9_3_have_their_people(self, graph: httpx.Client) -> None:
        (school,) = graph.get("/education/schools").json()["value"]
        assert (school["displayName"], school["schoolNumber"]) == ("De Akker", "99XA")
        assert ids(graph.get(f"/education/schools/{school['id']}/users")) == [WITH_A1, PUPIL]
        assert graph.get("/education/schools/none/users").status_code == 404

    def test_g9_3_one_can_be_read(self, graph: httpx.Client) -> None:
        assert graph.get("/education/schools/school-1").json()["displayName"] == "De Akker"

    def test_g9_3_people_have_their_schools(self, graph: httpx.Client) -> None:
        assert ids(graph.get(f"/education/users/{PUPIL}/schools")) == ["school-1"]
        assert ids(graph.get(f"/education/users/{WITH_NOTHING}/schools")) == []
        assert graph.get(f"/education/users/{UNIT}/schools").status_code == 404

    def test_g9_3_are_paged(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.put_school(TENANT, id="school-2", displayName="De Berk")
        collected = [ids(page) for page in pages(graph, address="/education/schools", **{"$top": 1})]
        assert collected == [["school-1"], ["school-2"]]

    def test_g9_3_may_have_an_administrative_unit(self, graph: httpx.Client, control: SandboxControl) -> None:
        assert graph.get("/education/schools/school-1/administrativeUnit").status_code == 404
        control.put_school(TENANT, id="school-1", displayName="De Akker", administrativeUnit=UNIT)
        unit = graph.get("/education/schools/school-1/administrativeUnit").json()
        assert (unit["id"], unit["displayName"]) == (UNIT, "De Akker")
        assert ids(graph.get(f"/administrativeUnits/{unit['id']}/members")) == [WITH_A1, WITH_NOTHING]

    def test_g9_3_a_school_with_a_stranger_is_refused(self, control: SandboxControl) -> None:
        with pytest.raises(ValueError, match="has no user nobody"):
            control.put_school(TENANT, id="school-2", displayName="De Berk", members=["nobody"])


class TestG93Delta:
    def link(self, graph: httpx.Client, address: str) -> str:
        link: str = graph.get(address).json()["@odata.deltaLink"]
        return link

    def test_g9_3_users_who_change_role_are_told(self, graph: httpx.Client, control: SandboxControl) -> None:
        link = self.link(graph, f"{USERS_DELTA}?$select=id,primaryRole")
        control.change_user(TENANT, INHERITING, primaryRole="teacher")
        control.change_user(TENANT, WITH_A1, jobTitle="not of the roster")
        assert graph.get(link).json()["value"] == [{"id": INHERITING, "primaryRole": "teacher"}]

    def test_g9_3_schools_that_come_and_change_are_told(self, graph: httpx.Client, control: SandboxControl) -> None:
        assert ids(graph.get(SCHOOLS_DELTA)) == ["school-1"]
        link = self.link(graph, f"{SCHOOLS_DELTA}()")
        control.put_school(TENANT, id="school-1", displayName="De Akker", schoolNumber="99XA", members=[WITH_A1])
        control.put_school(TENANT, id="school-2", displayName="De Berk")
        assert ids(graph.get(link)) == ["school-2"]

    @pytest.mark.parametrize("address", [USERS_DELTA, SCHOOLS_DELTA])
    def test_g9_3_tokens_live_seven_days(self, graph: httpx.Client, control: SandboxControl, address: str) -> None:
        link = self.link(graph, address)
        control.set_clock(advance=7 * 86_400 + 60)
        response = graph.get(link)
        assert refusal(response) == (410, "syncStateNotFound")
        assert response.headers["Location"] == f"{graph.base_url}{address[1:]}?$deltatoken="
