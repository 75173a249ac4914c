"""The program `rasid`: each command parses, calls one part and prints. Heavy imports stay inside the commands."""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import asdict
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.cli_alerts import alerts
from crawler.cli_archive import backup, diff, doctor, export, redact, verify
from crawler.cli_outlets import outlets
from crawler.cli_rules import extract, rejudge, topics
from crawler.terminal import Program, Report, Since, config_option, number, part_option, progress, reporting, table

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
@reporting
def crawl(outlets: tuple[str, ...], config: Config) -> Report:
    """Crawl the named outlets, or all enabled ones, once and now."""
    from crawler import visits

    rows = visits.crawl_now(config, outlets, progress)
    if not rows:
        where, mend = config.file("outlets.toml"), "`rasid outlets check --enable` switches on what answers"
        return Report(rows, f"No outlet is enabled in {where}, so nothing was crawled; {mend}.")
    columns = ["outlet", "outcome", "discovered", "fetched", "kept", "errors", "seconds"]
    lines = [table(columns, [[row[c] for c in columns] for row in rows])]
    if troubled := {row["outlet"] for row in rows if row["errors"]}:
        lines += [f"{h['id']}: {h['last_error']}" for h in _survey(config).outlets if h["id"] in troubled]
    return Report(rows, "\n".join(lines), not any(row["outcome"] == "interrupted" for row in rows))


@main.command()
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
@config_option
@reporting
def save(urls: tuple[str, ...], config: Config) -> Report:
    """Archive these pages now, whatever their topic."""
    from crawler import visits

    rows = visits.save_now(config, urls, progress)
    shown = table(["address", "became", "article"], [[r["url"], r["became"], r["article_id"]] for r in rows])
    return Report(rows, shown, any(row["article_id"] for row in rows))


@main.command()
@config_option
def run(config: Config) -> None:
    """Run the service: scheduled crawls, revisits and alerts, until SIGTERM. SIGHUP: read the configuration again."""
    from crawler.config import supervisor
    from crawler.logs import set_up
    from crawler.service import Service
    from crawler.session import open_session, run_reactor

    logging.getLogger("rasid").setLevel(logging.INFO)
    set_up(config.watch.log, config.secrets())
    with open_session(config) as session:
        run_reactor(Service(session, supervisor()).run)


@main.command()
@part_option
@reporting
def status(config: Config) -> Report:
    """Health per outlet: last success, yield, errors, next visit; what waits, what is wrong; the ledger's head."""
    from archive.doctor import writing
    from archive.ledger import head
    from archive.reading import open_archive

    with open_archive(config.archive) as archive:
        counts, unread, drifts = archive.counts(), archive.gaps(Since.yesterday()), archive.drifts()
        chain = head(archive.db)
    found = _survey(config)
    lines = ["   ".join(f"{name}: {number}" for name, number in counts.items()), f"chain's head: {chain}"]
    if not found.outlets:
        lines.append("No outlet was visited yet; `rasid crawl` visits them once, `rasid run` on schedule.")
    else:
        columns = ["outlet", "state", "last success", "last new", "articles", "kept", "errors 24 h", "next"]
        keys = ["id", "state", "last_ok_at", "last_new_at", "articles", "kept", "errors_24h", "next_at"]
        lines.append(table(columns, [[h[key] for key in keys] for h in found.outlets]))
    lines += [f"{unread}."] if unread else []
    told = {trouble.key: trouble.text for trouble in found.troubles} | {key: text for key, text, _ in found.notices}
    if config.mistake:
        running = writing(config.archive)
        goes_on = f"process {running} goes on by what it read before" if running else "`rasid run` will not start"
        told["configuration"] = f"{config.mistake}. It is not in force: {goes_on}"
    ill = [
        h for h in found.outlets if h["state"] in ("blocked", "failing", "silent") and f"outlet {h['id']}" not in told
    ]
    states = [": ".join(filter(None, (f"{h['id']} is {h['state']}", h["last_error"]))) for h in ill]
    value = asdict(found) | {"counts": counts, "drift": drifts, "head": chain, "mistake": told.get("configuration")}
    return Report(value, "\n".join([*lines, *drifts, *states, *dict.fromkeys(told.values())]))


