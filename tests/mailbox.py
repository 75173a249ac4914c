"""A mail server that fails in every way by turns, and keeps what it accepted and whether it could say so."""

from __future__ import annotations

import asyncio
import random
import re
import socket
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")
Say = Callable[[str], Awaitable[None]]
Fail = Callable[[str, str], Awaitable[None]]
_HOST = "127.0.0.1"
# Of a connection: before anything is said. Of a mail: the step it fails at, and how.
GREETINGS = ("hang", "421 busy", "554 not you", "drop")
STEPS = ("MAIL", "RCPT", "DATA", "body", "middle", "taken", "said")
WAYS = (
    *((step, way) for step in STEPS[:4] for way in ("451 later", "drop", "hang")),
    *((step, "554 never") for step in ("RCPT", "DATA", "body")),
    ("MAIL", "550 no such sender"), ("middle", "drop"), ("middle", "hang"), ("taken", "drop"), ("taken", "hang"),
)  # fmt: skip


@dataclass
class Mailbox:
    """Serves from a thread until closed; once `calm`, nothing fails any more."""

    seed: int
    calm: bool = False
    accepted: list[tuple[float, str, str]] = field(default_factory=list)  # when, to whom, Message-ID
    unsaid: dict[str, int] = field(default_factory=dict)  # by Message-ID: so many copies were taken without a word
    faults: Counter[str] = field(default_factory=Counter)
    now: Callable[[], float] = lambda: 0.0
    on_step: Callable[[str], None] = lambda step: None  # told of each step of a mail; may kill whoever sends

    def __enter__(self) -> Mailbox:
        self._chance = random.Random(self.seed)
        self._greetings, self._ways = list[str](), list[tuple[str, str]]()
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        with socket.socket() as probe:
            probe.bind((_HOST, 0))
            self.port = int(probe.getsockname()[1])
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.listen(True)
        return self

    def __exit__(self, *_: object) -> None:
        self.listen(False)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    @property
    def up(self) -> bool:
        """Whether it takes connections."""
        return self._server is not None

    def listen(self, wanted: bool) -> None:
        """Take connections, or have them refused."""
        asyncio.run_coroutine_threadsafe(self._listen(wanted), self._loop).result(10)

    async def _listen(self, wanted: bool) -> None:
        if self._server and not wanted:
            self._server.close()
            self._server = None
            self.faults["refuse"] += 1
        elif wanted and not self._server:
            self._server = await asyncio.start_server(self._serve, _HOST, self.port, limit=1 << 22)

    def copies(self, message_id: str) -> int:
        """How often a mail was accepted."""
        return sum(key == message_id for _, _, key in self.accepted)

    def not_said(self, message_id: str) -> None:
        """Whoever sent this mail never learned that it was accepted."""
        self.unsaid[message_id] = self.copies(message_id)

    def _turn(self, kinds: Sequence[T], waiting: list[T], chance: float) -> T | None:
        """By this chance the next fault of its kind; each has its turn before any has it twice."""
        if self.calm or self._chance.random() >= chance:
            return None
        if not waiting:
            waiting += self._chance.sample(kinds, len(kinds))
        return waiting.pop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, _Dropped):
            await self._talk(reader, writer)
        writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(words: str) -> None:
            writer.write(f"{words}\r\n".encode())
            await writer.drain()

        async def fail(step: str, way: str) -> None:
            self.faults[f"{step} {way[:3] if way[0] in '45' else way}"] += 1
            if way == "hang":
                await reader.read()  # until they give up
            if way in ("hang", "drop"):
                raise _Dropped
            await say(way)

        if greeting := self._turn(GREETINGS, self._greetings, 0.1):
            return await fail("greeting", greeting)
        await say("220 mailbox")
        step, way, to = "", "", ""
        while line := (await reader.readline()).decode("latin-1").strip():
            verb = line[:4].upper()
            if verb == "MAIL":
                step, way = self._turn(WAYS, self._ways, 0.4) or ("", "")
            if verb in STEPS:
                self.on_step(verb)
            if verb == step:
                await fail(step, way)
            elif verb == "RCPT":
                to = line.partition("<")[2].partition(">")[0]
                await say("250 ok")
            elif verb == "DATA":
                await say("354 go on")
                if step == "middle":
                    await reader.readline()
                    await fail(step, way)
                self.on_step("middle")
                await self._take(await reader.readuntil(b"\r\n.\r\n"), to, step, way, say, fail)
            else:
                await say("221 bye" if verb == "QUIT" else "250 ok")

    async def _take(self, mail: bytes, to: str, step: str, way: str, say: Say, fail: Fail) -> None:
        if step == "body":
            return await fail(step, way)
        found = re.search(rb"(?im)^Message-ID:\s*(<[^>]+>)", mail)
        message_id = found[1].decode() if found else ""
        self.accepted.append((self.now(), to, message_id))
        self.on_step("taken")
        if step == "taken" and self.copies(message_id) == 1:  # who never says so at all gets copy after copy
            self.not_said(message_id)
            return await fail(step, way)
        await say("250 taken")
        self.on_step("said")


class _Dropped(Exception):
    """The connection ends."""
