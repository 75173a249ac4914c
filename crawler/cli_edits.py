"""`rasid diff`: what changed between two versions of an article."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from crawler.terminal import Report, number, part_option, reporting

if TYPE_CHECKING:
    from crawler.config import Config


@click.command()
@click.argument("article_id", type=number, metavar="ID")
@click.argument("versions", type=click.IntRange(1), nargs=-1, metavar="[A B]")
@part_option
@reporting
def diff(article_id: int, versions: tuple[int, ...], config: Config) -> Report:
    """Show what changed between versions A and B of an article (default: the last two), and whether it matters."""
    from archive.reading import open_archive
    from crawler.report import diff_text

    if len(versions) not in (0, 2):
        raise click.UsageError("name two versions, A and B, or none for the last two; `rasid show ID` lists them")
    with open_archive(config.archive) as archive:
        found = archive.diff(article_id, *versions, rules=config.rules)
    sides = {name: {"number": v.number, "captured_at": v.captured_at, "version_id": v.id}
             for name, v in (("from", found.before), ("to", found.after))}  # fmt: skip
    told = {"article_id": article_id, **sides, "silent": found.silent, "edits": list(map(asdict, found.edits))}
    return Report(told, diff_text(found))
