"""How a function becomes a command: it gets the session, `--json`, and examples under its help."""

import inspect
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import wraps
from typing import Annotated, Any

import typer

from provisioning.cli.session import Session

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 80}
_AS_JSON = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]
_Function = Callable[..., int | None]


def noun(summary: str) -> typer.Typer:
    """A group of commands about one thing."""
    return typer.Typer(
        help=summary,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
        context_settings=_SETTINGS,
    )


def command(
    group: typer.Typer, name: str, *, examples: Sequence[str] = (), ours: bool = False
) -> Callable[[_Function], _Function]:
    """Register a function that takes a Session first; its result, if any, is the exit code.

    `ours`: it shows what is no client's to read. What changes something needs no such word: its service asks a right.
    """

    def register(function: _Function) -> _Function:
        run = _with_session(function, ours=ours)
        group.command(name, epilog=_epilog(examples), context_settings=_SETTINGS)(run)
        return function

    return register


def one_of(choices: type[StrEnum]) -> str:
    """The choices as help text: as a type they would make lines of hundreds of characters."""
    return f"One of: {', '.join(choices)}."


def _with_session(function: _Function, *, ours: bool) -> Callable[..., None]:
    @wraps(function)
    def run(context: typer.Context, *, as_json: bool, **given: Any) -> None:
        session: Session = context.obj
        session.speech.as_json = as_json
        if ours:
            session.require_ours()
        if code := function(session, **given):
            raise typer.Exit(code)

    _, *own = inspect.signature(function, eval_str=True).parameters.values()
    only = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter("context", only, annotation=typer.Context),
        *(parameter.replace(kind=only) for parameter in own),
        inspect.Parameter("as_json", only, default=False, annotation=_AS_JSON),
    ]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # how inspect is told
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    del run.__wrapped__  # or typer would look behind the session
    return run


def _epilog(examples: Sequence[str]) -> str | None:
    return "\n".join(("\b", "Examples:", *(f"  {example}" for example in examples))) if examples else None
