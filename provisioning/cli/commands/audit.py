"""The audit log: read, carried out of the house, verified by anybody."""

import secrets
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import fill, indent
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from provisioning.cli.command import command, noun
from provisioning.cli.operation_screen import EVENT_COLUMNS
from provisioning.cli.output import WIDTH, paragraph
from provisioning.cli.progress import track
from provisioning.cli.session import Session
from provisioning.cli.text_files import new_private_file, read_text
from provisioning.domain.errors import InputError
from provisioning.domain.ids import OrganisationId

if TYPE_CHECKING:
    from provisioning.audit.verdict import Verdict

group = noun("What was done, by whom and why; and the proof of it.")

_Organisation = Annotated[str | None, typer.Option(help="Only this one's events, by its register code.")]
_SHOWN_FINDINGS = 20


@command(group, "list", examples=("provisioning audit list --operation 77aa1234",))
def list_all(
    session: Session,
    operation: Annotated[str | None, typer.Option(help="Its id, or at least the first 4 characters.")] = None,
    organisation: _Organisation = None,
    limit: Annotated[int, typer.Option(min=1)] = 100,
) -> None:
    """What was written down, in order of time. A client's token sees what is its own."""
    events = session.services.show_to.events(session.identity, operation, organisation, limit)
    session.show_rows(events, EVENT_COLUMNS, "Nothing was written down.")


@command(
    group,
    "export",
    examples=(
        "provisioning audit export --to log.jsonl",
        "provisioning audit export --organisation 41234 --to board.jsonl",
    ),
)
def export(
    session: Session,
    organisation: _Organisation = None,
    to: Annotated[Path | None, typer.Option(help="A file; default: standard output.")] = None,
    known: Annotated[list[int] | None, typer.Option(help="Size of a checkpoint that the reader has; repeat.")] = None,
) -> None:
    """The sealed log, or one organisation's part of it.

    JSON Lines, with all that is needed to verify them but the public key.
    """
    whose = OrganisationId(organisation) if organisation else None
    exported = session.services.export_audit(session.identity, whose, known or ())
    if to is None:
        _write(sys.stdout.buffer, exported)
        sys.stderr.write("\n".join(_left_out(exported.left_out)))
        return
    with to.open("wb") as file:
        number = _write(file, exported)
    told = {"lines": number, "file": str(to), "left_out": exported.left_out}
    session.show(told, "\n".join((paragraph(f"{number:,} lines are in {to}."), *_left_out(exported.left_out))))


@command(
    group,
    "verify",
    examples=(
        "provisioning audit verify log.jsonl --key log.pub",
        "provisioning audit verify log.jsonl --key old.pub --key new.pub",
        "provisioning audit verify log.jsonl --key log.pub --checkpoint kept.txt",
    ),
)
def verify(
    session: Session,
    export_file: Annotated[Path, typer.Argument(metavar="EXPORT")],
    key: Annotated[list[Path], typer.Option(help="A file with public keys of the log, one a line; repeat.")],
    checkpoint: Annotated[Path | None, typer.Option(help="A file with a checkpoint from outside.")] = None,
) -> int:
    """Say what an export proves. Needs no database. Exit code 1 when something was tampered with."""
    from provisioning.services.verify_audit import verify_audit

    outside = read_text(checkpoint) if checkpoint else None
    verdict = verify_audit(_lines(export_file), "\n".join(map(read_text, key)), outside)
    told = {
        "sound": verdict.is_sound,
        "events": verdict.events,
        "proven": verdict.proven,
        "organisation": verdict.organisation,
        "signers": verdict.signers,
        "findings": verdict.findings,
        "doubts": [doubt.sentence for doubt in verdict.doubts],
    }
    session.show(told, "\n".join(_verdict(verdict)))
    return int(not verdict.is_sound)


@command(
    group,
    "forget",
    examples=('provisioning audit forget school.nl "$OBJECT_ID" --reason "asked 3 March"',),
)
def forget(
    session: Session,
    tenant: Annotated[str, typer.Argument(help="A domain or the beginning of its id.")],
    subject: Annotated[str, typer.Argument(help="The person's directory object id.")],
    reason: Annotated[str, typer.Option(help="Who asked for it, and when. Name nobody: it is on record for good.")],
) -> None:
    """Destroy what ties a person to the log and to past work.

    What was done stays on record, of nobody, and every export verifies as before. It cannot be undone.
    """
    home = session.services.forget_person(session.identity, tenant, subject, reason)
    session.tell({"tenant": home.tenant_id}, f"Forgotten: nothing here says any more who that was in {tenant}.")


