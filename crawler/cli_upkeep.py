"""Commands about the archive's health: backup, doctor."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from crawler.terminal import config_option, json_option, load, print_json, progress


@click.command()
@click.argument("destination", metavar="DEST", type=click.Path(path_type=Path, file_okay=False))
@config_option
@json_option
def backup(destination: Path, config_dir: Path | None, as_json: bool) -> None:
    """Copy the archive into the directory DEST, or bring the copy there up to date; works while the service runs."""
    from archive import backup as copying

    report = copying.backup(load(config_dir).archive, destination, progress)
    progress("")
    if as_json:
        print_json(asdict(report))
    else:
        click.echo(
            f"{destination} holds {report.versions} versions and {report.files} WARC files; copied now: "
            f"{report.database_bytes / 1e6:.1f} MB of tables, {report.capture_bytes / 1e6:.1f} MB of captures"
        )
        click.echo(f"The ledger's head is {report.ledger_head}")
        for sentence in report.damaged:
            click.echo(sentence)
    if report.damaged:
        sys.exit(1)


@click.command()
@click.option("--repair", is_flag=True, help="Make anew what is derived: search index, tallies, dates.")
@config_option
@json_option
def doctor(repair: bool, config_dir: Path | None, as_json: bool) -> None:
    """Say what is wrong with the archive, where, and the mend: integrity, index, captures, disk, clock, mails."""
    from archive import doctor as medicine
    from archive.times import stamp, utc_now
    from archive.writer import Writer
    from crawler.session import policy

    config, mended = load(config_dir), list[str]()
    if repair and config.archive.exists():
        with Writer(config.archive, policy(config)) as writer:
            mended = medicine.repair(writer)
    found = list(
        medicine.examine(config.archive, stamp(utc_now()), free_space=config.keep.free_space, progress=progress)
    )
    progress("")
    running = medicine.writing(config.archive)
    faults = sum(finding.fault for finding in found)
    if as_json:
        print_json({"archive": str(config.archive), "written_by": running, "repaired": mended,
                    "findings": [asdict(finding) for finding in found]})  # fmt: skip
    else:
        for sentence in mended:
            click.echo(f"repaired: {sentence}")
        for finding in found:
            click.echo(f"{'fault' if finding.fault else 'note'}: {finding.check}: {finding.what}\n  {finding.mend}")
        click.echo(f"{config.archive}: {faults or 'no'} faults, {len(found) - faults or 'no'} notes; "
                   + (f"written by process {running}" if running else "nobody writes to it now"))  # fmt: skip
    if faults:
        sys.exit(1)
