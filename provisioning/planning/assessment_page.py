"""An assessment as one page: to be read on a phone, on a screen and on paper. No scripts, nothing from elsewhere."""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from re import sub

from provisioning.planning.assessment import Assessment
from provisioning.planning.assessment_grids import Grid, Section
from provisioning.planning.assessment_sections import sections, title_of
from provisioning.planning.assessment_words import Tongue

# Measures in rem, so that whoever sets larger letters gets them; contrast of all text is above 7 to 1.
_STYLE = """
@page { size: A4; margin: 15mm }
* { box-sizing: border-box }
body { font: 100%/1.5 system-ui, "Segoe UI", Arial, sans-serif; color: #111; background: #fff; max-width: 46rem;
  margin: 0 auto; padding: 1rem; overflow-wrap: anywhere }
h1 { font-size: 1.5rem; line-height: 1.25; margin: .5rem 0 1rem }
h2 { font-size: 1.15rem; line-height: 1.3; margin: 1.75rem 0 .4rem; break-after: avoid }
p { margin: .4rem 0 } ul { margin: .4rem 0; padding-left: 1.2rem } li { margin: .2rem 0 }
.verdict { font-size: 1.1rem; font-weight: 600; border-left: .3rem solid #234; padding: .4rem .8rem;
  background: #eef2f6 }
table { border-collapse: collapse; width: 100%; margin: .75rem 0 1rem; font-size: .95rem }
caption { text-align: left; font-weight: 600; padding: .2rem 0 }
thead { display: table-header-group } tr { break-inside: avoid } th[rowspan] { break-inside: avoid }
th, td { text-align: left; vertical-align: top; font-weight: 400; padding: .3rem .5rem .3rem 0;
  border-bottom: 1px solid #999 }
thead th { font-weight: 600; border-bottom: 2px solid #111; overflow-wrap: normal }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; padding: .3rem 0 .3rem 1rem }
tbody.sum th, tbody.sum td { font-weight: 600 } tbody.sum tr:first-child > * { border-top: 2px solid #111 }
@media print { body { font-size: 10.5pt; max-width: none; padding: 0 } .verdict { background: none } }
""".strip()


def to_page(assessment: Assessment, tongue: Tongue) -> str:
    """One whole document; each text of others is escaped."""
    title = escape(title_of(assessment, tongue))
    first, *others = sections(assessment, tongue)
    parts = (
        "<!doctype html>",
        f'<html lang="{escape(tongue.words.language)}"><head><meta charset="utf-8">',
        # whatever a text might smuggle in: a browser loads and runs nothing
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title><style>{_STYLE}</style></head><body><main><h1>{title}</h1>",
        f'<p class="verdict">{escape(first.lines[0])}</p>',
        _section(Section(first.heading, first.lines[1:], first.grids)),
        *map(_section, others),
        "</main></body></html>",
    )
    return "\n".join(parts) + "\n"


def _section(section: Section) -> str:
    body = "".join((_lines(section.lines), *map(_grid, section.grids)))
    return f"<section><h2>{escape(section.heading)}</h2>\n{body}</section>"


def _lines(lines: Sequence[str]) -> str:
    """One sentence stands by itself, several are a list."""
    if len(lines) == 1:
        return f"<p>{_sentence(lines[0])}</p>\n"
    items = "\n".join(f"<li>{_sentence(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>\n" if lines else ""


def _sentence(line: str) -> str:
    """A number stays on the line of what it counts."""
    return sub(r": (?=\d)", ":\N{NO-BREAK SPACE}", escape(line))


def _grid(grid: Grid) -> str:
    head = "".join(_cells(grid.columns, grid.numbers, "th", ' scope="col"'))
    groups = "".join(_bodies(grid))
    caption = escape(grid.caption)
    return f"<table><caption>{caption}</caption>\n<thead><tr>{head}</tr></thead>\n{groups}</table>\n"


def _bodies(grid: Grid) -> Iterator[str]:
    """The rows, by what they are about; apart from them those that are sums."""
    plain = len(grid.rows) - grid.sums
    for rows, kind in ((grid.rows[:plain], ""), (grid.rows[plain:], ' class="sum"')):
        groups = [
            _group(first, [row[1:] for row in some], grid.numbers - 1)
            for first, some in groupby(rows, key=lambda row: row[0])
        ]
        parts = groups if len(groups) < len(rows) else ["\n".join(groups)]  # a group of one row is none
        yield from (f"<tbody{kind}>{part}</tbody>\n" for part in parts if part)


def _group(first: str, rows: Sequence[Sequence[str]], numbers: int) -> str:
    """What the rows are about is said once, as their heading."""
    span = f' rowspan="{len(rows)}"' if len(rows) > 1 else ""
    scope = "rowgroup" if len(rows) > 1 else "row"
    cells = ["".join(_cells(row, numbers, "td")) for row in rows]
    heading = f'<th scope="{scope}"{span}>{escape(first)}</th>'
    return "\n".join(f"<tr>{heading * (not place)}{row}</tr>" for place, row in enumerate(cells))


def _cells(texts: Sequence[str], numbers: int, tag: str, scope: str = "") -> Iterator[str]:
    for place, text in enumerate(texts):
        kind = ' class="number"' if place >= numbers else ""
        yield f"<{tag}{scope}{kind}>{escape(text)}</{tag}>"
