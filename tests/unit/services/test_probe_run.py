from datetime import timedelta
from typing import Any

import msgspec
import pytest

from provisioning.domain.errors import AmbiguousOutcomeError, ConflictError, RetryableError
from provisioning.domain.groups import ObservedGroup
from provisioning.domain.ids import GroupId, SkuId, SubjectId, TenantId
from provisioning.domain.observation import HeldLicence, Person
from provisioning.domain.reasons import Reason
from provisioning.planning.probe import Ask, Probe
from provisioning.planning.probe_answers import Answered, Plain
from provisioning.planning.probe_people import UNSURE, Cast, Standing
from provisioning.planning.probe_stage import Stage
from provisioning.services.probe_run import ProbeRun, Side, Waits
from tests.unit.services.fakes_access import TENANT, FakeClock

USER, SKU = SubjectId("u"), SkuId("a3")
OK, REFUSED = Answered(200, {}, b"{}"), Answered(400, {}, b'{"error":{"code":"No","message":"no"}}')
LOST = AmbiguousOutcomeError("lost", Reason.NO_ANSWER)
UNSENT = RetryableError("no connection", Reason.TRANSIENT)
GIVE = Ask(
    method="POST",
    path="/users/<user>/assignLicense",
    body={"addLicenses": [{"skuId": "<sku>", "disabledPlans": []}], "removeLicenses": []},
)
LOOK = Ask(method="GET", path="/users/<user>?$select=x", until=1)
MOVE = Ask(method="PATCH", path="/users/<user>", body={"usageLocation": "KP"})
BEFORE = Standing(location="NL")


class FakeGraph:
    """Carries out what it is not told to answer otherwise, and remembers what came. `answers`: the next ones."""

    root = "https://graph/v1.0"

    def __init__(self, *answers: Answered | Exception | None) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.person = Person(subject_id=USER, usage_location="NL")
        self.looks_old: Person | None = None
        self.away = 0
        self.applies_when_lost = True

    def ask(self, tenant: TenantId, ask: Ask, call_id: str) -> Answered:
        self.asked.append(f"{ask.method} {ask.path.partition('?')[0]}")
        answer = self.answers.pop(0) if self.answers else None
        if answer is None or answer is OK or (answer is LOST and self.applies_when_lost):
            self._carry_out(ask)
        if isinstance(answer, Exception):
            raise answer
        return answer or self._shown(ask)

    def observe_person(self, tenant: TenantId, user: SubjectId) -> Person | None:
        if self.away:
            self.away -= 1
            raise UNSENT
        return self.looks_old or self.person

    def observe_group(self, tenant: TenantId, group: GroupId) -> ObservedGroup | None:
        return None

    def close(self) -> None:
        """Nothing is open."""

    def _carry_out(self, ask: Ask) -> None:
        body = ask.body or {}
        if "usageLocation" in body:
            self.person = msgspec.structs.replace(self.person, usage_location=body["usageLocation"])
        if "addLicenses" in body:
            kept = [held for held in self.person.licences if held.sku_id not in body["removeLicenses"]]
            added = [HeldLicence(SkuId(row["skuId"])) for row in body["addLicenses"]]
            self.person = msgspec.structs.replace(self.person, licences=(*kept, *added))

    def _shown(self, ask: Ask) -> Answered:
        rows = [{"skuId": held.sku_id} for held in self.person.licences]
        return Answered(200, {"request-id": "r"}, msgspec.json.encode({"licenseAssignmentStates": rows}))


class Notes:
    """A watch that lets everything pass, unless told to object, and notes what passed."""

    def __init__(self) -> None:
        self.before_: list[str] = []
        self.after_: list[tuple[str, int | None]] = []
        self.is_full = False
        self.objection: Exception | None = None

    def room_for(self, writes: int) -> str | None:
        return "60 writes are the most" if self.is_full else None

    def before(self, probe: str, ask: Ask, call_id: str) -> None:
        if self.objection:
            raise self.objection
        self.before_.append(probe)

    def after(self, probe: str, ask: Ask, call_id: str, status: int | None) -> None:
        self.after_.append((probe, status))


class Scene:
    def __init__(self, *answers: Answered | Exception | None, **probe: Any) -> None:
        self.graph, self.watch = FakeGraph(*answers), Notes()
        self.pauses: list[timedelta] = []
        stage = Stage(words={"user": USER, "sku": SKU}, absent={"next": "one page was all there is"})
        side = Side(
            prober=self.graph,
            tenant=TENANT,
            stage=stage,
            permissions=frozenset({"LicenseAssignment.ReadWrite.All"}),
            plain=Plain(stage.words),
            cast=Cast(user=USER),
            before=BEFORE,
        )
        minute, gap = timedelta(minutes=1), timedelta(seconds=5)
        waits = Waits(pause=self.pauses.append, settle=minute, gap=gap, horizon=15 * minute)
        self.run = ProbeRun(side, self.watch, waits, FakeClock())
        self.probe = Probe(**{"name": "p", "row": "1", "question": "?", "ask": GIVE, **probe})

    @property
    def is_as_before(self) -> bool:
        return (self.graph.person.licences, self.graph.person.usage_location) == ((), "NL")


