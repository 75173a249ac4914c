"""Commands about reading and judging: extract, topics, rejudge."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archive.errors import ExtractionError
from crawler.terminal import Report, Since, config_option, dir_option, number, progress, reporting, table

if TYPE_CHECKING:
    from crawler.config import Config

WEB = ("http://", "https://")


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="PATH|URL...")
@click.option("--url", help="The address the page was found at, for a single PATH.")
@dir_option
@reporting
def extract(sources: tuple[str, ...], url: str | None, config: Path | None) -> Report:
    """Show what would be read from pages: title, text, dates, author, credit, and what is taken out."""
    from archive.times import stamp, utc_now
    from crawler.config import find_dir, load_config, load_topics
    from crawler.imports import files, page_of, read
    from crawler.report import article_text
    from crawler.worker import Worker

    if url and len(sources) > 1:
        raise click.UsageError("--url goes with a single PATH")
    paths = files([Path(source) for source in sources if not source.startswith(WEB)])
    pages = [(str(path), page_of(path, stamp(utc_now()), url=url)) for path in paths]
    if web := [source for source in sources if source.startswith(WEB)]:
        from crawler.visits import fetch_now

        pages += [(page.url, page) for page in fetch_now(load_config(config), web, progress)]
    found: list[dict[str, Any]] = []
    with closing(Worker(load_topics(find_dir(config)))) as worker:
        for source, page in pages:
            try:
                article, _ = read(worker, page, source)
            except ExtractionError as error:
                click.secho(f"rasid: {error}", fg="red", err=True)
            else:
                found.append({"path": source, **asdict(article)})
    return Report(found, "\n\n".join(map(article_text, found)), bool(found))


@click.group()
def topics() -> None:
    """The topic rules."""


@topics.command("test")
@click.argument("source", required=False, metavar="FILE|-")
@click.option("--jsonl", type=click.Path(path_type=Path, exists=True), help="Judge many {id, title, text}, one a line.")
@click.option("--labels", is_flag=True, help="Show where the rules and the editors' labels differ.")
@dir_option
@reporting
def topics_test(source: str | None, jsonl: Path | None, labels: bool, config: Path | None) -> Report | None:
    """Say which rule matched FILE (or standard input), where, and why not.

    The first line is the title, the rest the text; an .html file is read as a page.
    """
    from crawler import verdicts
    from crawler.config import find_dir, load_config, load_topics

    if labels:
        rows = verdicts.differing(load_config(config))
        shown = [[r.article_id, r.topic, r.verdict, r.strength, r.title] for r in rows["differing"]]
        found = ["", table(["article", "topic", "editor", "rules", "title"], shown)] if shown else [""]
        return Report(rows, f"{rows['labels']} labels, the rules differ from {len(shown)}" + "\n".join(found))
    rules = load_topics(find_dir(config))
    if jsonl:
        for line in verdicts.many(rules, jsonl):
            click.echo(json.dumps(line, ensure_ascii=False, default=asdict))
        return None
    if not source:
        raise click.UsageError("name a FILE, or - for standard input, or --jsonl FILE")
    explanation = verdicts.one(rules, source, sys.stdin.buffer.read() if source == "-" else None)
    return Report(explanation, explanation.as_text())


@topics.command("label")
@click.argument("article_id", type=number, metavar="ID")
@click.argument("topic")
@click.argument("verdict", type=click.Choice(["yes", "no"]))
@config_option
def topics_label(article_id: int, topic: str, verdict: Any, config: Config) -> None:
    """Keep an editor's correction: article ID is, or is not, about TOPIC.

    A yes to an article that was passed over keeps it, as it was captured then.
    """
    from crawler.rejudge import label_article

    label_article(config, article_id, topic, verdict, progress)
    progress("")
    click.echo(f"article {article_id}: {topic} {verdict}; `rasid topics test --labels` compares")


@click.command()
@click.option("--since", type=Since(), default=None, help="Only what was captured at this date (UTC) or later; 7d.")
@click.option("--apply", "apply_", is_flag=True, help="Store the new judgements and keep what matches now.")
@click.option("--notify", is_flag=True, help="With --apply: tell the readers of what is newly on a topic.")
@config_option
@reporting
def rejudge(since: str | None, apply_: bool, notify: bool, config: Config) -> Report:
    """Run today's rules over stored articles and captures, and say what would change."""
    from crawler.rejudge import rejudge_archive

    if notify and not apply_:
        raise click.UsageError("--notify goes with --apply")
    changes = rejudge_archive(config, since or "", apply=apply_, notify=notify, progress=progress)
    rows = [[c.article_id, _topics(c.was), _topics(c.now), c.title] for c in changes]
    shown = table(["article", "was (passing)", "now", "title"], rows) + "\n" if changes else ""
    newly = sum(change.kept_now for change in changes)
    done = "changed" if apply_ else "would change; --apply stores it"
    also = f", {newly} of them passed over before" if newly else ""
    return Report(changes, f"{shown}{len(changes)} articles {done}{also}")


def _topics(strengths: dict[str, str]) -> str:
    return ", ".join(t if s == "substantive" else f"({t})" for t, s in sorted(strengths.items())) or "-"
