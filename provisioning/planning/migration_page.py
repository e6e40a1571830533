"""The report of a migration as one page that can be printed: no scripts, nothing from elsewhere."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from html import escape

from provisioning.planning.migration_report import MigrationReport, ReportedPerson, ReportedWave
from provisioning.planning.migration_statement import Section, Tongue, sections

_STYLE = """
@page { size: A4 landscape; margin: 14mm }
body { font: 10pt/1.35 system-ui, "Segoe UI", Arial, sans-serif; color: #111; max-width: 265mm; margin: 1em auto }
h1 { font-size: 16pt; margin: 0 0 .5em } h2 { font-size: 12pt; margin: 1.2em 0 .3em; break-after: avoid }
table { border-collapse: collapse; width: 100%; font-size: 8.5pt } thead { display: table-header-group }
th, td { text-align: left; vertical-align: top; padding: 2pt 5pt; border-bottom: .4pt solid #999 }
th { border-bottom: 1pt solid #111 } tr { break-inside: avoid } ul { margin: 0; padding-left: 1.2em }
table.figures { width: auto; font-size: 10pt } table.figures td:first-child { text-align: right }
table.figures tr:last-child td { border-top: 1pt solid #111; border-bottom: 0; font-weight: bold }
code { font: 7.5pt/1.2 ui-monospace, Consolas, monospace; display: block; overflow-wrap: anywhere }
@media print { body { margin: 0; max-width: none } }
""".strip()


def to_html(report: MigrationReport, tongue: Tongue) -> str:
    """The statement, and everybody by wave; each text of others is escaped."""
    words = tongue.words
    title = escape(words.page_title.format(name=report.name))
    parts = (
        "<!doctype html>",
        f'<html lang="{escape(words.language)}"><head><meta charset="utf-8">',
        # whatever a text might smuggle in: a browser loads and runs nothing
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>",
        *(_section(section) for section in sections(report, tongue)),
        *(_wave(wave, tongue) for wave in report.waves),
        "</body></html>",
    )
    return "\n".join(parts) + "\n"


def _section(section: Section) -> str:
    figures = "".join(f"<tr>{_cells(figure)}</tr>" for figure in section.figures)
    lines = "".join(f"<li>{escape(line)}</li>" for line in section.lines)
    return "".join(
        (
            f"<h2>{escape(section.heading)}</h2>",
            f'<table class="figures"><tbody>{figures}</tbody></table>' if figures else "",
            f"<ul>{lines}</ul>" if lines else "",
        )
    )


def _wave(wave: ReportedWave, tongue: Tongue) -> str:
    words = tongue.words
    called = words.wave.format(number=wave.number, name=wave.name) if wave.number else words.without_wave
    state = f" – {tongue.name(wave.state)}" if wave.state else ""
    columns = (
        words.column_person,
        words.column_products,
        words.column_state,
        words.column_prepared,
        words.column_mailbox,
        words.column_enabled,
        words.column_released,
        words.column_why,
    )
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    rows = "\n".join(_person(person, tongue) for person in wave.people)
    return (
        f"<h2>{escape(called + state)}</h2>\n<table><thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table>"
    )


def _person(person: ReportedPerson, tongue: Tongue) -> str:
    ids = (person.person, person.source_id, person.target_id)
    codes = "".join(f"<code>{escape(one)}</code>" for one in ids if one)
    products = dict.fromkeys(one for one in (person.source_product, person.target_product) if one)
    mailbox = f"{_moment(person.mailbox_at)} {tongue.name(person.mailbox_by)}" if person.mailbox_by else ""
    cells = (
        " → ".join(products),
        tongue.name(person.state),
        _moment(person.prepared_at),
        mailbox,
        _moment(person.enabled_at),
        _moment(person.released_at),
        _why(person, tongue),
    )
    return f"<tr><td>{codes}</td>{_cells(cells)}</tr>"


def _why(person: ReportedPerson, tongue: Tongue) -> str:
    said = [tongue.name(person.failed_in)] if person.failed_in else []
    if person.situation != "matched":
        said.append(tongue.name(person.situation))
    return ": ".join([*said, *([tongue.why(person.reason)] if person.reason else [])])


def _cells(texts: Iterable[str]) -> str:
    return "".join(_each_cell(texts))


def _each_cell(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield f"<td>{escape(text)}</td>"


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else ""
