from provisioning.sandbox.model import Assignment, Directory, User

DATE = "2025-09-01T08:00:00Z"


def user(name: str = "ann", **more: object) -> User:
    return User(id=name, userPrincipalName=f"{name}@School.example", **more)  # type: ignore[arg-type]


def held(sku_id: str, *disabled: str, **more: str) -> Assignment:
    return Assignment(sku_id, DATE, disabled, **more)


class TestUser:
    def test_assigned_licenses_disable_what_every_assignment_disables(self) -> None:
        person = user(assignments=(held("k", "a", "b"), held("k", "b", "c", assignedByGroup="g")))
        assert person.assignedLicenses == [{"disabledPlans": ("b",), "skuId": "k"}]

    def test_assigned_licenses_leave_out_what_is_in_error(self) -> None:
        person = user(assignments=(held("k", assignedByGroup="g", state="Error"),))
        assert person.assignedLicenses == []

    def test_a_licence_that_works_with_an_error_takes_its_seat(self) -> None:
        assert user(assignments=(held("k", state="ActiveWithError"),)).consumed_skus == {"k"}


class TestDirectory:
    def test_people_are_found_by_id_and_name_in_any_case(self) -> None:
        directory = Directory()
        directory.put(user())
        assert directory.find_id("ANN") == directory.find_id("Ann@SCHOOL.example") == "ann"
        assert directory.find_id("ben") is None

    def test_a_new_name_replaces_the_old_one(self) -> None:
        directory = Directory()
        directory.put(user())
        directory.put(User(id="ann", userPrincipalName="anna@school.example"))
        assert directory.find_id("ann@school.example") is None
        assert directory.find_id("anna@school.example") == "ann"

    def test_seats_follow_the_people(self) -> None:
        directory = Directory()
        directory.put(user(assignments=(held("k"), held("k", assignedByGroup="g"))))
        assert (directory.consumed["k"], directory.count) == (1, 1)
        directory.remove("ann")
        assert (directory.consumed["k"], directory.count) == (0, 0)

    def test_who_leaves_keeps_the_place_in_the_order(self) -> None:
        directory = Directory()
        directory.put(user("ann"))
        directory.put(user("ben"))
        directory.remove("ann")
        assert directory.order == ["ann", "ben"]
        assert directory.remove("ann") is None
