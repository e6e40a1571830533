import pytest

from provisioning.sandbox.errors import GraphError
from provisioning.sandbox.routes import find_route, resource_units


class TestFindRoute:
    @pytest.mark.parametrize(
        ("method", "path", "kind", "ids"),
        [
            ("GET", "/users", "users", ()),
            ("GET", "/users/", "users", ()),
            ("GET", "/users/$count", "users", ()),
            ("GET", "/users/u@x.example", "user", ("u@x.example",)),
            ("PATCH", "/users/1", "patchUser", ("1",)),
            ("POST", "/Users/1/ASSIGNLICENSE", "assignLicense", ("1",)),
            ("GET", "/groups/G/members/graph.user", "groupMembers", ("G",)),
            ("GET", "/directory/administrativeUnits/A/members", "unitMembers", ("A",)),
            ("GET", "/education/schools/s/users", "educationSchoolUsers", ("s",)),
            ("GET", "/users/delta", "usersDelta", ()),
            ("GET", "/users/delta()", "usersDelta", ()),
            ("GET", "/users('1')", "user", ("1",)),
            ("POST", "/users('1')/assignLicense", "assignLicense", ("1",)),
            ("GET", "/directory/subscriptions(commerceSubscriptionId='c')", "subscriptions", ("c",)),
            ("GET", "/directory/subscriptions/s", "subscriptions", ("s",)),
            ("GET", "/education/users/u/schools", "educationUserSchools", ("u",)),
        ],
    )
    def test_names_the_kind_and_the_ids(self, method: str, path: str, kind: str, ids: tuple[str, ...]) -> None:
        route, found = find_route(method, path)
        assert (route.kind, found) == (kind, ids)

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/users(name='1')", 400),
            ("DELETE", "/users/1", 405),
            ("POST", "/organization", 405),
            ("GET", "/me", 400),
            ("GET", "/", 400),
        ],
    )
    def test_refuses_the_rest(self, method: str, path: str, status: int) -> None:
        with pytest.raises(GraphError) as refused:
            find_route(method, path)
        assert refused.value.status == status


class TestResourceUnits:
    @pytest.mark.parametrize(
        ("query", "units"),
        [
            ("", 3),
            ("$select=id", 2),
            ("%24select=id", 2),
            ("$select=id&$top=19", 1),
            ("$top=20", 3),
            ("$expand=x", 4),
            ("$select=id&$top=1&$skiptoken=x", 1),
        ],
    )
    def test_follow_the_modifiers(self, query: str, units: int) -> None:
        route, _ = find_route("GET", "/groups/g/members")
        assert resource_units(route, query) == units
