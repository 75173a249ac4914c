"""The program `rasid`: each command parses, calls one part and prints. Heavy imports stay inside the commands."""

from __future__ import annotations

import logging
import os
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.cli_alerts import alerts
from crawler.cli_edits import diff
from crawler.cli_evidence import export, redact, verify
from crawler.cli_outlets import outlets
from crawler.cli_rules import extract, rejudge, topics
from crawler.cli_upkeep import backup, doctor
from crawler.terminal import (
    Program,
    Since,
    config_option,
    json_option,
    load,
    print_json,
    progress,
    table_text,
    yesterday,
)

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.health import Survey


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="rasid", prog_name="rasid")
@click.option("-v", "--verbose", is_flag=True, help="Say more while working.")
def main(verbose: bool) -> None:
    """Rasid (راصد) watches Arabic news outlets for a topic, keeps every version of every article on it,
    and tells people when something new, changed or withdrawn matters."""
    os.umask(0o077)  # what we write is nobody else's to read
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without Arabic is no reason to fail
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )  # fmt: skip
    for library in ("scrapy", "twisted", "apscheduler", "trafilatura", "asyncio"):  # they tell of every step
        logging.getLogger(library).setLevel(logging.WARNING)


@main.command()
@click.argument("directory", default=".", type=click.Path(path_type=Path, file_okay=False))
@click.option("--contact", metavar="ADDRESS", help="Address outlets can write to; it goes into the user agent.")
def init(directory: Path, contact: str | None) -> None:
    """Write rasid.toml, outlets.toml and topics.toml into DIRECTORY (default: here)."""
    from crawler.initial import write

    contact = contact or click.prompt("An address outlets can write to (it goes into the user agent)")
    for file in write(directory, contact):
        click.echo(f"wrote {file}")
    where = "" if directory == Path() else f" --config {directory}"
    click.echo(f"Now see which outlets answer, and switch them on: rasid outlets check --enable{where}")
    click.echo(f"Then: rasid crawl{where}")


@main.command()
@click.argument("outlets", nargs=-1, metavar="[OUTLET]...")
@config_option
@json_option
def crawl(outlets: tuple[str, ...], config_dir: Path | None, as_json: bool) -> None:
    """Crawl the named outlets, or all enabled ones, once and now."""
    from crawler import visits

    config = load(config_dir)
    rows = visits.crawl_now(config, outlets, progress)
    if as_json:
        print_json(rows)
    elif rows:
        columns = ["outlet", "outcome", "discovered", "fetched", "kept", "errors", "seconds"]
        click.echo(table_text(columns, [[row[c] for c in columns] for row in rows]))
        troubled = {row["outlet"] for row in rows if row["errors"]}
        for h in _survey(config).outlets if troubled else ():
            if h["id"] in troubled:
                click.echo(f"{h['id']}: {h['last_error']}")
    else:
        mend = "`rasid outlets check --enable` switches on what answers"
        click.echo(f"No outlet is enabled in {config.file('outlets.toml')}, so nothing was crawled; {mend}.")
    if any(row["outcome"] == "interrupted" for row in rows):
        sys.exit(1)


@main.command()
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
@config_option
@json_option
def save(urls: tuple[str, ...], config_dir: Path | None, as_json: bool) -> None:
    """Archive these pages now, whatever their topic."""
    from crawler import visits

    rows = visits.save_now(load(config_dir), urls, progress)
    if as_json:
        print_json(rows)
    else:
        click.echo(
            table_text(["address", "became", "article"], [[r["url"], r["became"], r["article_id"]] for r in rows])
        )
    if not any(row["article_id"] for row in rows):
        sys.exit(1)


