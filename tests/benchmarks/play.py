"""How long a story takes to play, its fresh database included."""

from __future__ import annotations

import time
from pathlib import Path

from cases.play import play
from cases.store import Store

SCENARIOS = Path(__file__).parents[2] / "cases" / "samples" / "scenarios"


def report(server: Store) -> list[str]:
    """A line for each story; one of thirty steps takes at most two seconds."""
    lines = []
    for path in sorted(SCENARIOS.glob("*.yaml")):
        began = time.perf_counter()
        outcome = play(path, server)
        seconds = time.perf_counter() - began
        steps = outcome.steps
        lines.append(
            f"play, {steps:3} steps: {seconds:.2f} s ({seconds / max(steps, 1) * 30:.2f} s for 30)  {path.name}"
        )
    return lines
