"""What the tests of the evidence share: an archive to look at, the steps of a bundle, ways to spoil both."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from archive.models import Page
from archive.transaction import Transaction
from archive.upkeep import close_files
from archive.verify import _check_ledger, _look, _open, files
from tests.archive_kit import OFF_TOPIC, ON_TOPIC, Kit, page

NAME = "سلمى البحراوي"
RICH = replace(
    ON_TOPIC, author=NAME, section="محليات", published_at="2026-01-21", published_source="text",
    modified_at="2026-01-21", credit="سانا", language="ar", related=(f"خبر آخر عن {NAME}",),
)  # fmt: skip
ASKED = (("User-Agent", "Rasid/1 (+desk@example.org)"), ("Accept", "text/html"))


def url(number: int) -> str:
    return f"https://sana.example/{number}"


def shown(number: int, words: str = "", at: str = "2026-01-21T10:00:00Z") -> Page:
    return page(url(number), at, body=f"<p>{RICH.text} {words} {number}</p>" * 9, request_headers=ASKED)


@contextmanager
def filled(directory: Path) -> Iterator[Kit]:
    kit = Kit(directory)
    fill(kit)
    yield kit
    kit.writer.close()


def fill(kit: Kit) -> None:
    """Six articles, one of them edited, one passed over; files of one day closed, of another still open."""
    for number in range(4):
        kit.save(replace(RICH, title=f"{RICH.title} {number}"), page=shown(number))
    kit.save(OFF_TOPIC, page=shown(8))
    kit.clock.at = "2026-01-22T10:00:00Z"
    assert close_files(kit.writer) == 2
    at = "2026-01-22T11:00:00Z"
    kit.save(replace(RICH, title=f"{RICH.title} 0", text=f"{RICH.text}\nوقُتل خمسة."), at, page=shown(0, "خمسة", at))
    kit.save(replace(RICH, title=f"{RICH.title} 9"), at, page=shown(9, at=at))


def looked(path: Path) -> list[Any]:
    """What `verify` does, in this process."""
    db = _open(path)
    found = [f for file in files(db, path.parent / "captures") for f in _look(path, file).findings]
    db.close()
    return found + _check_ledger(path, 0, 2**62).findings


def steps(directory: Path) -> list[str]:
    """The commands that VERIFY.txt says to run."""
    text = (directory / "VERIFY.txt").read_text(encoding="utf-8")
    (script,) = re.findall(r"^python3 - << 'END'\n.*?^END$", text, re.M | re.S)
    first, *later = re.findall(r"^    (\S.*)$", text.replace(script, ""), re.M)
    return [first, script, *later]


def differs(directory: Path) -> list[str]:
    """What the second step prints."""
    step = ["bash", "-c", steps(directory)[1]]
    return subprocess.run(step, cwd=directory, capture_output=True, text=True).stdout.splitlines()


def run_steps(directory: Path, known_head: str) -> str:
    """Their output; each must succeed, in a shell with only the directory of Python's programs in front."""
    said = ""
    for step in steps(directory):
        line = step.replace("THE_HEAD_YOU_KNOW", known_head)
        tools = f"{Path(sys.executable).parent}:/usr/bin:/bin"
        done = subprocess.run(["bash", "-c", line], cwd=directory, env={"PATH": tools}, capture_output=True, text=True)
        said += done.stdout
        assert done.returncode == 0, (line, done.stdout, done.stderr)
    return said


def spoil(kit: Kit, statement: str) -> None:
    """What somebody with the file and no scruples would do."""

    def change(tx: Transaction) -> None:
        for trigger in tx.db.triggers:
            tx.db.execute(f"DROP TRIGGER {trigger.name}")
        tx.db.execute(statement)

    kit.do(change)
