"""The twin is held against a real test tenant, or a report of that against its signature."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from provisioning.cli.command import command
from provisioning.cli.output import Column, paragraph, table
from provisioning.cli.probe_journal import FileJournal
from provisioning.cli.session import Session
from provisioning.cli.text_files import new_private_file, read_text
from provisioning.domain.errors import ConfigurationError, InputError
from provisioning.domain.tenancy import Tenant
from provisioning.planning.calibration import Found, Report, told
from provisioning.planning.probe import Probe
from provisioning.planning.probe_answers import Verdict

if TYPE_CHECKING:
    from provisioning.bootstrap import Services
    from provisioning.ports import Prober
    from provisioning.services.calibrate import Wanted

_JOURNALS = Path(".provisioning/calibrations")

_PROSPECT_COLUMNS = (
    Column("Probe", lambda x: x.name, fixed=True),
    Column("Dossier", lambda x: x.row, fixed=True),
    Column("Writes", lambda x: str(x.writes), fixed=True, right=True),
    Column("Not tried because", lambda x: x.obstacle or "-"),
)
_ROW_COLUMNS = (
    Column("Probe", lambda x: x.name, fixed=True),
    Column("Verdict", lambda x: x.verdict, fixed=True),
    Column("Microsoft", lambda x: _facts(x.seen)),
    Column("Twin", lambda x: _facts(x.expected)),
)


def register(group: typer.Typer) -> None:
    """Among the commands about tenants."""
    command(
        group,
        "calibrate",
        examples=(
            'provisioning tenants calibrate test.nl --user "$OBJECT_ID"',
            "provisioning tenants calibrate --verify report.txt --key log.pub",
        ),
    )(calibrate)


def calibrate(
    session: Session,
    tenant: Annotated[str | None, typer.Argument(help="A test tenant, by its domain.")] = None,
    *,
    user: Annotated[str, typer.Option(help="Object id of a person made for it, without licences.")] = "",
    group: Annotated[str | None, typer.Option(help="Id of an empty security group made for it.")] = None,
    sku: Annotated[str | None, typer.Option(help="The product to give and take; default: any free one.")] = None,
    test_domain: Annotated[
        str | None,
        typer.Option("--i-know-this-is-a-test-tenant", metavar="DOMAIN", help="Write to it; its first domain."),
    ] = None,
    to: Annotated[Path | None, typer.Option(metavar="FILE", help="The signed report; FILE.md is for people.")] = None,
    journal: Annotated[Path | None, typer.Option(metavar="FILE", help="What to put back after a crash.")] = None,
    verify: Annotated[Path | None, typer.Option(metavar="FILE", help="Look at a report instead.")] = None,
    key: Annotated[Path | None, typer.Option(metavar="FILE", help="The public key, with --verify.")] = None,
) -> int:
    """Ask a test tenant and the twin the same, and compare.

    At most 60 writes, all to one person and one group, who are put back. Without
    --i-know-this-is-a-test-tenant it only says what would be asked. Exit code 1
    when the person is not as before.
    """
    if verify:
        return _verify(session, verify, key)
    if not tenant or not user:
        raise InputError("Name the test tenant and its test person: TENANT --user ID.")
    session.require_ours()
    from provisioning.services.calibrate import Wanted

    wanted = Wanted(tenant=tenant, test_domain=test_domain, user=user, group=group, sku=sku)
    if test_domain is None:
        return _preview(session, wanted)
    return _calibrate(session, wanted, to, journal)


def _facts(facts: Mapping[str, str]) -> str:
    return "; ".join(fact for fact in facts.values() if fact)


def _verify(session: Session, report: Path, key: Path | None) -> int:
    from provisioning.services.sign_report import verify_report

    if key is None:
        raise InputError("A report is verified with the public key: --key FILE.")
    found = verify_report(read_text(report), read_text(key))
    session.show(found, f"{told(found)}\nThe signature is valid.")
    return 0


def _preview(session: Session, wanted: "Wanted") -> int:
    prospects = session.checked_services.calibrate.prospects(session.identity, wanted)
    writes = sum(one.writes for one in prospects if one.obstacle is None)
    advice = (
        f"{writes} writes and what putting back takes. Nothing was asked yet; add "
        "--i-know-this-is-a-test-tenant DOMAIN to ask it."
    )
    session.show(prospects, f"{table(prospects, _PROSPECT_COLUMNS)}\n\n{paragraph(advice)}")
    return 0


def _calibrate(session: Session, wanted: "Wanted", to: Path | None, journal: Path | None) -> int:
    services = session.checked_services
    _ = services.signer  # a report that cannot be signed is not worth sixty writes
    named = services.show_tenants.one(wanted.tenant).tenant
    kept = FileJournal(journal or _JOURNALS / f"{named.tenant_id}.jsonl")
    file = to or Path(f"calibration-{wanted.test_domain}.txt")
    with new_private_file(file, "a report is never overwritten") as written:
        report = services.calibrate(session.identity, wanted, _twins(services, named), kept, _said(session))
        written.write(services.sign_report(report).encode())
    file.with_name(f"{file.name}.md").write_text(told(report), "utf-8")
    session.show(report, _ending(report, file))
    return int(not report.is_restored)


def _twins(services: "Services", tenant: Tenant) -> Callable[[bytes], AbstractContextManager["Prober"]]:
    """How a copy of the tenant comes to be on this machine."""

    @contextmanager
    def open_twin(seed: bytes) -> Iterator["Prober"]:
        try:
            from provisioning.local.copy_of_tenant import copy_of_tenant
        except ModuleNotFoundError as error:
            sentence = f"The twin needs the extra `local` of this package: {error.name} is not installed."
            raise ConfigurationError(sentence) from None

        with (
            copy_of_tenant(seed, services.settings.clock_factor) as address,
            closing(services.twin_prober(tenant.tenant_id, address)) as prober,
        ):
            yield prober

    return open_twin


def _said(session: Session) -> Callable[[Probe, Found], None]:
    """A line on standard error for each answer, so that whoever waits sees it go on."""

    def say(probe: Probe, found: Found) -> None:
        if not session.speech.as_json:
            typer.echo(f"{probe.name}: {found.reason or 'asked'}", err=True)

    return say


def _ending(report: Report, file: Path) -> str:
    different = [row for row in report.rows if row.verdict is Verdict.DIFFERENT]
    counts = ", ".join(f"{report.counts[verdict]} {verdict}" for verdict in Verdict)
    state = "is as before" if report.is_restored else "is NOT as before: run it again"
    sentence = f"{counts}; {report.writes} writes; the test person {state}. Signed in {file}."
    blocks = [table(different, _ROW_COLUMNS)] if different else []
    return "\n\n".join([*blocks, paragraph(sentence)])
