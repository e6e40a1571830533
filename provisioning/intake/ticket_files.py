"""Ticket files: one ticket, a list of them, or `{"tickets": […]}`, as YAML or JSON.

Whole or not at all: FileRefusedError lists every problem under the path of its field (`tickets[2].wish.from_sku`).
What a board forgot is no problem of the file: it is asked back.
"""

from pathlib import Path
from typing import Any

from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import InputError
from provisioning.domain.ids import OrganisationId
from provisioning.domain.ticket import Ticket, TicketForm, TicketKind
from provisioning.intake.branches import Branch
from provisioning.intake.problems import Problem, refuse_if_any
from provisioning.intake.reading import as_text, read_bytes
from provisioning.intake.ticket_fields import TICKET_FIELDS, WISH_FIELDS
from provisioning.intake.ticket_values import wish_values
from provisioning.intake.trees import LARGEST, parse_json, parse_tree

LONGEST_FREE_TEXT = 10_000  # characters: a long letter
_MOST = 1_000
_BESIDE = ("requester", "text")  # what a completion may hold beside fields of the wish


def read_tickets(path: Path, mappings: Mappings) -> list[TicketForm]:
    """The tickets of a file. Raises InputError, and then nothing is taken."""
    return parse_tickets(path.name, read_bytes(path), mappings)


def parse_tickets(name: str, content: bytes, mappings: Mappings) -> list[TicketForm]:
    """As `read_tickets`, from bytes. `name` tells YAML from JSON in doubt."""
    if len(content) > LARGEST:
        raise InputError(f"{name} has {len(content):,} bytes; at most {LARGEST:,} can be meant.")
    return forms_of(name, parse_tree(name, as_text(name, content)), mappings)


def parse_sent_tickets(name: str, content: bytes, mappings: Mappings) -> list[TicketForm]:
    """The same as JSON alone, as programs send it."""
    return forms_of(name, parse_json(name, as_text(name, content)), mappings)


def forms_of(name: str, tree: Any, mappings: Mappings) -> list[TicketForm]:
    """From plain values, however they came in; `name` is how the file or message is called in a refusal."""
    problems: list[Problem] = []
    found = [_form(branch, mappings) for branch in _branches(tree, problems)]
    references = [(form.source, form.reference) for form in found]
    problems += [
        Problem(f"tickets[{number}].reference", "", "is in the file twice; keep one.")
        for number, key in enumerate(references, start=1)
        if key in references[: number - 1]
    ]
    refuse_if_any(name, list(dict.fromkeys(problems)))
    if not found:
        raise InputError(f"{name} has no ticket in it; nothing was taken from it.")
    return found


def parse_completion(name: str, content: bytes, ticket: Ticket, mappings: Mappings) -> TicketForm:
    """What was missing: `requester`, `text`, and fields of the wish, alone or under `wish`. Raises InputError."""
    return completion_of(name, parse_tree(name, as_text(name, content)), ticket, mappings)


def parse_sent_completion(name: str, content: bytes, ticket: Ticket, mappings: Mappings) -> TicketForm:
    """The same as JSON alone, as programs send it."""
    return completion_of(name, parse_json(name, as_text(name, content)), ticket, mappings)


def completion_of(name: str, tree: Any, ticket: Ticket, mappings: Mappings) -> TicketForm:
    """As `parse_completion`, from plain values."""
    problems: list[Problem] = []
    wish_fields = WISH_FIELDS[ticket.kind]
    has_wish = isinstance(tree, dict) and "wish" in tree
    root = Branch("", tree, [*_BESIDE, "wish"] if has_wish else [*_BESIDE, *wish_fields], problems)
    wish = root.branch("wish", wish_fields) if has_wish else root
    form = TicketForm(
        reference=ticket.reference,
        kind=ticket.kind,
        requester=_plain(root, "requester"),
        given=wish_values(wish, ticket.kind, mappings),
        text=_free_text(root),
    )
    refuse_if_any(name, list(dict.fromkeys(problems)))
    return form


def _branches(tree: Any, problems: list[Problem]) -> list[Branch]:
    several = tree.get("tickets") if isinstance(tree, dict) and "tickets" in tree else tree
    if not isinstance(several, list):
        return [Branch("", several, TICKET_FIELDS, problems)]
    if len(several) > _MOST:
        problems.append(Problem("tickets", "", f"has {len(several):,} of them; at most {_MOST:,} at once."))
        return []
    return [Branch(f"tickets[{n}]", one, TICKET_FIELDS, problems) for n, one in enumerate(several, start=1)]


def _form(root: Branch, mappings: Mappings) -> TicketForm:
    kind = root.as_word("kind", root.value("kind"), tuple(TicketKind)) if "kind" in root else None
    if "kind" not in root:
        root.wrong("kind", f"is missing; write one of {', '.join(TicketKind)}")
    organisation = root.optional_text("organisation")
    return TicketForm(
        reference=root.text("reference"),
        kind=kind or TicketKind.CHANGE_SKU,
        organisation_id=OrganisationId(organisation.upper()) if organisation else None,
        source=_plain(root, "source"),
        requester=_plain(root, "requester"),
        given=wish_values(root.branch("wish", WISH_FIELDS[kind]), kind, mappings) if kind else {},
        text=_free_text(root),
    )


def _plain(root: Branch, name: str) -> str | None:
    text = root.optional_text(name)
    if text and "@" in text:
        root.wrong(name, "is an address; write a reference such as a contact's number, it is kept for years")
    if text and name == "source" and "/" in text:
        root.wrong(name, "has a slash in it, which stands between source and reference")
    return text


def _free_text(root: Branch) -> str | None:
    value = root.value("text")
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > LONGEST_FREE_TEXT:
        root.wrong("text", f"should be a text of at most {LONGEST_FREE_TEXT:,} characters")
        return None
    return value.strip() or None
