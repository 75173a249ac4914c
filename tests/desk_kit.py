"""What tests of the desk share: an archive of every kind of article, and a way to ask for a page."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from archive.desk.server import open_desk
from archive.frontier import OutletRow, sync_outlets
from archive.looks import look
from archive.models import Article, Judgement, Look, Match, Passage, Saved, Snapshot
from archive.store import save
from archive.times import later, stamp, utc_now
from archive.transaction import Transaction
from tests.archive_kit import OFF_TOPIC, RULES, SANA, Kit, page, shot

NOW = stamp(utc_now())
OVERRIDE = "\u202e"
FIELDS = ("outlet", "title", "text", "published", "topic")
TEXTS = [
    ("furat", "قوات قسد تنقل معتقلين", "نقلت وقسد أول دفعة.\nأما لقسد فموقف آخر، و«قسد» نفت ذلك.", "2026-01-21", "sdf"),
    ("furat", "سورية تعلن الموازنة", "قال وزير المالية إن سورية أقرت الموازنة.", "2026-01-22T09:30:00+03:00", "syria"),
    ("barada", "اجتماع في دمشق", "بحث الاجتماعُ ملفَّ المعتقـلين الـ٣٥ في السجون مع CENTCOM.", None, "syria"),
    ("barada", "<script>alert(1)</script> عاجل", "<img src=x onerror=alert(2)> & ' نص.", "2026-01-20T08:00", "syria"),
    ("barada", f"عنوان {OVERRIDE}مقلوب", "فقرة قصيرة عن الطقس.", "2026-01-19", None),
]  # fmt: skip


def keep(
    tx: Transaction, number: int, at: str, outlet: str, title: str, text: str, published: str | None, topic: str | None
) -> Saved:
    """Save a look, on `topic` for certain words whatever the rules say; without a topic it is kept all the same."""
    hits = re.finditer("قسد|سورية|السجون|عاجل", text)
    strength = ("passing", 0.0) if number == 3 else ("substantive", 3.5)
    passages = tuple(Passage("text", hit.start(), hit.end(), "term", hit[0]) for hit in hits)
    judgement = Judgement(RULES.sha256, (Match(topic, *strength, passages),) if topic else ())
    article = Article(title, text, published_at=published, published_source="meta", extractor="test 1")
    looked = page(f"https://{outlet}.example/{number}", at)
    return save(tx, Snapshot(looked, article, judgement, outlet_id=outlet, crawl_id=1, keep=not topic))


def build(directory: Path) -> Path:
    """An archive with five kept articles (one edited, one withdrawn), one passed over, and a look that failed."""
    kit = Kit(directory)
    unread, names = (("feed", "https://sana.example/feed"),), {"furat": "الفرات اليوم", "barada": "صحيفة بردى"}
    rows = [OutletRow(key, name, key, "newspaper", "SY", None, None, ()) for key, name in names.items()]
    rows += [replace(SANA, sources=unread), replace(SANA, id="off")]
    kit.do(lambda tx: sync_outlets(tx, rows))

    def at(hours: float) -> str:
        kit.clock.at = later(NOW, hours * 3600)
        return kit.clock.at

    for number, values in enumerate(TEXTS, 1):
        kit.do(partial(keep, number=number, at=at(number - 10), **dict(zip(FIELDS, values, strict=True))))
    edited = dict(zip(FIELDS, TEXTS[0], strict=True)) | {"text": TEXTS[0][2].replace("أول دفعة", "ثاني دفعة")}
    kit.do(partial(keep, number=1, at=at(-4), **edited))
    kit.do(lambda tx: save(tx, shot(OFF_TOPIC, page("https://barada.example/6", at(-3)))))
    for hours in (-2, 0):
        gone = Look("https://furat.example/2", at(hours), "gone", "furat", article_id=2, status=404)
        kit.home(at(hours), outlet="furat")
        kit.do(partial(look, look=gone))
    kit.do(lambda tx: look(tx, Look("https://furat.example/f", NOW, "timeout", "furat", error="30 s passed")))
    kit.writer.close()
    return kit.path


def client(archive: Path) -> Callable[..., Any]:
    """The desk of an archive: path and parameters in, the answer out."""
    desk = open_desk(archive)

    def get(path: str, **params: str) -> Any:
        return asyncio.run(desk.client.get(path + ("?" + urlencode(params) if params else "")))

    return get
