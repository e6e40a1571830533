"""Both languages say everything, briefly."""

import re
from typing import ClassVar

import msgspec
import pytest

from provisioning.domain.campaign import CampaignState, MemberState
from provisioning.domain.lifecycle import LineState, OperationState, SubjectState
from provisioning.domain.migration import EvidenceSource, Phase, Situation, Treatment
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from provisioning.domain.operation import OperationKind, StepKind
from provisioning.domain.ownership import OWNERS, owner_of
from provisioning.domain.reasons import Reason
from provisioning.domain.ticket import TicketKind, TicketState
from provisioning.domain.ticket_wishes import missing_in
from provisioning.domain.worklist import Owner, Topic
from provisioning.planning.agreement_inventory import AGREEMENT_NOTES
from provisioning.planning.migration_report import Outcome
from provisioning.planning.preflight import PreflightCheck
from provisioning.planning.rebinding import REBIND_NOTES
from provisioning.planning.whole_agreement import WAYS_OUT
from provisioning.services.agreement.note_case import CASE_FILED
from provisioning.services.ticket_work.remap_agreement import LEFT_IN_OLD_TENANT
from provisioning.services.ticket_work.service_plan_policy import NEXT_DELIVERY
from provisioning.words.catalogue import _SCREENS, Language, Screen, Sentence, Words, load_catalogue, screen_of

SENTENCES = [*Reason, *PreflightCheck]
STATES = [*LineState, *OperationState, *SubjectState]
OF_MIGRATIONS = [
    code
    for kind in (MigrationState, WaveState, PersonState, Situation, Treatment, Phase, EvidenceSource)
    for code in kind
]
_MAX = 160


def said_of(language: Language, code: Reason | PreflightCheck) -> Sentence:
    words = Words(language)
    return words.reason(code) if isinstance(code, Reason) else words.preflight(code)


@pytest.mark.parametrize("language", Language)
class TestEachLanguage:
    def test_has_words_for_every_code(self, language: Language) -> None:
        said = load_catalogue(language)
        assert said.reasons.keys() == set(Reason)
        assert said.screens.keys() == set(Screen)
        assert said.lines.keys() == set(LineState)
        assert said.operations.keys() == set(OperationState)
        assert said.subjects.keys() == set(SubjectState)
        assert said.kinds.keys() == set(OperationKind)
        assert said.steps.keys() == set(StepKind)
        assert said.owners.keys() == set(Owner)
        assert said.topics.keys() == set(Topic)
        assert said.preflight.keys() == set(PreflightCheck)
        assert said.campaigns.keys() == set(CampaignState)
        assert said.members.keys() == set(MemberState)
        assert said.migrations.keys() == set(MigrationState)
        assert said.waves.keys() == set(WaveState)
        assert said.people.keys() == set(PersonState)
        assert said.situations.keys() == set(Situation)
        assert said.treatments.keys() == set(Treatment)
        assert said.phases.keys() == set(Phase)
        assert said.evidence.keys() == set(EvidenceSource)
        assert said.report.standing.keys() == set(MigrationState)
        assert said.report.outcomes.keys() == set(Outcome)
        assert said.ticket_kinds.keys() == set(TicketKind)
        assert said.ticket_states.keys() == set(TicketState)

    def test_can_ask_for_every_field_that_a_ticket_may_lack(self, language: Language) -> None:
        said = load_catalogue(language).ticket_fields
        every = {field for kind in TicketKind for field in missing_in(kind, {}, None)}
        assert said.keys() == every | {"agreement_id", "selectors", "valid_from"}

    def test_has_a_sentence_for_every_note_that_goes_with_an_answer(self, language: Language) -> None:
        said = load_catalogue(language).ticket_notes
        assert said.keys() == {
            NEXT_DELIVERY,
            *WAYS_OUT,
            *AGREEMENT_NOTES,
            *REBIND_NOTES,
            CASE_FILED,
            LEFT_IN_OLD_TENANT,
        }
        assert all(sentence.endswith(".") and sentence[0].isupper() for sentence in said.values())

    @pytest.mark.parametrize("code", SENTENCES)
    def test_says_what_is_the_case_and_what_to_do_in_whole_short_sentences(
        self, language: Language, code: Reason | PreflightCheck
    ) -> None:
        sentence = said_of(language, code)
        for text in (sentence.what, sentence.todo):
            assert text[0].isupper()
            assert text.endswith(".")
            assert len(text) <= _MAX
            assert "  " not in text

    @pytest.mark.parametrize("code", SENTENCES)
    def test_never_shows_a_code(self, language: Language, code: Reason | PreflightCheck) -> None:
        sentence = said_of(language, code)
        assert not re.search(r"[A-Z]+_[A-Z]+", sentence.what + sentence.todo)

    @pytest.mark.parametrize("state", STATES)
    def test_shows_every_state_as_one_of_five(self, language: Language, state: LineState) -> None:
        words = Words(language)
        assert words.state(state) in load_catalogue(language).screens.values()
        assert words.detail(state)

    def test_says_topics_steps_kinds_and_owners(self, language: Language) -> None:
        words = Words(language)
        assert all(words.topic(topic).endswith(".") for topic in Topic)
        assert all(words.step(kind) for kind in StepKind)
        assert all(words.operation(kind) for kind in OperationKind)
        assert all(words.owner(owner) for owner in Owner)

    @pytest.mark.parametrize("code", OF_MIGRATIONS, ids=repr)
    def test_has_short_words_for_codes_of_migrations(self, language: Language, code: MigrationState) -> None:
        said = Words(language).of_migration(code)
        assert 0 < len(said) <= 45
        assert "_" not in said

    def test_has_twelve_months(self, language: Language) -> None:
        assert len(set(Words(language).report.months)) == 12

    def test_an_unknown_topic_is_shown_as_it_is_called(self, language: Language) -> None:
        assert Words(language).topic("something_new") == "something_new"


