"""What screens and messages say, in Dutch (language level B1) or English. Codes in, sentences out."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files

import msgspec

from provisioning.domain.campaign import CampaignState, MemberState
from provisioning.domain.lifecycle import LineState, OperationState, SubjectState
from provisioning.domain.migration import EvidenceSource, Phase, Situation, Treatment
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from provisioning.domain.operation import OperationKind, StepKind
from provisioning.domain.reasons import Reason
from provisioning.domain.ticket import TicketKind, TicketState
from provisioning.domain.worklist import Owner, Topic
from provisioning.planning.agreement_sheet import CaseWords
from provisioning.planning.assessment_words import AssessmentWords
from provisioning.planning.campaign_report import CampaignWords
from provisioning.planning.migration_statement import ReportWords
from provisioning.planning.preflight import PreflightCheck


class Language(StrEnum):
    DUTCH = "nl"
    ENGLISH = "en"


class Sentence(msgspec.Struct, frozen=True):
    """What is the case, and what to do about it."""

    what: str
    todo: str


class Screen(StrEnum):
    """The five states that people see; every state of every machine is one of them."""

    WAITING = "waiting"
    BUSY = "busy"
    ATTENTION = "attention"
    DONE = "done"
    REFUSED = "refused"


State = LineState | OperationState | SubjectState
OfMigration = MigrationState | WaveState | PersonState | Situation | Treatment | Phase | EvidenceSource


class Catalogue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything one language has to say."""

    reasons: Mapping[Reason, Sentence]
    screens: Mapping[Screen, str]
    lines: Mapping[LineState, str]
    operations: Mapping[OperationState, str]
    subjects: Mapping[SubjectState, str]
    kinds: Mapping[OperationKind, str]
    steps: Mapping[StepKind, str]
    owners: Mapping[Owner, str]
    topics: Mapping[Topic, str]
    preflight: Mapping[PreflightCheck, Sentence]
    campaigns: Mapping[CampaignState, str]
    campaign_report: CampaignWords
    members: Mapping[MemberState, str]
    migrations: Mapping[MigrationState, str]
    waves: Mapping[WaveState, str]
    people: Mapping[PersonState, str]
    situations: Mapping[Situation, str]
    treatments: Mapping[Treatment, str]
    phases: Mapping[Phase, str]
    evidence: Mapping[EvidenceSource, str]
    report: ReportWords
    assessment: AssessmentWords
    ticket_fields: Mapping[str, str]
    ticket_kinds: Mapping[TicketKind, str]
    ticket_states: Mapping[TicketState, str]
    ticket_notes: Mapping[str, str]
    case: CaseWords


@cache
def load_catalogue(language: Language) -> Catalogue:
    """The words of `<language>.toml`. Raises msgspec.ValidationError for a code that does not exist."""
    text = files(__package__).joinpath(f"{language}.toml").read_bytes()
    return msgspec.toml.decode(text, type=Catalogue)


_L, _O, _P = LineState, OperationState, SubjectState
_SCREENS: Mapping[Screen, frozenset[State]] = {
    Screen.WAITING: frozenset(
        {
            _L.RECEIVED,
            _O.NEW,
            _O.AWAITING_CONSENT,
            _O.AWAITING_SEATS,
            _O.AWAITING_DATE,
            _O.AWAITING_APPROVAL,
            _P.PENDING,
            _P.WAITING,
        }
    ),
    Screen.BUSY: frozenset({_L.ACCEPTED, _O.PLANNING, _O.APPLYING, _O.VERIFYING}),
    Screen.ATTENTION: frozenset(
        {
            _L.HELD,
            _L.PARTIALLY_COMPLETED,
            _O.HELD,
            _O.FAILED,
            _O.PARTIALLY_COMPLETED,
            _P.FAILED,
            _P.CHANGED_MEANWHILE,
        }
    ),
    Screen.DONE: frozenset({_L.COMPLETED, _L.RECORDED_ONLY, _O.COMPLETED, _P.VERIFIED, _P.ALREADY_RIGHT}),
    Screen.REFUSED: frozenset({_L.REJECTED, _L.CANCELLED, _O.CANCELLED, _P.REFUSED}),
}


def screen_of(state: State) -> Screen:
    """Which of the five a state shows as. Machines that share a word ("held") share its screen."""
    return next(screen for screen, states in _SCREENS.items() if state in states)


class Words:
    """One language's words by code; a test holds every catalogue complete."""

    def __init__(self, language: Language = Language.DUTCH) -> None:
        self.language = language
        self._said = load_catalogue(language)

    def reason(self, reason: Reason) -> Sentence:
        return self._said.reasons[reason]

    def why_and_how(self, reason: Reason) -> str:
        """What is the case, and what to do about it, as one text."""
        sentence = self.reason(reason)
        return f"{sentence.what} {sentence.todo}".strip()

    def preflight(self, check: PreflightCheck) -> Sentence:
        """What a preflight found in the way of a wave, or worth knowing before it begins."""
        return self._said.preflight[check]

    def state(self, state: State) -> str:
        """One of the five labels for screens."""
        return self._said.screens[screen_of(state)]

    def detail(self, state: State) -> str:
        """The state itself, for those who want to know exactly."""
        match state:
            case LineState():
                return self._said.lines[state]
            case OperationState():
                return self._said.operations[state]
            case SubjectState():
                return self._said.subjects[state]

    def operation(self, kind: OperationKind) -> str:
        return self._said.kinds[kind]

    def step(self, kind: StepKind) -> str:
        return self._said.steps[kind]

    def owner(self, owner: Owner) -> str:
        return self._said.owners[owner]

    def topic(self, topic: str) -> str:
        """The sentence of a notice; a topic that nobody wrote words for is shown as it is called."""
        return self._said.topics[Topic(topic)] if topic in set(Topic) else topic

    def ticket_field(self, field: str) -> str:
        """What belongs in a field of a ticket."""
        return self._said.ticket_fields[field]

    def ticket_note(self, note: str) -> str:
        """A sentence that goes with an answer."""
        return self._said.ticket_notes[note]

    def of_ticket(self, code: TicketKind | TicketState) -> str:
        return self._said.ticket_kinds[code] if isinstance(code, TicketKind) else self._said.ticket_states[code]

    def of_campaign(self, code: CampaignState | MemberState) -> str:
        """The state of a campaign, or of a tenant in it."""
        return self._said.campaigns[code] if isinstance(code, CampaignState) else self._said.members[code]

    def of_migration(self, code: OfMigration) -> str:
        """A state, a situation or another code of migrations."""
        match code:
            case MigrationState():
                return self._said.migrations[code]
            case WaveState():
                return self._said.waves[code]
            case PersonState():
                return self._said.people[code]
            case Situation():
                return self._said.situations[code]
            case Treatment():
                return self._said.treatments[code]
            case Phase():
                return self._said.phases[code]
            case EvidenceSource():
                return self._said.evidence[code]

    @property
    def campaign_report(self) -> CampaignWords:
        """What reports of campaigns say."""
        return self._said.campaign_report

    @property
    def report(self) -> ReportWords:
        """What reports of migrations say."""
        return self._said.report

    @property
    def assessment(self) -> AssessmentWords:
        """What assessments say."""
        return self._said.assessment

    @property
    def case(self) -> CaseWords:
        """What the sheet for Microsoft's support says."""
        return self._said.case