class TestAProbe:
    def test_that_is_refused_says_so_and_has_nothing_to_undo(self) -> None:
        scene = Scene(REFUSED)
        found = scene.run.ask(scene.probe)
        assert found.facts == {"status": "400", "code": "No", "message": "no"}
        assert (found.writes, len(scene.graph.asked)) == (1, 1)

    def test_that_is_accepted_is_undone(self) -> None:
        scene = Scene(first=(MOVE,))
        found = scene.run.ask(scene.probe)
        assert scene.is_as_before
        assert found.writes == 4
        assert [asked.status for asked in found.requests] == [200, 200]  # what undoes it is no answer

    def test_that_leaves_what_it_did_is_undone_by_the_next(self) -> None:
        scene = Scene(leaves=True)
        scene.run.ask(scene.probe)
        assert not scene.is_as_before
        scene.run.ask(msgspec.structs.replace(scene.probe, ask=LOOK, leaves=False))
        assert scene.is_as_before

    def test_whose_beginning_is_refused_is_not_tried(self) -> None:
        scene = Scene(REFUSED, first=(MOVE,))
        assert scene.run.ask(scene.probe).reason == "what comes before it was answered 400"
        assert scene.is_as_before

    def test_that_has_no_second_page_is_not_tried(self) -> None:
        scene = Scene(first=(Ask(method="GET", path="/users"),), ask=Ask(method="GET", path="<next>"))
        assert scene.run.ask(scene.probe).reason == "one page was all there is"

    def test_follows_the_link_to_the_second_page(self) -> None:
        link = Answered(200, {}, b'{"@odata.nextLink":"https://graph/v1.0/users?$skiptoken=x"}')
        scene = Scene(link, REFUSED, first=(Ask(method="GET", path="/users"),), ask=Ask(method="GET", path="<next>"))
        assert scene.run.ask(scene.probe).facts["status"] == "400"
        assert scene.graph.asked == ["GET /users", "GET /users"]

    def test_for_which_no_writes_are_left_is_not_begun(self) -> None:
        scene = Scene()
        scene.watch.is_full = True
        assert scene.run.ask(scene.probe).reason == "60 writes are the most"
        assert scene.graph.asked == []

    def test_looks_until_it_shows(self) -> None:
        empty = Answered(200, {}, b'{"licenseAssignmentStates":[]}')
        scene = Scene(None, empty, empty, first=(GIVE,), ask=LOOK, shows=("status",))
        found = scene.run.ask(scene.probe)
        assert found.seconds is not None
        assert scene.graph.asked.count("GET /users/u") == 3

    def test_does_not_look_for_ever(self) -> None:
        scene = Scene(ask=LOOK, shows=("status",))
        assert scene.run.ask(scene.probe).facts == {"status": "200"}
        assert sum(scene.pauses, timedelta(0)) <= timedelta(minutes=10)


class TestAnAnswerThatIsLost:
    @pytest.mark.parametrize("is_applied", [True, False])
    def test_is_looked_after_and_undone(self, is_applied: bool) -> None:
        scene = Scene(LOST)
        scene.graph.applies_when_lost = is_applied
        assert scene.run.ask(scene.probe).reason == "lost"
        assert scene.is_as_before
        assert timedelta(seconds=60) in scene.pauses  # absence is believed only then

    def test_is_one_of_a_server_that_broke_down(self) -> None:
        scene = Scene(Answered(504, {}, b""))
        assert scene.run.ask(scene.probe).reason == "it was answered 504"
        assert timedelta(seconds=60) in scene.pauses

    def test_while_undoing_is_undone_again(self) -> None:
        scene = Scene(None, LOST)
        scene.graph.applies_when_lost = False
        scene.run.ask(scene.probe)
        assert scene.is_as_before

    def test_for_ever_ends_with_a_sentence(self) -> None:
        scene = Scene(None, *[LOST] * 20)
        scene.graph.applies_when_lost = False
        with pytest.raises(ConflictError, match="could not be put back"):
            scene.run.ask(scene.probe)

    def test_of_what_never_left_needs_no_look(self) -> None:
        scene = Scene(UNSENT)
        assert scene.run.ask(scene.probe).reason == "no connection"
        assert scene.pauses == []


