"""What is said on standard error: sentences within eighty columns, also about what was typed wrongly."""

from typing import Any

from typer import TyperException

from provisioning.cli.output import paragraph, printable


def sentences(text: str) -> str:
    """Each line of it within the width; a path, an address or a command is never broken."""
    return paragraph(printable(text.rstrip("\n"))) + "\n"


def usage(error: TyperException) -> str:
    """What was typed wrongly, and where its help is; for a group that was named alone, the help itself."""
    context: Any = getattr(error, "ctx", None)
    said = error.format_message()
    if context is None or said == context.get_help():
        return f"{said}\n"
    return sentences(f"{_plainly(said)}\nTry `{context.command_path} --help`.")


def _plainly(said: str) -> str:
    """Without the words of the library that reads values."""
    told = said.replace("Value error, ", "").replace("Input should be", "it should be").rstrip(".!")
    return told if told.endswith("?") else f"{told}."
