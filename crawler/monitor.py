"""Two pages for monitoring, /healthz and /metrics, in the service's own loop: GET alone, bounded, on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from http import HTTPStatus

Page = Callable[[], Awaitable[tuple[int, str]]]
"""Gives a status and a text."""
CONNECTIONS, HEAD_BYTES, SECONDS = 16, 4096, 5.0  # at a time, of a request, for all of one


class Monitor:
    """Answers until closed."""

    def __init__(self, pages: Mapping[str, Page]) -> None:
        """`pages` by path."""
        self._pages, self._open = pages, 0
        self._server: asyncio.Server | None = None

    async def listen(self, host: str, port: int) -> None:
        """Begin; raises OSError when the address is taken."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=HEAD_BYTES)

    def close(self) -> None:
        """End."""
        if self._server:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open <= CONNECTIONS:
                async with asyncio.timeout(SECONDS):
                    head = await reader.readuntil(b"\r\n\r\n")
                    status, text = await self._answer(head)
                    lines = (
                        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", "Content-Type: text/plain; charset=utf-8",
                        f"Content-Length: {len(text.encode())}", "Cache-Control: no-store", "Connection: close",
                    )  # fmt: skip
                    writer.write("\r\n".join((*lines, "", text)).encode())
                    await writer.drain()
        except (OSError, ValueError, EOFError, asyncio.LimitOverrunError):  # a guest without manners, or a slow one
            pass
        finally:
            self._open -= 1
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, head: bytes) -> tuple[int, str]:
        method, _, target = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
        page = self._pages.get(target.partition(" ")[0].partition("?")[0])
        if method != "GET":
            return 405, "only GET\n"
        return await page() if page else (404, f"{' '.join(self._pages)}\n")
