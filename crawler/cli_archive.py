"""Commands about the archive and what it proves: diff, verify, export, redact, backup, doctor."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from archive.errors import ArchiveError
from crawler.terminal import Report, config_option, number, part_option, progress, reporting

if TYPE_CHECKING:
    from crawler.config import Config

SHOWN = 100  # findings printed for people


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
        found, redaction = archive.diff(article_id, *versions, rules=config.rules), archive.redaction(article_id)
    sides = {name: {"number": v.number, "captured_at": v.captured_at, "version_id": v.id}
             for name, v in (("from", found.before), ("to", found.after))}  # fmt: skip
    told = {"article_id": article_id, **sides, "silent": found.silent, "edits": found.edits, "redaction": redaction}
    return Report(told, diff_text(found, redaction))


@click.command()
@click.option("--workers", default=os.cpu_count() or 1, type=click.IntRange(1, 64), help="Processes (default: cores).")
@click.option("--sample", metavar="N", type=click.IntRange(1), help="Only N files and stretches of the ledger.")
@part_option
@reporting
def verify(workers: int, sample: int | None, config: Config) -> Report:
    """Hash everything that was kept again, and name each piece that is not as it was stored.

    Works while the service runs. Exit code 1 when anything is wrong; a redaction is told and is no fault.
    """
    from archive.verify import verify as check

    report = check(config.archive, workers=workers, progress=progress, sample=sample)
    lines = [click.style(str(finding), fg="red" if finding.fault else None) for finding in report.findings[:SHOWN]]
    if (more := len(report.findings) - SHOWN) > 0:
        lines.append(f"... and {more} more; --json lists all")
    size = f"{report.files} WARC files, {report.records} captures, {report.bytes / 1e6:.1f} MB"
    lines.append(f"Checked {size}, {report.versions} versions: {report.faults or 'no'} faults.")
    lines.append(f"The chain's head: {report.head}")
    return Report(asdict(report) | {"faults": report.faults}, "\n".join(lines), not report.faults)


@click.command(context_settings={"ignore_unknown_options": True})  # -word is no option
@click.argument("what", nargs=-1, required=True, metavar="ID|QUERY...")
@click.option("--format", "form", type=click.Choice(["bundle", "csv", "jsonl"]), default="bundle", show_default=True)
@click.option(
    "--to", "target", type=click.Path(path_type=Path),
    help="Directory; of one article a .zip, too; of rows a file (default: evidence-ID).",
)  # fmt: skip
@part_option
def export(what: tuple[str, ...], form: Literal["bundle", "csv", "jsonl"], target: Path | None, config: Config) -> None:
    """Write the evidence on an article, or on all that a search finds, for others to check without Rasid.

    csv and jsonl give a row for each article, with its newest text, on the terminal or into a file.
    """
    from archive.export import bundle, rows_of, write_rows
    from archive.reading import open_archive

    query, refused = " ".join(what), list[int]()
    with open_archive(config.archive) as archive:
        rows = rows_of(archive, query)
        if form == "bundle":
            if not (numbers := [row["article_id"] for row in rows]):
                raise ArchiveError(f"no kept article is {query!r}, so nothing was written; `rasid search` shows ids")
            if target and target.suffix == ".zip" and not query.isdecimal():
                raise ArchiveError(f"{target} would be one bundle, and a search may find many; name a directory")
            for number in numbers:
                name = Path(f"evidence-{number}")
                place = target or name if query.isdecimal() else (target or Path()) / name
                try:
                    click.echo(f"wrote {bundle(archive, number, place)}")
                except ArchiveError as error:  # of what a search finds, the others are written
                    click.secho(f"rasid: {error}", fg="red", err=True)
                    refused.append(number)
            sys.exit(bool(refused))
        elif target is None:
            write_rows(rows, sys.stdout, form)
        else:  # the mark tells spreadsheets that this is UTF-8
            with target.open("x", encoding="utf-8-sig" if form == "csv" else "utf-8", newline="") as out:
                click.echo(f"wrote {write_rows(rows, out, form)} articles to {target}")


@click.command()
@click.argument("article_id", type=number, metavar="ID")
@click.option("--reason", required=True, help="Why; it stays, and stands where the article stood.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@config_option
def redact(article_id: int, reason: str, yes: bool, config: Config) -> None:
    """Take the words and raw pages of an article out for good. Hashes and ledger stay; it is not fetched again."""
    from archive.reading import open_archive
    from archive.redaction import redact as begin
    from archive.writer import Writer
    from crawler.session import policy

    with open_archive(config.archive) as archive:
        article = archive.article(article_id)
    if not yes:
        click.confirm(f"{article.title or article.url}\nNothing brings it back. Redact it?", abort=True)
    with Writer(config.archive, policy(config)) as writer:
        writer.submit(lambda tx: begin(tx, article_id, reason)).result()
    Writer(config.archive, policy(config)).close()  # any start ends what was begun, and says what is in the way
    with open_archive(config.archive) as archive:
        if archive.query("SELECT 1 FROM redactions WHERE article_id = ? AND done_at IS NULL", (article_id,)):
            raise ArchiveError("begun, not ended: put right what is named above, then repeat it (any start ends it)")
    click.echo(f"Article {article_id} is redacted, with its raw pages. Not ours to change: backups, mails already")
    click.echo("sent, other outlets' copies. The article's address stays.")


@click.command()
@click.argument("destination", metavar="DEST", type=click.Path(path_type=Path, file_okay=False))
@part_option
@reporting
def backup(destination: Path, config: Config) -> Report:
    """Copy the archive into the directory DEST, or bring the copy there up to date; works while the service runs."""
    from archive import backup as copying

    report = copying.backup(config.archive, destination, progress)
    lines = [
        f"{destination} holds {report.versions} versions and {report.files} WARC files; copied now: "
        f"{report.database_bytes / 1e6:.1f} MB of tables, {report.capture_bytes / 1e6:.1f} MB of captures",
        f"The ledger's head is {report.ledger_head}",
    ]
    return Report(report, "\n".join([*lines, *report.damaged]), not report.damaged)


@click.command()
@click.option("--repair", is_flag=True, help="Make anew what is derived: search index, tallies, dates.")
@part_option
@reporting
def doctor(repair: bool, config: Config) -> Report:
    """Say what is wrong with the archive, where, and the mend: integrity, index, captures, disk, clock, mails."""
    from archive import doctor as medicine
    from archive.times import stamp, utc_now
    from archive.writer import Writer
    from crawler.session import policy

    mended = list[str]()
    if repair and config.archive.exists():
        with Writer(config.archive, policy(config)) as writer:
            mended = medicine.repair(writer)
    now, room = stamp(utc_now()), config.keep.free_space
    found = list(medicine.examine(config.archive, now, free_space=room, progress=progress))
    running = medicine.writing(config.archive)
    faults = sum(finding.fault for finding in found)
    value = {"archive": str(config.archive), "written_by": running, "repaired": mended, "findings": found}
    lines = [f"repaired: {sentence}" for sentence in mended]
    lines += [f"{'fault' if f.fault else 'note'}: {f.check}: {f.what}\n  {f.mend}" for f in found]
    who = f"written by process {running}" if running else "nobody writes to it now"
    lines += [f"{config.archive}: {faults or 'no'} faults, {len(found) - faults or 'no'} notes; {who}"]
    return Report(value, "\n".join(lines), not faults)