@main.command("import")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path))
@click.option("--outlet", "outlet_id", metavar="OUTLET", help="The outlet the files come from.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Files read at a time.")
@config_option
@reporting
def import_(paths: tuple[Path, ...], outlet_id: str | None, workers: int, config: Config) -> Report:
    """Bring text and HTML files in by the same path as fetched pages. What is imported counts as backlog."""
    from archive.frontier import sync_outlets
    from archive.writer import Writer
    from crawler.imports import files, import_files
    from crawler.session import policy

    outlet = config.enabled((outlet_id,))[0] if outlet_id else None
    wanted = files(paths)
    config.archive.parent.mkdir(parents=True, exist_ok=True)
    rows = []
    with Writer(config.archive, policy(config)) as writer:
        writer.submit(lambda tx: sync_outlets(tx, [o.row for o in config.outlets])).result()
        for one in import_files(wanted, writer, config.rules, outlet=outlet, workers=workers):
            rows.append(one)
            progress(f"{len(rows)} of {len(wanted)} files")
    shown = [[r.became, r.article_id, ", ".join(r.topics), r.error or r.title] for r in rows]
    found = table(["became", "article", "topics (passing)", "title"], shown)
    return Report(rows, found, not rows or any(r.error is None for r in rows))


@main.command(context_settings={"ignore_unknown_options": True})  # -word is no option
@click.argument("query", nargs=-1, required=True, metavar="QUERY...")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.option("--since", type=Since(), help="Only what was first seen then or later: 2026-01-21, or 7d.")
@click.option("--until", type=Since(), help="Only what was first seen before.")
@click.option("--all", "unfold", is_flag=True, help="Copies and rewrites of one article as hits of their own.")
@part_option
@reporting
def search(
    query: tuple[str, ...], limit: int, since: str | None, until: str | None, unfold: bool, config: Config
) -> Report:
    """Search the archive: words, "phrases", AND, OR, NOT, -word, word*, NEAR(a b, 5).

    Says which outlets could not be read in the time asked for (without --since: the last 24 hours).
    """
    from archive.reading import open_archive
    from archive.search import read_query
    from crawler.report import hits_text

    asked = read_query(" ".join(query))
    with open_archive(config.archive) as archive:
        hits = archive.search(" ".join(query), limit, since=since, until=until, fold=not unfold)
        unread = archive.gaps(since or Since.yesterday(), until)
    for note in filter(None, (asked.note, unread)):
        click.echo(f"({note})", err=True)
    more = "Fewer words, or word* for a beginning, find more." if asked.expression else "Nothing was searched for."
    return Report(hits, hits_text(hits) or f"No article matches. {more}")


@main.command()
@click.argument("article_id", type=number, metavar="ID")
@part_option
@reporting
def show(article_id: int, config: Config) -> Report:
    """Show one article: its newest version, why it is kept, and its history."""
    from archive.reading import open_archive
    from crawler.report import shown_text, shown_values

    with open_archive(config.archive) as archive:
        values = shown_values(archive, article_id)
    return Report(values, shown_text(values))


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8001, show_default=True, type=click.IntRange(0, 65535))
@part_option
def serve(host: str, port: int, config: Config) -> None:
    """Serve the archive read-only: SQL, search and article pages in the browser (Datasette)."""
    from archive.desk.server import serve as serve_desk

    serve_desk(config.archive, host=host, port=port, on_ready=lambda url: click.echo(f"Serving {url}"))


@main.command()
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@part_option
@reporting
def prune(dry_run: bool, config: Config) -> Report:
    """Drop raw captures of pages that matched nothing, after keep.passed_days. Kept articles are never touched.

    The service does so daily; this is for when it does not run. --dry-run works at any time.
    """
    from archive import upkeep
    from archive.reading import open_archive
    from archive.times import stamp, utc_now
    from archive.writer import Writer
    from crawler.session import policy

    with open_archive(config.archive) as archive:  # says so when there is none, rather than making an empty one
        report = upkeep.prunable(archive, stamp(utc_now()), config.keep.passed_days)
    if not dry_run:
        with Writer(config.archive, policy(config)) as writer:
            upkeep.close_files(writer)
            report = upkeep.prune(writer, config.keep.passed_days)
    return Report(report, f"{'Would drop' if dry_run else 'Dropped'}: {report}")


@main.command()
@click.option("--dir", "directory", type=click.Path(path_type=Path), help="Where archive, captures and mails go.")
@click.option("--exit", "exit_", is_flag=True, help="Stop when done instead of serving the archive.")
def demo(directory: Path | None, exit_: bool) -> None:
    """All of it on bundled documents, without network: outlets, crawl, edit, withdrawal, mails, desk."""
    from crawler.demo.play import run as play

    play(directory, exit=exit_)


def _survey(config: Config) -> Survey:
    from archive.times import stamp, utc_now
    from crawler.health import survey

    return survey(config, stamp(utc_now()))


for command in (alerts, diff, outlets, extract, topics, rejudge, backup, doctor, verify, export, redact):
    main.add_command(command)
