"""Commands about the archive's health: backup, doctor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.terminal import Report, part_option, progress, reporting

if TYPE_CHECKING:
    from crawler.config import Config


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
    found = list(
        medicine.examine(config.archive, stamp(utc_now()), free_space=config.keep.free_space, progress=progress)
    )
    running = medicine.writing(config.archive)
    faults = sum(finding.fault for finding in found)
    value = {"archive": str(config.archive), "written_by": running, "repaired": mended, "findings": found}
    lines = [f"repaired: {sentence}" for sentence in mended]
    lines += [f"{'fault' if f.fault else 'note'}: {f.check}: {f.what}\n  {f.mend}" for f in found]
    who = f"written by process {running}" if running else "nobody writes to it now"
    lines += [f"{config.archive}: {faults or 'no'} faults, {len(found) - faults or 'no'} notes; {who}"]
    return Report(value, "\n".join(lines), not faults)
