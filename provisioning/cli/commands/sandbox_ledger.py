"""Questions to the ledger of the twin: what was written, to whom, and what people were and had in between."""

from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple

import msgspec
import typer

from provisioning.cli.output import Column, sheet, short
from provisioning.cli.sandbox_control import HERE, Folder, SandboxControl
from provisioning.cli.session import Session
from provisioning.domain.errors import InputError

Row = dict[str, Any]

_ENTRIES = (
    Column("Sequence", lambda x: str(x["sequence"]), fixed=True, right=True),
    Column("Moment", lambda x: str(x["moment"])[:19], fixed=True),
    Column("Tenant", lambda x: short(x["tenant"]), fixed=True),
    Column("User", lambda x: short(x["user"]), fixed=True),
    Column("Route", lambda x: x["route"] or "-"),
    Column("Changed", lambda x: "yes" if x["changed"] else "no", fixed=True),
)
_REPEATS = (
    Column("Sequence", lambda x: str(x["sequence"]), fixed=True, right=True),
    Column("Moment", lambda x: str(x["moment"])[:19], fixed=True),
    Column("User", lambda x: short(x["user"]), fixed=True),
    Column("Client request", lambda x: short(x["clientRequestId"]), fixed=True),
    Column("Why", lambda x: x["why"].replace("_", " ")),
)
_PEOPLE = (
    Column("User", lambda x: x["user"], fixed=True),
    Column("Writes", lambda x: f"{x['writes']:,}", fixed=True, right=True),
    Column("Changed", lambda x: f"{x['changed']:,}", fixed=True, right=True),
)
_GAPS = (
    Column("User", lambda x: x["user"], fixed=True),
    Column("Since", lambda x: _moment(x["since"]), fixed=True),
    Column("Until", lambda x: _moment(x["until"]), fixed=True),
)


class Scope(NamedTuple):
    """Whom a question is about, as typed."""

    tenant: str | None
    user: str | None

    def needed(self, option: str) -> dict[str, str]:
        """As query options; raises InputError without a tenant, for a question that needs one."""
        if self.tenant is None:
            raise InputError(f"{option} asks about one tenant: name it with --tenant.")
        return _given({"tenant": self.tenant, "user": self.user})


EXAMPLES = (
    "provisioning sandbox ledger --tenant school.onmicrosoft.com --changed",
    "provisioning sandbox ledger --tenant school.nl --user a@school.nl \\",
    "    --at 2027-01-01T12:00:00Z",
    "provisioning sandbox ledger --tenant school.nl \\",
    "    --without efb87545-963c-4e0d-99df-69c6916d9eb0",
)


def ledger(
    session: Session,
    tenant: Annotated[str | None, typer.Option(help="Only of this tenant: its id or a domain.")] = None,
    user: Annotated[str | None, typer.Option(help="Only of this user: an id, or a UPN with --tenant.")] = None,
    app: Annotated[str | None, typer.Option(help="Only by the app with this client id.")] = None,
    *,
    changed: Annotated[bool, typer.Option("--changed", help="Only what changed something.")] = False,
    repeats: Annotated[
        bool, typer.Option("--repeats", help="Instead: writes without effect, or sent twice under one id.")
    ] = False,
    per_person: Annotated[bool, typer.Option("--per-person", help="Instead: writes counted by person.")] = False,
    at: Annotated[str | None, typer.Option(metavar="MOMENT", help="Instead: what --user was then (ISO 8601).")] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PLAN[,PLAN]",
            help="Instead: spans in which people had none of these service plans. May be given again.",
        ),
    ] = None,
    since: Annotated[str | None, typer.Option(metavar="MOMENT", help="For --without: from when on.")] = None,
    until: Annotated[str | None, typer.Option(metavar="MOMENT", help="For --without: up to when.")] = None,
    folder: Folder = HERE,
) -> None:
    """What was written to the twin, by its own account.

    Times are the twin's own clock. A service counts as had while a licence enables
    it and a subscription that is enabled or in grace stands behind that licence.
    """
    _require_one_question(
        {"--repeats": repeats, "--per-person": per_person, "--at": at is not None, "--without": bool(without)}
    )
    if (since or until) and not without:
        raise InputError("--since and --until go with --without.")
    scope, control = Scope(tenant, user), SandboxControl.find(folder)
    if repeats:
        _show_repeats(session, control, scope)
    elif per_person:
        _show_people(session, control, scope)
    elif at is not None:
        _show_state(session, control, scope, at)
    elif without:
        _show_gaps(session, control, scope, without, {"since": since, "until": until})
    else:
        wanted = {"tenant": tenant, "user": user, "app": app, "changed": "true" if changed else None}
        session.show_rows(_entries(control, _given(wanted)), _ENTRIES, "Nothing was written to the twin.")


