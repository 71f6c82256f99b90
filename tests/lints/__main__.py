"""Print every offence, one a line; exit code 1 if there is any."""

from __future__ import annotations

import sys

from tests.lints.rules import offences

found = offences()
for offence in found:
    sys.stdout.write(f"{offence}\n")
sys.exit(bool(found))
