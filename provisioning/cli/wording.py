"""Codes as words for people, in the language of the operator."""

from collections.abc import Mapping

from provisioning.domain.campaign import CampaignState, MemberState
from provisioning.domain.errors import ConfigurationError
from provisioning.domain.lifecycle import LineState, OperationState, SubjectState
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from provisioning.domain.operation import StepKind
from provisioning.domain.reasons import Reason
from provisioning.domain.ticket import TicketKind, TicketState
from provisioning.domain.worklist import Owner
from provisioning.planning.agreement_sheet import CaseWords
from provisioning.planning.campaign_report import Tongue as CampaignTongue
from provisioning.planning.migration_statement import Tongue
from provisioning.planning.preflight import PreflightCheck
from provisioning.words.campaigns import tongue_of_campaigns
from provisioning.words.catalogue import Language, OfMigration, Words
from provisioning.words.migrations import tongue_of_migrations

VARIABLE = "PROVISIONING_LANGUAGE"


def language_of(asked: str, named_by: str) -> Language:
    """Raises ConfigurationError, which says what `named_by` can be, for a language that nobody speaks here."""
    code = asked.strip().lower() or Language.DUTCH
    if code not in set(Language):
        raise ConfigurationError(f"{named_by} is {code!r}; it can be {' or '.join(Language)}.")
    return Language(code)


class Wording:
    """What the commands say of states, reasons and owners; their own texts are English."""

    def __init__(self, words: Words) -> None:
        self._words = words

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Wording":
        """In the language that the environment asks for, Dutch by default; raises ConfigurationError for another."""
        return cls(Words(language_of(environment.get(VARIABLE, "") or Language.DUTCH, VARIABLE)))

    @property
    def language(self) -> Language:
        """The one that is spoken here."""
        return self._words.language

    def why(self, reason: Reason) -> str:
        """What is the case."""
        return self._words.reason(reason).what

    def why_and_how(self, reason: Reason) -> str:
        """What is the case, and what to do about it."""
        return self._words.why_and_how(reason)

    def name(self, code: LineState | OperationState | SubjectState | StepKind | Owner) -> str:
        """A state, a kind of step or an owner."""
        match code:
            case StepKind():
                return self._words.step(code)
            case Owner():
                return self._words.owner(code)
            case _:
                return self._words.detail(code)

    def standing(
        self, state: LineState | OperationState | MigrationState | WaveState | PersonState, reason: Reason | None
    ) -> str:
        """`held: seats insufficient`: the state, and the reason's code as words that can wrap."""
        match state:
            case MigrationState() | WaveState() | PersonState():
                called = self.of_migration(state)
            case _:
                called = self.name(state)
        why = reason.replace("_", " ").lower() if reason else called
        return called if why == called else f"{called}: {why}"

    def of_migration(self, code: OfMigration) -> str:
        """A state, a situation or another code of migrations."""
        return self._words.of_migration(code)

    def of_ticket(self, code: TicketKind | TicketState) -> str:
        """What a ticket asks, or where it stands."""
        return self._words.of_ticket(code)

    def of_field(self, field: str) -> str:
        """What belongs in a field of a ticket."""
        return self._words.ticket_field(field)

    def of_note(self, note: str) -> str:
        """A sentence that goes with an answer."""
        return self._words.ticket_note(note)

    def of_campaign(self, code: CampaignState | MemberState) -> str:
        """The state of a campaign, or of a tenant in it."""
        return self._words.of_campaign(code)

    def of_preflight(self, check: PreflightCheck) -> str:
        """What was found, and what to do about it."""
        sentence = self._words.preflight(check)
        return f"{sentence.what} {sentence.todo}".strip()

    @property
    def case(self) -> CaseWords:
        """What the sheet for Microsoft's support says."""
        return self._words.case

    @property
    def tongue(self) -> Tongue:
        """How reports of migrations speak to the operator."""
        return tongue_of_migrations(self.language)

    @property
    def tongue_of_boards(self) -> Tongue:
        """How they speak to boards: in Dutch, whatever the operator reads."""
        return tongue_of_migrations(Language.DUTCH)

    @property
    def tongue_of_campaigns(self) -> CampaignTongue:
        """How reports of campaigns speak to the operator."""
        return tongue_of_campaigns(self.language)

    @property
    def tongue_of_campaigns_for_boards(self) -> CampaignTongue:
        """How they speak to boards: in Dutch, whatever the operator reads."""
        return tongue_of_campaigns(Language.DUTCH)

    def topic(self, topic: str) -> str:
        """The sentence of a notice."""
        return self._words.topic(topic)
