"""What is wrong in a file, all of it at once, with the place of each."""

from collections.abc import Sequence

import msgspec

from provisioning.domain.errors import InputError

_SHOWN = 20


class Problem(msgspec.Struct, frozen=True):
    """`place` is a line or an order's line; `sentence` says what is wrong and what to do."""

    place: str
    column: str
    sentence: str

    def __str__(self) -> str:
        """A field's name from a file may hold what would steer a terminal, or what no terminal can write."""
        where = f"{self.place}, {self.column}" if self.column else self.place
        return "".join(sign if sign.isprintable() else "\ufffd" for sign in f"{where}: {self.sentence}")


class FileRefusedError(InputError):
    """The file has problems; nothing of it was taken. The sentence tells the first, `problems` has all of them."""

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        self.file = file
        self.problems = tuple(problems)
        shown = [f"  {problem}" for problem in problems[:_SHOWN]]
        more = [f"  … and {len(problems) - _SHOWN} more."] if len(problems) > _SHOWN else []
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__("\n".join([f"{file} has {count}; nothing was taken from it.", *shown, *more]))

    @property
    def is_cut(self) -> bool:
        """Whether the sentence leaves some out."""
        return len(self.problems) > _SHOWN


def refuse_if_any(file: str, problems: Sequence[Problem]) -> None:
    if problems:
        raise FileRefusedError(file, problems)
