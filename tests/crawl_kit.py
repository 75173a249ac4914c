"""What tests of crawls share: Scrapy's reactor in a thread, and a configured archive with all a crawl needs."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from archive.frontier import sync_outlets
from archive.sqlite import connect_read
from archive.times import utc_now
from archive.writer import Writer
from crawler.config import load_config
from crawler.crawl import Crawls
from crawler.guest import Guest
from crawler.session import policy
from crawler.worker import Worker
from tests.archive_kit import prepared
from tests.servers import Site
from tests.warp import Warp

ROOT = Path(__file__).parent.parent
TEXT = """أعلنت قوات سوريا الديمقراطية اليوم أنها نقلت دفعة من معتقلي تنظيم داعش من سجن الصناعة في الحسكة.
وقال مصدر في قسد إن عملية النقل جرت بإشراف التحالف الدولي وإن عدد المحتجزين بلغ مئة وخمسين.
وأضاف المصدر أن السجون التي تضم عناصر التنظيم في شمال شرق سوريا ما زالت تحت السيطرة الكاملة."""
OFF_TOPIC = """فاز الفريق الأخضر على ضيفه بهدفين دون رد في المباراة التي جرت مساء أمس على ملعب المدينة.
وسجل الهدفين اللاعب الشاب في الشوط الثاني بعد تمريرات متقنة من زميله على الجهة اليمنى.
ويحتل الفريق بهذا الفوز المركز الثالث في جدول الترتيب قبل خمس جولات من نهاية الموسم."""


class Loop:
    """Scrapy's reactor in a thread of its own, for as long as the tests run."""

    def __init__(self) -> None:
        self.loop = Warp()
        ready = threading.Event()
        threading.Thread(target=self._run, args=(ready,), daemon=True).start()
        assert ready.wait(30)

    def _run(self, ready: threading.Event) -> None:
        from scrapy.utils.reactor import install_reactor

        asyncio.set_event_loop(self.loop)
        install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")
        from twisted.internet import reactor

        reactor.seconds = self.loop.time  # type: ignore[method-assign]
        reactor.callWhenRunning(ready.set)  # type: ignore[attr-defined]
        reactor.run(installSignalHandlers=False)  # type: ignore[attr-defined]

    def run(self, work: Coroutine[Any, Any, Any], seconds: float = 60) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(seconds)


class Desk:
    """A configured archive with everything a crawl needs."""

    def __init__(self, loop: Loop, worker: Worker, directory: Path) -> None:
        self.loop, self.worker, self.directory = loop, worker, directory
        self.outlets: list[str] = []
        self.settings = {"crawl.delay": "10ms", "crawl.timeout": "5s", "keep.free_space": "1B"}
        self.closers: list[Callable[[], object]] = []
        self.ahead = timedelta()  # of our clock, over everybody else's

    def outlet(self, name: str, site: Site, allow_private: bool = True, **keys: Any) -> None:
        """Add an outlet at a site; `keys` are TOML values."""
        entry = {"id": f'"{name}"', "name_ar": '"موقع"', "name_en": f'"{name}"', "homepage": f'"{site.url}/"'}
        entry |= {k: v if isinstance(v, str) else str(v) for k, v in keys.items()}
        entry["allow_private"] = str(allow_private).lower()
        self.outlets.append("[[outlet]]\n" + "\n".join(f"{k} = {v}" for k, v in entry.items()))

    def configure(self) -> None:
        """Write the configuration, and read it."""
        lines = ['contact = "desk@example.org"']
        for table in sorted({key.partition(".")[0] for key in self.settings}):
            lines.append(f"[{table}]")
            for key, value in self.settings.items():
                if key.startswith(table + "."):
                    lines.append(f"{key.partition('.')[2]} = {value if value.isdigit() else chr(34) + value + chr(34)}")
        (self.directory / "rasid.toml").write_text("\n".join(lines))
        (self.directory / "outlets.toml").write_text("\n".join(self.outlets))
        self.config = load_config(self.directory)

    def open(self) -> Desk:
        self.configure()
        self.writer = Writer(prepared(self.config.archive), policy(self.config), group_ms=5, clock=self.now)
        self.guest = Guest(self.config, self.writer, clock=self.now)
        self.crawls = Crawls(self.config, self.writer, self.worker, self.guest, clock=self.now)
        self.closers = [self.writer.close]
        self.writer.submit(lambda tx: sync_outlets(tx, [o.row for o in self.config.outlets])).result()
        self.db = connect_read(self.config.archive)
        return self

    def now(self) -> datetime:
        """What our clock shows."""
        return utc_now() + self.ahead

    def close(self) -> None:
        for close in self.closers:
            close()
        self.closers = []

    def crawl(self, *names: str, all_sources: bool = True) -> Any:
        """Crawl these outlets (or all), at once; the summary, or a list of them."""
        chosen = self.config.enabled(names)

        async def work() -> list[Any]:
            return await asyncio.gather(*(self.crawls.crawl(o, all_sources=all_sources) for o in chosen))

        done = self.loop.run(work())
        return done[0] if len(done) == 1 else done

    def rows(self, sql: str, *args: Any) -> list[tuple[Any, ...]]:
        return list(self.db.execute(sql, args).fetchall())

    def outcomes(self) -> dict[str, str]:
        """Path of every look so far: its outcome."""
        return {
            re.sub("https?://[^/]+", "", u): o for u, o in self.rows("SELECT url, outcome FROM fetches ORDER BY id")
        }

    def titles(self) -> list[str]:
        return [row[0] for row in self.rows("SELECT title FROM latest ORDER BY title")]


def one_article(desk: Desk, site: Site, path: str, **keys: Any) -> str:
    """A desk with one outlet whose feed lists one address."""
    site.feed("/feed", [site.url + path])
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]', **keys)
    desk.open().crawl()
    return desk.outcomes().get(path, "none")