class TestAThrottle:
    def test_is_waited_for_as_asked(self) -> None:
        scene = Scene(Answered(429, {"retry-after": "7"}, b"{}"), REFUSED)
        assert scene.run.ask(scene.probe).facts["status"] == "400"
        assert scene.pauses == [timedelta(seconds=7)]

    def test_that_does_not_end_is_not_an_answer(self) -> None:
        scene = Scene(*[Answered(429, {}, b"{}")] * 3)
        assert scene.run.ask(scene.probe).reason == "it was answered 429"


class TestABatch:
    def test_changes_what_its_items_changed(self) -> None:
        rows = [{"id": "0", "status": 200, "body": {}}, {"id": "1", "status": 409, "body": {}}]
        envelope = Answered(200, {}, msgspec.json.encode({"responses": rows}))
        scene = Scene(envelope, ask=Ask(method="POST", path="/$batch", items=(GIVE, MOVE)), shows=("items",))
        found = scene.run.ask(scene.probe)
        assert found.facts == {"items": "200, 409"}
        assert scene.graph.asked == ["POST /$batch", "POST /users/u/assignLicense"]  # the country was refused


class TestTheWatch:
    def test_sees_every_write_before_and_after(self) -> None:
        scene = Scene(first=(MOVE,))
        scene.run.ask(scene.probe)
        assert scene.watch.before_ == ["p", "p", "restore", "restore"]
        assert scene.watch.after_ == [("p", 200), ("p", 200), ("restore", 200), ("restore", 200)]

    def test_sees_no_look(self) -> None:
        scene = Scene(ask=Ask(method="GET", path="/users/<user>"))
        scene.run.ask(scene.probe)
        assert scene.watch.before_ == []

    def test_may_end_everything(self) -> None:
        scene = Scene()
        scene.watch.objection = ConflictError("Writes are stopped.")
        with pytest.raises(ConflictError):
            scene.run.ask(scene.probe)
        assert scene.graph.asked == []

    def test_hears_that_an_answer_was_lost(self) -> None:
        scene = Scene(LOST)
        scene.run.ask(scene.probe)
        assert scene.watch.after_[0] == ("p", None)


class TestRecovering:
    def test_puts_back_whatever_is_found(self) -> None:
        scene = Scene()
        scene.graph.person = Person(subject_id=USER, usage_location="KP", licences=(HeldLicence(SKU),))
        scene.run.recover(BEFORE)
        assert scene.is_as_before

    def test_takes_away_what_an_old_look_does_not_show_yet(self) -> None:
        scene = Scene()
        scene.graph.person = Person(subject_id=USER, usage_location="NL", licences=(HeldLicence(SKU),))
        scene.graph.looks_old = Person(subject_id=USER, usage_location="NL")
        scene.run.recover(Standing(skus=frozenset({SKU}), location=UNSURE))
        assert scene.is_as_before

    def test_is_done_when_what_is_not_seen_cannot_be_taken(self) -> None:
        scene = Scene(REFUSED)
        scene.run.recover(Standing(skus=frozenset({SKU}), location="NL"))
        assert scene.graph.asked == ["POST /users/u/assignLicense"]

    def test_is_not_done_while_something_that_is_seen_cannot_be_taken(self) -> None:
        scene = Scene(*[REFUSED] * 10)
        scene.graph.person = Person(subject_id=USER, usage_location="NL", licences=(HeldLicence(SKU),))
        with pytest.raises(ConflictError, match="could not be put back"):
            scene.run.recover(BEFORE)

    def test_of_somebody_who_cannot_be_read_is_a_sentence(self) -> None:
        scene = Scene()
        scene.graph.person = None  # type: ignore[assignment]  # gone
        with pytest.raises(ConflictError, match="cannot be read"):
            scene.run.recover(BEFORE)


class TestConfirming:
    def test_goes_on_looking_while_microsoft_is_away(self) -> None:
        scene = Scene()
        scene.graph.away = 2
        assert scene.run.confirm()

    def test_takes_two_looks_that_agree(self) -> None:
        scene = Scene()
        assert scene.run.confirm()
        assert scene.pauses == [timedelta(seconds=5)]

    @pytest.mark.parametrize(
        "person",
        [
            Person(subject_id=USER, usage_location="KP"),
            Person(subject_id=USER, usage_location="NL", licences=(HeldLicence(SKU),)),
            Person(subject_id=USER, usage_location="NL", licences=(HeldLicence(SKU, group_id=GroupId("g")),)),
        ],
        ids=["in another country", "with a licence", "with one of a group"],
    )
    def test_says_when_the_person_is_not_as_before(self, person: Person) -> None:
        scene = Scene()
        scene.graph.person = person
        assert not scene.run.confirm()
