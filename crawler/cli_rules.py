"""Commands about reading and judging: extract, topics, rejudge."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from archive.errors import ExtractionError
from crawler.terminal import Since, config_option, json_option, load, print_json, progress, table_text

WEB = ("http://", "https://")


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="PATH|URL...")
@click.option("--url", help="The address the page was found at, for a single PATH.")
@config_option
@json_option
def extract(sources: tuple[str, ...], url: str | None, config_dir: Path | None, as_json: bool) -> None:
    """Show what would be read from pages: title, text, dates, author, credit, and what is taken out."""
    from dataclasses import asdict

    from archive.times import stamp, utc_now
    from crawler.config import find_dir, load_topics
    from crawler.imports import files, page_of, read
    from crawler.report import article_text
    from crawler.worker import Worker

    if url and len(sources) > 1:
        raise click.UsageError("--url goes with a single PATH")
    paths = files([Path(source) for source in sources if not source.startswith(WEB)])
    pages = [(str(path), page_of(path, stamp(utc_now()), url=url)) for path in paths]
    if web := [source for source in sources if source.startswith(WEB)]:
        from crawler.visits import fetch_now

        pages += [(page.url, page) for page in fetch_now(load(config_dir), web, progress)]
    worker = Worker(load_topics(find_dir(config_dir)))
    found: list[dict[str, Any]] = []
    try:
        for source, page in pages:
            try:
                article, _ = read(worker, page, source)
            except ExtractionError as error:
                click.secho(f"rasid: {error}", fg="red", err=True)
            else:
                found.append({"path": source, **asdict(article)})
    finally:
        worker.close()
    progress("")
    if as_json:
        print_json(found)
    else:
        click.echo("\n\n".join(article_text(one) for one in found))
    if not found:
        sys.exit(1)


@click.group()
def topics() -> None:
    """The topic rules."""


@topics.command("test")
@click.argument("source", required=False, metavar="FILE|-")
@click.option("--jsonl", type=click.Path(path_type=Path, exists=True), help="Judge many {id, title, text}, one a line.")
@click.option("--labels", is_flag=True, help="Show where the rules and the editors' labels differ.")
@config_option
@json_option
def topics_test(source: str | None, jsonl: Path | None, labels: bool, config_dir: Path | None, as_json: bool) -> None:
    """Say which rule matched FILE (or standard input), where, and why not.

    The first line is the title, the rest the text; an .html file is read as a page.
    """
    from crawler import verdicts
    from crawler.config import find_dir, load_topics

    if labels:
        rows = verdicts.differing(load(config_dir))
        if as_json:
            print_json(rows)
        else:
            shown = [[r["article_id"], r["topic"], r["verdict"], r["strength"], r["title"]] for r in rows["differing"]]
            click.echo(f"{rows['labels']} labels, the rules differ from {len(shown)}")
            if shown:
                click.echo(table_text(["article", "topic", "editor", "rules", "title"], shown))
        return
    rules = load_topics(find_dir(config_dir))
    if jsonl:
        for line in verdicts.many(rules, jsonl):
            click.echo(json.dumps(line, ensure_ascii=False))
        return
    if not source:
        raise click.UsageError("name a FILE, or - for standard input, or --jsonl FILE")
    explanation = verdicts.one(rules, source, sys.stdin.buffer.read() if source == "-" else None)
    if as_json:
        print_json(explanation.as_dict())
    else:
        click.echo(explanation.as_text())


@topics.command("label")
@click.argument("article_id", type=int, metavar="ID")
@click.argument("topic")
@click.argument("verdict", type=click.Choice(["yes", "no"]))
@config_option
def topics_label(article_id: int, topic: str, verdict: Any, config_dir: Path | None) -> None:
    """Keep an editor's correction: article ID is, or is not, about TOPIC.

    A yes to an article that was passed over keeps it, as it was captured then.
    """
    from crawler.rejudge import label_article

    label_article(load(config_dir), article_id, topic, verdict, progress)
    progress("")
    click.echo(f"article {article_id}: {topic} {verdict}; `rasid topics test --labels` compares")


@click.command()
@click.option("--since", type=Since(), default=None, help="Only what was captured at this date (UTC) or later; 7d.")
@click.option("--apply", "apply_", is_flag=True, help="Store the new judgements and keep what matches now.")
@click.option("--notify", is_flag=True, help="With --apply: tell the readers of what is newly on a topic.")
@config_option
@json_option
def rejudge(since: str | None, apply_: bool, notify: bool, config_dir: Path | None, as_json: bool) -> None:
    """Run today's rules over stored articles and captures, and say what would change."""
    from dataclasses import asdict

    from crawler.rejudge import rejudge_archive

    if notify and not apply_:
        raise click.UsageError("--notify goes with --apply")
    changes = rejudge_archive(load(config_dir), since or "", apply=apply_, notify=notify, progress=progress)
    if as_json:
        print_json([asdict(change) for change in changes])
        return
    if changes:
        rows = [[c.article_id, _topics(c.was), _topics(c.now), c.title] for c in changes]
        click.echo(table_text(["article", "was (passing)", "now", "title"], rows))
    progress("")
    newly = sum(change.kept_now for change in changes)
    done = "changed" if apply_ else "would change; --apply stores it"
    click.echo(f"{len(changes)} articles {done}" + (f", {newly} of them passed over before" if newly else ""))


def _topics(strengths: dict[str, str]) -> str:
    return ", ".join(t if s == "substantive" else f"({t})" for t, s in sorted(strengths.items())) or "-"
