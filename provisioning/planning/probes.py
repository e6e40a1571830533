"""What is asked of a test tenant and of the twin. Rows are those of the dossier on Graph's behaviour: its catalogue of
errors (3.4), and what it could not verify (14).
"""

from typing import Any

from provisioning.planning.group_probes import GROUP_POINTS
from provisioning.planning.probe import LICENCES, Ask, OutOfReach, Probe

_PEOPLE, _ROSTER = "User.ReadWrite.All", "EduRoster.Read.All"
_READS: frozenset[str] = frozenset()
_BOTH = frozenset({LICENCES, _PEOPLE})
_STATES = "id,usageLocation,licenseAssignmentStates"


def _licences(add: list[Any], remove: list[str], user: str = "<user>") -> Ask:
    body = {"addLicenses": add, "removeLicenses": remove}
    return Ask(method="POST", path=f"/users/{user}/assignLicense", body=body)


def _give(sku: str, *disabled: str) -> Ask:
    return _licences([{"skuId": sku, "disabledPlans": list(disabled)}], [])


def _live_in(country: str | None) -> Ask:
    return Ask(method="PATCH", path="/users/<user>", body={"usageLocation": country})


def _look(until: int | None = None) -> Ask:
    return Ask(method="GET", path=f"/users/<user>?$select={_STATES}", until=until)


ERROR_ROWS: tuple[Probe, ...] = (
    Probe(
        name="location-missing",
        row="3.4 #1",
        question="What does a person without a usage location get?",
        first=(_live_in(None),),
        ask=_give("<sku>"),
        needs=_BOTH,
    ),
    Probe(
        name="location-unsold",
        row="3.4 #2",
        question="What does a person get in a country where the product is not sold (KP)?",
        first=(_live_in("KP"),),
        ask=_give("<sku>"),
        needs=_BOTH,
    ),
    Probe(name="seats-none", row="3.4 #3", question="What when no seat is free?", ask=_give("<exhausted>")),
    Probe(name="sku-unowned", row="3.4 #4", question="What for a product that is not owned?", ask=_give("<unowned>")),
    Probe(
        name="remove-absent",
        row="3.4 #5",
        question="What when a licence is taken that is not there?",
        ask=_licences([], ["<sku>"]),
    ),
    Probe(
        name="dependency",
        row="3.4 #7",
        question="What when the plans are off that another one needs?",
        ask=_licences([{"skuId": "<needy>", "disabledPlans": "<pillars>"}], []),
    ),
    Probe(
        name="conflict",
        row="3.4 #8",
        question="What when two products bring plans that exclude each other?",
        ask=_licences([{"skuId": sku, "disabledPlans": []} for sku in ("<clash>", "<rival>")], []),
    ),
    Probe(
        name="parameter-missing",
        row="3.4 #10",
        question="What when one of both lists is left out?",
        ask=Ask(method="POST", path="/users/<user>/assignLicense", body={"addLicenses": []}),
    ),
    Probe(name="guid-malformed", row="3.4 #11", question="What for an id that is none?", ask=_give("no-guid")),
    Probe(
        name="plan-foreign",
        row="3.4 #12",
        question="What for a disabled plan that is not of the product?",
        ask=_give("<sku>", "<nobody>"),
    ),
    Probe(
        name="user-missing",
        row="3.4 #13",
        question="What for a person who does not exist?",
        ask=_licences([], ["<sku>"], "<nobody>"),
    ),
    Probe(
        name="permission-missing",
        row="3.4 #14",
        question="What without the permission (education roster)?",
        ask=Ask(method="GET", path="/education/users?$top=1"),
        needs=_READS,
        lacks=_ROSTER,
    ),
    Probe(
        name="token-absent",
        row="3.4 #15",
        question="What without a token?",
        ask=Ask(method="GET", path="/users/<nobody>", is_open=True),
        needs=_READS,
    ),
    Probe(
        name="concurrent",
        row="3.4 #16",
        question="What do two writes to one person in one batch get, and is a time to wait told?",
        ask=Ask(method="POST", path="/$batch", items=(_give("<sku>"), _give("<sku>", "<plan>"))),
        shows=("items", "retry-after"),
    ),
    Probe(
        name="method-wrong",
        row="3.4 #18",
        question="What for a method that the address does not take?",
        ask=Ask(method="DELETE", path="/subscribedSkus"),
    ),
)

