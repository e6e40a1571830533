"""Rules of dynamic groups: what is known is right, what is not known is refused."""

import pytest

from provisioning.sandbox.errors import GraphError
from provisioning.sandbox.membership_rules import compile_rule
from provisioning.sandbox.model import User

ANNA = User(id="1", userPrincipalName="anna@school.example", department="99XA", accountEnabled=True)


class TestKnown:
    @pytest.mark.parametrize(
        ("rule", "fits"),
        [
            ('user.department -eq "99xa"', True),
            ('(user.department -eq "99XB")', False),
            ('user.department -ne "99XB"', True),
            ('user.userPrincipalName -startsWith "anna"', True),
            ('user.userPrincipalName -contains "@other."', False),
            ("user.accountEnabled -eq true", True),
            ("user.jobTitle -eq null", True),
            ('(user.department -eq "99XA") -and (user.accountEnabled -eq false)', False),
            ('user.department -eq "99XB" -or user.accountEnabled -eq true', True),
            ('user.department -eq "a -and b"', False),
        ],
    )
    def test_decides(self, rule: str, fits: bool) -> None:
        assert compile_rule(rule)(ANNA) is fits


class TestUnknown:
    @pytest.mark.parametrize(
        "rule",
        [
            "",
            "nonsense",
            'user.colour -eq "red"',
            'user.department -match "x"',
            "user.department -eq x",
            'user.department -eq "a" -and user.jobTitle -eq "b" -or user.mail -eq "c"',
            'device.department -eq "a"',
        ],
    )
    def test_is_refused(self, rule: str) -> None:
        with pytest.raises(GraphError, match="Invalid dynamic membership rule"):
            compile_rule(rule)
