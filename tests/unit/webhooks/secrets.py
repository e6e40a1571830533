"""Invented secrets, as files."""

import base64
from pathlib import Path


def secret(letter: str, size: int = 32) -> str:
    return "whsec_" + base64.b64encode(letter.encode() * size).decode()


def secret_file(folder: Path, letter: str) -> str:
    """Its name in the folder."""
    (folder / f"secret-{letter}").write_text(secret(letter) + "\n", "ascii")
    return f"secret-{letter}"
