"""The pages of a results folder, served for as long as a test needs them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.publish.site import server


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serves in a thread on a port that the kernel picks; yields the address. What asks early waits in the socket's queue."""
    pages = server(folder)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=pages.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            pages.should_exit = True
            thread.join()
