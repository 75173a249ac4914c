"""What systemd is told of us (sd_notify): ready, alive, reloading, stopping, and how it stands. Silent elsewhere."""

from __future__ import annotations

import socket
import time
from contextlib import suppress


class Supervisor:
    """The other end of a service's notification socket; without an address everything said to it is lost."""

    def __init__(self, address: str | None = None, watchdog_s: float | None = None) -> None:
        """`address`: a path, or @name in the abstract namespace; `watchdog_s`: silent for so long, we are killed."""
        self.address = f"\0{address[1:]}" if address and address.startswith("@") else address
        self.watchdog_s = watchdog_s

    def tell(self, *lines: str) -> None:
        """Say it, such as "READY=1"; never waits, never raises."""
        if self.address:
            with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
                there.setblocking(False)
                there.sendto("\n".join(lines).encode(), self.address)

    def reloading(self) -> None:
        """The configuration is being read again; READY=1 says when that is over."""
        self.tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