def _require_one_question(asked: dict[str, bool]) -> None:
    given = [option for option, is_asked in asked.items() if is_asked]
    if len(given) > 1:
        raise InputError(f"{' and '.join(given)} are questions of their own: ask one at a time.")


def _given(options: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in options.items() if value is not None}


def _entries(control: SandboxControl, options: dict[str, str]) -> list[Row]:
    rows: list[Row] = []
    since: int | None = 0
    while since is not None:
        page = control.call("GET", "ledger", None, {**options, "since": str(since)})
        rows += page["value"]
        since = page["next"]
    return rows


def _show_repeats(session: Session, control: SandboxControl, scope: Scope) -> None:
    found = control.call("GET", "ledger/repeats", None, scope.needed("--repeats"))["value"]
    session.show_rows(found, _REPEATS, "Every accepted write changed something, and none came twice.")


def _show_people(session: Session, control: SandboxControl, scope: Scope) -> None:
    found = control.call("GET", "ledger/writes", None, scope.needed("--per-person"))["value"]
    rows = [{"user": person, **counts} for person, counts in found.items()]
    session.show_rows(rows, _PEOPLE, "Nothing was written to anybody in this tenant.")


def _show_state(session: Session, control: SandboxControl, scope: Scope, at: str) -> None:
    if scope.user is None:
        raise InputError("--at asks about one person: name it with --user.")
    answer = control.call("GET", "ledger/state", None, {**scope.needed("--at"), "at": at})
    session.show(answer, _told(answer))


def _told(answer: Row) -> str:
    state = answer["state"]
    if state is None:
        return f"At {answer['moment']} this person did not exist."
    held = [("licence", _licence(one)) for one in state["licenseAssignmentStates"]]
    return sheet(
        [
            ("moment", answer["moment"]),
            ("user", answer["user"]),
            ("account", "enabled" if state["accountEnabled"] else "disabled"),
            ("usage location", state["usageLocation"] or "-"),
            *(held or [("licence", "none")]),
        ]
    )


def _licence(held: Row) -> str:
    source = f"by group {short(held['assignedByGroup'])}" if held["assignedByGroup"] else "direct"
    off = f", {len(held['disabledPlans'])} plans off" if held["disabledPlans"] else ""
    error = f" ({held['error']})" if held["error"] != "None" else ""
    return f"{held['skuId']} {source}, {held['state']}{error}{off}"


def _show_gaps(
    session: Session, control: SandboxControl, scope: Scope, without: list[str], span: dict[str, str | None]
) -> None:
    question: Row = {
        "tenant": scope.needed("--without")["tenant"],
        "families": [[plan.strip().lower() for plan in family.split(",")] for family in without],
        "users": None if scope.user is None else [scope.user],
        **_given(span),
    }
    found = control.call("POST", "ledger/gaps", msgspec.json.encode(question))["value"]
    session.show_rows(found, _GAPS, "Nobody was without it at any moment.")


def _moment(seconds: float | None) -> str:
    """In the twin's time, to the second; 1970 is before anything was written."""
    if seconds is None:
        return "still so"
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}" if seconds else "the beginning"
