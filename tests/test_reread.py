"""A better reader makes no version: where a page seems edited, the capture before is read again by today's."""

from __future__ import annotations

from datetime import timedelta

from archive.transaction import Transaction
from tests.crawl_kit import TEXT, Desk, one_article
from tests.servers import Site


def _older_reader(desk: Desk) -> None:
    """Make the one version what a worse reader would have made of the same page."""
    more = "text || char(10) || 'قائمة الأقسام والصفحات الأخرى التي لم تُنزع'"

    def change(tx: Transaction) -> None:
        tx.db.execute("DROP TRIGGER versions_no_update")
        tx.db.execute(f"UPDATE versions SET text = {more}, extractor = 'old'")

    desk.writer.submit(change).result()


def test_a_change_of_reader_makes_no_version_and_hides_no_edit(desk: Desk, site: Site) -> None:
    site.article("/1", "قسد تنقل معتقلي داعش", TEXT)
    one_article(desk, site, "/1")
    _older_reader(desk)
    desk.ahead = timedelta(hours=2)
    desk.crawl()
    assert desk.rows("SELECT count(*) FROM versions") == [(1,)]
    assert desk.outcomes()["/1"] == "unchanged"
    site.article("/1", "قسد تنقل معتقلي داعش", TEXT.replace("مئة وخمسين", "مئتين"))
    desk.ahead = timedelta(hours=6)
    desk.crawl()
    assert desk.rows("SELECT field, reasons, before, after FROM edits") == [("text", "number", "مئة وخمسين.", "مئتين.")]