@command(
    group,
    "checkpoint",
    examples=(
        "provisioning audit checkpoint > kept-outside.txt",
        "provisioning audit checkpoint --now > kept-outside.txt",
    ),
    ours=True,
)
def checkpoint(
    session: Session,
    now: Annotated[bool, typer.Option("--now", help="Make one first; where the signing key is.")] = False,
) -> None:
    """The newest signed checkpoint, to be kept elsewhere.

    With --now everything recorded is sealed and signed first. That takes the signing key and the folder of
    checkpoints, as the workers have them, and the role admin or auditor.
    """
    if now:
        session.services.seal_audit.on_demand(session.identity)
    newest = str(session.services.export_audit.newest_checkpoint())
    session.show({"checkpoint": newest}, newest)


@command(
    group,
    "key",
    examples=(
        "provisioning audit key checkpoint_key --new licence-log.example.nl",
        "provisioning audit key checkpoint_key > log.pub",
    ),
)
def key(
    session: Session,
    file: Annotated[Path, typer.Argument(help="The file of the signing key.")],
    new: Annotated[str | None, typer.Option(metavar="NAME", help="Make one; the name names the log for ever.")] = None,
) -> None:
    """The public half of the log's signing key.

    With --new the key is made first. Needs no database.
    """
    from provisioning.audit.note import SignerKey

    signer = SignerKey.parse(read_text(file).strip()) if new is None else SignerKey(new, secrets.token_bytes(32))
    if new is not None:
        _keep_secret(file, signer.reveal())
    session.show({"key": str(signer.verifier)}, str(signer.verifier))


def _keep_secret(file: Path, text: str) -> None:
    """Never over an older key: what it signed could be verified no more."""
    with new_private_file(file, "a key is never overwritten") as kept:
        kept.write(f"{text}\n".encode())


def _write(file: BinaryIO, lines: Iterable[bytes]) -> int:
    return sum(file.write(line) > 0 for line in track(lines, "Exporting"))


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from track(file, "Verifying", path.stat().st_size, size="bytes")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None


def _left_out(events: int) -> Iterator[str]:
    if events:
        are, them = ("event is", "it") if events == 1 else ("events are", "them")
        yield paragraph(
            f"{events:,} {are} not in it: no checkpoint covers {them} yet. The next is made within the hour; "
            "`provisioning audit checkpoint --now` makes one at once, where the signing key is. Then export again."
        )
        yield ""


def _verdict(verdict: "Verdict") -> Iterator[str]:
    whose = f" of organisation {verdict.organisation}" if verdict.organisation else ""
    yield f"{verdict.events:,} events{whose}; {verdict.proven:,} proven under {verdict.checkpoints:,} checkpoints."
    for signer in verdict.signers:
        events = (
            f"{signer.first:,} events" if signer.first == signer.last else f"{signer.first:,} to {signer.last:,} events"
        )
        yield _item(f"{signer.key} signed {signer.checkpoints:,}: of {events}.")
    for finding in verdict.findings[:_SHOWN_FINDINGS]:
        place = f"line {finding.line}: " if finding.line is not None else ""
        yield _item(f"{finding.kind}: {place}{finding.sentence}")
    more = len(verdict.findings) + verdict.unlisted_findings - _SHOWN_FINDINGS
    if more > 0:
        yield f"  … and {more:,} more findings."
    yield paragraph(_conclusion(verdict))
    yield "What it cannot exclude:"
    yield from (_item(doubt.sentence) for doubt in verdict.doubts)


def _item(sentence: str) -> str:
    return indent(fill(sentence, WIDTH - 2, break_on_hyphens=False, break_long_words=False), "  ")


def _conclusion(verdict: "Verdict") -> str:
    if verdict.is_sound:
        return "Nothing was tampered with."
    if verdict.lacks_only_keys:
        return (
            "Every event is proven, but not every checkpoint could be checked: give the older public keys too "
            "(--key, once for each). Whether a checkpoint by an unknown key is genuine cannot be said without it."
        )
    if any(finding.kind == "checkpoint_unknown" for finding in verdict.findings):
        return "This export was tampered with, or the public key that signed it was not given."
    return "This export was tampered with."
