"""`rasid init`: a first configuration, commented, that loads as it is."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from archive.errors import UsageError
from archive.topics import SHIPPED
from crawler.config import OUTLETS, SERVICE, TOPICS, load_config


def write(directory: Path, contact: str) -> Iterator[Path]:
    """Write the three files, none of which may be there yet (UsageError); yields each path."""
    standing = [name for name in (SERVICE, OUTLETS, TOPICS) if (directory / name).exists()]
    if standing:
        raise UsageError(f"{directory / standing[0]} is there already and is left as it is; choose another directory")
    directory.mkdir(parents=True, exist_ok=True)
    starter = files("crawler") / "starter"
    quoted = contact.replace("\\", "\\\\").replace('"', '\\"')
    texts = {
        SERVICE: (starter / SERVICE).read_text(encoding="utf-8").replace("CONTACT", quoted),
        OUTLETS: (starter / OUTLETS).read_text(encoding="utf-8"),
        TOPICS: SHIPPED.read_text(encoding="utf-8"),
    }
    written = []
    try:
        for name, text in texts.items():
            (directory / name).write_text(text, encoding="utf-8")
            written.append(directory / name)
        load_config(directory)  # a contact that is none is told now, not at the first crawl
    except BaseException:
        for file in written:
            file.unlink()
        raise
    yield from written
