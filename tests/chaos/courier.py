"""A process that delivers and is killed: forked anew for each kill, with channels and templates read already.

Run as `python -m tests.chaos.courier URL PORT HANDS`; for each line it forks one that delivers until it is killed,
answers with its number, and says so when it is gone.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import timedelta

from cases.deliverer import Deliverer
from cases.store import Store
from notifiers.channels import Wires
from tests.cases.mailroom import manner
from tests.notifiers.far_ends import FarEnd


def main() -> None:
    """Fork one after another until nobody asks for more."""
    url, port, hands = sys.argv[1:]
    wires = Wires(FarEnd(int(port)).gates())
    ours = manner(lease=timedelta(seconds=1), hands=int(hands))
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            with Store(url) as store, Deliverer(store, wires, ours, every=timedelta(seconds=0.1)):
                time.sleep(600)
            os._exit(1)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        os.waitpid(child, 0)
        sys.stdout.write("gone\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