@main.command()
@config_option
def run(config_dir: Path | None) -> None:
    """Run the service: scheduled crawls, revisits and alerts, until SIGTERM. SIGHUP: read the configuration again."""
    from crawler.config import supervisor
    from crawler.logs import set_up
    from crawler.service import Service
    from crawler.session import open_session, run_reactor

    logging.getLogger("rasid").setLevel(logging.INFO)
    config = load(config_dir)
    set_up(config.watch.log, config.secrets())
    with open_session(config) as session:
        run_reactor(Service(session, supervisor()).run)


@main.command()
@config_option
@json_option
def status(config_dir: Path | None, as_json: bool) -> None:
    """Health per outlet: last success, yield, errors, next visit; what waits, what is wrong; the ledger's head."""
    from dataclasses import asdict

    from archive.ledger import head
    from archive.reading import open_archive

    config = load(config_dir)
    with open_archive(config.archive) as archive:
        counts, unread, drifts = archive.counts(), archive.gaps(yesterday()), archive.drifts()
        chain = head(archive.db)
    found = _survey(config)
    if as_json:
        print_json(asdict(found) | {"counts": counts, "drift": drifts, "head": chain})
        return
    click.echo("   ".join(f"{name}: {number}" for name, number in counts.items()))
    click.echo(f"chain's head: {chain}")
    if not found.outlets:
        click.echo("No outlet was visited yet; `rasid crawl` visits them once, `rasid run` on schedule.")
    else:
        columns = ["outlet", "state", "last success", "last new", "articles", "kept", "errors 24 h", "next"]
        keys = ["id", "state", "last_ok_at", "last_new_at", "articles", "kept", "errors_24h", "next_at"]
        click.echo(table_text(columns, [[h[key] for key in keys] for h in found.outlets]))
    if unread:
        click.echo(f"{unread}.")
    for drift in drifts:
        click.echo(drift)
    told = {trouble.key: trouble.text for trouble in found.troubles} | {key: text for key, text, _ in found.notices}
    for h in found.outlets:
        if h["state"] in ("blocked", "failing", "silent") and f"outlet {h['id']}" not in told:
            click.echo(f"{h['id']} is {h['state']}" + (f": {h['last_error']}" if h["last_error"] else ""))
    for line in dict.fromkeys(told.values()):
        click.echo(line)


@main.command("import")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path))
@click.option("--outlet", "outlet_id", metavar="OUTLET", help="The outlet the files come from.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Files read at a time.")
@config_option
@json_option
def import_(
    paths: tuple[Path, ...], outlet_id: str | None, workers: int, config_dir: Path | None, as_json: bool
) -> None:
    """Bring text and HTML files in by the same path as fetched pages. What is imported counts as backlog."""
    from archive.frontier import sync_outlets
    from archive.writer import Writer
    from crawler.imports import files, import_files
    from crawler.session import policy
    from crawler.worker import Worker

    config = load(config_dir)
    outlet = config.enabled((outlet_id,))[0] if outlet_id else None
    wanted = files(paths)
    config.archive.parent.mkdir(parents=True, exist_ok=True)
    writer = Writer(config.archive, policy(config))
    rows: list[dict[str, Any]] = []
    try:
        writer.submit(lambda tx: sync_outlets(tx, [o.row for o in config.outlets])).result()
        done = import_files(wanted, writer, lambda: Worker(config.rules), outlet=outlet, workers=workers)
        for number, one in enumerate(done, 1):
            progress(f"{number} of {len(wanted)} files")
            became = one.saved.kind if one.saved else "failed"
            rows.append(
                {"path": str(one.path), "became": became, "article_id": one.saved.article_id if one.saved else None,
                 "topics": list(one.topics), "title": one.title, "error": one.error}
            )  # fmt: skip
    finally:
        writer.close()
    if as_json:
        print_json(rows)
    else:
        shown = [[r["became"], r["article_id"], ", ".join(r["topics"]), r["error"] or r["title"]] for r in rows]
        click.echo(table_text(["became", "article", "topics (passing)", "title"], shown))
    if rows and all(row["error"] for row in rows):
        sys.exit(1)


