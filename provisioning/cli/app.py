"""The command itself: its groups, and the one place where errors become a sentence and an exit code."""

import os
import re
import sys
import traceback
from collections.abc import Sequence
from contextlib import closing
from enum import IntEnum
from io import TextIOWrapper

from typer import Abort, TyperException
from typer.main import get_command

from provisioning.cli.command import noun
from provisioning.cli.commands import register_all
from provisioning.cli.mistakes import sentences, usage
from provisioning.cli.output import Speech
from provisioning.cli.session import Session
from provisioning.domain.errors import InputError, ProvisioningError
from provisioning.intake.problems import FileRefusedError

_EMPTY = re.compile(r"\s*|--[\w-]+=\s*")

app = noun("Makes every ordered Microsoft licence arrive in the right school tenant, and proves it.")
register_all(app)
TREE = get_command(app)  # all commands, by their words


class ExitCode(IntEnum):
    DONE = 0
    FAILED = 1
    USAGE = 2
    INTERRUPTED = 130  # 128 + SIGINT, as shells expect it


def main() -> int:
    """What was typed, done; the exit code. `provisioning.cli.entry` is the entry point of the installed command."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # names of schools and signed notes, whatever the locale can write
    return run(sys.argv[1:], Session())


def run(arguments: Sequence[str], session: Session) -> int:
    """Do what was typed; the exit code. No traceback reaches a person, whatever happens."""
    try:
        with closing(session):
            return _invoke(arguments, session)
    except BrokenPipeError:
        return _hang_up()
    except (KeyboardInterrupt, Abort):
        return _ended(ExitCode.INTERRUPTED)
    except SystemExit as ended:
        return _ended(ended.code)
    except Exception as error:  # noqa: BLE001  the process ends here: a sentence instead of a traceback
        return _explain(error, session.speech)


def _explain(error: Exception, speech: Speech) -> int:
    if isinstance(error, TyperException):
        sys.stderr.write(usage(error))
        return ExitCode.USAGE
    if isinstance(error, FileRefusedError):
        return _refuse_file(error, speech)
    if isinstance(error, ProvisioningError):
        return _refuse(str(error), ExitCode.USAGE if isinstance(error, InputError) else ExitCode.FAILED)
    if isinstance(error, OSError) and error.filename:
        return _refuse(_unusable(error), ExitCode.FAILED)
    return _confess(error)


def _invoke(arguments: Sequence[str], session: Session) -> int:
    if any(_EMPTY.fullmatch(word) for word in arguments):  # a path that is empty would be the folder we stand in
        raise InputError("One of the words typed is empty. Is a variable of the shell not set? Nothing was done.")
    code = TREE.main(args=list(arguments), prog_name="provisioning", obj=session, standalone_mode=False)
    sys.stdout.flush()
    return _ended(code)


def _refuse(sentence: str, code: ExitCode) -> int:
    sys.stderr.write(sentences(sentence))
    return code


def _refuse_file(error: FileRefusedError, speech: Speech) -> int:
    """For programs every problem there is; people get those that fit a screen, and are told how to see the others."""
    if speech.as_json:
        speech.show({"file": error.file, "problems": error.problems}, "")
    all_of_them = "\nThe same command with `--json` tells all of them." if error.is_cut else ""
    return _refuse(f"{error}{all_of_them}", ExitCode.USAGE)


def _unusable(error: OSError) -> str:
    """A folder that is not writable, a full disk: the file and the system's own words say what to do."""
    why = "a file is in the way" if isinstance(error, FileExistsError) else error.strerror
    return f"{os.fsdecode(error.filename)} cannot be used: {why}."


def _ended(code: object) -> int:
    if code == ExitCode.INTERRUPTED:
        sys.stderr.write(sentences("Stopped by you. What was begun is safe: whoever looks next goes on from there."))
    return code if isinstance(code, int) else ExitCode.DONE


def _hang_up() -> int:
    """Whoever read our output went away: say nothing more, and let the interpreter not complain at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ExitCode.FAILED


def _confess(error: Exception) -> int:
    if os.environ.get("PROVISIONING_LOG_LEVEL", "").lower() == "debug":
        traceback.print_exception(error)
    return _refuse(
        f"This is a fault of the program ({type(error).__name__}), not of yours. "
        "Run it again with PROVISIONING_LOG_LEVEL=debug and send what it prints to the developers.",
        ExitCode.FAILED,
    )
