"""What is said when text is not what the audit log, its checkpoints or its exports are made of."""

from provisioning.domain.errors import InputError


class AuditFormatError(InputError):
    """A text breaks the format it claims; `line` counts from 1, or is None where there are no lines."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem if line is None else f"Line {line}: {problem}")
        self.problem = problem
        self.line = line