OPEN_POINTS: tuple[Probe, ...] = (
    Probe(
        name="added-and-removed",
        row="14: texts",
        question="What when one call adds and removes the same product?",
        first=(_give("<sku>"),),
        ask=_licences([{"skuId": "<sku>", "disabledPlans": []}], ["<sku>"]),
    ),
    Probe(
        name="grace",
        row="14: warning units",
        question="Can seats in their grace period be given?",
        ask=_give("<graced>"),
    ),
    Probe(name="suspended", row="14: suspended", question="What for a suspended product?", ask=_give("<suspended>")),
    Probe(name="locked-out", row="14: locked out", question="What for a locked product?", ask=_give("<locked>")),
    Probe(
        name="answer-of-success",
        row="3.1",
        question="What is told of a person to whom a licence was given?",
        ask=_give("<sku>", "<plan>"),
        shows=("status", "keys"),
    ),
    Probe(
        name="how-soon-it-shows",
        row="14: lag",
        question="How is a licence shown, and how soon?",
        first=(_give("<sku>", "<plan>"),),
        ask=_look(1),
        shows=("status", "licences"),
    ),
    Probe(
        name="plans-replaced",
        row="3.2",
        question="Are plans that were off replaced when the licence is given again?",
        first=(_give("<sku>", "<plan>"), _give("<sku>")),
        ask=_look(1),
        shows=("status", "licences"),
    ),
    Probe(
        name="batch-costs",
        row="14: batch",
        question="What does a batch cost beside its items, and do these name their requests?",
        ask=Ask(method="POST", path="/$batch", items=(_look(), Ask(method="GET", path="/organization?$select=id"))),
        shows=("status", "units", "items", "item-ids"),
        needs=_READS,
    ),
    Probe(
        name="second-page",
        row="5.2",
        question="Does the second page of a filter on licences expire without the advanced headers?",
        first=(
            Ask(
                method="GET",
                path="/users?$filter=assignedLicenses/any(x:x/skuId eq <popular>)&$select=id&$top=1",
            ),
        ),
        ask=Ask(method="GET", path="<next>"),
        needs=_READS,
    ),
    Probe(
        name="count-plain",
        row="5.2",
        question="What does a count without the advanced header get?",
        ask=Ask(method="GET", path="/users/$count"),
        needs=_READS,
    ),
    Probe(
        name="tenant-unknown",
        row="1.4",
        question="What does Entra say of a tenant that does not exist?",
        ask=Ask(method="GET", path="/<nobody>/v2.0/.well-known/openid-configuration", is_open=True, at_entra=True),
        shows=("status", "entra"),
        needs=_READS,
    ),
)

PROBES = (*ERROR_ROWS, *OPEN_POINTS, *GROUP_POINTS)

OUT_OF_REACH: tuple[OutOfReach, ...] = (
    OutOfReach(
        name="proxy-clash",
        row="3.4 #9",
        question="What when two people have one mail address?",
        reason="two such people are made by hand in Exchange",
    ),
    OutOfReach(
        name="throttled",
        row="3.4 #17",
        question="What does a throttled write get?",
        reason="it takes thousands of writes, and a calibration has 60",
    ),
    OutOfReach(
        name="transient",
        row="3.4 #19",
        question="What does Microsoft answer when it is unwell?",
        reason="nobody can bring it about",
    ),
    OutOfReach(
        name="group-deletion",
        row="14: licensed group",
        question="What when a licensed group is deleted?",
        reason="it takes a permission that we never ask for",
    ),
    OutOfReach(
        name="consent-delay",
        row="14: consent",
        question="How soon does a fresh consent work?",
        reason="consent would have to be withdrawn first",
    ),
    OutOfReach(
        name="most-licences",
        row="14: maximum",
        question="How many products fit into one call, or on one person?",
        reason="a tenant owns too few of them",
    ),
)
