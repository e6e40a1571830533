"""What a migration did, in each of its forms: a value, a list, a page, the closing statement."""

from typing import Any

from fastapi import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from provisioning.planning.migration_page import to_html
from provisioning.planning.migration_report import MigrationReport, to_csv
from provisioning.planning.migration_statement import to_statement
from provisioning.web.accepting import LIST, PAGE, preferred
from provisioning.web.calls import Named, Person
from provisioning.web.routing import router as routes_about
from provisioning.words.catalogue import Language
from provisioning.words.migrations import tongue_of_migrations

router = routes_about("migrations")


def _text(*kinds: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {kind: {"schema": {"type": "string"}} for kind in kinds}}}


@router.get("/{migration}/report", responses=_text(PAGE, LIST))
def report(
    caller: Person, migration: Named, request: Request, language: Language = Language.DUTCH
) -> MigrationReport | Response:
    """What happened to whom, when, and who let it. Names people by id for operators only.

    Who accepts `text/csv` gets a line for each person, who accepts `text/html` a page to print.
    """
    made = caller.services.report_migration(caller.identity, migration)
    tongue = tongue_of_migrations(language)
    match preferred(request.headers.get("accept", ""), PAGE, LIST):
        case "text/html":
            return HTMLResponse(to_html(made, tongue))
        case "text/csv":
            return Response(to_csv(made, tongue.why), media_type=LIST)
        case _:
            return made


@router.get("/{migration}/statement", response_class=PlainTextResponse)
def statement(caller: Person, migration: Named, language: Language = Language.DUTCH) -> Response:
    """The closing statement for both boards, in Dutch unless it is asked for otherwise; it names nobody who moved."""
    made = caller.services.report_migration(caller.identity, migration)
    return PlainTextResponse(to_statement(made, tongue_of_migrations(language)))
