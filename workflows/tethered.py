"""`python -m workflows.tethered PORT`: Prefect's server, tied to whoever started it.

The other end of its standard input is held by its parent and closed by the kernel however that one ends, kill -9
included; then the server ends too. Portable, where a parent-death signal isn't.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from datetime import timedelta
from functools import partial
from typing import Final

GRACE_SECONDS: Final = 5
LOOKS_EVERY: Final = timedelta(seconds=1)
"""How often the server looks at what it has set itself to do. Four times a second is a fourth of what it costs idle."""


def main() -> None:
    """Run the server in this process until a signal comes or the parent is gone."""
    threading.Thread(target=_end_with_parent, name="tether", daemon=True).start()
    from prefect.cli import app

    _unhurried()
    sys.argv = ["prefect", "server", "start", "--host", "127.0.0.1", "--port", sys.argv[1]]
    app()


def _unhurried() -> None:
    # There is no setting for it. Nothing of ours waits for that list: runs are planned minutes ahead.
    from prefect.server.api import background_workers

    names = vars(background_workers)
    names["Worker"] = partial(names["Worker"], minimum_check_interval=LOOKS_EVERY, scheduling_resolution=LOOKS_EVERY)


def _end_with_parent() -> None:
    # Unbuffered: at the end of the process a lock on the buffered reader would be fatal.
    while os.read(0, 64):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main()
