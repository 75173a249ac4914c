"""`rasid alerts`: what a rule would have told, what waits in the outbox, and another try for what failed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.terminal import Report, config_option, number, part_option, reporting, table

if TYPE_CHECKING:
    from archive.alerts.render import MailContext
    from archive.alerts.rules import AlertRule
    from archive.reading import Archive
    from crawler.config import Config

LAST = 10  # events shown of a rule
SCANNED = 5_000  # events looked through for them, the newest first


@click.group()
def alerts() -> None:
    """Alert rules and the outbox."""


@alerts.command("test")
@click.argument("rule_name", metavar="RULE")
@click.option("--save", type=click.Path(path_type=Path, file_okay=False), help="Write each mail here: .html and .txt.")
@config_option
@reporting
def alerts_test(rule_name: str, save: Path | None, config: Config) -> Report:
    """Show the last ten events RULE would have told, and the mail of the newest; sends nothing."""
    from archive.alerts.render import write
    from archive.errors import ConfigError, meant
    from archive.reading import open_archive

    names = [rule.name for rule in config.alerts]
    if rule_name not in names:
        mend = f"{meant(rule_name, names)}; known: {', '.join(names) or 'none; add an [[alert]]'}"
        raise ConfigError(config.file("rasid.toml"), "alert", f"no rule {rule_name!r}{mend}")
    with open_archive(config.archive) as archive:
        mails = list(_would_tell(archive, config, config.alerts[names.index(rule_name)]))
    rows = []
    for mail in mails:
        written = write(mail, contact=config.contact, desk_url=config.desk.url)
        file = save / f"{mail.id}.html" if save else None
        if file:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(written.html, encoding="utf-8")
            file.with_suffix(".txt").write_text(written.text, encoding="utf-8")
        story = next(iter(mail.stories), None)
        rows.append({"event": mail.id, "at": mail.at, "kind": story.kind if story else mail.kind,
                     "article_id": story.article_id if story else None, "subject": written.subject,
                     "file": str(file) if file else None, "text": written.text})  # fmt: skip
    if not rows:
        return Report(rows, f"Nothing kept so far would have been told by {rule_name!r}.")
    found = table(["event", "at", "subject"], [[r["event"], r["at"], r["subject"]] for r in rows])
    more = "" if save else "; --save DIR writes all of them, as HTML too"
    return Report(rows, f"{found}\n\nThe newest, as text{more}:\n\n{rows[0]['text']}")


def _would_tell(archive: Archive, config: Config, rule: AlertRule) -> Any:
    """The mails, each of one event, the newest first; `id` is the event's, or that of the trouble told."""
    from archive.alerts.plan import concerns
    from archive.alerts.telling import context, read_stories
    from archive.models import Event

    def mail(id_: int, at: str, **more: Any) -> MailContext:
        common = {"id": id_, "message_id": "<>", "recipient": rule.readers[0][1], "total": 1, "kind": "instant"}
        return context([rule], config.rules, at, more.pop("stories", ()), **(common | more))

    if rule.kind == "operator":
        for row in archive.query("SELECT id, at, text FROM notices ORDER BY id DESC LIMIT ?", (LAST,)):
            yield mail(row["id"], row["at"], kind="notice", notice=row["text"])
        return
    found = 0
    newest = "SELECT id, at, kind, article_id, version_id, backlog FROM events ORDER BY id DESC LIMIT ?"
    for row in archive.query(newest, (SCANNED,)):
        if found < LAST and concerns(archive.db, rule, Event(**row)):
            found += 1
            yield mail(row["id"], row["at"], stories=read_stories(archive.db, [row["id"]], [rule]))


@alerts.command("list")
@click.option("--state", type=click.Choice(["queued", "sending", "sent", "failed"]), help="Only mails in this state.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@part_option
@reporting
def alerts_list(state: str | None, limit: int, config: Config) -> Report:
    """Show the outbox, the newest mails first: to whom, what became of each, and why one failed or waits."""
    from archive.reading import open_archive
    from archive.sqlite import statement

    with open_archive(config.archive) as archive:
        rows = archive.query(statement("alerts.outbox"), (state, limit))
    if not rows:
        return Report(rows, f"No mail is {state}." if state else "The outbox is empty: no rule told anything yet.")
    columns = ["id", "rule", "to", "kind", "state", "attempts", "events", "sent or due", "error"]
    return Report(rows, table(columns, [list(row.values()) for row in rows]))


@alerts.command("retry")
@click.argument("mail_id", type=number, metavar="[ID]", required=False)
@click.option("--failed", is_flag=True, help="All mails that failed.")
@part_option
@reporting
def alerts_retry(mail_id: int | None, failed: bool, config: Config) -> Report:
    """Make mail ID, or all that failed, due again; the service sends them."""
    from archive.alerts.outbox import retry
    from archive.errors import ArchiveError
    from archive.reading import open_archive
    from archive.sqlite import note
    from archive.times import stamp, utc_now

    if failed == (mail_id is not None):
        raise click.UsageError("name the ID of a mail, or write --failed")
    open_archive(config.archive).close()  # says so when there is none of this release
    with note(config.archive) as db:
        again = retry(db, stamp(utc_now()), mail_id)
    if mail_id is not None and not again:
        raise ArchiveError(f"there is no mail {mail_id} that failed or waits; `rasid alerts list` shows them")
    told = f"{again} mails are due again; `rasid run` sends them" if again else "No mail failed."
    return Report({"due": again}, told)
