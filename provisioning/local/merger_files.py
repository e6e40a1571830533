"""What an operator has in hand before a migration: its file, the map, and what the migration tool reports."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from provisioning.local import merger_seed as seed

MIGRATION = "merger.yaml"
_FILE = """\
name: Oostwijk joins Samen
asked_by: letter 2027-031 of both boards

source:
  tenant: oostwijk.example
  holder: 40001
target:
  tenant: samen.example
  holder: 40002

people:                           # who goes: a selector over the source
  any:
    - {domain: oostwijk.example}
    - {domain: leerling.oostwijk.example}

products:
  - from: M365EDU_A3_FACULTY
    audience: faculty
  - from: STANDARDWOFFPACK_STUDENT
    to: M365EDU_A3_STUUSEBNFT
    audience: student

plan_mapping:                     # the mailbox of A1 and that of A3
  EXCHANGE_S_STANDARD: EXCHANGE_S_ENTERPRISE

waves:
  - name: pilot
    people: {attribute: department, equals: ICT}
  - name: staff
    people: {domain: oostwijk.example}
  - name: pupils                  # without a selector: whoever is left

identity:
  file: identity.csv              # the staff; pupils are found by number
  rules: [employee_id]
"""


def write_merger_files(folder: Path) -> None:
    """For us alone: in a real merger these name people."""
    pilot = [number for number in seed.STAFF if number in seed.PILOT]
    others = [number for number in seed.STAFF if number not in seed.PILOT]
    last = pilot[-1]
    files: dict[str, Iterable[str]] = {
        MIGRATION: _FILE.splitlines(),
        "identity.csv": _map(),
        "moved.csv": _report((number, "Failed" if number == last else "Completed") for number in pilot),
        "moved-again.csv": _report((number, "Completed") for number in [last, *others]),
    }
    for name, lines in files.items():
        file = folder / name
        file.touch(mode=0o600)
        file.write_text("".join(f"{line}\n" for line in lines))


def _map() -> Iterator[str]:
    yield "source;target"
    for number in seed.STAFF:
        if number != seed.LACKING:
            yield _pair(number, seed.at_the_target(number))
        if number == seed.DISPUTED:
            yield _pair(number, seed.WRONG_ACCOUNT)


def _pair(here: int, there: int) -> str:
    return f"{seed.staff_name(here, seed.SOURCE)};{seed.staff_name(there, seed.TARGET)}"


def _report(people: Iterable[tuple[int, str]]) -> Iterator[str]:
    yield "person;status"
    for number, status in people:
        if number != seed.LACKING:
            yield f"{seed.staff_name(seed.at_the_target(number), seed.TARGET)};{status}"