class TestReports:
    SAID: ClassVar = {language: msgspec.to_builtins(Words(language).report) for language in Language}

    def test_both_languages_fill_in_the_same(self) -> None:
        places = [
            {name: set(re.findall(r"{\w*}", str(text))) for name, text in said.items()} for said in self.SAID.values()
        ]
        assert places[0] == places[1]

    def test_sentences_in_dutch_are_short_enough_for_level_b1(self) -> None:
        texts = [text for text in self.SAID[Language.DUTCH].values() if isinstance(text, str)]
        texts += [*self.SAID[Language.DUTCH]["standing"].values(), *self.SAID[Language.DUTCH]["outcomes"].values()]
        assert [part for text in texts for part in re.split(r"[.:?]", text) if len(part.split()) > 14] == []


class TestDutch:
    words = Words(Language.DUTCH)

    @pytest.mark.parametrize("code", SENTENCES)
    def test_sentences_are_short_enough_for_level_b1(self, code: Reason | PreflightCheck) -> None:
        sentence = said_of(Language.DUTCH, code)
        for text in (sentence.what, sentence.todo):
            assert all(len(part.split()) <= 18 for part in re.split(r"[.:?]", text))

    def test_the_five_states_are_those_of_the_screens(self) -> None:
        labels = {screen: self.words._said.screens[screen] for screen in Screen}
        assert list(labels.values()) == ["wacht", "bezig", "aandacht nodig", "klaar", "afgewezen"]


class TestScreens:
    @pytest.mark.parametrize(
        ("state", "screen"),
        [
            (LineState.HELD, Screen.ATTENTION),
            (OperationState.HELD, Screen.ATTENTION),
            (OperationState.AWAITING_SEATS, Screen.WAITING),
            (OperationState.AWAITING_APPROVAL, Screen.WAITING),  # for our approver: there is nothing to see to
            (OperationState.COMPLETED, Screen.DONE),
            (LineState.RECORDED_ONLY, Screen.DONE),
            (SubjectState.WAITING, Screen.WAITING),
            (OperationState.FAILED, Screen.ATTENTION),
            (SubjectState.FAILED, Screen.ATTENTION),
            (LineState.ACCEPTED, Screen.BUSY),
        ],
    )
    def test_a_state_shows_as(self, state: LineState, screen: Screen) -> None:
        assert screen_of(state) is screen

    def test_no_word_shows_as_two(self) -> None:
        words = [str(word) for states in _SCREENS.values() for word in states]
        assert len(words) == len(set(words))


class TestOwners:
    def test_every_reason_has_one(self) -> None:
        assert OWNERS.keys() == set(Reason)

    @pytest.mark.parametrize(
        ("reason", "owner"),
        [
            (Reason.QUANTITY_INVALID, Owner.SHOP),
            (Reason.CONSENT_MISSING, Owner.SCHOOL),
            (Reason.APPROVAL_NEEDED, Owner.APPROVER),
            (Reason.POISON, Owner.ADMIN),
            (Reason.DUPLICATE_ORDER_SUSPECTED, Owner.OPERATOR),
        ],
    )
    def test_who_can_cure_it_owns_it(self, reason: Reason, owner: Owner) -> None:
        assert owner_of(reason) is owner
