"""Verifying an export of the audit log: needs the export, the log's public keys, and nothing else."""

from collections.abc import Iterable, Iterator, Sequence

from provisioning.audit.checkpoint import Checkpoint, TreeHead
from provisioning.audit.errors import AuditFormatError
from provisioning.audit.export import FORMAT, HeaderLine, Line, decode_line
from provisioning.audit.inspection import Inspection, Yardstick, problem_of_checkpoint
from provisioning.audit.note import VerifierKey
from provisioning.audit.one_organisation import OrganisationInspection
from provisioning.audit.verdict import Findings, Tampering, Verdict
from provisioning.audit.whole_log import LogInspection


def verify_export(lines: Iterable[bytes], keys: Sequence[VerifierKey], outside: Checkpoint | None = None) -> Verdict:
    """Read an export once and say what it proves; `outside` is a checkpoint the reader kept or got from a witness.

    `keys` are those the log was signed with, one after the other, in any order.
    Raises AuditFormatError when the first line is no header: then this is no export at all.
    """
    found = Findings()
    numbered = enumerate(lines, 1)
    header = _read_header(numbered)
    trusted = tuple(dict.fromkeys(keys))
    yardstick = Yardstick(trusted, _authentic_outside(outside, header.origin, trusted, found))
    inspection = _inspection(header, yardstick, found)
    for number, line in _read_lines(numbered, found):
        inspection.read(number, line)
    return inspection.conclude()


def _inspection(header: HeaderLine, yardstick: Yardstick, found: Findings) -> Inspection:
    kind = LogInspection if header.organisation is None else OrganisationInspection
    return kind(header, yardstick, found)


def _read_header(numbered: Iterator[tuple[int, bytes]]) -> HeaderLine:
    number, first = next(numbered, (1, b""))
    header = decode_line(first, number)
    if not isinstance(header, HeaderLine) or header.format != FORMAT:
        raise AuditFormatError(f"an export begins with a header that names the format {FORMAT}.", number)
    return header


def _read_lines(numbered: Iterator[tuple[int, bytes]], found: Findings) -> Iterator[tuple[int, Line]]:
    for number, line in numbered:
        try:
            yield number, decode_line(line, number)
        except AuditFormatError as error:
            found.add(Tampering.MALFORMED, str(error), number)


def _authentic_outside(
    outside: Checkpoint | None, origin: str, keys: Sequence[VerifierKey], found: Findings
) -> TreeHead | None:
    if outside is None:
        return None
    if problem := problem_of_checkpoint(outside, origin, keys):
        kind, sentence = problem
        found.add(kind, f"Outside: {sentence}")
        return None
    return outside.head
