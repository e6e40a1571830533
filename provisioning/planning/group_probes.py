"""What is asked about licences through a group (dossier 4). One story: each goes on where the one before left off."""

from provisioning.planning.probe import LICENCES, Ask, Probe

_MEMBERS = "GroupMember.ReadWrite.All"
_BOTH = frozenset({LICENCES, _MEMBERS})
_STATES = "id,usageLocation,licenseAssignmentStates"

_JOIN = Ask(
    method="PATCH",
    path="/groups/<group>",
    body={"members@odata.bind": ["<graph>/directoryObjects/<user>"]},
)
_GIVE = {"addLicenses": [{"skuId": "<sku>", "disabledPlans": []}], "removeLicenses": []}
_TAKE = {"addLicenses": [], "removeLicenses": ["<sku>"]}


def _look(until: int) -> Ask:
    return Ask(method="GET", path=f"/users/<user>?$select={_STATES}", until=until)


GROUP_POINTS: tuple[Probe, ...] = (
    Probe(
        name="group-joined",
        row="4.8",
        question="What does a person who is taken into a group get?",
        ask=_JOIN,
        needs=_BOTH,
        leaves=True,
    ),
    Probe(
        name="group-joined-twice",
        row="4.8",
        question="What when they are taken in again?",
        ask=_JOIN,
        needs=_BOTH,
        leaves=True,
    ),
    Probe(
        name="group-licensed",
        row="4.1",
        question="What does a licence on a group get?",
        ask=Ask(method="POST", path="/groups/<group>/assignLicense", body=_GIVE),
        shows=("status",),
        needs=_BOTH,
        leaves=True,
    ),
    Probe(
        name="group-serves",
        row="14: lag",
        question="How does a member show the licence of a group, and how soon?",
        ask=_look(1),
        shows=("status", "licences"),
        needs=_BOTH,
        leaves=True,
    ),
    Probe(
        name="remove-inherited",
        row="3.4 #6",
        question="What when a licence is taken from a person who has it through a group?",
        ask=Ask(method="POST", path="/users/<user>/assignLicense", body=_TAKE),
        needs=_BOTH,
        leaves=True,
    ),
    Probe(
        name="direct-beside-inherited",
        row="3.2",
        question="How does a person show a licence of their own beside that of the group?",
        first=(Ask(method="POST", path="/users/<user>/assignLicense", body=_GIVE),),
        ask=_look(2),
        shows=("status", "licences"),
        needs=_BOTH,
        leaves=True,
    ),
    Probe(
        name="group-left",
        row="4.4",
        question="What stays with a person who leaves the group, and how soon is the rest gone?",
        first=(Ask(method="DELETE", path="/groups/<group>/members/<user>/$ref"),),
        ask=_look(1),
        shows=("status", "licences"),
        needs=_BOTH,
    ),
)
