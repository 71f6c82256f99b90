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
from typing import Final

GRACE_SECONDS: Final = 5


def main() -> None:
    """Run the server in this process until a signal comes or the parent is gone."""
    threading.Thread(target=_end_with_parent, name="tether", daemon=True).start()
    from prefect.cli import app

    sys.argv = ["prefect", "server", "start", "--host", "127.0.0.1", "--port", sys.argv[1]]
    app()


def _end_with_parent() -> None:
    # Unbuffered: at the end of the process a lock on the buffered reader would be fatal.
    while os.read(0, 64):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main()
