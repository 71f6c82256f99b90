"""What docs/how-to/production tells to fill in, to put into place and to type."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAPERS = ROOT / "docs" / "how-to" / "production"


def settings_of(name: str) -> dict[str, str]:
    """The settings that a page of the documentation tells to fill in."""
    lines = (PAPERS / name).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def command_of(unit: str, instance: str = "") -> list[str]:
    """What systemd would start, with the programs of this virtual environment."""
    found = re.search(r"^ExecStart=(.+)$", (PAPERS / unit).read_text(), re.MULTILINE)
    assert found is not None
    said = found[1].replace("%i", instance).replace("%H", "machine")
    return here(shlex.split(said))


def here(command: list[str]) -> list[str]:
    """A documented command, with the programs of this virtual environment."""
    program = Path(command[0]).name
    if program in {"python", "python3"}:
        return [sys.executable, *command[1:]]
    return [str(Path(sys.executable).with_name(program)), *command[1:]]


def commands_of(page: str, language: str = "sh") -> list[str]:
    """The lines that a page tells to type, in their order."""
    blocks = re.findall(
        rf"^```{language}\n(.*?)^```", (ROOT / "docs/how-to" / page).read_text(), re.DOTALL | re.MULTILINE
    )
    return [
        line.strip() for block in blocks for line in block.splitlines() if line.strip() and not line.startswith("#")
    ]
