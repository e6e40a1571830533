"""From a flat table of paths (`waves[].name`: what belongs there) to the fields of a file, and of each object in it."""

from collections.abc import Iterator, Mapping


def fields_in(table: Mapping[str, str], part: str = "") -> dict[str, str]:
    """What the whole file holds or, with a part's name, what each object there holds."""
    if part:
        return {name: told for holder, name, told in _split(table) if holder == part}
    names = dict.fromkeys(holder or name for holder, name, _told in _split(table))
    return {name: table.get(name) or _composed(table, name) for name in names}


def _composed(table: Mapping[str, str], part: str) -> str:
    kind = "a list of objects" if any(path.startswith(f"{part}[]") for path in table) else "an object"
    return f"{kind} with {', '.join(fields_in(table, part))}"


def _split(table: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Part, field and what belongs in it; the part is empty for fields of the file itself."""
    for path, told in table.items():
        holder, _, name = path.replace("[]", "").rpartition(".")
        yield holder, name, told
