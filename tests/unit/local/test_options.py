from provisioning.local.options import Profile, UpProfile
from provisioning.sandbox.profiles import PROFILES


class TestProfile:
    def test_are_those_that_the_twin_knows(self) -> None:
        """The twin shares no code with us, so the names stand twice."""
        assert {profile.value for profile in Profile} == set(PROFILES)

    def test_of_the_twin_are_all_there_for_up(self) -> None:
        assert {profile.value for profile in UpProfile} == {*PROFILES, "merger"}
