"""What tests of looks share: articles like no other, kept by number, found again or missed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from archive.looks import look
from archive.models import Article, Look
from archive.times import later
from tests.archive_kit import NOW, ON_TOPIC, Kit, whole

DAY, HOUR = 86400.0, 3600.0
LADDER = (HOUR, 3 * HOUR, 12 * HOUR, DAY, 3 * DAY, 7 * DAY, 30 * DAY)


@contextmanager
def watched(directory: Path) -> Iterator[Kit]:
    """An archive whose articles are looked at again by the ladder, and that is found whole in the end."""
    kit = Kit(directory, ladder=LADDER)
    yield kit
    assert whole(kit.writer) == []
    kit.writer.close()


def url(number: int) -> str:
    return f"https://sana.example/{number}"


def story(number: int) -> Article:
    """An article like no other."""
    words = random.Random(number).sample([f"كلمة{n}" for n in range(400)], 40)
    return replace(ON_TOPIC, title=f"{ON_TOPIC.title} {number}", text=f"{' '.join(words)}.\n{ON_TOPIC.text}")


def missed(kit, at, *numbers, outcome="gone"):
    kit.clock.at = at
    for number in numbers:
        seen = Look(url(number), at, outcome, "sana", kit.crawl, number, status=404)
        kit.do(lambda tx, seen=seen: look(tx, seen))


def kept(kit, count, at=NOW, apart=60):
    for number in range(1, count + 1):
        kit.save(story(number), later(at, apart * number), url=url(number))


def found(kit, at, *numbers):
    for number in numbers:
        kit.save(story(number), at, url=url(number), article_id=number)


def told(kit, kind="withdrawn"):
    return [row[0] for row in kit.rows("SELECT article_id FROM events WHERE kind = ? ORDER BY id", kind)]


def states(kit):
    return dict(kit.rows("SELECT id, status FROM articles"))