@main.command(context_settings={"ignore_unknown_options": True})  # -word is no option
@click.argument("query", nargs=-1, required=True, metavar="QUERY...")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.option("--since", type=Since(), help="Only what was first seen then or later: 2026-01-21, or 7d.")
@click.option("--until", type=Since(), help="Only what was first seen before.")
@click.option("--all", "unfold", is_flag=True, help="Copies and rewrites of one article as hits of their own.")
@config_option
@json_option
def search(
    query: tuple[str, ...], limit: int, since: str | None, until: str | None, unfold: bool, config_dir: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Search the archive: words, "phrases", AND, OR, NOT, -word, word*, NEAR(a b, 5).

    Says which outlets could not be read in the time asked for (without --since: the last 24 hours).
    """
    from dataclasses import asdict

    from archive.reading import open_archive
    from archive.search import read_query
    from crawler.report import hits_text

    with open_archive(load(config_dir).archive) as archive:
        hits = archive.search(" ".join(query), limit, since=since, until=until, fold=not unfold)
        unread = archive.gaps(since or yesterday(), until)
    for note in (read_query(" ".join(query)).note, unread):
        if note:
            click.echo(f"({note})", err=True)
    if as_json:
        print_json([asdict(hit) for hit in hits])
    else:
        click.echo(hits_text(hits) if hits else "No article matches. Fewer words, or word* for a beginning, find more.")


@main.command()
@click.argument("article_id", type=click.IntRange(1, 2**62), metavar="ID")
@config_option
@json_option
def show(article_id: int, config_dir: Path | None, as_json: bool) -> None:
    """Show one article: its newest version, why it is kept, and its history."""
    from archive.reading import open_archive
    from crawler.report import shown_text, shown_values

    with open_archive(load(config_dir).archive) as archive:
        values = shown_values(archive, article_id)
    if as_json:
        print_json(values)
    else:
        click.echo(shown_text(values))


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8001, show_default=True, type=click.IntRange(0, 65535))
@config_option
def serve(host: str, port: int, config_dir: Path | None) -> None:
    """Serve the archive read-only: SQL, search and article pages in the browser (Datasette)."""
    from archive.desk import serve as serve_desk

    serve_desk(load(config_dir).archive, host=host, port=port, on_ready=lambda url: click.echo(f"Serving {url}"))


@main.command()
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@config_option
@json_option
def prune(dry_run: bool, config_dir: Path | None, as_json: bool) -> None:
    """Drop raw captures of pages that matched nothing, after keep.passed_days. Kept articles are never touched."""
    from dataclasses import asdict

    from archive import upkeep
    from archive.reading import open_archive
    from archive.writer import Writer
    from crawler.session import policy

    config = load(config_dir)
    open_archive(config.archive).close()  # says so when there is none, rather than making an empty one
    writer = Writer(config.archive, policy(config))
    try:
        if not dry_run:
            upkeep.close_files(writer)
        report = upkeep.prune(writer, passed_days=config.keep.passed_days, dry_run=dry_run)
    finally:
        writer.close()
    if as_json:
        print_json(asdict(report))
    else:
        click.echo(("Would drop: " if dry_run else "Dropped: ") + str(report))


@main.command()
@click.option("--dir", "directory", type=click.Path(path_type=Path), help="Where archive, captures and mails go.")
@click.option("--exit", "exit_", is_flag=True, help="Stop when done instead of serving the archive.")
def demo(directory: Path | None, exit_: bool) -> None:
    """All of it on bundled documents, without network: outlets, crawl, edit, withdrawal, mails, desk."""
    from crawler import demo as demonstration

    demonstration.run(directory, exit=exit_)


def _survey(config: Config) -> Survey:
    from archive.times import stamp, utc_now
    from crawler.health import survey

    return survey(config, stamp(utc_now()))


for command in (alerts, diff, outlets, extract, topics, rejudge, backup, doctor, verify, export, redact):
    main.add_command(command)
